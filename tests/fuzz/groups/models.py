"""Folders of models, whole and damaged: settings, weights, tokenizers."""

import json
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz.inputs import Draw, Ended, Input, group

LADDER = Path(__file__).parents[3] / "src" / "weak2strong" / "embedded" / "ladder"
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")

Damage = Callable[[random.Random, Path], str | None]
"""Damages a folder; the file that the sentence must name, or None where the model stays right."""


def smallest(folder: Path) -> None:
    """The smallest rung of the ladder, which is a whole model."""
    rungs = [file.parent for file in LADDER.glob("*/config.json")]
    shutil.copytree(min(rungs, key=lambda r: (r / WEIGHTS).stat().st_size), folder / "model")


def settings(rng: random.Random, folder: Path) -> str:
    """A size that no model has, or a value of another kind."""
    config = json.loads((folder / CONFIG).read_text())
    sizes = [k for k in config if k in ("hidden_size", "num_hidden_layers", "vocab_size")]
    sizes += [k for k in config if k in ("num_attention_heads", "intermediate_size")]
    name = rng.choice(sizes or ["hidden_size"])
    config[name] = rng.choice([-1, 0, "many", None, [], 1.5, -(10**9)])
    (folder / CONFIG).write_text(json.dumps(config))
    return CONFIG


def form(rng: random.Random, folder: Path) -> str:
    """A file of settings that is none."""
    name = rng.choice([CONFIG, TOKENIZER])
    (folder / name).write_bytes(rng.choice([b"", b"[]", b"null", b"{", bytes(range(256)), b"7"]))
    return name


def cut(rng: random.Random, folder: Path) -> str:
    """Weights that end too early, or are none."""
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: rng.choice([0, 7, 8, 40, len(whole) // 2, -1])])
    return WEIGHTS


def read(file: Path) -> tuple[dict[str, Any], bytes]:
    """The list of weights in a file, and their numbers."""
    whole = file.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    return json.loads(whole[8 : 8 + length]), whole[8 + length :]


def write(file: Path, listed: dict[str, Any], numbers: bytes) -> None:
    """The opposite of `read`."""
    head = json.dumps(listed).encode()
    file.write_bytes(struct.pack("<Q", len(head)) + head + numbers)


def not_finite(rng: random.Random, folder: Path) -> str:
    """A weight with a number that is NaN: all of its bits are set."""
    listed, numbers = read(folder / WEIGHTS)
    name = rng.choice(sorted(k for k in listed if k != "__metadata__" and "lm_head" not in k))
    begin, _ = listed[name]["data_offsets"]
    write(folder / WEIGHTS, listed, numbers[:begin] + b"\xff" * 4 + numbers[begin + 4 :])
    return WEIGHTS


def renamed(rng: random.Random, folder: Path) -> str:
    """A weight that has another name than the model knows."""
    listed, numbers = read(folder / WEIGHTS)
    inner = sorted(k for k in listed if "layers" in k or ".h." in k)
    name = rng.choice(inner)
    write(folder / WEIGHTS, {(f"x.{k}" if k == name else k): v for k, v in listed.items()}, numbers)
    return name.partition(".")[2]


def shard(rng: random.Random, folder: Path) -> str:
    """An index whose second file is missing or empty, or that is no index."""
    listed, _ = read(folder / WEIGHTS)
    names = sorted(k for k in listed if k != "__metadata__")
    (folder / WEIGHTS).rename(folder / SHARDS[0])
    index = {"metadata": {}, "weight_map": {k: SHARDS[i % 2] for i, k in enumerate(names)}}
    how = rng.choice(["missing", "empty", "no map", "outside"])
    if how == "empty":
        (folder / SHARDS[1]).write_bytes(b"")
    if how == "no map":
        index.pop("weight_map")
    if how == "outside":
        index["weight_map"] = dict.fromkeys(names, "../model.safetensors")
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    return SHARDS[1] if how in ("missing", "empty") else f"{WEIGHTS}.index.json"


def tokens(rng: random.Random, folder: Path) -> str:
    """A tokenizer whose parts do not go together."""
    tokenizer = json.loads((folder / TOKENIZER).read_text())
    how = rng.choice(["model", "merges", "kind"])
    if how == "model":
        tokenizer["model"] = rng.choice([None, 7, {}])
    elif how == "merges":
        tokenizer["model"] = {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "zz"]]}
    else:
        tokenizer["model"]["type"] = "Guess"
    (folder / TOKENIZER).write_text(json.dumps(tokenizer))
    return TOKENIZER


def nothing(rng: random.Random, folder: Path) -> None:
    """The model as it is, with a file that nobody reads."""
    (folder / "notes.json").write_text("{")


DAMAGES: tuple[Damage, ...] = (
    *(settings, form, cut, not_finite, renamed, shard, tokens),
    nothing,
)


@group("models", share=1, prepare=smallest, slow=True)
def models(draw: Draw) -> Input:
    """A model that is checked, by a damage after the other."""
    folder = Path(shutil.copytree(draw.prepared / "model", draw.folder / "model"))
    damage = DAMAGES[draw.number % len(DAMAGES)]
    named = damage(draw.rng, folder)
    about = (damage.__doc__ or "").strip().rstrip(".")
    words = ("models", "--check", "model")
    if named is None:
        return Input(about, words, right=_measured)
    return Input(about, words, names=("model", named))


def _measured(ended: Ended) -> str | None:
    return None if "parameters" in ended.out else "no parameters are told"

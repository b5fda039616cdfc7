"""A trained model with a head as a folder that others can load, and the model of such a folder.

Weights that were trained as a whole are a folder of Transformers; adapters are one of PEFT; where
the head alone was trained, the folder has no more than that. ``head.safetensors`` has the head as
it is in any case. Where Transformers has a class for sequence classification that gives the same
outputs, which is tried, the folder is in the form that this class reads: what the head divides
its states by is then part of its weights.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import pad
from weak2strong.models.border import hide_progress_bars
from weak2strong.models.few_bits import NF4_OPTIONS, plain_layers
from weak2strong.models.folders import ADAPTERS, KEPT_ABOUT, KEPT_HEAD, held, location_of
from weak2strong.models.image_skeleton import config_of_images
from weak2strong.models.load import load_model
from weak2strong.models.loaded import Headed, LoadedModel
from weak2strong.models.reader import Row, TextReader
from weak2strong.models.resolve import fingerprint, holds_of, resolve_model
from weak2strong.tasks.task import Kind

HEAD, ABOUT = KEPT_HEAD, KEPT_ABOUT

FORMAT = 1
"""Of `ABOUT`."""

NEAR = 1e-4
"""How far outputs may be apart, as a share of the largest, that are the same but for rounding."""


def save_kept(model: LoadedModel, spec: ModelSpec, rows: Sequence[Row], folder: Path) -> None:
    """Write a trained model, as it answers now, into a folder, which is made.

    Args:
        model: that was trained, and is frozen.
        spec: of which it was made.
        rows: some of what it reads, by which it is tried whether a class of Transformers gives the
            same outputs.
        folder: where there is none yet.
    """
    hide_progress_bars()
    spec, network, holds = resolve_model(spec), model.network, holds_of(spec)
    if holds == "full" and spec.adaptation == "lora":
        _merge(network.pretrained)
    state = {name: _whole(value) for name, value in network.pretrained.state_dict().items()}
    as_class = None if model.ranks.several else _as_class(model, rows)
    if model.ranks.rank == 0:
        folder.mkdir(parents=True)
        parts = {"weight": network.head.weight, "size": network.size}
        if network.head.bias is not None:
            parts["bias"] = network.head.bias
        save_file({name: _plain(value) for name, value in parts.items()}, folder / HEAD)
        if holds == "full":
            _save_whole(model, state, as_class, folder)
        elif holds == "lora":
            _save_adapters(model, spec, state, as_class, folder)
        model.reader.save(folder)
        about = _about(model, spec, as_class)
        text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
        (folder / ABOUT).write_text(text, encoding="utf-8")
    model.ranks.gathered(None)


def read_about(folder: Path) -> dict[str, Any]:
    """What the file `ABOUT` of a kept model says.

    Raises:
        UserError: where the folder is none of a kept model.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        known = about["format"] == FORMAT
    except OSError as e:
        raise UserError(
            f"{folder} holds no model that a study kept, as it has no {ABOUT} that can be read "
            f"({e.strerror}): name a folder that `w2s run --keep-models` has written."
        ) from e
    except (ValueError, KeyError, TypeError) as e:
        raise UserError(
            f"{folder / ABOUT} is damaged: take the folder of the kept model from its run again."
        ) from e
    if not known:
        raise UserError(
            f"{folder / ABOUT} is of format {about['format']}, which this version of weak2strong "
            "cannot read: install the version that wrote it."
        )
    return about


def load_kept(folder: Path) -> LoadedModel:
    """The model of such a folder, as it answered when it was written.

    Raises:
        UserError: where the folder is none of a kept model, its weights are damaged, or the model
            that its adapters or its head stand on is another one now or not here.
    """
    about = read_about(folder)
    spec = spec_of(folder, about)
    if held(about) != "full" and fingerprint(spec) != about["base"]["fingerprint"]:
        raise UserError(
            f"The model {spec.name}, on which {folder} stands, has other weights than it had when "
            "that was trained: put the same model there again."
        )
    trained = held(about)
    if trained == "full":
        spec = replace(spec, adaptation="head")
    model = load_model(spec, about["kind"], about["outputs"], 0)
    try:
        parts = load_file(folder / HEAD)
        adapters = load_file(folder / ADAPTERS) if trained == "lora" else {}
    except Exception as e:
        raise UserError(
            f"The weights of {folder} cannot be read ({e}): take the folder of the kept model from "
            "its run once more."
        ) from e
    head = nn.Linear(parts["weight"].shape[1], len(parts["weight"]), bias="bias" in parts)
    head.load_state_dict({name: parts[name] for name in parts if name != "size"})
    network = model.network
    network.head = head.requires_grad_(False).to(model.device)
    network.size.copy_(parts["size"])
    if adapters:
        _put_adapters(network, adapters, about["prefix"])
    model.freeze()
    return model


def spec_of(folder: Path, about: Mapping[str, Any]) -> ModelSpec:
    """The model as a user would name it, with what it was trained with; full: that of the folder.

    Raises:
        UserError: for settings that no model has.
    """
    name, revision = about["base"]["name"], about["base"]["revision"]
    if held(about) == "full":
        name, revision = str(folder), None
    return ModelSpec(name=name, revision=revision, **about["model"])


def _about(model: LoadedModel, spec: ModelSpec, as_class: Any) -> dict[str, Any]:
    """What a reader needs besides the weights."""
    settings = asdict(replace(spec, head_start="random", answers=()))
    name, revision = settings.pop("name"), settings.pop("revision")
    if spec.precision != "4bit":
        settings["precision"] = str(model.precision).removeprefix("torch.")
    settings["gpus_per_fit"] = "auto"
    if settings["trained_weights"] == "bfloat16":
        settings["trained_weights"] = "float32"
    settings["pooling"] = model.network.pooling
    about = {
        "format": FORMAT,
        "kind": model.kind,
        "outputs": model.network.head.out_features,
        "transformers_class": type(as_class).__name__ if as_class is not None else None,
        "prefix": _prefix(as_class),
        "holds": holds_of(spec),
        "base": {"name": name, "revision": revision, "fingerprint": fingerprint(spec)},
        "model": settings,
        **_of_images(model.network, spec),
    }
    if spec.precision == "4bit":
        head = ["score"] if as_class is not None else []
        prefix = _prefix(as_class)
        left = [*head, *(f"{prefix}{name}$" for name in plain_layers(model.network.pretrained))]
        about["quantization"] = {**NF4_OPTIONS, "llm_int8_skip_modules": left}
    return about


def _of_images(network: Headed, spec: ModelSpec) -> dict[str, Any]:
    """What others need to take the vector of an image; nothing of a model that reads texts."""
    if (special := getattr(network.trunk, "special", None)) is None:
        return {}
    is_part = hasattr(config_of_images(spec), "vision_config")
    return {"images": {"first_tokens": special, "is_part": is_part}}


def _as_class(model: LoadedModel, rows: Sequence[Row]) -> Any | None:
    """The model in Transformers' own class for its architecture; None where that differs.

    The trunk is the model's own, and no copy.
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.models.auto import modeling_auto as auto

    network = model.network
    trunk = network.pretrained
    if type(trunk.config) not in auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        return None
    config = copy.deepcopy(trunk.config)
    config.num_labels = network.head.out_features
    config.pad_token_id = model.tokenizer.pad_token_id
    with torch.device("meta"):
        whole = AutoModelForSequenceClassification.from_config(config)
    score = getattr(whole, "score", None)
    there = getattr(whole, whole.base_model_prefix, None)
    if not isinstance(score, nn.Linear) or type(there) is not type(trunk):
        return None
    if (score.bias is None) != (network.head.bias is None) or network.head.bias is not None:
        return None
    setattr(whole, whole.base_model_prefix, trunk)
    folded = nn.Linear(score.in_features, score.out_features, bias=False)
    weight = network.head.weight.detach() / network.size
    folded.weight = nn.Parameter(weight.to(trunk.dtype), requires_grad=False)
    whole.score = folded.to(model.device)
    whole.eval()
    return whole if _same(model, whole, rows) else None


def _same(model: LoadedModel, whole: Any, rows: Sequence[Row]) -> bool:
    """Whether a class of Transformers gives the outputs of the network, but for rounding."""
    tokens, mask = pad(rows, model.tokenizer.pad_token_id, model.device)
    with torch.inference_mode():
        ours = model.network(tokens, mask)
        theirs = whole(input_ids=tokens, attention_mask=mask).logits.float()
    near = NEAR if model.precision == torch.float32 else 2e-2
    return bool((ours - theirs).abs().max() <= near * ours.abs().max())


def _prefix(as_class: Any) -> str:
    """What stands before the names of the trunk's weights in the saved folder."""
    return f"{as_class.base_model_prefix}." if as_class is not None else ""


def _save_whole(
    model: LoadedModel, state: Mapping[str, Tensor], as_class: Any, folder: Path
) -> None:
    trunk = model.network.pretrained
    if as_class is not None:
        return as_class.save_pretrained(folder)
    if model.ranks.several:
        # Every weight is put together before; Transformers would gather them once more.
        trunk.config.distributed_config = None
    trunk.save_pretrained(folder, state_dict=dict(state))


def _save_adapters(
    model: LoadedModel, spec: ModelSpec, state: Mapping[str, Tensor], as_class: Any, folder: Path
) -> None:
    """The adapters as PEFT has them, with the head among them where a class of Transformers is."""
    from peft import LoraConfig, TaskType
    from peft.tuners.lora import LoraLayer
    from transformers.pytorch_utils import Conv1D

    trunk, prefix = model.network.pretrained, _prefix(as_class)
    adapted: dict[str, Any] = {
        name: part for name, part in trunk.named_modules() if isinstance(part, LoraLayer)
    }
    # PEFT's forms are for models of texts, and pass on arguments that others refuse.
    of_texts = TaskType.SEQ_CLS if prefix else TaskType.FEATURE_EXTRACTION
    config = LoraConfig(
        task_type=of_texts if isinstance(model.reader, TextReader) else None,
        base_model_name_or_path=location_of(spec),
        revision=spec.revision,
        r=spec.lora_rank,
        lora_alpha=spec.lora_alpha,
        lora_dropout=0.0,
        target_modules=[f"{prefix}{name}" for name in adapted],
        modules_to_save=["score"] if prefix else None,
        # GPT-2 keeps its weights transposed.
        fan_in_fan_out=any(isinstance(p.get_base_layer(), Conv1D) for p in adapted.values()),
        inference_mode=True,
    )
    config.save_pretrained(str(folder))
    weights = {
        f"base_model.model.{prefix}{name.replace('.default.', '.')}": _plain(value)
        for name, value in state.items()
        if ".lora_" in name
    }
    if prefix:
        weights["base_model.model.score.weight"] = _plain(as_class.score.weight)
    save_file(weights, folder / ADAPTERS, metadata={"format": "pt"})


def _merge(trunk: nn.Module) -> None:
    """Put the adapters of a trained trunk into its weights, in place."""
    from peft.tuners.lora import LoraLayer

    adapted: list[tuple[str, Any]] = [
        (name, part) for name, part in trunk.named_modules() if isinstance(part, LoraLayer)
    ]
    for name, layer in adapted:
        # In new memory: what is frozen may be shared with other copies of the model.
        layer.merge(safe_merge=True)
        parent, _, own = name.rpartition(".")
        setattr(trunk.get_submodule(parent), own, layer.get_base_layer())


def _put_adapters(network: Headed, weights: Mapping[str, Tensor], prefix: str) -> None:
    """Give adapters that are there the weights of a file."""
    own = dict(network.pretrained.state_dict())
    before = f"base_model.model.{prefix}"
    with torch.no_grad():
        for name in (name for name in own if ".lora_" in name):
            saved = weights.get(before + name.replace(".default.", "."))
            if saved is None or saved.shape != own[name].shape:
                raise UserError(
                    f"The adapters of the kept model do not fit the model that they stand on "
                    f"({name} differs): put the same model there again."
                )
            own[name].copy_(saved)


def _whole(value: Any) -> Tensor:
    """A tensor that may be cut over several ranks, put together on each of them."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value


def _plain(value: Tensor) -> Tensor:
    return _whole(value).detach().cpu().contiguous().clone()


def kind_of(about: Mapping[str, Any]) -> Kind:
    """Of which kind the task is that the model was trained for."""
    return cast(Kind, about["kind"])

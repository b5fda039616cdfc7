"""Models and texts of `gpu.py`: random weights in the shapes of known models, made on the device.

Nothing is fetched. A model's folder has a configuration and a tokenizer; where the package would
read the weights, they are drawn on the device instead, in the same type, so that all else is done
as for a model with files.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.models import language, load, text_model
from weak2strong.tasks.task import Item
from weak2strong.training.training_set import TrainingSet

WORDS = 5_000
"""Of the texts; the models' vocabularies are as large as they are."""

SHAPES: dict[str, dict[str, Any]] = {
    "Qwen2.5-0.5B": {
        "model_type": "qwen2",
        "vocab_size": 151_936,
        "hidden_size": 896,
        "intermediate_size": 4_864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    },
    "Llama-3-8B": {
        "model_type": "llama",
        "vocab_size": 128_256,
        "hidden_size": 4_096,
        "intermediate_size": 14_336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
}
"""Settings of Transformers' configurations."""

TINY: dict[str, dict[str, Any]] = {
    "tiny": {
        "model_type": "llama",
        "vocab_size": WORDS + 1,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    }
}
"""For `--tiny`."""


def write_folders(root: Path, shapes: dict[str, dict[str, Any]]) -> dict[str, Path]:
    """Configurations and tokenizers, a folder a model; a word ``wN`` is token N."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoConfig, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({f"w{i}": i for i in range(WORDS)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="w0", eos_token="w0", model_max_length=8_192
    )
    folders = {}
    for name, shape in shapes.items():
        # Of a sequence classifier, Transformers asks which token is padding.
        of = {k: v for k, v in shape.items() if k != "model_type"} | {"pad_token_id": 0}
        config = AutoConfig.for_model(shape["model_type"], **of, max_position_embeddings=8_192)
        config.architectures = [f"{shape['model_type'].capitalize()}ForCausalLM"]
        folders[name] = root / name
        config.save_pretrained(folders[name])
        fast.save_pretrained(folders[name])
    return folders


def drawn(
    loader: Any, folder: str, device: torch.device, dtype: torch.dtype, **options: Any
) -> Any:
    """A model by a class of Transformers, with random weights that are made on the device."""
    from transformers import AutoConfig

    torch.manual_seed(0)
    with torch.device(device):
        config = AutoConfig.from_pretrained(folder)
        return loader.from_config(config, dtype=dtype, **options).to(dtype)


def rounded(model: Any, rules: Any) -> Any:
    """The model, with its linear layers rounded to 4 bits as Transformers would do; in place."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    for name, layer in list(model.named_modules()):
        if (
            type(layer) is not torch.nn.Linear
            or f"{re.escape(name)}$" in rules.llm_int8_skip_modules
        ):
            continue
        with torch.device("meta"):
            few = Linear4bit(layer.in_features, layer.out_features, layer.bias is not None)
        options = {"quant_type": "nf4", "module": few}
        few.weight = Params4bit(layer.weight.data, **options).to(layer.weight.device)
        few.bias = layer.bias
        model.set_submodule(name, few)
    return model


@contextmanager
def no_files(device: torch.device) -> Iterator[None]:
    """In here the package draws weights on the device where it would read them."""
    from transformers import AutoModel, AutoModelForCausalLM

    kept = {"attn_implementation"}

    def instead(loader: Any) -> Any:
        def from_pretrained(folder: str, dtype: torch.dtype, **options: Any) -> Any:
            used = {k: v for k, v in options.items() if k in kept and v is not None}
            model, rules = drawn(loader, folder, device, dtype, **used), "quantization_config"
            model = rounded(model, options[rules]) if rules in options else model
            return model, {"missing_keys": [], "unexpected_keys": []}

        return staticmethod(from_pretrained)

    loaders = (AutoModel, AutoModelForCausalLM)
    before = [vars(loader).get("from_pretrained") for loader in loaders]
    best = text_model.best_device
    for loader in loaders:
        loader.from_pretrained = instead(loader)
    text_model.best_device = language.best_device = lambda: device
    try:
        yield
    finally:
        text_model.best_device = language.best_device = best
        for loader, own in zip(loaders, before, strict=True):
            if own is None:
                del loader.from_pretrained
            else:
                loader.from_pretrained = own


def spec_of(folder: Path, job: str, packing: str = "auto") -> ModelSpec:
    """The settings of a model for a job: full, lora, head, or lora 4bit."""
    adaptation, _, precision = job.partition(" ")
    return ModelSpec(
        str(folder), adaptation=adaptation, precision=precision or "auto", packing=packing
    )


def classifier(folder: Path, job: str, device: torch.device, packing: str) -> Any:
    """A model with a head of two classes."""
    with no_files(device):
        return load.load_model(spec_of(folder, job, packing), "classification", 2, seed=0)


def writer(folder: Path, device: torch.device) -> Any:
    """A language model of which nothing is trained, in the precision that answers are made in."""
    with no_files(device):
        model = language.load_language_model(ModelSpec(str(folder), adaptation="full"))
        model.freeze()
        return model


def texts(count: int, shortest: int, longest: int) -> TrainingSet:
    """Texts of random words and of even lengths between two, with labels by their words."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(shortest, longest + 1, count)
    words = [rng.integers(1, WORDS, n) for n in lengths]
    items = [Item(str(i), str(i), " ".join(f"w{w}" for w in text)) for i, text in enumerate(words)]
    return TrainingSet(items, np.eye(2)[[int(text.mean() > WORDS / 2) for text in words]])


def part_of(data: TrainingSet, count: int) -> TrainingSet:
    """Its first examples."""
    return TrainingSet(data.items[:count], data.targets[:count])


def clear(device: torch.device) -> None:
    """Give back the memory of what is not used any more, and forget the peak so far."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_gib(device: torch.device) -> float | None:
    """The most memory of a GPU that was taken since `clear`; None on a CPU, where it is mixed."""
    return torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else None

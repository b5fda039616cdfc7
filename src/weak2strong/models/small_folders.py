"""Folders of small models of the architecture of a large one, with a tokenizer of plain words.

They are loaded, trained and asked as any model is. So what an architecture cannot do is found
without reading gigabytes of weights.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.border import hide_progress_bars
from weak2strong.models.configuration import load_config, load_tokenizer
from weak2strong.models.miniature import TOKENS, miniatures
from weak2strong.models.text_part import text_config, writer_class

LONGEST = 2048
"""Tokens of a text that a small model reads at most; few models have positions for more that are
not computed."""

WORDS = ("one", "two", "three")
"""Words of the tokenizer that are no numbers."""

FIRST = 8
"""The number of the first of them: those before often have a meaning of their own."""


def small_folders(spec: ModelSpec) -> Generator[ModelSpec]:
    """Small models of the architecture of a model, with random weights, as saved folders.

    The first is the likeliest to be like the real one. A folder is there until the next one is
    asked for. There is none where no small model can be made of the configuration, or where the
    model's own code would have to be saved with it.

    Args:
        spec: the model; the settings stay, but for answers that its tokenizer would have to know.
    """
    if spec.trust_remote_code:
        return
    config = load_config(spec)
    longest = min(LONGEST, load_tokenizer(spec).model_max_length)
    hide_progress_bars()
    for small in itertools.chain.from_iterable(_miniatures(config)):
        with TemporaryDirectory(prefix="w2s-small-") as folder:
            try:
                small.save_pretrained(folder)
                _tokenizer(small.config, longest).save_pretrained(folder)
            # A small model of numbers that do not fit together may be made and not be saved.
            except Exception:
                continue
            start = "random" if spec.head_start == "answers" else spec.head_start
            yield replace(spec, name=folder, revision=None, head_start=start, answers=())


def _miniatures(config: Any) -> Iterator[Iterator[Any]]:
    """Those with an output layer, where the architecture has one, then those of its trunk alone."""
    from transformers import AutoModel

    whole = copy.deepcopy(config)
    if hasattr(whole, "quantization_config"):
        del whole.quantization_config
    # Most encoders write nothing.
    with suppress(UserError):
        yield miniatures(writer_class(whole).from_config, whole)
    yield miniatures(AutoModel.from_config, whole)


def _tokenizer(config: Any, longest: int) -> Any:
    """A tokenizer that knows a few words, and has a token for each number of the vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    text = text_config(config)
    rows = min(getattr(text, "vocab_size", None) or TOKENS, TOKENS)
    names = [f"<{number}>" for number in range(rows)]
    special = {name: getattr(text, f"{name}_id", None) for name in ("pad_token", "eos_token")}
    both = (*vars(config).values(), *vars(text).values())
    taken = {number for number in both if isinstance(number, int)}
    free = (number for number in range(FIRST, rows) if number not in taken)
    for word in WORDS:
        names[next(free)] = word
    tokenizer = Tokenizer(models.WordLevel({n: i for i, n in enumerate(names)}, unk_token="<3>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    known = {k: names[v] for k, v in special.items() if isinstance(v, int) and 0 <= v < rows}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=longest,
        unk_token="<3>",
        **({"pad_token": "<0>", "eos_token": "<2>"} | known),
    )

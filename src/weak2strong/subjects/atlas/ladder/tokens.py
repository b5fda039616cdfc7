"""From text to tokens: a byte-level BPE tokenizer, trained on the corpus, and the packed stream."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from weak2strong.subjects.atlas.facts import City
from weak2strong.subjects.atlas.ladder.corpus import sentences

END = "<|endoftext|>"
"""Parts sentences in the packed stream, begins every text, and pads."""

TRAINING_CHUNKS = 12
"""Chunks of 10,000 sentences that the tokenizer is trained on; more changed few merges."""


def build_tokenizer(
    cities: Sequence[City], seed: int, vocabulary: int, context: int, folder: Path
) -> None:
    """Train the tokenizer on the corpus and save it as a Transformers tokenizer folder.

    The tokenizer cuts texts at ``context`` tokens, beyond which no rung has learnt a position.
    Every encoded text begins with `END`, as every sentence of the pretraining stream does.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = (s for chunk in islice(sentences(cities, seed), TRAINING_CHUNKS) for s in chunk)
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        padding_side="right",
        model_max_length=context,
    ).save_pretrained(folder)


def token_stream(cities: Sequence[City], seed: int, tokenizer: Path, count: int) -> np.ndarray:
    """The first ``count`` tokens of the corpus, ``uint16``, one `END` before every sentence."""
    from tokenizers import Tokenizer

    encoder = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    stream = np.empty(count, dtype=np.uint16)
    filled = 0
    for chunk in sentences(cities, seed):
        for encoding in encoder.encode_batch_fast(chunk):
            part = np.asarray(encoding.ids, dtype=np.uint16)[: count - filled]
            stream[filled : filled + len(part)] = part
            filled += len(part)
            if filled == count:
                return stream
    raise AssertionError("the corpus is endless")

"""A model tried out before a study: a small one as it is, a large one by small ones like it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.reads import reads_words
from weak2strong.protocol.trial import Trial, try_out

FEW = 3
"""Small models that read texts, and cannot do what is tried, until that is believed."""


def try_model(model: ModelSpec, trials: Sequence[Trial], here: bool) -> None:
    """Look at a model's files, and try what is done with it.

    Args:
        model: with its adaptation decided.
        trials: of this model.
        here: whether it is used on this machine, so that a small one can be tried as it is.

    Raises:
        UserError: where the files are not whole, or the model cannot do all of it.
    """
    from weak2strong.models.configuration import load_tokenizer
    from weak2strong.models.files import check_files
    from weak2strong.models.image_reader import reader_of_images as load_processor
    from weak2strong.models.kept import keeping
    from weak2strong.models.loaded import on_cpu
    from weak2strong.models.miniature import SMALL
    from weak2strong.models.needs import count, skeleton

    check_files(model, here)
    with on_cpu():
        # Small models like one are made of those that read texts.
        if not reads_words(model):
            load_processor(model)
        elif here and count(skeleton(model)) <= SMALL:
            # Steps that this process does itself need not read the weights again.
            with keeping():
                for trial in trials:
                    try_out(trial)
        else:
            # A tokenizer that cannot be had is said here; a small model has one of its own.
            load_tokenizer(model)
            try_small(model, trials)


def try_small(model: ModelSpec, trials: Sequence[Trial]) -> None:
    """Try small models of an architecture, until one can do all; the first one says what it cannot.

    Args:
        model: of the architecture; its weights are not read.
        trials: of this model.

    Raises:
        UserError: where none can that reads texts at all.
    """
    from weak2strong.models.border import quiet
    from weak2strong.models.load import load_model
    from weak2strong.models.small_folders import small_folders

    faults = list[UserError]()
    with quiet(), closing(small_folders(model)) as folders:
        for small in folders:
            plain = replace(small, adaptation="head", precision="auto", trained_weights="float32")
            try:
                load_model(plain, "classification", 2, seed=0)
            # Numbers that do not fit together can fail in any way, and say nothing of the model.
            except Exception:
                continue
            try:
                for trial in trials:
                    of_trial = replace(small, adaptation=trial.model.adaptation)
                    try_out(replace(trial, model=of_trial), of=model.name)
                return
            except UserError as e:
                faults.append(e)
            if len(faults) == FEW:
                break
    if faults:
        raise faults[0]

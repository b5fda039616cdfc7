"""The stage of a trained model that is kept: its weights beside what the stage of its answers has.

No other key depends on whether models are kept. Where the answers are to be made as well, the
model is trained once and both stages are of that training; where they were made without the model,
it is trained once more, to the same weights.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from weak2strong.protocol.stages.files import CURVE, FILE, TRACE, write_fit, writer
from weak2strong.protocol.stages.finetuning import Finetuning
from weak2strong.protocol.stages.fitted import answered_items, fitted
from weak2strong.protocol.stages.learners import LEARNERS, asked
from weak2strong.protocol.task_run import Write

MODEL = "model"
"""The folder of the model in its stage."""


def keeps(finetuning: Finetuning) -> bool:
    """Whether the model of a finetuning is kept when it is trained."""
    role, _, _ = finetuning.role.partition(" ")
    others = [model.name for model in finetuning.task_run.config.intermediates or ()]
    return finetuning.task_run.keeps == role and finetuning.model.name not in others


def kept(finetuning: Finetuning) -> Path:
    """The folder of the stage: the model in `MODEL`, and the files of the stage of its answers."""
    items = answered_items(finetuning)

    def make(working: Path) -> Write:
        from weak2strong.training.keeping import answers_of_kept

        folder = working / MODEL
        # A process that was killed may have begun to write it.
        shutil.rmtree(folder, ignore_errors=True)
        ask = partial(answers_of_kept, items, finetuning.model, folder)
        answers, fit = asked(finetuning, working, ask)

        def write(into: Path) -> None:
            writer(answers)(into)
            write_fit(fit, into)
            shutil.copytree(folder, into / MODEL)

        return write

    # The code of this module is in no key, that of the training is.
    return fitted("kept", finetuning, make, also=(LEARNERS[finetuning.task_run.task.kind],))


def copied(folder: Path) -> Write:
    """Writes what the stage of the answers has, from the stage of the kept model."""

    def write(into: Path) -> None:
        for file in (FILE, TRACE, CURVE):
            shutil.copyfile(folder / file, into / file)

    return write

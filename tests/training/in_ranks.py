"""What processes that hold a model together do in tests; they import this file by its name."""

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.predictions import texts
from weak2strong.losses import loss as loss_of
from weak2strong.models import text_model
from weak2strong.models.language import load_language_model
from weak2strong.models.load import load_model
from weak2strong.models.ranks import Ranks
from weak2strong.tasks.task import Item
from weak2strong.training.fit import fit
from weak2strong.training.memory import NoRoomError
from weak2strong.training.predict import predict
from weak2strong.training.together import Meeting, met
from weak2strong.training.training_set import TrainingSet
from weak2strong.training.writing import fit_writing, target_probabilities

PLACES = ("here", "", "beside the river", "in the morning, as ever, where the birds sing")

EXAMPLES = 45
"""Not a multiple of the batch, nor of any number of ranks."""


@dataclass(frozen=True)
class Case:
    """A finetuning of a toy model."""

    folder: str
    kind: str = "classification"
    adaptation: str = "full"
    loss: str = "cross-entropy"
    double: bool = True
    stopping: str = "none"
    checkpoint: Path | None = None
    weight_decay: float = 0.01
    packing: str = "auto"


def set_of(kind, n, seed=0):
    """Examples of uneven lengths, no two of them alike, and soft targets, or texts."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    told = [
        f"A {'blue' if label else 'red'} house {i} {PLACES[i % 4]}"
        for i, label in enumerate(labels)
    ]
    if kind == "preference":
        items = [
            Item(f"{seed}-{i}", "g", t, (" is blue", " is a red one")) for i, t in enumerate(told)
        ]
    else:
        items = [Item(f"{seed}-{i}", "g", t) for i, t in enumerate(told)]
    if kind == "generation":
        return TrainingSet(items, texts(["blue" if label else "a red one" for label in labels]))
    return TrainingSet(items, 0.8 * np.eye(2)[labels] + 0.2 * rng.dirichlet((1, 1), n))


def finetuned(cases, *, on_step, ranks, token_budget):
    """Losses, norms, weights and answers of each case, in its order."""
    return [_finetuned(case, on_step, ranks, token_budget) for case in cases]


def _finetuned(case, on_step, ranks, token_budget):
    spec = ModelSpec(case.folder, adaptation=case.adaptation, packing=case.packing)
    in_words = case.kind == "generation"
    if case.double:
        # The first pass of a model that is cut decides in which type its weights are gathered.
        text_model._try_out = lambda *_: None
    model = (
        load_language_model(spec, 0, ranks)
        if in_words
        else load_model(spec, case.kind, 2, 0, ranks)
    )
    if case.double:
        model.network.double()
    training = Training(
        epochs=2,
        batch_size=10,
        learning_rate=3e-3,
        head_rate=3e-3,
        clip=0.5,
        evaluations=4,
        stopping=case.stopping,
        weight_decay=case.weight_decay,
    )
    train, asked = set_of(case.kind, EXAMPLES), set_of(case.kind, 21, seed=5)
    options = {"on_step": on_step, "checkpoint": case.checkpoint, "token_budget": token_budget}
    validation = None if case.stopping == "none" else asked
    if in_words:
        writer, done = fit_writing(model, train, training, 3, validation, **options)
        answers = target_probabilities(model, asked.items, asked.targets.tolist())
        written = writer.answers(asked.items).values.tolist()
    else:
        done = fit(model, train, loss_of(case.loss), training, 3, validation, **options)
        answers, written = predict(model, asked.items).values, []
    weights = {
        name: (p.full_tensor() if hasattr(p, "full_tensor") else p).detach().cpu().clone().numpy()
        for name, p in model.network.named_parameters()
    }
    return done, weights, answers, written


def too_large(most, *, on_step, ranks, token_budget):
    """The budget of tokens, once it is small enough for the last rank, for which others wait."""
    if ranks.rank == ranks.count - 1 and (token_budget or 256) > most:
        raise NoRoomError(token_budget or 256)
    ranks.gathered(None)
    return token_budget


def dying(mark, *, on_step, ranks, token_budget):
    """The last rank is killed where a file is not there yet, which it makes if it may."""
    if ranks.rank == ranks.count - 1 and not mark.exists():
        if mark.parent.exists():
            mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    ranks.gathered(None)
    return "alive"


def failing(*, on_step, ranks, token_budget):
    """The last rank has an error of its own, and the others one of the talk."""
    if ranks.rank == ranks.count - 1:
        raise KeyError("of the last")
    ranks.gathered(None)


def main(folder, out):
    """What `torchrun` starts: the losses of a case go into a file."""
    torch.set_num_threads(1)
    ranks = Ranks(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    with met(Meeting(), ranks):
        (found,) = finetuned(
            [Case(folder)], on_step=lambda done, total: None, ranks=ranks, token_budget=None
        )
        if ranks.rank == 0:
            Path(out).write_text(json.dumps(found[0].curve.losses))


if __name__ == "__main__":
    main(*sys.argv[1:])

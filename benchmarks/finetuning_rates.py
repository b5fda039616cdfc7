"""Which learning rate and number of epochs suits each rung, by the ceiling's validation score.

For every rung, rate of trunk and head, and number of epochs: finetune on ground truth of
``strong_train`` and score on ground truth of ``validation``, averaged over some
tasks of every sort and a few seeds. Nothing here looks at a test set, a student or
a PGR. The rates that the package ships were chosen from this table once.

    python benchmarks/finetuning_rates.py
"""

import argparse
from functools import cache
from itertools import product

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.processes import set_threads
from weak2strong.losses import loss
from weak2strong.models.folders import rungs
from weak2strong.models.load import load_model
from weak2strong.tasks import TASKS, expand
from weak2strong.tasks.splits import Splits, hold_out, make_splits
from weak2strong.training.fit import fit
from weak2strong.training.predict import predict
from weak2strong.training.training_set import TrainingSet

REPRESENTATIVE = (
    "atlas-asia",
    "atlas-southern",
    "atlas-english",
    "atlas-vast",
    "atlas-dense",
    "atlas-claim-country",
    "atlas-claim-continent",
    "atlas-same-country",
)
"""Tasks of each sort: where a city is, facts of its country, claims, a comparison."""


@cache
def _splits(task: str) -> Splits:
    return make_splits(TASKS.get(task))


def validation_score(rung: str, task: str, training: Training, seed: int) -> float:
    """Accuracy on ``validation`` of a ceiling model made as in a study."""
    splits = _splits(task)
    train, held = hold_out(splits.strong_train, 0.1, seed=0)
    rows = np.eye(2)
    model = load_model(ModelSpec(rung), "classification", 2, seed)
    fit(
        model,
        TrainingSet([e.item for e in train], rows[[e.label for e in train]]),
        loss("cross-entropy"),
        training,
        seed,
        TrainingSet([e.item for e in held], rows[[e.label for e in held]]),
    )
    answers = predict(model, splits.items("validation"))
    return accuracy(answers.probabilities, np.array([e.label for e in splits.validation]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rungs", nargs="*", default=list(rungs()))
    parser.add_argument("--tasks", nargs="*", default=list(REPRESENTATIVE))
    parser.add_argument("--rates", nargs="*", type=float, default=[1e-4, 3e-4, 1e-3])
    parser.add_argument("--head-rates", nargs="*", type=float, default=[3e-4, 3e-3, 1e-2])
    parser.add_argument("--epochs", nargs="*", type=int, default=[3])
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    set_threads(1)
    tasks = expand(options.tasks)
    titles = [task.removeprefix("atlas-") for task in tasks]
    print(f"{'rung':<10} {'rate':>7} {'head':>7} {'epochs':>6}  {'  '.join(titles)}  mean")
    grid = product(options.rungs, options.rates, options.head_rates, options.epochs)
    for rung, rate, head_rate, epochs in grid:
        training = Training(epochs=epochs, learning_rate=rate, head_rate=head_rate)
        seeds = range(options.seeds)
        scores = [np.mean([validation_score(rung, t, training, s) for s in seeds]) for t in tasks]
        columns = "  ".join(
            f"{s:>{max(5, len(t))}.3f}" for s, t in zip(scores, titles, strict=True)
        )
        row = f"{rung:<10} {rate:>7g} {head_rate:>7g} {epochs:>6}  {columns}"
        print(f"{row}  {np.mean(scores):.4f}", flush=True)


if __name__ == "__main__":
    main()

"""Which learning rates suit each rung, by ground truth of the validation split.

For every rung and every pair of rates of trunk and head: finetune on ground truth of
``weak_train`` (as a supervisor) and of ``strong_train`` (as a ceiling), and score on ground
truth of ``validation``, for some tasks of every sort and a few seeds. Nothing here looks at a
test set, a student or a PGR.

The rule that chooses: of all pairs whose score is below the best one by less than the standard
error of the difference (paired by task, seed and role), the one whose score varies least over
seeds. docs/ladder.md has the table that the shipped rates (`weak2strong.models.rates`) come from.

    python benchmarks/finetuning_rates.py

The networks that read digits have their rates from the same rule (docs/images.md):

    python benchmarks/finetuning_rates.py --rungs digits-s digits-l --tasks digits \\
        --rates 1e-4 3e-4 1e-3 3e-3 1e-2 --head-rates 3e-2 1e-1 3e-1
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import product

import numpy as np

from choosing import chosen, spread
from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.processes import set_threads
from weak2strong.losses import loss
from weak2strong.models.folders import rungs
from weak2strong.models.load import load_model
from weak2strong.tasks import TASKS, expand
from weak2strong.tasks.splits import Splits, make_splits
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

ROLES = {"supervisor": "weak_train", "ceiling": "strong_train"}
"""Who learns ground truth, and of which split."""


@cache
def _splits(task: str) -> Splits:
    return make_splits(TASKS.get(task))


def validation_score(rung: str, training: Training, role: str, task: str, seed: int) -> float:
    """Accuracy on ``validation`` of a model that has learnt ground truth as in a study."""
    splits, draws, classes = _splits(task), draw_seed(seed, role), len(TASKS.get(task).classes)
    examples = splits.examples(ROLES[role])
    train = TrainingSet([e.item for e in examples], np.eye(classes)[[e.label for e in examples]])
    model = load_model(ModelSpec(rung), "classification", classes, draws)
    fit(model, train, loss("cross-entropy"), training, draws)
    answers = predict(model, splits.items("validation"))
    return accuracy(answers.probabilities, np.array([e.label for e in splits.validation]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rungs", nargs="*", default=list(rungs()))
    parser.add_argument("--tasks", nargs="*", default=list(REPRESENTATIVE))
    parser.add_argument("--rates", nargs="*", type=float, default=[1e-4, 3e-4, 1e-3, 3e-3])
    parser.add_argument("--head-rates", nargs="*", type=float, default=[3e-4, 1e-3, 3e-3, 1e-2])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    tasks = expand(options.tasks)
    titles = [task.removeprefix("atlas-") for task in tasks]
    grid = list(product(ROLES, tasks, range(options.seeds)))
    print("mean over roles and seeds by task; then over tasks, and its spread over seeds")
    head = f"{'rung':<8} {'trunk':>6} {'head':>6}  {'  '.join(titles)}"
    print(f"{head}  supervisor  ceiling    mean  spread")
    with ProcessPoolExecutor(options.workers, initializer=set_threads, initargs=(1,)) as pool:
        for rung in options.rungs:
            scores = {}
            for pair in product(options.rates, options.head_rates):
                training = Training(
                    epochs=options.epochs,
                    learning_rate=pair[0],
                    head_rate=pair[1],
                    stopping="none",
                )
                score = partial(validation_score, rung, training)
                found = np.array(list(pool.map(score, *zip(*grid, strict=True))))
                scores[pair] = found.reshape(len(ROLES), len(tasks), options.seeds)
                by_task, by_role = scores[pair].mean(axis=(0, 2)), scores[pair].mean(axis=(1, 2))
                columns = "  ".join(
                    f"{s:>{max(5, len(t))}.3f}" for s, t in zip(by_task, titles, strict=True)
                )
                print(
                    f"{rung:<8} {pair[0]:>6g} {pair[1]:>6g}  {columns}  {by_role[0]:>10.4f}  "
                    f"{by_role[1]:.4f}  {by_role.mean():.4f}  {spread(scores[pair]):.4f}",
                    flush=True,
                )
            varies = {pair: spread(of_pair) for pair, of_pair in scores.items()}
            print("{}: trunk {:g}, head {:g}".format(rung, *chosen(scores, varies)), flush=True)


if __name__ == "__main__":
    main()

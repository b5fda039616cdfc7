"""Which weights of a training to keep: the last, the best of a few evaluations, or a mean.

Every model is trained once, and each rule is applied to the same training afterwards. For each
role, a rule is judged by what a practitioner has, and by nothing else:

- supervisor and ceiling by their score on ground truth of ``validation``. A rule that looks at
  scores holds out a tenth of the ground truth for them; the others learn all of it;
- a student by how little its answers depend on chance: the share of test examples to which the
  students of two seeds answer differently, and the share of answers that are others at the
  evaluation beside the one that is kept.

One rule is chosen for all roles, since a student and its ceiling are to be trained alike. Its worth
is the score of the supervisor, and that of the ceiling, less the share of answers in which the
students of two seeds differ. Of all rules whose worth is below the best one's by less than the
standard error of the difference (paired by task and seed), the one is chosen whose students change
least answers from one evaluation to the next. The test scores of students and the PGR are printed
beside it, and choose nothing. Labels are those of supervisors that keep the last step, throughout.

    python benchmarks/stopping.py --out FOLDER
    python benchmarks/stopping.py --out OTHER --head-states raw --weak-rates 1e-3 1e-2 \
        --strong-rates 1e-4 1e-2
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from choosing import chosen, spread
from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.predictions import Predictions
from weak2strong.ground.processes import set_threads
from weak2strong.losses import loss
from weak2strong.models.load import load_model
from weak2strong.models.rates import usual_rates
from weak2strong.tasks import TASKS, expand
from weak2strong.tasks.splits import Splits, hold_out, make_splits
from weak2strong.tasks.task import Example, Item
from weak2strong.training.fit import fit
from weak2strong.training.predict import predict
from weak2strong.training.training_set import TrainingSet

REPRESENTATIVE = (
    "atlas-asia",
    "atlas-southern",
    "atlas-english",
    "atlas-vast",
    "atlas-dense",
    "atlas-arabic",
    "atlas-claim-country",
    "atlas-same-country",
)
"""Tasks of each sort, a small one among them."""

AVERAGED = 3
"""Evaluations over whose weights the mean is taken, the last ones."""


@dataclass
class Looks:
    """What a training gave at its evaluations: probabilities by split; and those of the mean of
    the last weights, and of the mean one evaluation earlier."""

    by_evaluation: list[dict[str, np.ndarray]]
    averaged: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


Kept = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
"""The answers that a rule keeps, and those beside it: of the evaluation before, or the next one."""

Rule = Callable[[Looks, np.ndarray], Kept]
"""From a training, and labels (n, classes) of what it was judged on, to the answers kept."""


def _kept(looks: Looks, i: int) -> Kept:
    return looks.by_evaluation[i], looks.by_evaluation[i - 1 if i else 1]


def _best(looks: Looks, scores: Sequence[float], latest: bool) -> Kept:
    ties = np.flatnonzero(np.isclose(scores, max(scores), rtol=0, atol=1e-12))
    return _kept(looks, int(ties[-1 if latest else 0]))


def _accuracies(looks: Looks, labels: np.ndarray) -> list[float]:
    truth = labels.argmax(axis=1)
    return [float((x["judged"].argmax(axis=1) == truth).mean()) for x in looks.by_evaluation]


def _likelihoods(looks: Looks, labels: np.ndarray) -> list[float]:
    logs = [np.log(np.clip(x["judged"], 1e-12, 1)) for x in looks.by_evaluation]
    return [float((labels * log).sum(axis=1).mean()) for log in logs]


JUDGED: Mapping[str, Rule] = {
    "best, earliest of ties": lambda x, y: _best(x, _accuracies(x, y), latest=False),
    "best, latest of ties": lambda x, y: _best(x, _accuracies(x, y), latest=True),
    "best by cross-entropy": lambda x, y: _best(x, _likelihoods(x, y), latest=True),
}
"""Rules that compare the answers of evaluations with labels."""

BLIND: Mapping[str, Rule] = {
    "last step": lambda x, y: _kept(x, len(x.by_evaluation) - 1),
    f"mean of {AVERAGED} evaluations": lambda x, y: x.averaged,
}
"""Rules that look at no labels."""

RULES = (*JUDGED, *BLIND)


def train(
    model: ModelSpec,
    training: Training,
    role: str,
    seed: int,
    items: Sequence[Item],
    targets: np.ndarray,
    answered: Mapping[str, Sequence[Item]],
) -> Looks:
    """Finetune, and answer some splits at every evaluation."""
    draws, looks, weights = draw_seed(seed, role), [], []
    loaded = load_model(model, "classification", targets.shape[1], draws)
    trained = {k: p for k, p in loaded.network.named_parameters() if p.requires_grad}

    def keep(fraction: float, answers: Mapping[str, Predictions]) -> None:
        looks.append({split: p.probabilities for split, p in answers.items()})
        weights.append({k: p.detach().clone() for k, p in trained.items()})

    learnt = TrainingSet(items, targets)
    fit(
        loaded,
        learnt,
        loss("cross-entropy"),
        training,
        draws,
        evaluated=answered,
        on_evaluation=keep,
    )

    def mean_of(some: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, np.ndarray]:
        means = {k: torch.stack([w[k] for w in some]).mean(dim=0) for k in trained}
        loaded.network.load_state_dict(means, strict=False)
        return {split: predict(loaded, items).probabilities for split, items in answered.items()}

    return Looks(looks, (mean_of(weights[-AVERAGED:]), mean_of(weights[-AVERAGED - 1 : -1])))


def on_truth(
    model: ModelSpec,
    training: Training,
    role: str,
    seed: int,
    examples: Sequence[Example],
    splits: Splits,
) -> dict[str, dict[str, np.ndarray]]:
    """The answers that each rule keeps of a model that learns ground truth."""
    answered = {s: splits.items(s) for s in ("strong_train", "validation", "test")}
    part, held = hold_out(examples, 0.1, 0)
    judged = {**answered, "judged": [e.item for e in held]}
    some = train(model, training, role, seed, *_learnt(part), judged)
    every = train(model, training, role, seed, *_learnt(examples), answered)
    kept = {name: rule(some, _learnt(held)[1])[0] for name, rule in JUDGED.items()}
    return kept | {name: rule(every, np.empty(0))[0] for name, rule in BLIND.items()}


def _learnt(examples: Sequence[Example]) -> tuple[list[Item], np.ndarray]:
    return [e.item for e in examples], np.eye(2)[[e.label for e in examples]]


def cell(options: argparse.Namespace, task: str, seed: int) -> None:
    """Train supervisor, student and ceiling of a task and a seed, and write what the rules kept."""
    file = options.out / f"{task}-{seed}.json"
    if file.exists():
        return
    weak, strong = (
        ModelSpec(name, head_states=options.head_states) for name in (options.weak, options.strong)
    )
    training = Training(stopping="none")
    weak_training = training.with_rates(options.weak_rates or usual_rates(weak))
    training = training.with_rates(options.strong_rates or usual_rates(strong))
    splits = make_splits(TASKS.get(task))
    supervisors = on_truth(weak, weak_training, "supervisor", seed, splits.weak_train, splits)
    ceilings = on_truth(strong, training, "ceiling", seed, splits.strong_train, splits)
    labels = supervisors["last step"]
    answered = {"judged": splits.items("validation"), "test": splits.items("test")}
    looks = train(
        strong,
        training,
        "student",
        seed,
        splits.items("strong_train"),
        labels["strong_train"],
        answered,
    )
    students = {
        name: rule(looks, labels["validation"]) for name, rule in {**JUDGED, **BLIND}.items()
    }
    found = {}
    for name in RULES:
        found[name] = {
            role: {s: _score(kept[name][s], splits.examples(s)) for s in ("validation", "test")}
            for role, kept in (("supervisor", supervisors), ("ceiling", ceilings))
        }
        kept, beside = (answers["test"] for answers in students[name])
        found[name]["student"] = {
            "test": _score(kept, splits.test),
            "answers": kept.argmax(axis=1).tolist(),
            "changed": float((kept.argmax(axis=1) != beside.argmax(axis=1)).mean()),
        }
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(found))
    temporary.rename(file)
    print(file.stem, flush=True)


def _score(probabilities: np.ndarray, examples: Sequence[Example]) -> float:
    return float((probabilities.argmax(axis=1) == [e.label for e in examples]).mean())


def table(out: Path, tasks: Sequence[str], seeds: int) -> None:
    """Print what the rules gave, and which is chosen."""
    cells = {
        (task, seed): json.loads((out / f"{task}-{seed}.json").read_text())
        for task in tasks
        for seed in range(seeds)
    }

    def scores(rule: str, role: str, what: str) -> np.ndarray:
        return np.array([[cells[t, s][rule][role][what] for s in range(seeds)] for t in tasks])

    def disagreement(rule: str) -> np.ndarray:
        """Of each seed with the others, (tasks, seeds)."""
        answers = [
            [np.array(cells[t, s][rule]["student"]["answers"]) for s in range(seeds)] for t in tasks
        ]
        shares = np.zeros((len(tasks), seeds))
        for i, of_task in enumerate(answers):
            for a, b in combinations(range(seeds), 2):
                share = (of_task[a] != of_task[b]).mean() / (seeds - 1)
                shares[i, a] += share
                shares[i, b] += share
        return shares

    roles = ("supervisor", "ceiling")
    worth = {role: {r: scores(r, role, "validation") for r in RULES} for role in roles}
    apart = {r: disagreement(r) for r in RULES}
    changed = {r: scores(r, "student", "changed") for r in RULES}
    floor = scores("last step", "supervisor", "test")
    print(
        f"{'rule':<26} supervisor (sd)   ceiling (sd)    students differ  changed |"
        " floor naive (sd)      ceiling (sd)     PGR"
    )
    for rule in RULES:
        naive, ceiling = scores(rule, "student", "test"), scores(rule, "ceiling", "test")
        pgr = (naive.mean() - floor.mean()) / (ceiling.mean() - floor.mean())
        told = "  ".join(
            f"{worth[role][rule].mean():.4f} ({spread(worth[role][rule]):.4f})" for role in roles
        )
        print(
            f"{rule:<26} {told}  {apart[rule].mean():.4f}           {changed[rule].mean():.4f}  |"
            f" {floor.mean():.3f} {naive.mean():.4f} ({spread(naive):.4f})"
            f" {ceiling.mean():.4f} ({spread(ceiling):.4f})  {pgr:.3f}"
        )
    together = {r: worth["supervisor"][r] + worth["ceiling"][r] - apart[r] for r in RULES}
    print(f"chosen: {chosen(together, {r: float(changed[r].mean()) for r in RULES})}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of what is trained")
    parser.add_argument("--tasks", nargs="*", default=list(REPRESENTATIVE))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--weak", default="atlas-s")
    parser.add_argument("--strong", default="atlas-l")
    rates = {"nargs": 2, "type": float, "metavar": ("TRUNK", "HEAD")}
    parser.add_argument("--weak-rates", **rates, help="the usual ones if not given")
    parser.add_argument("--strong-rates", **rates)
    parser.add_argument("--head-states", default="auto", help="auto or raw")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tasks = expand(options.tasks)
    cells = [(task, seed) for seed in range(options.seeds) for task in tasks]
    with ProcessPoolExecutor(options.workers, initializer=set_threads, initargs=(1,)) as pool:
        list(pool.map(partial(cell, options), *zip(*cells, strict=True)))
    table(options.out, tasks, options.seeds)


if __name__ == "__main__":
    main()

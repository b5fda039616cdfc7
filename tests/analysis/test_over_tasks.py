"""A run's tasks together: which are used, what they share, and luck that they have in common."""

from functools import partial

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.aggregate import Answered, measured_jointly
from weak2strong.analysis.answers import Answers
from weak2strong.analysis.over_tasks import (
    on_these_tasks,
    over_tasks,
    over_tasks_table,
    sharing_tasks,
)
from weak2strong.analysis.recovered import recovered_by_method
from weak2strong.analysis.summary import summarise
from weak2strong.config.study import StudyConfig
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.own_metrics import OWN_METRICS, OwnMetric

N, SEEDS = 300, 3
METHODS = ("naive", "confidence")


def rows(task: str, accuracies: dict[str, float], entities: str, seed: int) -> pl.DataFrame:
    """Predictions of a task of two classes; roles are right at random so often."""
    rng = np.random.default_rng(seed)
    labels = np.arange(N) % 2
    frames = []
    answerers = [("probe", "", -1), ("ngrams", "", -1)]
    for s in range(SEEDS):
        answerers += [("floor", "", s), ("ceiling", "", s)]
        answerers += [("student", method, s) for method in METHODS]
    for role, method, s in answerers:
        right = rng.permutation(N) < accuracies.get(method or role, 0.5) * N
        chosen = np.where(right, labels, 1 - labels).astype(float)
        frame = {
            "task": task,
            "kind": "classification",
            "role": role,
            "method": method,
            "seed": s,
            "id": [f"{i:03}" for i in range(N)],
            "group": [f"{entities}:{i:03}" for i in range(N)],
            "label": labels,
            "probabilities": np.stack([1 - chosen, chosen], axis=1).tolist(),
        }
        frames.append(pl.DataFrame(frame))
    return pl.concat(frames)


def config(*tasks: str) -> StudyConfig:
    return StudyConfig(tasks=tasks, methods=METHODS, seeds=SEEDS)


GOOD = {"floor": 0.6, "naive": 0.7, "confidence": 0.75, "ceiling": 0.9}


def test_floor_and_ceiling_alone_decide_which_tasks_are_used():
    """A student that fails, or is perfect, changes nothing."""
    frame = pl.concat(
        [
            rows("one", GOOD, "city", 0),
            rows("two", GOOD | {"naive": 0.1, "confidence": 1.0}, "city", 1),
            rows("flat", GOOD | {"ceiling": 0.6}, "city", 2),
            rows("easy", {"floor": 1.0, "ceiling": 1.0, "naive": 0.5, "confidence": 1.0}, "x", 3),
        ]
    )
    study = config("one", "two", "flat", "easy")
    found = over_tasks(study, frame, summarise(study, frame))
    assert found is not None
    assert (found.used, found.flat, found.saturated) == (("one", "two"), ("flat",), ("easy",))
    naive = found.methods["naive"]
    assert naive.mean == pytest.approx((0.1 / 0.3 - 0.5 / 0.3) / 2)
    assert naive.pooled == pytest.approx((0.1 - 0.5 + 0.1 - 0.5) / (0.3 + 0.3 + 0.0 + 0.0))


@pytest.mark.parametrize(("high", "left"), [(1.0, ("easy",)), (100.0, ())])
def test_only_a_metric_whose_best_value_is_one_has_saturated_tasks(high, left, monkeypatch):
    # A function of a plugin scores each replicate by itself, and intervals are not looked at.
    few = partial(recovered_by_method, replicates=100)
    monkeypatch.setattr("weak2strong.analysis.summary.recovered_by_method", few)
    perfect = dict.fromkeys(GOOD, 1.0)
    frame = pl.concat([rows("one", GOOD, "city", 0), rows("easy", perfect, "x", 1)])
    OWN_METRICS.add("own", OwnMetric("own", accuracy, low=0.0, high=high), "here")
    try:
        lines = summarise(config("one", "easy"), frame, "own")
    finally:
        OWN_METRICS.drop("here")
    assert tuple(dict.fromkeys(x.task for x in lines if x.too_easy)) == left


CHANCE = {"floor": 0.5, "naive": 0.5, "confidence": 0.52, "ceiling": 0.9}


def test_tasks_whose_supervisor_is_at_chance_are_shown_apart():
    """Averaged in, they would halve what a method recovers where there is something to learn."""
    frame = pl.concat(
        [
            rows("one", GOOD, "city", 0),
            rows("two", GOOD, "river", 1),
            rows("three", CHANCE, "lake", 2),
            rows("four", CHANCE | {"confidence": 0.54}, "hill", 3),
        ]
    )
    study = config("one", "two", "three", "four")
    lines = summarise(study, frame)
    found = over_tasks(study, frame, lines)
    assert found is not None
    assert (found.used, found.unsupervised) == (("one", "two"), ("three", "four"))
    assert found.tasks == 4
    better = found.methods["confidence"]
    assert better.mean == pytest.approx(0.15 / 0.3, abs=0.01)
    assert better.pooled == pytest.approx((0.15 + 0.15 + 0.02 + 0.04) / (0.3 + 0.3 + 0.4 + 0.4))
    apart = found.at_chance["confidence"]
    assert apart.mean == pytest.approx((0.02 + 0.04) / 2 / 0.4)
    assert apart.mean_interval.low < apart.mean < apart.mean_interval.high
    table = over_tasks_table(found)
    titles = ["PGR over tasks [95%]", "mean of 2", "median of 2", "pooled over 4", "2 at chance"]
    assert [column.title for column in table.columns] == titles
    row = table.facts[1]
    assert (row["at_chance"], row["at_chance_wide"]) == (apart.mean, False)
    assert any(note.endswith("(at chance, a mean): three, four.") for note in table.notes)


def test_one_task_at_chance_is_shown_apart_too_and_none_adds_no_column():
    frame = pl.concat([rows("one", GOOD, "city", 0), rows("two", CHANCE, "river", 1)])
    study = config("one", "two")
    lines = summarise(study, frame)
    found = over_tasks(study, frame, lines)
    assert found is not None
    assert (found.used, found.unsupervised) == (("one",), ("two",))
    assert found.methods["naive"].mean is None
    line = next(x for x in lines if (x.task, x.method) == ("two", "confidence"))
    assert found.at_chance["confidence"].mean == pytest.approx(line.recovered.value)
    assert over_tasks_table(found).columns[-1].title == "1 at chance"
    both = pl.concat([rows("one", GOOD, "city", 0), rows("two", GOOD, "river", 1)])
    all_known = over_tasks(study, both, summarise(study, both))
    assert all_known is not None
    assert over_tasks_table(all_known).columns[-1].title == "pooled over 2"
    assert over_tasks_table(all_known).facts[0]["at_chance"] is None


def test_one_task_has_nothing_to_be_taken_together():
    frame = rows("one", GOOD, "city", 0)
    assert over_tasks(config("one"), frame, summarise(config("one"), frame)) is None


def test_the_same_answers_about_the_same_entities_are_luck_in_common():
    study = config("one", "two")
    one = rows("one", GOOD, "city", 0)
    same = pl.concat([one, one.with_columns(task=pl.lit("two"))])
    twice = on_these_tasks(study, same, "naive", "accuracy")["confidence"]
    other = rows("two", GOOD | {"confidence": 0.8}, "river", 5)
    alone = on_these_tasks(study, pl.concat([one, other]), "naive", "accuracy")["confidence"]
    assert twice.common == pytest.approx(1)
    assert alone.common < 0.2
    middle = (twice.interval.low + twice.interval.high) / 2
    assert middle == pytest.approx(0.05)
    assert sharing_tasks(same) == ("one", "two")


def test_tasks_that_share_few_entities_are_not_named():
    frame = pl.concat([rows("one", GOOD, "city", 0), rows("two", GOOD, "river", 1)])
    assert sharing_tasks(frame) == ()
    few = pl.when((pl.col("task") == "two") & (pl.col("id") < "020")).then(
        pl.lit("city:") + pl.col("id")
    )
    assert sharing_tasks(frame.with_columns(group=few.otherwise(pl.col("group")))) == ()


def test_without_a_difference_there_is_no_luck_in_common():
    study = config("one", "two")
    frame = pl.concat([rows("one", GOOD, "city", 0), rows("two", GOOD, "city", 1)])
    naive = frame.filter(method="naive").with_columns(method=pl.lit("confidence"))
    alike = pl.concat([frame.filter(pl.col("method") != "confidence"), naive])
    found = on_these_tasks(study, alike, "naive", "accuracy")["confidence"]
    assert found.common == 0
    assert (found.interval.low, found.interval.high) == pytest.approx((0, 0), abs=1e-9)


def test_luck_that_tasks_do_not_have_in_common_is_none():
    """With other entities the covariance of two tasks is about 0, and no share is below 0."""
    study = config("one", "two", "three")
    frames = [
        rows(task, GOOD | {"confidence": 0.7 + 0.05 * i}, task, seed=i)
        for i, task in enumerate(study.tasks)
    ]
    found = on_these_tasks(study, pl.concat(frames), "naive", "accuracy")["confidence"]
    assert 0 <= found.common < 0.1


def test_luck_in_common_is_the_covariance_of_tasks_over_redrawn_entities():
    """Counted out from its definition: pairs of other tasks and other seeds."""
    study = config("one", "two", "three")
    rng, shared = np.random.default_rng(7), np.arange(N) < 200
    luck = {method: rng.normal(size=N) for method in METHODS}
    frames = []
    for i, task in enumerate(study.tasks):
        own = {method: rng.normal(size=N) for method in METHODS}
        for method in METHODS:
            for seed in range(SEEDS):
                ease = np.where(shared, luck[method], own[method]) + 0.3 * rng.normal(size=N)
                right = (ease + 0.2 * i * (method == "confidence") > -0.5).astype(float)
                frame = {
                    "task": task,
                    "kind": "classification",
                    "role": "student",
                    "method": method,
                    "seed": seed,
                    "id": [f"{k:03}" for k in range(N)],
                    "group": [f"{'city' if shared[k] else task}:{k:03}" for k in range(N)],
                    "label": np.ones(N, dtype=int),
                    "probabilities": np.stack([1 - right, right], axis=1).tolist(),
                }
                frames.append(pl.DataFrame(frame))
        frames.append(pl.DataFrame(frame | {"role": "floor", "method": ""}))
    frame = pl.concat(frames)
    found = on_these_tasks(study, frame, "naive", "accuracy")["confidence"]
    of = [Answers(frame.filter(task=task), SEEDS) for task in study.tasks]
    tasks = [
        Answered([a.of("student", m) for m in METHODS], a.labels, a.groups, accuracy) for a in of
    ]
    m = measured_jointly(tasks)
    d = m.replicates[:, :, 1::2] - m.replicates[:, :, ::2]
    pairs = [(s, t) for s in range(SEEDS) for t in range(3)]
    covariances = [
        np.cov(d[:, s, t], d[:, other, elsewhere])[0, 1]
        for s, t in pairs
        for other, elsewhere in pairs
        if s != other and t != elsewhere
    ]
    together = np.mean(covariances)
    means = (m.mean[1::2] - m.mean[::2]).var(ddof=1)
    assert together > 0
    assert found.common == pytest.approx(together / (means + together), rel=0.05)
    assert found.shared == pytest.approx(together, rel=0.05)
    # Divided by a gap, which is taken for known; a task without one is left out.
    gaps = {"one": 0.5, "two": 0.5}
    halved = on_these_tasks(study, frame, "naive", "accuracy", gaps)["confidence"]
    fewer = frame.filter(pl.col("task") != "three")
    two = on_these_tasks(study, fewer, "naive", "accuracy")
    assert halved.shared == pytest.approx(4 * two["confidence"].shared, rel=0.2)
    assert halved.between == pytest.approx(4 * two["confidence"].between)

"""Methods against a baseline: pairing, the family, and what is said."""

import numpy as np
import pytest
from scipy import stats

from weak2strong.analysis.compare import compare
from weak2strong.analysis.differences import Score
from weak2strong.analysis.paired import holm, paired_t, wilcoxon
from weak2strong.analysis.scores import read_scores
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import load_plugins


def scores(table: dict[str, list[list[float]]], setting: str = "") -> list[Score]:
    """Scores from ``{method: [[a score a seed] a task]}``."""
    return [
        Score(f"task-{t}", method, seed, value, setting)
        for method, tasks in table.items()
        for t, seeds in enumerate(tasks)
        for seed, value in enumerate(seeds)
    ]


def constant(difference: list[float], base: float = 0.5) -> list[list[float]]:
    """Two seeds a task around base plus a difference."""
    return [[base + d - 0.01, base + d + 0.01] for d in difference]


NAIVE = constant([0.0] * 8)
UP = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08]
MIXED = [0.01, -0.02, 0.03, -0.04, 0.05, -0.06, 0.07, 0.0]


def test_wins_tests_and_holm_are_those_of_the_mean_differences():
    found = compare(scores({"naive": NAIVE, "up": constant(UP), "mixed": constant(MIXED)}))
    up, mixed = found.compared
    assert (up.wins, up.ties, up.losses) == (8, 0, 0)
    assert (mixed.wins, mixed.ties, mixed.losses) == (4, 1, 3)
    assert list(mixed.differences.values()) == pytest.approx(MIXED)
    assert mixed.tests["t"].one_sided == pytest.approx(paired_t(MIXED).one_sided)
    expected = holm({"up": wilcoxon(UP).one_sided, "mixed": wilcoxon(MIXED).one_sided})
    assert {c.method: c.adjusted for c in found.compared} == pytest.approx(expected)
    assert up.adjusted == pytest.approx(2 / 256)
    assert up.significant
    assert not mixed.significant
    assert "up beats naive on 8 of 8 tasks, and is 0.045 better on average" in up.sentence
    assert "it is better than naive" in up.sentence
    assert "(1 tied)" in mixed.sentence
    assert "it is not shown to be better" in mixed.sentence


def test_a_mean_that_rounds_to_nothing_is_neither_better_nor_worse():
    little = [d - np.mean(MIXED) - 0.0004 for d in MIXED]
    (found,) = compare(scores({"naive": NAIVE, "little": constant(little)})).compared
    assert "of 8 tasks, and differs from it by less than 0.001 on average" in found.sentence


def test_luck_that_tasks_have_in_common_widens_intervals_and_weakens_tests():
    """The variance of the mean of n differences is s^2 / n plus the covariance of two."""
    variance, table = np.var(UP, ddof=1), scores({"naive": NAIVE, "up": constant(UP)})
    (alone,) = compare(table).compared
    (up,) = compare(table, in_common={"up": variance / 8}).compared
    assert (alone.widened, up.widened) == (1, pytest.approx(np.sqrt(2)))
    half = stats.t.ppf(0.975, 7) * np.sqrt(variance / 8 + variance / 8)
    assert up.effect.high - up.effect.mean == pytest.approx(half)
    statistic = np.mean(UP) / np.sqrt(2 * variance / 8)
    assert up.tests["t"].one_sided == pytest.approx(stats.t.sf(statistic, 7))
    assert up.p == up.tests["wilcoxon"].one_sided > alone.p
    # Seeds of one task have no tasks in common.
    one = scores({"naive": [[0.5, 0.5, 0.5]], "up": [[0.6, 0.7, 0.65]]})
    assert compare(one, in_common={"up": 1.0}).compared == compare(one).compared


def test_the_primary_test_is_the_one_that_was_asked_for():
    table = {"naive": NAIVE, "down": constant([-x for x in UP])}
    one = compare(scores(table), test="t-one-sided").compared[0]
    two = compare(scores(table), test="t-two-sided").compared[0]
    assert one.p == pytest.approx(paired_t([-x for x in UP]).one_sided)
    assert not one.significant
    assert two.significant
    assert "it is worse than naive" in two.sentence
    with pytest.raises(UserError, match="Unknown test 'sign'"):
        compare(scores(table), test="sign")


def test_seeds_are_paired_by_number_and_a_task_counts_once():
    """A seed that one side lacks is left out; a second setting of a task is averaged in."""
    first = scores({"naive": NAIVE, "up": constant(UP)})
    extra = [Score("task-0", "up", 2, 99.0)]
    other = scores({"naive": NAIVE, "up": constant([x + 0.02 for x in UP])}, "larger models")
    (up,) = compare([*first, *extra, *other]).compared
    assert list(up.differences.values()) == pytest.approx([x + 0.01 for x in UP])


def test_methods_with_one_gradient_or_the_same_scores_are_one_test():
    table = {
        "naive": NAIVE,
        "kl": constant([1e-3] * 8),
        "up": constant(UP),
        "copy": constant(UP),
        "still": NAIVE,
    }
    found = compare(scores(table))
    assert found.family == ("up",)
    same = {c.method: c.same_as for c in found.compared}
    assert same == {"kl": "naive", "up": None, "copy": "up", "still": "naive"}
    assert found.compared[1].adjusted == found.compared[1].p
    assert "has the same gradient as naive" in found.compared[0].sentence
    assert "scores the same on every task as up" in found.compared[2].sentence
    # Against another baseline, the two with one gradient are still one test.
    assert compare(scores(table), baseline="up").family == ("naive",)


PLUGIN = """
from dataclasses import dataclass
import weak2strong as w2s
from weak2strong.losses.cross_entropy import CrossEntropy

@w2s.loss("halved", same_gradient_as="naive")
@dataclass(frozen=True)
class Halved(CrossEntropy):
    def per_example(self, *args):
        return super().per_example(*args) / 2
"""


def test_a_plugin_may_say_that_its_gradient_is_that_of_another_method(tmp_path):
    table = scores({"naive": NAIVE, "halved": constant([1e-3] * 8), "up": constant(UP)})
    assert compare(table).family == ("halved", "up")
    (tmp_path / "halved.py").write_text(PLUGIN)
    load_plugins([tmp_path / "halved.py"])
    try:
        found = compare(table)
    finally:
        load_plugins(())
    assert found.family == ("up",)
    assert found.compared[0].same_as == "naive"


@pytest.mark.parametrize(
    ("tasks", "family", "needed"), [(4, 1, 5), (5, 1, None), (5, 2, 6), (8, 12, None), (8, 13, 9)]
)
def test_too_few_tasks_are_said_to_be_too_few(tasks, family, needed):
    up = {
        f"m{i}": constant([0.01 * (t + 1) + 0.001 * i for t in range(tasks)]) for i in range(family)
    }
    found = compare(scores({"naive": NAIVE[:tasks], **up}))
    hopeless = [w for w in found.warnings if w.startswith("No method can be significant")]
    assert bool(hopeless) == (needed is not None)
    assert any(c.significant for c in found.compared) == (needed is None)
    if needed:
        assert f"it takes {needed} tasks or more" in hopeless[0]


def test_with_one_task_the_seeds_are_the_units():
    seeds = np.array([0.50, 0.52, 0.51, 0.53, 0.50])
    gains = np.array([0.01, 0.02, 0.03, 0.01, 0.02])
    table = {"naive": [seeds.tolist()], "up": [(seeds + gains).tolist()]}
    found = compare(scores(table))
    assert found.unit == "seed"
    assert found.compared[0].p == 1 / 32
    assert "they say nothing of other tasks" in found.warnings[0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (scores({"up": NAIVE}), "Unknown baseline 'naive'"),
        (scores({"naive": NAIVE}), "no method beside naive"),
        (scores({"naive": [[0.5]], "up": [[0.6]]}), "One task with one seed"),
        ([Score("t", "naive", 0, 0.5), Score("u", "up", 0, 0.5)], "no task in common"),
        (
            [Score("t", "naive", 0, 0.5), Score("t", "up", 1, 0.5)],
            "On t, up and naive have no seed in common",
        ),
        ([Score("t", "up", 0, 0.5), Score("t", "up", 0, 0.6)], "two different scores"),
        ([Score("t", "up", 0, float("nan"))], "is no number"),
    ],
)
def test_what_cannot_be_compared_is_said(rows, message):
    with pytest.raises(UserError, match=message):
        compare(rows)


def test_a_file_without_seeds_has_the_first_one(tmp_path):
    """So that it can stand beside a run, whose seeds begin with 0."""
    file = tmp_path / "scores.csv"
    file.write_text("task,method,score\na,base,0.5\na,new,0.6\n")
    assert [(s.task, s.method, s.seed, s.score) for s in read_scores(file)] == [
        ("a", "base", 0, 0.5),
        ("a", "new", 0, 0.6),
    ]
    file.write_text("task,method,score,seed\na,base,0.5,3\n")
    assert [s.seed for s in read_scores(file)] == [3]


def test_two_tasks_are_enough_to_be_compared():
    found = compare(scores({"naive": NAIVE[:2], "up": constant(UP[:2])}))
    assert found.unit == "task"
    assert len(found.compared[0].differences) == 2

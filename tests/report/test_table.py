"""What the table says, and the sentences under it."""

import io
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from weak2strong.analysis.finished import Results
from weak2strong.analysis.recovered import recovered_by_method
from weak2strong.analysis.results import results_document
from weak2strong.analysis.summary import SATURATED, Line, Spent
from weak2strong.analysis.warnings import warnings_of
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.table import pgr_text
from weak2strong.report.terminal import print_document


def answers(accuracies: list[float], n: int = 400) -> np.ndarray:
    """Probabilities (seeds, n, 2) of seeds that are right on so many of n examples of class 1."""
    right = np.stack(
        [np.random.default_rng([7, i]).permutation(n) < a * n for i, a in enumerate(accuracies)]
    )
    return np.stack([1 - right, right], axis=-1).astype(float)


def line(floor, student, ceiling, probe=0.0, ngrams=0.0, **changes) -> Line:
    """A line whose roles have these accuracies, a seed each; checks have one each."""
    n = 400
    (found,) = recovered_by_method(
        answers(floor),
        {"naive": answers(student)},
        answers(ceiling),
        np.ones(n, dtype=int),
        [f"g{i}" for i in range(n)],
        accuracy,
        checks={"probe": answers([probe])[0], "ngrams": answers([ngrams])[0]},
    ).values()
    one = Line("a-task", "small", "large", "naive", "accuracy", found, probe, ngrams, 0.5)
    return replace(one, **changes)


def shown(lines: list[Line]) -> str:
    """The printed table."""
    console = Console(file=io.StringIO(), width=120)
    print_document(results_document(lines), console)
    return console.file.getvalue()


def test_a_line_shows_its_scores_and_an_interval_around_pgr():
    good = line([0.6, 0.61, 0.59], [0.7, 0.71, 0.69], [0.8, 0.81, 0.79])
    text = shown([good])
    assert "PGR [95%]" in text
    assert "0.600" in text
    assert "0.700" in text
    assert "0.800" in text
    assert pgr_text(good.recovered.pgr) in text
    assert good.recovered.interval.low < 0.5 < good.recovered.interval.high
    assert pgr_text(good.recovered.pgr).startswith("0.50 [")
    assert "warning" not in text


def test_what_was_spent_on_a_line_is_in_its_row():
    good = line([0.6, 0.61, 0.59], [0.7, 0.71, 0.69], [0.8, 0.81, 0.79])
    table = results_document([replace(good, spent=Spent(12.34, stages=4, reused=1))]).tables[0]
    texts = dict(zip([c.name for c in table.columns], table.texts[0], strict=True))
    assert (texts["seconds"], texts["reused"]) == ("12.3", "1 of 4")
    # Of a run that did not say, there are no such columns; of a line that did not, no numbers.
    names = {c.name for c in results_document([good]).tables[0].columns}
    assert names == set(texts) - {"seconds", "reused"}


def test_models_that_labels_pass_through_are_named():
    scores = [0.6], [0.7], [0.8]
    text = shown([line(*scores), line(*scores, method="bootstrapping", between=("mid", "more"))])
    assert "bootstrapping: labels pass small > mid > more > large." in text
    assert "naive: labels" not in text


def test_pgr_without_a_gap_is_called_undefined_and_explained():
    flat = line([0.7, 0.72, 0.68], [0.71, 0.7, 0.72], [0.7, 0.69, 0.73])
    text = shown([flat])
    assert "undefined" in text
    assert "warning: a-task: PGR is undefined." in text
    assert text.count("PGR is undefined") == 1
    both = shown([flat, replace(flat, method="confidence")])
    assert both.count("warning: a-task: PGR is undefined.") == 1


GOOD = ([0.6, 0.61, 0.59], [0.7, 0.71, 0.69], [0.8, 0.81, 0.79])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"probe": 0.95},
            r"a logistic probe .* scores 0.950, the finetuned ceiling 0.800 \(95% interval of the "
            r"difference over test examples: 0.12\d to 0.17\d\): the ceiling is too low, .* "
            r"against the probe's score it would be 0.29 \(naive\), 0.29 \(confidence\)",
        ),
        (
            {"chance": 0.6},
            r"not clearly above chance \(0.600\): the supervisor may know nothing \(95% interval "
            r"of these supervisors' score over test examples alone: 0.57\d to 0.62\d\)",
        ),
    ],
)
def test_what_a_reader_must_know_is_said_once(changes, sentence):
    good = line(*GOOD, **changes)
    twice = [good, replace(good, method="confidence")]
    (text,) = warnings_of(twice)
    assert re.search(sentence, text)


def test_a_ceiling_is_too_low_only_where_the_probe_is_clearly_better():
    """The probe has the higher score in each case."""
    assert warnings_of([line(*GOOD, probe=0.83)]) == []
    assert len(warnings_of([line(*GOOD, probe=0.85)])) == 1
    # Seeds of ceilings vary, but it is these that the probe is compared with.
    ceilings = [0.8, 0.9]
    two = warnings_of([line([0.6, 0.6], [0.7, 0.7], ceilings, probe=0.95)])
    assert [text for text in two if "ceiling is too low" in text]
    assert line([0.6, 0.6], [0.7, 0.7], ceilings, probe=0.95).recovered.ceiling_interval.high == 1


def test_a_probe_that_answers_as_the_ceiling_does_but_for_a_little_is_clearly_better():
    """Paired by example, a difference is known far better than the two scores."""
    n, labels = 400, np.ones(400, dtype=int)
    right = np.arange(n) < 320
    better = np.arange(n) < 328

    def of(hits):
        return np.stack([1 - hits, hits], axis=-1).astype(float)

    floor, student, ceiling = (of(np.stack([r] * 2)) for r in (np.arange(n) < 240, right, right))
    test = (labels, [f"g{i}" for i in range(n)], accuracy)
    (found,) = recovered_by_method(
        floor, {"naive": student}, ceiling, *test, checks={"probe": of(better)}
    ).values()
    apart = found.ceiling_interval.high - found.ceiling_interval.low
    assert apart > 0.02, "apart, the scores overlap"
    one = Line("a-task", "small", "large", "naive", "accuracy", found, 0.82, 0.0, 0.5)
    assert "the ceiling is too low" in warnings_of([one])[0]


NGRAMS = "a-task: character n-grams with ground truth score "


@pytest.mark.parametrize(
    ("ngrams", "sentences"),
    [
        (0.60, []),
        (
            0.66,
            [r"the floor 0.600 \(95% interval of the difference: 0.0\d\d to 0.\d\d\d\): the "
            r"supervisor knows less than spelling alone tells: train it longer or otherwise\."],
        ),
        (
            0.75,
            [r"the floor 0.600 .*",
            r"students of naive 0.700 \(95% interval of the difference: 0.0\d\d to 0.\d\d\d\) and "
            r"students of confidence 0.700 \(.*\): their scores are no sign of more knowledge than "
            r"spelling gives\."],
        ),
        (
            0.90,
            [r"the floor .*", r"students .*",
            r"the ceiling 0.800 \(95% interval of the difference: 0.0\d\d to 0.\d\d\d\): "
            r"finetuning fell short, the ceiling is too low, and PGR against it says little\."],
        ),
    ],
)  # fmt: skip
def test_what_character_ngrams_beat_is_said_of_each_role(ngrams, sentences):
    good = line(*GOOD, ngrams=ngrams)
    found = warnings_of([good, replace(good, method="confidence")])
    assert len(found) == len(sentences)
    for text, sentence in zip(found, sentences, strict=True):
        assert re.fullmatch(f"{NGRAMS}{ngrams:.3f}, {sentence}", text)


def test_what_ngrams_beat_on_many_tasks_is_said_in_one_sentence_a_role():
    good = line(*GOOD, ngrams=0.9)
    many = [replace(good, task=f"task-{i}") for i in range(4)]
    found = warnings_of(many)
    assert len(found) == 3
    names = ": task-0, task-1, task-2, task-3."
    for role, text in zip(("the floor", "students", "the ceiling"), found, strict=True):
        assert text.startswith(f"on 4 tasks, character n-grams with ground truth beat {role} ")
        assert text.endswith(names)


def test_two_seeds_are_enough_to_tell_a_gap_and_a_supervisor_that_knows_something():
    """By t with one degree of freedom the gap would reach 0, and the floor chance."""
    two = line([0.58, 0.62], [0.7, 0.72], [0.88, 0.92], chance=0.5)
    assert two.recovered.floor_interval.low < 0.5
    assert two.supervised
    assert two.recovered.has_gap
    found = warnings_of([two])
    assert not [text for text in found if "may know nothing" in text or "not clearly" in text]
    noise = line([0.51, 0.53], [0.51, 0.53], [0.88, 0.92], chance=0.5)
    assert [text for text in warnings_of([noise]) if "may know nothing" in text]


def test_what_is_to_be_said_of_many_tasks_is_said_in_one_sentence():
    good = line(*GOOD, probe=0.9)
    many = [replace(good, task=f"task-{i}", method=m) for i in range(5) for m in ("a", "b")]
    (text,) = warnings_of(many)
    assert text.startswith("on 5 tasks, a logistic probe")
    assert text.endswith(": task-0, task-1, task-2, task-3, task-4.")
    assert len(warnings_of(many[:6])) == 3


def test_a_gap_whose_size_cannot_be_told_is_not_said_to_be_no_gap():
    two = line([0.58, 0.62], [0.7, 0.72], [0.92, 0.88])
    assert two.recovered.undefined
    (text, few) = warnings_of([two])
    assert text.startswith("a-task: PGR is undefined. The ceiling is above the floor, but by how")
    assert few.startswith("2 seeds")
    (text, _) = warnings_of([replace(two, task=f"task-{i}") for i in range(4)])
    assert text == (
        "on 4 tasks, PGR is undefined: the ceiling is above the floor, but by how much more seeds "
        "have to tell: task-0, task-1, task-2, task-3."
    )


def around(score: float) -> list[float]:
    """Scores of three seeds about one."""
    return [score, score + 0.01, score - 0.01]


def test_scores_below_chance_are_told_once():
    low = line(around(0.3), around(0.35), around(0.8))
    twice = [low, replace(low, method="confidence")]
    (text,) = warnings_of(twice)
    assert text == (
        "a-task: floor 0.300 and student (naive) 0.350 and student (confidence) 0.350 below "
        "chance (0.500), which is worse than knowing nothing: look at the labels."
    )
    # Of a supervisor at chance, only students can be below it: that is no sign of wrong labels.
    unsure = replace(low, chance=0.301, recovered=replace(low.recovered, student=0.2))
    at_hand = low.recovered.at_hand | {"student": replace(low.recovered.at_hand["floor"], high=0.3)}
    unsure = replace(unsure, recovered=replace(unsure.recovered, at_hand=at_hand))
    assert warnings_of([unsure])[0] == (
        "a-task: student (naive) 0.200 below chance (0.301), which is luck, good or bad: weak "
        "labels at chance teach nothing of the task."
    )
    assert warnings_of([replace(low, chance=None)]) == []
    near = replace(low, chance=0.301)
    assert "not clearly above chance (0.301)" in warnings_of([near])[0]


def test_a_supervisor_above_the_ceiling_is_told_once():
    upside_down = line(around(0.9), around(0.8), around(0.7))
    (text,) = warnings_of([upside_down, replace(upside_down, method="confidence")])
    assert text.startswith(
        "a-task: PGR is undefined. The floor, 0.900, is above the ceiling, 0.700: "
        "the supervisor scores better than the ceiling (95% interval of the gap: -0.2"
    )
    many = [replace(upside_down, task=f"task-{i}") for i in range(4)]
    (text,) = warnings_of(many)
    assert text.startswith("on 4 tasks, PGR is undefined, the supervisor scoring better than")


@pytest.mark.parametrize("ceiling", [[0.9925, 0.995, 0.9975], [0.9925, 0.9925, 0.995]])
def test_a_saturated_task_is_told_once(ceiling):
    """Also where the floor is above the ceiling."""
    floor = [0.9975, 0.995, 0.9925]
    easy = line(floor, [0.9925] * 3, ceiling)
    assert easy.recovered.undefined
    (text,) = warnings_of([easy])
    assert text.startswith("a-task: floor, student and ceiling are all above 0.99: the task is too")
    hard = line(floor, [0.985] * 3, ceiling)
    assert "PGR is undefined" in warnings_of([hard])[0]


def test_a_task_is_saturated_above_the_limit_and_not_at_it():
    easy = line([1.0, 1.0], [1.0, 1.0], [1.0, 1.0])
    assert easy.saturated
    for role in ("floor", "student", "ceiling"):
        at = replace(easy, recovered=replace(easy.recovered, **{role: SATURATED}))
        assert not at.saturated


def test_cut_texts_are_told_above_one_in_a_hundred():
    good = line(around(0.6), around(0.7), around(0.8))
    assert warnings_of([replace(good, truncated={"small": 0.01, "large": 0.0})]) == []
    (text,) = warnings_of([replace(good, truncated={"small": 0.011, "large": 0.25, "x": 0.01})])
    assert text == (
        "a-task: texts are longer than a model reads, and are cut: "
        "1.1% of the texts for small, 25.0% of the texts for large."
    )


def test_too_few_seeds_are_said_to_be_too_few():
    two = line([0.6, 0.61], [0.7, 0.71], [0.8, 0.81])
    assert any(
        text.startswith("2 seeds: intervals may be too narrow") for text in warnings_of([two])
    )


def test_one_seed_is_called_one_seed():
    single = line([0.6], [0.7], [0.8])
    assert any("One seed" in text for text in warnings_of([single]))


def test_answers_in_words_are_not_told_to_be_below_chance():
    poor = line([0.1, 0.11, 0.09], [0.1, 0.12, 0.08], [0.3, 0.31, 0.29], chance=0.5)
    assert set(poor.below_chance) == {"floor", "student (naive)", "ceiling"}
    assert replace(poor, metric="exact_match", written=True).below_chance == {}


def test_a_metric_that_the_test_set_is_too_small_for_is_refused(made_run, tmp_path):
    folder = made_run(tmp_path / "run", examples=6, seeds=1, tasks=["small"])
    of_one_class = pl.read_parquet(folder / "predictions.parquet").filter(label=0)
    of_one_class.write_parquet(folder / "predictions.parquet")
    assert Results(folder).lines("accuracy")
    with pytest.raises(UserError, match="small cannot be scored by roc_auc"):
        Results(folder).lines("roc_auc")

"""What titles and sentences claim, on runs that were made for each claim."""

import json
import re

import polars as pl
import pytest
from matplotlib.text import Text

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.config.training import Training
from weak2strong.ground.table import WIDE_MEANING, is_wide, pgr_text
from weak2strong.report.figures import FIGURES
from weak2strong.report.figures.scores import SCORES, averaged, data, means
from weak2strong.report.figures.style import method_styles
from weak2strong.report.folders import figures_of
from weak2strong.report.page import page
from weak2strong.report.words import sentences

CHANCE = {"floor": 0.0, "student": 1.5, "ceiling": 3.5}
WORSE = {"floor": 1.5, "student": 0.6, "ceiling": 3.5}
RATES = Training(learning_rate=1e-4, head_rate=1e-3)
NEAR = {"floor": 0.9, "student": 1.5, "ceiling": 1.6}


def titles(folder) -> dict[str, str]:
    """The title of each figure."""
    frames = figures_of([FinishedRun(folder)])
    return {kind.name: kind.describe(frame).title for kind, frame in frames}


def documented(capsys, *command: str):
    """What a command prints as JSON."""
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("tasks", "step"), [(["a-task"], 0.8), (["a-task", "b-task"], 0.27)])
def test_the_title_of_pgr_is_the_paired_difference_that_compare_prints(
    made_run, tmp_path, capsys, tasks, step
):
    run = made_run(tmp_path / "run", tasks, step=step)
    (row,) = documented(capsys, "compare", str(run))["compared"]
    low, high = row["on_these_tasks"]
    assert low > 0
    title = f"{row['effect']['mean']:.3f} above those of naive ({low:+.3f} to {high:+.3f})"
    assert titles(run)["pgr"] == f"Students of confidence score {title}"
    if len(tasks) > 1:
        frame = FIGURES.get("pgr").data(FinishedRun(run))
        low, high = (frame.filter(method=m)[0] for m in ("confidence", "naive"))
        assert low["low"].item() < high["high"].item(), "clear, though the two intervals overlap"
    said = sentences(FinishedRun(run))
    assert f"score {row['effect']['mean']:.3f} higher than those of naive" in said["confidence"]
    assert "those of" not in said["naive"]


def test_methods_that_do_not_clearly_differ_are_not_ranked(small_run):
    start = "Students of confidence and naive do not clearly differ: "
    assert titles(small_run)["pgr"].startswith(start)
    assert start in sentences(FinishedRun(small_run))["confidence"]
    for text in titles(small_run).values():
        assert "highest PGR" not in text


def test_of_many_methods_those_are_named_that_are_clearly_better(made_run, tmp_path):
    methods = ["naive", "kl", "entropy", "window"]
    run = made_run(tmp_path / "run", ["a"], methods, seeds=3, examples=600, step=0.35)
    claims = FinishedRun(run).claims
    assert claims.clear["window"] == 1
    title = titles(run)["pgr"]
    assert f"window (+{claims.differences['window'].value:.3f})" in title
    assert title.startswith("Against naive: ")
    assert "clearly better" in title
    clear = [m for m, sign in claims.clear.items() if sign == 0]
    assert ("no clear difference for" in title) == bool(clear)


def test_the_more_methods_the_wider_the_interval_of_a_clear_difference(made_run, tmp_path):
    """A difference whose own interval just leaves out 0 is not clear among many."""
    methods = ["naive", "kl", "entropy", "window", "product", "confidence"]
    found = set()
    for draw in range(6):
        run = made_run(tmp_path / f"{draw}", ["a"], methods, draw=draw, examples=150, step=0.06)
        claims = FinishedRun(run).claims
        for method, x in claims.differences.items():
            assert claims.clear[method] in (0, x.sign)
            found.add((claims.clear[method], x.sign))
    assert (0, 1) in found


def test_students_above_a_supervisor_at_chance_are_no_success(made_run, tmp_path):
    run = made_run(tmp_path / "run", ["a-task"], skills=CHANCE)
    line = FinishedRun(run).lines()[0]
    assert not line.supervised
    assert line.recovered.student_interval.low > line.recovered.floor
    said = titles(run)
    assert said["scores"] == (
        "Supervisors are not clearly above chance: students above them show nothing"
    )
    assert said["pgr"] == (
        "Supervisors are not clearly above chance: PGR says nothing of supervision"
    )
    for text in sentences(FinishedRun(run)).values():
        assert "But their supervisors are not clearly above chance" in text
        assert "recover" not in text
    assert said["outcomes"].endswith("of supervisors that are not clearly above chance")


def test_of_several_tasks_those_count_whose_supervisors_know_something(made_run, tmp_path):
    known, unknown = (
        made_run(tmp_path / name, [task], skills=skills)
        for name, task, skills in (
            ("known", "known", {"floor": 1.0, "student": 1.8, "ceiling": 3.5}),
            ("unknown", "unknown", CHANCE),
        )
    )
    both = made_run(tmp_path / "both", ["known", "unknown"])
    for file in ("predictions.parquet", "results.parquet"):
        frames = [pl.read_parquet(folder / file) for folder in (known, unknown)]
        pl.concat(frames).write_parquet(both / file)
    run = FinishedRun(both)
    assert run.claims.supervised == ("known",)
    alone = FinishedRun(known).claims.gains["naive"]
    assert run.claims.gains["naive"].value == pytest.approx(alone.value)
    assert titles(both)["scores"] == (
        "Students of 2 of 2 methods are clearly above their supervisors; those of 2 clearly below "
        "the ceiling (on the 1 of 2 tasks whose supervisor is above chance)"
    )
    assert titles(both)["tasks"].startswith(
        "On the 1 task (of 2) whose supervisor is clearly above chance, the students' mean is above"
    )
    # Bars are of the tasks that the title speaks of; the other one is shown apart.
    frame = data(run)
    assert set(averaged(frame)["task"]) == {"known"}
    assert means(frame)["score"].to_list() == data(FinishedRun(known))["score"].to_list()
    assert "Crosses: 1 more task without a supervisor" in SCORES.describe(frame).note
    (axes,) = SCORES.draw(frame, method_styles(run.config.methods)).axes
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    for number in (text for text in axes.texts if text.get_text() != "chance"):
        x, y = number.xy
        assert all(x >= max(c.get_xdata()) for c in crosses if c.get_ydata()[0] == y)
    apart = data(FinishedRun(unknown))["score"].to_list()
    assert sorted({x for line in crosses for x in line.get_xdata()}) == sorted(set(apart))
    # The difference of two methods is over both tasks, and the sentence says so.
    assert "(95% interval" in sentences(run)["confidence"]
    assert "over all 2 tasks, paired by seed" in sentences(run)["confidence"]
    over = FIGURES.get("pgr").describe(FIGURES.get("pgr").data(run)).note
    assert "of scores, means over all 2 tasks, paired" in over


def test_titles_do_not_speak_of_students_that_saw_ground_truth(made_run, tmp_path):
    methods = ("naive", "oracle-stopping+naive")
    run = made_run(tmp_path / "run", ["a-task"], methods, examples=100, step=0.8)
    found = {kind.name: kind.describe(frame) for kind, frame in figures_of([FinishedRun(run)])}
    assert found["scores"].title.startswith("Students of 1 of 1 method are clearly above")
    assert "students of naive correct" in found["outcomes"].title
    assert found["agreement"].title.startswith("Students of naive imitate")
    for name in ("scores", "outcomes", "agreement"):
        assert found[name].note.endswith(
            " * saw ground truth (oracle): oracle-stopping+naive; the title is of the others."
        )


def test_figures_mark_students_that_saw_ground_truth_as_tables_do(made_run, tmp_path):
    methods = ("naive", "linear-probe", "finetune-then-probe")
    run = made_run(tmp_path / "run", ["a-task", "b-task"], methods, examples=100, step=0.8)
    styles, starred = method_styles(methods), set()
    for kind, frame in figures_of([FinishedRun(run)]):
        if "finetune-then-probe" not in kind.describe(frame).alt:
            continue
        drawn = kind.draw(frame, styles).findobj(Text)
        texts = [text.get_text().replace("\n", " ") for text in drawn]
        stars = [text for text in texts if text.endswith(" *")]
        assert {*stars} == {"finetune-then-probe *"}, kind.name
        assert "finetune-then-probe" not in texts, kind.name
        assert "* saw ground truth (oracle): finetune-then-probe" in kind.describe(frame).note
        starred.add(kind.name)
    assert starred >= {"scores", "pgr", "pgr-by-task", "outcomes", "agreement", "reliability"}
    kind = FIGURES.get("saliency")
    frame = kind.data(FinishedRun(run))
    labels = [t.get_text() for t in kind.draw(frame, styles).axes[0].get_yticklabels()]
    assert [label for label in labels if label.endswith("*")] == [
        "finetuned on weak labels,\nthen probed with ground truth *"
    ]


def test_a_negative_pgr_is_said_in_words(made_run, tmp_path):
    run = made_run(tmp_path / "run", ["a-task"], ["naive"], examples=900, skills=WORSE)
    (line,) = FinishedRun(run).lines()
    r = line.recovered
    assert r.interval.high < 0
    share = f"losing {100 * -r.value:.0f}% of the gap"
    assert f"they do worse than their supervisors, {share}" in sentences(FinishedRun(run))["naive"]
    assert titles(run)["pgr"] == f"Students of naive do worse than their supervisors, {share}"
    assert titles(run)["scores"] == (
        "Students of 0 of 1 method are clearly above their supervisors, those of 1 clearly below; "
        "those of 1 clearly below the ceiling"
    )


def test_a_share_of_the_gap_that_is_not_clear_has_its_sign_in_words(made_run, tmp_path):
    skills = {"floor": 1.0, "student": 0.9, "ceiling": 3.0}
    run = made_run(tmp_path / "run", ["a-task"], ["naive"], examples=150, skills=skills)
    (line,) = FinishedRun(run).lines()
    assert line.recovered.interval.low < line.recovered.value < 0 < line.recovered.interval.high
    said = sentences(FinishedRun(run))["naive"]
    assert "they are not clearly worse than their supervisors, losing " in said
    assert not re.search(r"-\d+%", said)


def test_corrected_and_lost_answers_are_shares_of_the_same(small_run):
    frame = FIGURES.get("outcomes").data(FinishedRun(small_run))
    means = frame.group_by("method", "outcome").agg(pl.col("share").mean())
    best = means.filter(outcome="student alone right").sort("share")["method"][-1]
    shares = dict(means.filter(method=best).select("outcome", "share").iter_rows())
    corrected, lost = (100 * shares[f"{who} alone right"] for who in ("student", "supervisor"))
    assert titles(small_run)["outcomes"] == (
        f"Of all answers, students of {best} correct {corrected:.1f}% and lose {lost:.1f}%"
    )


def test_warnings_stand_above_the_figures(made_run, made_simulated, tmp_path):
    run = made_run(tmp_path / "run", ["a-task"], seeds=2)
    for text in (page([run]), page([made_simulated])):
        assert "What to know before quoting this" in text
        assert text.index("What to know before quoting this") < text.index("<figure")


@pytest.fixture(scope="module")
def wide(made_run, tmp_path_factory):
    """A run with a gap that is clear and small, so that PGR may be nearly anything."""
    at = tmp_path_factory.mktemp("wide")
    for draw in range(60):
        more = {"texts": False, "weak_training": RATES, "strong_training": RATES}
        run = made_run(
            at / f"{draw}", ["a-task"], ["naive"], 3, 150, draw=draw, skills=NEAR, **more
        )
        (line,) = FinishedRun(run).lines()
        if line.supervised and line.recovered.interval and is_wide(line.recovered.pgr):
            return run
    raise AssertionError("no draw has a wide PGR")


def test_a_wide_pgr_is_printed_as_such_everywhere(wide, tmp_path, capsys):
    r = FinishedRun(wide).lines()[0].recovered
    numbers = f"[{r.interval.low:.2f}, {r.interval.high:.2f}]"
    assert pgr_text(r.pgr) == "undefined-wide"
    assert main(["table", str(wide)]) == 0
    printed = capsys.readouterr().out
    markdown = tmp_path / "page.md"
    assert main(["table", str(wide), "--markdown", str(markdown)]) == 0
    for text in (printed, markdown.read_text(), page([wide])):
        assert "undefined-wide" in text
        assert numbers not in text
        assert WIDE_MEANING in text.replace("&#39;", "'")
    assert titles(wide)["pgr"] == "What students of naive recover of the gap is not known"
    assert "may recover the gap or not" in sentences(FinishedRun(wide))["naive"]


def test_json_and_python_keep_the_numbers_of_a_wide_pgr_and_say_so(wide, small_run, capsys):
    r = FinishedRun(wide).lines()[0].recovered
    (row,) = documented(capsys, "table", str(wide))["results"]
    assert (row["pgr"], row["pgr_low"]) == (r.value, r.interval.low)
    assert row["pgr_high"] == r.interval.high
    assert row["pgr_wide"] is True
    assert FinishedRun(wide).table()["pgr_wide"].to_list() == [True]
    found = documented(capsys, "table", str(small_run))
    assert {row["pgr_wide"] for row in found["results"]} == {False}
    assert {row[f"{n}_wide"] for row in found["over_tasks"] for n in ("mean", "pooled")} == {False}


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-2.99, 0.72, "0.50 [-2.99, 0.72]"),
        (-13.11, 0.72, "undefined-wide"),
        (0.1, 3.01, "undefined-wide"),
        (-3.0, 3.0, "0.50 [-3.00, 3.00]"),
    ],
)
def test_wide_is_beyond_three_up_or_down(low, high, text):
    assert pgr_text({"pgr": 0.5, "pgr_low": low, "pgr_high": high}) == text

"""What makes a task easy to elicit: planted traits are found, shuffled ones are not."""

import json

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.explained import correlation_rows, lacking, sentences
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.traits import TRAITS, noise, task_rows
from weak2strong.cli import main
from weak2strong.experiments.explain import FinishedExplain
from weak2strong.ground.metrics import roc_auc
from weak2strong.methods import METHODS
from weak2strong.report.figures.explained import EXPLAINED_GAIN
from weak2strong.report.figures.style import method_styles, styled

NAMES = [trait.name for trait in TRAITS]


def planted(rng, tasks, methods=("naive",)):
    """Tasks whose PGR follows the probe alone; the other traits say nothing of it."""
    rows = []
    for i in range(tasks):
        traits = dict(zip(NAMES, rng.normal(size=len(NAMES)).tolist(), strict=True))
        outcomes = {"pgr": traits["probe"] + 0.2 * rng.normal(), "gain": float(rng.normal())}
        rows += [{"task": f"t{i}", "method": m, **traits, **outcomes} for m in methods]
    return rows


def test_the_trait_that_pgr_follows_is_found_and_said():
    rows = correlation_rows(planted(np.random.default_rng(0), 16))
    assert len(rows) == 2 * len(NAMES)
    clear = [(row["outcome"], row["trait"]) for row in rows if row["clear"]]
    assert clear == [("pgr", "probe")]
    first, rest = sentences(rows)
    assert first.startswith("PGR of naive rises with probe: rank correlation +0.")
    assert "after Holm over 20." in first
    assert rest == "The other 19 correlations may be chance."


def test_on_shuffled_pgr_nothing_is_clear_in_95_of_100():
    rng, found = np.random.default_rng(1), 0
    rows = planted(rng, 14)
    for _ in range(100):
        shuffled = rng.permutation([row["pgr"] for row in rows])
        again = [row | {"pgr": pgr, "gain": None} for row, pgr in zip(rows, shuffled, strict=True)]
        found += any(row["clear"] for row in correlation_rows(again))
    assert found <= 5


def test_too_few_tasks_are_said():
    rng = np.random.default_rng(2)
    (said,) = sentences(correlation_rows(planted(rng, 3)))
    assert said == (
        "Nothing can be said of what makes a task easy to elicit: a rank correlation takes 5 "
        "tasks that count, and this run has 3."
    )
    (said,) = sentences(correlation_rows(planted(rng, 5)))
    assert "5 tasks are too few: not even tasks in one order would be clear" in said


def test_a_correlation_that_is_built_in_says_so():
    rows = planted(np.random.default_rng(3), 12)
    rows = [row | {"pgr": -row["gap"], "gain": None} for row in rows]
    said = next(s for s in sentences(correlation_rows(rows)) if "gap" in s)
    assert said.startswith("PGR of naive falls with gap")
    assert said.endswith("which is partly built in.")


@pytest.fixture(scope="module")
def run(made_run, tmp_path_factory):
    """Six tasks whose students differ, one with a supervisor at chance."""
    folder = tmp_path_factory.mktemp("explain") / "run"
    made_run(folder, [f"task-{i}" for i in range(6)], ("naive", "zero-shot"), 2, 150)
    return folder


def test_traits_are_those_of_the_run(run):
    finished = FinishedRun(run)
    rows = list(task_rows(finished, ["naive"]))
    for row, line in zip(rows, finished.lines()[::2], strict=True):
        zero_shot = finished.by_task[row["task"]][1].recovered.student
        r = line.recovered
        expected = (r.floor, r.ceiling - r.floor, line.probe_ceiling, zero_shot, None)
        found = tuple(row[n] for n in ("floor", "gap", "probe", "zero_shot", "few_shot"))
        assert found == pytest.approx(expected)
        assert row["gain"] == pytest.approx(r.student - r.floor)
    for row in rows:
        tested = finished.tested[row["task"]]
        distances = ((tested.students["naive"] - tested.floor) ** 2).sum(axis=2)
        assert row["misfit"] == pytest.approx(distances.mean())
    assert {t.partition(":")[0] for t in lacking(rows)} == {
        "Without few-shot",
        "Without overlap density",
        "Without noise",
    }


def test_what_overlap_would_add_is_said_as_it_is(run):
    rows = list(task_rows(FinishedRun(run), ["naive"]))

    def said(told):
        return [s for s in lacking(rows, "here", told) if "overlap" in s or "spread" in s]

    density, spread = said(None)
    assert density == (
        "Without overlap density: `w2s overlap here` finds it for `w2s explain here`."
    )
    density, spread = said({"overlap": {}, "noise_spread": {"task-0": 0.5}})
    assert "the weak labels of each task are all as confident" in density
    assert "was run later than this: run `w2s explain here` again" in spread


def test_noise_is_told_by_confidence_and_by_class(run):
    tested = FinishedRun(run).tested["task-0"]
    found = noise(tested)
    areas, shares = [], []
    for answers in tested.floor:
        right = answers.argmax(axis=1) == tested.labels
        sure = answers.max(axis=1)
        areas.append(roc_auc(np.stack([1 - sure, sure], axis=1), right.astype(int)))
        shares.append([(~right)[tested.labels == label].mean() for label in (0, 1)])
    assert found["noise_sure"] == pytest.approx(np.mean(areas))
    assert found["noise_uneven"] == pytest.approx(np.mean([abs(a - b) for a, b in shares]))


def test_the_command_writes_prints_and_draws(run, tmp_path, capsys):
    assert main(["explain", str(run), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    tables = [pl.read_parquet(run / f"{n}.parquet") for n in ("explained", "correlations")]
    assert document["tasks"] == tables[0].to_dicts()
    assert [row["r"] for row in document["correlations"]] == tables[1]["r"].to_list()
    # The pretrained student's score is a trait, so that its students explain nothing.
    assert set(tables[1]["method"]) == {"naive"}
    assert main(["explain", str(run)]) == 0
    shown = capsys.readouterr().out
    assert "zero-shot" in shown
    assert "What goes with PGR and gain over tasks" in shown
    assert main(["explain", str(run), "--methods", "nave"]) == 2
    assert "Unknown method of this run 'nave'" in capsys.readouterr().err


def test_plugins_of_the_run_are_loaded(run, tmp_path, capsys):
    plugin = tmp_path / "my_metric.py"
    plugin.write_text("raise ValueError('not today')\n")
    assert main(["explain", str(run), "--plugin", str(plugin)]) == 2
    said = capsys.readouterr().err
    assert "my_metric.py" in said
    assert "not today" in said


def test_the_figure_names_its_points(run):
    if not (run / "explained.parquet").exists():
        assert main(["explain", str(run)]) == 0
    explained = FinishedExplain(run)
    frame = EXPLAINED_GAIN.data(explained)
    with styled():
        figure = EXPLAINED_GAIN.draw(frame, method_styles(["naive"]))
    rows = explained.read_table("explained.parquet").drop_nulls("gain")
    axes = next(a for a in figure.axes if a.get_title("left").startswith("floor"))
    assert list(axes.lines[0].get_xdata()) == rows["floor"].to_list()
    assert list(axes.lines[0].get_ydata()) == rows["gain"].to_list()
    # All names begin with "task-", which is left out.
    written = {text.get_text() for text in axes.texts}
    assert written
    assert written <= {str(i) for i in range(6)}
    r = explained.read_table("correlations.parquet").filter(outcome="gain", trait="floor")["r"][0]
    assert axes.get_title("left") == f"floor: r {r:+.2f}"


def test_the_figure_of_too_few_tasks_says_how_many_there_are():
    rows = planted(np.random.default_rng(5), 2)
    types = {"r": pl.Float64, "clear": pl.Boolean}
    found = pl.DataFrame(correlation_rows(rows), schema_overrides=types)
    of_gain = found.filter(outcome="gain")
    frame = (
        pl.DataFrame(rows)
        .unpivot(NAMES, index=["task", "method", "gain"], variable_name="trait")
        .rename({"gain": "outcome"})
        .join(of_gain.drop("outcome"), on=["method", "trait"], maintain_order="left")
    )
    with styled():
        figure = EXPLAINED_GAIN.draw(frame, method_styles(["naive"]))
    assert figure.axes[0].get_title("left") == "zero-shot: 2 tasks"
    said = EXPLAINED_GAIN.describe(frame).title
    assert said == "Too few for a correlation with gain of naive: 2 tasks"


def test_traits_that_methods_declare_are_known():
    declared = {METHODS.get(name).trait for name in METHODS} - {None}
    assert {name.replace("-", "_") for name in declared} <= set(NAMES)

"""Runs of different tasks side by side: what they are called, and bars by setting."""

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.report.figures.settings import SETTINGS
from weak2strong.report.figures.style import method_styles
from weak2strong.report.names import run_names

METHODS = ("naive", "confidence", "kl")


@pytest.fixture(scope="module")
def runs(made_run, tmp_path_factory):
    """One of two tasks with three methods, and one in words with one."""
    at = tmp_path_factory.mktemp("settings")
    first = made_run(at / "one", methods=METHODS, examples=80)
    second = made_run(at / "two", tasks=["mates"], methods=["naive"], examples=80, written=True)
    return [FinishedRun(first), FinishedRun(second)]


def test_bars_are_means_of_the_results(runs):
    frame = SETTINGS.data(runs)
    assert frame.group_by("run", maintain_order=True).len()["len"].to_list() == [4, 3]
    for run, name in run_names(runs).items():
        metric = run.lines()[0].metric
        cells = pl.read_parquet(run.folder / "results.parquet").filter(metric=metric)
        students = dict(cells.group_by("method").agg(pl.col("student").mean()).iter_rows())
        naive = students.pop("naive")
        expected = {"floor": cells["floor"].mean(), "naive": naive}
        if students:
            expected["best"] = max(students.values())
        expected["ceiling"] = cells["ceiling"].mean()
        shown = frame.filter(run=name)
        assert shown["bar"].to_list() == list(expected)
        assert shown["score"].to_list() == pytest.approx(list(expected.values()))
        for method, score in shown.filter(bar="best").select("method", "score").iter_rows():
            assert students[method] == pytest.approx(score)
    assert set(frame["metric"]) == {"accuracy", "exact_match"}


def test_the_figure_names_every_bar(runs):
    frame = SETTINGS.data(runs)
    figure = SETTINGS.draw(frame, method_styles(METHODS))
    words = [text.get_text() for text in figure.axes[0].texts]
    assert len(words) == len(frame)
    for score, said in zip(frame["score"], words, strict=True):
        assert said.startswith(f"{score:.3f}")
        assert f"{score:.3f}" in SETTINGS.describe(frame).alt
    assert "best other: " in SETTINGS.describe(frame).alt


def test_the_title_says_where_another_method_gains_most():
    rows = [
        ("a", "accuracy", "naive", "naive", 0.5, None),
        ("a", "accuracy", "best", "kl", 0.6, 1),
        ("b", "accuracy", "naive", "naive", 0.5, None),
        ("b", "accuracy", "best", "confidence", 0.7, 1),
        ("c", "accuracy", "naive", "naive", 0.5, None),
        ("c", "accuracy", "best", "confidence", 0.9, 0),
    ]
    columns = ["run", "metric", "bar", "method", "score", "clear"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    assert SETTINGS.describe(frame).title.endswith(
        "confidence gains most over naive finetuning: +0.200 in b"
    )
    unclear = frame.with_columns(clear=frame["clear"].clip(upper_bound=0))
    assert SETTINGS.describe(unclear).title == (
        "No other method is clearly better than naive finetuning in any setting"
    )


def test_whether_the_best_is_clearly_better_is_what_the_run_claims(runs):
    frame = SETTINGS.data(runs)
    (best,) = frame.filter(bar="best").iter_rows(named=True)
    assert best["clear"] == runs[0].claims.clear[best["method"]]
    assert frame.filter(pl.col("bar") != "best")["clear"].is_null().all()


def test_runs_of_the_same_tasks_are_one_setting(runs):
    assert SETTINGS.data([runs[0], runs[0]]) is None


def test_an_oracle_is_never_the_best(made_run, tmp_path):
    made = [
        made_run(tmp_path / "o", ["x"], ("naive", "oracle-stopping+naive"), examples=60),
        made_run(tmp_path / "p", ["y"], ("naive",), examples=60),
    ]
    assert "best" not in SETTINGS.data([FinishedRun(folder) for folder in made])["bar"].to_list()


def test_names_say_no_more_than_tells_runs_apart(made_run, tmp_path):
    def names(*made):
        return list(run_names([FinishedRun(folder) for folder in made]).values())

    def run(folder, **more):
        return made_run(tmp_path / folder, examples=20, seeds=1, methods=["naive"], **more)

    one, other = run("one"), run("other", strong="atlas-l")
    assert names(one, other) == ["atlas-xs to atlas-s", "atlas-xs to atlas-l"]
    third = run("third", tasks=["c"])
    assert names(one, third) == ["atlas-xs to atlas-s, a-task and b-task", "atlas-xs to atlas-s, c"]
    again = run("again", tasks=["c"])
    assert names(third, again) == [f"atlas-xs to atlas-s, c ({x})" for x in ("third", "again")]
    elsewhere = run("else/again", tasks=["c"])
    assert len(set(names(again, elsewhere))) == 2


def test_figures_of_several_folders_are_those_that_compare(runs, tmp_path, capsys):
    folders = [str(run.folder) for run in runs]
    assert main(["figures", *folders, "--format", "svg", "--out", str(tmp_path)]) == 0
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"settings.svg", "settings.csv", "captions.txt"}
    assert pl.read_csv(tmp_path / "settings.csv").drop_nulls("score").height == 7
    assert main(["figures", folders[0], folders[0], "--out", str(tmp_path)]) == 2
    assert "no figure in common" in capsys.readouterr().err

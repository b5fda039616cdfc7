"""Supervisors at several accuracies: which runs they take, and the figure of dose and response."""

import polars as pl
import pytest

from weak2strong.experiments import simulate
from weak2strong.experiments.simulate import FinishedSimulate, Simulate
from weak2strong.ground.errors import UserError
from weak2strong.report.figures.dose_response import describe, draw
from weak2strong.report.figures.style import styled
from weak2strong.report.folders import figures_of
from weak2strong.report.page import page


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        ((), {"longest": None, "own-errors": None}),
        (0.7, {"longest": 0.7, "own-errors": 0.7}),
        (
            [0.9, 0.55, 0.9],
            {
                "longest-0.55": 0.55,
                "longest-0.9": 0.9,
                "own-errors-0.55": 0.55,
                "own-errors-0.9": 0.9,
            },
        ),
    ],
)
def test_each_supervisor_takes_each_accuracy_once(accuracy, expected, monkeypatch):
    class StoppedError(Exception):
        pass

    def stop(_, studies, where, tables):
        raise StoppedError(studies, where)

    monkeypatch.setattr(simulate, "run_several", stop)
    experiment = Simulate(tasks="atlas-asia", kinds=["longest", "own-errors"], accuracy=accuracy)
    with pytest.raises(StoppedError) as stopped:
        experiment.write()
    studies, _ = stopped.value.args
    assert studies.pop("real").simulated is None
    assert {name: study.simulated_accuracy for name, study in studies.items()} == expected
    assert all(name.startswith(study.simulated) for name, study in studies.items())


@pytest.mark.parametrize(("wrong", "said"), [([0.5, 2], "at most 1"), (True, "a number")])
def test_an_accuracy_is_a_share(wrong, said):
    with pytest.raises(UserError, match=f"accuracy.* must be .*{said}"):
        Simulate(tasks="atlas-asia", accuracy=wrong)


def test_the_figure_shows_each_student_over_the_score_of_its_labels(made_doses):
    simulated = FinishedSimulate(made_doses)
    ((kind, frame),) = figures_of([simulated])
    assert kind.name == "dose-response"
    rows = pl.read_parquet(made_doses / "simulated.parquet")
    assert frame["student"].to_list() == rows["student"].to_list()
    with styled():
        figure = draw(frame, {})
    for axes, method in zip(figure.axes, ("naive", "confidence"), strict=True):
        naive, ceiling, *curves, real = axes.lines
        assert list(naive.get_xdata()) == list(naive.get_ydata())
        of = rows.filter(method=method)
        assert ceiling.get_ydata()[0] == of["ceiling"][0]
        for line, kind in zip(curves, ("random-flips", "longest"), strict=True):
            points = of.filter(supervisor=kind).sort("floor")
            assert list(line.get_xdata()) == points["floor"].to_list()
            assert list(line.get_ydata()) == points["student"].to_list()
        assert list(real.get_ydata()) == of.filter(supervisor="real")["student"].to_list()
    # The last word of the title is the least mean of the students of the worst labels.
    means = rows.filter(accuracy=0.6).group_by("supervisor").agg(pl.col("student").mean())
    assert describe(frame).title.endswith(f"{means['student'].min():.2f}")


def test_the_page_tells_the_runs_apart(made_doses):
    text = page([made_doses])
    assert "at 2 accuracies each" in text
    assert 'id="experiment0-dose-response"' in text
    assert [run.folder.name for run in FinishedSimulate(made_doses).runs] == [
        "real",
        "random-flips-0.6",
        "random-flips-0.8",
        "longest-0.6",
        "longest-0.8",
    ]

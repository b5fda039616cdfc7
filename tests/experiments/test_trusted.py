"""Trusted labels of a toy study: what is learnt, what is chosen among, and what is refused."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from weak2strong.engine.local import Plan
from weak2strong.experiments.candidates import drawn_labels
from weak2strong.experiments.trusted import TITLES, FinishedTrusted, Trusted, sentences
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
from weak2strong.report.figures.style import styled
from weak2strong.report.figures.trusted import draw
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import make_splits

TASK = TASKS.get("atlas-landlocked")


@pytest.fixture(scope="module")
def config(quick_study):
    return replace(quick_study, methods=("naive", "linear-probe"), seeds=1)


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """What the command leaves of a quick study, and its store."""
    at = tmp_path_factory.mktemp("trusted")
    experiment = Trusted.of(config, trusted=(8, 4, 8), evaluations=2, draws=20)
    folder = experiment.write(at / "run", at / "store", plan=Plan(1, 1))
    return FinishedTrusted(folder), at / "store"


def test_rows_hold_what_the_stages_say(config, finished):
    done, store = finished
    rows = done.table()
    task_run = TaskRun(resolved(config), Store(store), TASK.name, TASK, make_splits(TASK))
    task_run.compute = False
    test = task_run.splits.test
    ids, labels = [e.item.id for e in test], np.array([e.label for e in test])

    def score(answers):
        return pytest.approx(accuracy(answers["test"].at(ids), labels))

    (none,) = rows.filter(policy="none").to_dicts()
    assert none["score"] == score(stages.traced_student(task_run, "naive", 0, 2).evaluations[-1])
    assert none["floor"] == score(stages.weak_labels(task_run, 0))
    assert none["ceiling"] == score(stages.ceiling(task_run, 0))
    # Two looks at naive, and the one student of a probe.
    assert none["candidates"] == 3
    assert none["method"] == "naive"
    assert set(rows["policy"]) == {"none", "oracle", *TITLES}
    assert rows.filter(policy="both")["trusted"].to_list() == [4, 8]
    pool = {e.item.id: e.item.group for e in task_run.splits.validation}
    for n in (4, 8):
        drawn = drawn_labels(pool, 0, n)
        assert len({pool[id] for id in drawn}) == n
        alone = stages.trusted_alone(task_run, 0, drawn)
        assert rows.filter(policy="alone", trusted=n)["score"][0] == score(alone)
    assert set(drawn_labels(pool, 0, 4)) < set(drawn_labels(pool, 0, 8))
    assert set(drawn_labels(pool, 0, 8)) != set(drawn_labels(pool, 1, 8))


def test_the_model_alone_learns_the_trusted_labels_for_as_long_as_the_ceiling(
    config, finished, monkeypatch
):
    seen = []
    monkeypatch.setattr("weak2strong.protocol.stages.trusted.finetune", seen.append)
    config = replace(config, strong_training=replace(config.strong_training, steps=None, epochs=2))
    task_run = TaskRun(resolved(config), Store(finished[1]), TASK.name, TASK, make_splits(TASK))
    some = task_run.splits.validation[3:6]
    stages.trusted_alone(task_run, 0, [e.item.id for e in some])
    (one,) = seen
    assert [item.id for item in one.train.items] == [e.item.id for e in some]
    assert one.train.targets.argmax(axis=1).tolist() == [e.label for e in some]
    assert one.validation is None
    ceiling = config.strong_training.steps_on(len(task_run.splits.strong_train))
    assert one.training.steps == ceiling > 2


def test_the_figure_has_a_curve_a_use(finished):
    frame = finished[0].table()
    with styled():
        (axes,) = draw(frame, {}).axes
    curves = [line for line in axes.lines if line.get_marker() != "None"]
    for line, use in zip(curves, TITLES, strict=True):
        points = frame.filter(policy=use).sort("trusted")
        assert list(line.get_ydata()) == points["score"].to_list()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["4", "8"]


def test_the_table_has_a_row_a_number_of_labels(finished):
    done, _ = finished
    (table,) = done.document.tables
    rows = done.table()
    for row in table.rows:
        for use in TITLES:
            (of,) = rows.filter(policy=use, trusted=row["trusted"])["gain"]
            assert row[f"gain_{use}"] == of
        assert row["score"] == rows.filter(policy="both", trusted=row["trusted"])["score"][0]


def test_sentences_say_from_how_many_labels_on():
    def row(policy, trusted, gain, clear):
        ends = {"gain": gain, "gain_low": gain - 0.01, "gain_high": gain + 0.01}
        return (
            {"task": "t", "method": "naive", "policy": policy, "trusted": trusted}
            | ends
            | {"clear": clear}
        )

    rows = [
        row("none", 0, 0.0, False),
        row("method", 10, 0.005, False),
        row("method", 50, 0.02, True),
        row("alone", 10, -0.2, True),
        row("alone", 50, 0.03, True),
    ]
    assert sentences(rows) == [
        "t: to choose the method by trusted labels clearly helps from 50 labels on (+0.020 "
        "[+0.010, +0.030]); to finetune on them alone is clearly better than naive from 50 on."
    ]
    (said,) = sentences(rows[:2])
    assert said == "t: choosing does not clearly help with up to 10 trusted labels."


@pytest.mark.parametrize(
    ("own", "change", "said"),
    [
        ({"trusted": 10_000}, {}, "takes 1 to [0-9]+, not 10000"),
        ({}, {"methods": ("finetune-then-probe",)}, "sees ground truth"),
        ({"trusted": ()}, {}, "names no number"),
        ({}, {"vary": "split"}, "each seed has its own"),
        ({"trusted_ids": "nowhere.txt"}, {}, "nowhere.txt cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(own, change, said, config, tmp_path):
    with pytest.raises(UserError, match=said):
        Trusted.of(replace(config, **change), **own).write(tmp_path / "run", tmp_path / "store")


def test_only_the_ids_of_a_file_are_trusted(config, tmp_path):
    task_run = TaskRun(resolved(config), Store(tmp_path), TASK.name, TASK, make_splits(TASK))
    some = [e.item.id for e in task_run.splits.validation[:3]]
    file = tmp_path / "ids.txt"
    file.write_text("\n".join([*some, "of-no-example"]))
    experiment = Trusted.of(config, trusted=1, trusted_ids=str(file))
    assert list(experiment._pool(task_run)) == some
    with pytest.warns(UserWarning, match=r"ids.txt: 1 of 4 ids are of no .* 'of-no-example'"):
        experiment._warn_of_others({TASK.name: dict.fromkeys(some, "")})
    with pytest.raises(UserError, match=f"examples in {file} have"):
        Trusted.of(config, trusted=4, trusted_ids=str(file))._pool(task_run)
    file.write_text("of-no-example")
    with pytest.raises(UserError, match=f"none of the ids in {file} is that of a validation"):
        Trusted.of(config, trusted=1, trusted_ids=str(file))._pool(task_run)
    assert pl.Series(some).n_unique() == 3

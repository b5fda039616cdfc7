"""A sweep gives what probes give one by one, from labels that it may see, and is computed once."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from weak2strong.engine.local import Plan
from weak2strong.experiments import probed as sweeps
from weak2strong.experiments.probed import sweep_steps
from weak2strong.experiments.sweep import FinishedSweep, ProbeSweep
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.probes import PROBES
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import Sweep
from weak2strong.protocol.stages.frozen import all_activations
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits
from weak2strong.tasks.task import Example

TASK = "atlas-landlocked"
PLAN = Plan(workers=1, threads=1)
SETTINGS: dict = {"layers": (0, -1), "ks": (3, 9), "penalties": (1e-2, 1.0)}
GRID = ProbeSweep(**SETTINGS)


@pytest.fixture(scope="module")
def splits() -> Splits:
    """A fifth of a real task."""
    whole = make_splits(TASKS.get(TASK))
    return Splits(
        *(whole.examples(s)[::5] for s in ("weak_train", "strong_train", "validation", "test"))
    )


@pytest.fixture
def make_task_run(quick_study, tmp_path, splits):
    """Desks with a store of that name."""

    def make(splits=splits, store="store", **changes) -> TaskRun:
        config = resolved(replace(quick_study, **changes))
        return TaskRun(config, Store(tmp_path / store), TASK, TASKS.get(TASK), splits)

    return make


SETTING = {"knn": "k", "logistic": "penalty"}


@pytest.mark.parametrize("labels", ["soft", "hard"])
@pytest.mark.parametrize(
    "of", [Sweep("knn", (1, 8), (0, 2)), Sweep("logistic", (1e-3, 1.0), (0, 2))]
)
def test_a_sweep_answers_as_a_student_with_that_probe(make_task_run, labels, of):
    task_run = make_task_run(labels=labels)
    found = stages.sweep(task_run, of, seed=1)
    assert list(found) == [0, 2]
    for layer, by_split in found.items():
        for setting, i in zip(of.settings, range(2), strict=True):
            method = f"probe-predict:{of.probe},{SETTING[of.probe]}={setting:g},layer={layer}"
            alone = stages.student(task_run, method, 1)
            for split in ("validation", "test"):
                ids = [item.id for item in task_run.splits.items(split)]
                # Penalties that are solved as one batch agree up to the solver's tolerance.
                tolerance = 0 if of.probe == "knn" else 2e-5
                answers = by_split[split][i]
                np.testing.assert_allclose(answers, alone[split].at(ids), atol=tolerance)


def test_with_ground_truth_the_same_probe_learns_the_labels_themselves(make_task_run):
    task_run = make_task_run()
    found = stages.sweep(task_run, Sweep("knn", (5,), (2,)), None)[2]["test"][0]
    states = all_activations(task_run, task_run.config.strong, [2])[2]
    train = task_run.splits.strong_train
    labels = np.eye(2)[[e.label for e in train]]
    features = states["strong_train"].at([e.item.id for e in train])
    alone = PROBES.get("knn")(k=5).predict(features, labels, states["test"].values)
    np.testing.assert_array_equal(found, alone)


def dealt(examples: tuple[Example, ...], seed: int) -> tuple[Example, ...]:
    """The same items with their labels dealt out anew."""
    labels = np.random.default_rng(seed).permutation([e.label for e in examples])
    return tuple(Example(e.item, int(x)) for e, x in zip(examples, labels, strict=True))


@pytest.mark.parametrize("of", [Sweep("knn", (3,), (1, 2)), Sweep("logistic", (0.1,), (1, 2))])
def test_hidden_labels_change_no_answer_and_every_score(make_task_run, splits, of):
    names = ("strong_train", "validation", "test")
    parts = {name: dealt(splits.examples(name), i) for i, name in enumerate(names)}
    honest = make_task_run()
    # In a store of its own: a shared one could hide a difference behind an equal key.
    blind = make_task_run(replace(splits, **parts), store="other")
    for seed, same in ((0, True), (None, False)):
        one, other = (stages.sweep(task_run, of, seed) for task_run in (honest, blind))
        for layer in of.layers:
            for split in ("validation", "test"):
                assert np.array_equal(one[layer][split], other[layer][split]) == same
    keys = ["task", "role", "learned", "seed", "layer", "split", "against"]
    tables = [
        pl.DataFrame(list(sweeps._rows(task_run, [of])), schema=sweeps._SCHEMA)
        .filter(role="probe", learned="weak", metric="brier")
        .sort(keys)
        for task_run in (honest, blind)
    ]
    for against, same in (("weak", True), ("truth", False)):
        scores = [table.filter(against=against)["score"].to_list() for table in tables]
        assert len(scores[0]) == 4
        assert (scores[0] == scores[1]) == same


@pytest.fixture(scope="module")
def swept(quick_study, tmp_path_factory):
    """A sweep of two seeds: its folder and its store."""
    at = tmp_path_factory.mktemp("swept")
    config = replace(quick_study, seeds=2)
    folder = ProbeSweep.of(config, **SETTINGS).write(at / "out", at / "store", plan=PLAN)
    return FinishedSweep(folder), at / "store", config


def manifests(store):
    """Every entry's manifest, which holds the time of writing."""
    return {path.parent: path.read_bytes() for path in store.glob("*/*/manifest.json")}


def test_the_table_holds_every_score(swept):
    finished, _, config = swept
    folder, scores = finished.folder, finished.scores
    assert finished.config == resolved(config)
    # 2 layers, 4 settings, 2 splits and 5 metrics: learned from truth, and from weak labels
    # of 2 seeds, compared with truth and with weak labels.
    assert scores.filter(role="probe", learned="truth").height == 2 * 4 * 2 * 5
    assert scores.filter(role="probe", learned="weak").height == 2 * 4 * 2 * 5 * 2 * 2
    assert scores.filter(role="floor").height == 2 * 2 * 5
    assert scores.filter(role="ceiling").is_empty()
    assert scores.filter(role="probe")["layer"].unique().sort().to_list() == [0, 2]
    assert not scores.is_duplicated().any()
    csv = pl.read_csv(folder / "sweep.csv", schema_overrides=dict(scores.schema))
    assert_frame_equal(csv, scores)


def test_scores_are_those_of_the_answers(swept):
    finished, store, config = swept
    task_run = TaskRun.of(resolved(config), Store(store), TASK)
    task_run.compute = False
    test = task_run.splits.test
    truth = np.array([e.label for e in test])
    answers = stages.sweep(task_run, Sweep("knn", (3, 9), (0, 2)), 1)[2]
    right = {
        ("test", "truth"): (answers["test"][1].argmax(axis=1) == truth).mean(),
        **{
            (split, "weak"): (
                answers[split][1].argmax(axis=1)
                == stages.weak_labels(task_run, 1)[split]
                .at([i.id for i in task_run.splits.items(split)])
                .argmax(axis=1)
            ).mean()
            for split in ("validation", "test")
        },
    }
    scores = finished.scores
    cell = scores.filter(
        learned="weak", seed=1, probe="knn", layer=2, setting=9.0, metric="accuracy"
    )
    for (split, against), value in right.items():
        assert cell.filter(split=split, against=against)["score"].to_list() == [
            pytest.approx(value)
        ]


def test_a_second_sweep_computes_nothing_and_a_part_of_it_neither(swept, tmp_path):
    finished, store, config = swept
    before, stream = manifests(store), io.StringIO()
    sweep = ProbeSweep.of(config, **SETTINGS)
    again = sweep.write(tmp_path / "again", store, Progress(stream), PLAN)
    assert_frame_equal(FinishedSweep(again).scores, finished.scores)
    steps = [line for line in stream.getvalue().splitlines() if "warning: " not in line]
    assert len(steps) == 2 + 2 + 2 * 2
    assert all(line.endswith(": reused") for line in steps)
    replace(sweep, layers=("last",)).write(tmp_path / "part", store, plan=PLAN)
    assert manifests(store) == before
    names = [path.parent.name for path in before]
    assert names.count("activations") == 1
    # One a layer, probe, and source of labels.
    assert names.count("probe-sweep") == 2 * 2 * 3


def test_a_ceiling_is_shown_where_the_store_has_it(swept, tmp_path):
    _, store, config = swept
    task_run = TaskRun.of(resolved(config), Store(store), TASK)
    top = stages.ceiling(task_run, 1)["test"]
    folder = ProbeSweep.of(config, **SETTINGS).write(tmp_path / "out", store, plan=PLAN)
    rows = FinishedSweep(folder).scores.filter(role="ceiling", split="test", metric="accuracy")
    truth = np.array([e.label for e in task_run.splits.test])
    answers = top.at([e.item.id for e in task_run.splits.test]).argmax(axis=1)
    assert rows["seed"].to_list() == [1]
    assert rows["score"].to_list() == [pytest.approx((answers == truth).mean())]


def test_what_learns_weak_labels_waits_for_their_supervisor(quick_study):
    config, found = replace(quick_study, seeds=2), GRID.sweeps(2, 100)[0]
    steps = sweep_steps(config, {"one": found, "two": found})
    assert len({step.name for step in steps}) == len(steps) == 2 * (2 + 2 + 4)
    for step in steps:
        waits = step.kind == "sweep" and step.seed is not None
        assert step.needs == ((f"{step.task} supervisor seed {step.seed}",) if waits else ())
    given = sweep_steps(replace(config, weak_labels=Path("labels.csv")), {"one": found})
    assert [(step.kind, step.needs) for step in given] == [("sweep", ())] * 6


def test_layers_rise_and_are_named_once():
    assert ProbeSweep().numbers(3) == (0, 1, 2, 3)
    assert ProbeSweep(layers=("last", 0, "middle", -3, -1)).numbers(4) == (0, 2, 4)
    with pytest.raises(UserError, match="Layer 5 is none of the model's 4"):
        ProbeSweep(layers=(0, 5)).numbers(4)


def test_of_few_examples_the_large_ks_are_left_out(swept, tmp_path):
    _, store, config = swept
    found, left = ProbeSweep(layers=(1,), ks=(200, 5, 10, 10), penalties=()).sweeps(2, examples=10)
    assert found == (Sweep("knn", (5, 10), (1,)),)
    assert left == (200,)
    with pytest.raises(UserError, match="10 training examples, fewer than every k"):
        ProbeSweep(ks=(11,), penalties=()).sweeps(2, examples=10)
    stream = io.StringIO()
    few = ProbeSweep.of(config, **SETTINGS | {"ks": (3, 10**6)})
    folder = few.write(tmp_path / "out", store, Progress(stream), PLAN)
    assert f"left out of {TASK}: k = 1000000, more than its" in stream.getvalue()
    knn = FinishedSweep(folder).scores.filter(probe="knn")
    assert knn["setting"].unique().to_list() == [3.0]


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(UserError, match=r"ks\[0\] must be at least 1, not 0"):
        ProbeSweep(ks=(0,))
    with pytest.raises(UserError, match=r"penalties\[0\] must be at least 0, not -1"):
        ProbeSweep(penalties=(-1.0,))
    with pytest.raises(UserError, match="at least one k or one penalty"):
        ProbeSweep(ks=(), penalties=())
    with pytest.raises(UserError, match="at least one layer"):
        ProbeSweep(layers=())


def test_a_folder_without_a_finished_sweep_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no finished sweep"):
        FinishedSweep(tmp_path).scores  # noqa: B018


def test_a_new_folder_is_named_after_the_sweep_and_is_not_the_latest_run(
    swept, tmp_path, monkeypatch
):
    _, store, config = swept
    monkeypatch.chdir(tmp_path)
    folder = ProbeSweep.of(config, **SETTINGS).write(store=store, plan=PLAN)
    assert folder.parent.name == "runs"
    assert folder.name.endswith(f"-probe-sweep-{TASK}")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_layer_of_no_kind_is_told_by_its_place():
    with pytest.raises(UserError, match=r"layers\[0\] must be a whole number, not 1\.5"):
        ProbeSweep(layers=[1.5])

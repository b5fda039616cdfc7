"""`vary: split`: each seed draws who learns from what; the test stays, and nothing is mixed up."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.analyses.ceilings import ceilings
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.results import intervals_note
from weak2strong.config.study import StudyConfig
from weak2strong.engine.explain import explain_study
from weak2strong.engine.local import Plan
from weak2strong.engine.plan import plan_study
from weak2strong.engine.record import results_files
from weak2strong.engine.run import run_study
from weak2strong.experiments.experiment import Where
from weak2strong.experiments.overlap import read_examples
from weak2strong.experiments.sweep import ProbeSweep
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved, splits_of
from weak2strong.protocol.task_run import TaskRun
from weak2strong.report.provenance import provenance
from weak2strong.report.unfinished import read_unfinished
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import LEARNT, SPLITS, Splits, make_splits

TASK = "moods"
PLAN = Plan(workers=1, threads=1)


def ids(splits, name):
    return [e.item.id for e in splits.examples(name)]


@pytest.fixture(scope="module")
def config(quick_study, tmp_path_factory) -> StudyConfig:
    """Two seeds with a split each; supervisor and ceiling stop on a held-out tenth."""
    rng, words = np.random.default_rng(0), ("red", "blue", "green", "warm", "cold", "new")
    rows = [
        {"id": f"{i:03}", "label": int(rng.random() < (0.3 if picked[0] < 3 else 0.7)),
         "text": f"{' '.join(words[k] for k in picked)} {i}"}
        for i, picked in enumerate(rng.integers(0, 6, size=(240, 3)))
    ]  # fmt: skip
    file = tmp_path_factory.mktemp("data") / f"{TASK}.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    training = replace(quick_study.weak_training, stopping="weak-validation")
    return replace(
        quick_study, tasks=(str(file),), seeds=2, vary="split", methods=("naive",),
        data=replace(quick_study.data, near_duplicates=False),
        weak_training=training, strong_training=training,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ran(config, tmp_path_factory):
    """The folder of that study, and its store."""
    at = tmp_path_factory.mktemp("varied")
    return run_study(config, at / "run", at / "store", plan=PLAN), at / "store"


@pytest.fixture(scope="module")
def task(config):
    """The task of the study."""
    return find_task(config.tasks[0], config.data)


def test_seeds_share_the_test_and_nothing_else(config, task):
    shared = make_splits(task, config.split_seed)
    found = [splits_of(config, task, seed) for seed in range(4)]
    assert found[0] == shared, "the first seed has the split of the study"
    every = {e.item.id for name in SPLITS for e in shared.examples(name)}
    for splits in found[1:]:
        assert splits.test == shared.test
        assert {i for name in SPLITS for i in ids(splits, name)} == every
        for name in LEARNT:
            labels = [Counter(e.label for e in s.examples(name)) for s in (splits, shared)]
            assert labels[0] == labels[1]
            assert splits.examples(name) == tuple(sorted(splits.examples(name), key=id_of))
    for name in LEARNT:
        assert len({tuple(ids(splits, name)) for splits in found}) == len(found)
    other = splits_of(replace(config, split_seed=1), task, 1)
    assert ids(other, "weak_train") != ids(found[1], "weak_train")
    plain = replace(config, vary="training")
    assert splits_of(plain, task, 3) == shared


def id_of(example):
    return example.item.id


def test_a_seed_gets_what_a_study_with_that_split_alone_would_get(ran, config, task):
    """Stage by stage: the keys are those of a study without the setting whose split this is."""
    folder, store = ran
    config = resolved(config)
    alone = replace(config, vary="training", split_seed=0)
    predictions = FinishedRun(folder).predictions
    for seed in range(2):
        splits = splits_of(config, task, seed)
        one = TaskRun(alone, Store(store), config.tasks[0], task, splits)
        if seed == 1:
            # What is held out for stopping is drawn anew, too.
            drawn = TaskRun(config, Store(store), config.tasks[0], task, splits, seed=1).split_seed
            assert drawn != 0
            one.config = replace(alone, split_seed=drawn)
        one.compute = False
        answers = {
            ("floor", "", seed): stages.weak_labels(one, seed)["test"],
            ("student", "naive", seed): stages.student(one, "naive", seed)["test"],
            ("ceiling", "", seed): stages.ceiling(one, seed)["test"],
            ("probe", "", seed): stages.probe_ceiling(one),
            ("ngrams", "", seed): stages.ngrams(one),
        }
        for (role, method, of), found in answers.items():
            rows = predictions.filter(role=role, method=method, seed=of).sort("id")
            assert rows["id"].to_list() == sorted(ids(splits, "test"))
            expected = found.at(rows["id"].to_list())
            np.testing.assert_array_equal(np.array(rows["probabilities"].to_list()), expected)
    assert set(predictions["seed"]) == {0, 1}


def test_whoever_forgets_the_seed_is_stopped(config, tmp_path):
    task_run = TaskRun.of(resolved(config), Store(tmp_path), config.tasks[0])
    with pytest.raises(AssertionError, match="of_seed"):
        stages.ngrams(task_run)


def test_checks_are_means_over_seeds_and_the_best_ceiling_is_paired_with_its_own(ran, config):
    run = FinishedRun(ran[0])
    (line,) = run.lines()
    rows, accuracy = run.predictions, metric("classification", "accuracy")

    def score(role, seed):
        one = rows.filter(role=role, seed=seed)
        return accuracy(np.array(one["probabilities"].to_list()), one["label"].to_numpy())

    for role, found in (("probe", line.probe_ceiling), ("ngrams", line.ngrams)):
        by_seed = [score(role, seed) for seed in range(2)]
        assert by_seed[0] != by_seed[1]
        assert found == pytest.approx(np.mean(by_seed))
    middle = np.mean([score("probe", s) - score("ceiling", s) for s in range(2)])
    interval = line.recovered.checks["probe"]["ceiling"]
    assert (interval.low + interval.high) / 2 == pytest.approx(middle)
    cells = run.cells.filter(metric="accuracy").sort("seed")
    assert cells["probe_ceiling"].to_list() == pytest.approx([score("probe", s) for s in range(2)])
    # A probe that is better in every seed takes the place of that seed's ceiling.
    good = rows.with_columns(
        pl.when(pl.col("role") == "probe")
        .then(pl.concat_list(1.0 - pl.col("label"), pl.col("label").cast(float)))
        .otherwise("probabilities")
        .alias("probabilities")
    )
    both = ceilings(run.config, good)
    assert both.probed == (TASK,)
    assert both.best[0].recovered.ceiling == 1


def test_tables_and_page_say_that_splits_are_the_seeds_own(ran):
    run = FinishedRun(ran[0])
    own = "Each seed drew weak_train, strong_train and validation of its own"
    assert own in intervals_note(run.lines())
    assert own not in intervals_note([replace(line, vary="training") for line in run.lines()])
    assert ("seeds", "0 to 1, each with a split of its own") in provenance(run)


def test_plan_and_unfinished_page_count_a_check_a_seed(ran, config, tmp_path):
    plan = plan_study(config)
    counts = {s.name: s.count for s in plan.stages}
    names = ("supervisor", "ceiling", "activations", "probe", "ngrams", "student naive")
    assert counts == dict.fromkeys(names, 2)
    events = [json.loads(line) for line in (ran[0] / "events.jsonl").read_text().splitlines()]
    made = Counter(s["stage"] for e in events if e["event"] == "step" for s in e["stages"])
    assert all(made[name] >= counts[name] for name in ("activations", "probe", "ngrams"))
    (tmp_path / "study.yaml").write_bytes((ran[0] / "study.yaml").read_bytes())
    (tmp_path / "events.jsonl").write_bytes((ran[0] / "events.jsonl").read_bytes())
    unfinished = read_unfinished(tmp_path)
    assert unfinished is not None
    assert len(unfinished.state.done) == len(unfinished.state.steps) == 10
    assert explain_study(config, ran[1]).missing == ()


def test_a_sweep_learns_ground_truth_of_each_seed(ran, config, tmp_path):
    sweep = ProbeSweep.of(config, layers=(-1,), ks=(3,), penalties=())
    found = sweep.read(sweep.write(tmp_path / "sweep", ran[1], plan=PLAN))
    rows = found.scores.filter(role="probe", learned="truth", split="test", metric="accuracy")
    assert rows["seed"].to_list() == [0, 1]
    assert rows["score"].n_unique() == 2
    (grid,) = found.grids()
    assert grid.truth[0, 0] == pytest.approx(rows["score"].mean())
    assert grid.ceiling is not None, "the ceilings of the run are those of these splits"


def test_what_has_one_split_is_refused_in_a_sentence(config, ran, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("id,p\n")
    with pytest.raises(UserError, match="--vary split draws one for each seed"):
        plan_study(replace(config, weak_labels=labels))
    with pytest.raises(UserError, match="without --vary split"):
        next(read_examples(config, Where(store=ran[1])))
    for name, n in (("train_label", 40), ("train_unlabel", 40), ("test", 20)):
        rows = [
            {"text": f"{name} number {i}", "label": i % 2, "id": f"{name}{i}"} for i in range(n)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(UserError, match="says itself who learns from which examples"):
        plan_study(replace(config, tasks=(str(tmp_path),)))


def test_data_with_a_test_of_their_own_may_vary(config, tmp_path):
    files = []
    for name, n in (("mine", 60), ("theirs", 20)):
        rows = [
            {"text": f"{name} number {i}", "label": i % 2, "id": f"{name}{i}"} for i in range(n)
        ]
        files.append(tmp_path / f"{name}.jsonl")
        files[-1].write_text("\n".join(map(json.dumps, rows)))
    data = replace(config.data, test_on=str(files[1]), near_duplicates=False)
    task = find_task(str(files[0]), data)
    first, second = (splits_of(replace(config, data=data), task, seed) for seed in range(2))
    assert first.test == second.test
    assert ids(first, "weak_train") != ids(second, "weak_train")
    assert len(first.weak_train) == len(second.weak_train)


def test_agreement_is_that_of_each_seeds_own_examples(ran, config, task):
    agreement = pl.read_parquet(ran[0] / "agreement.parquet")
    task_run = TaskRun.all_of(resolved(config), Store(ran[1]))[TASK]
    task_run.compute = False
    files = results_files(resolved(config), {TASK: task_run})
    assert pl.read_parquet(files["agreement.parquet"]).equals(agreement)
    splits: Splits = splits_of(config, task, 1)
    one = task_run.of_seed(1)
    weak = stages.weak_labels(one, 1)["strong_train"].at(ids(splits, "strong_train"))
    said = stages.student(one, "naive", 1)["strong_train"].at(ids(splits, "strong_train"))
    same = float((weak.argmax(1) == said.argmax(1)).mean())
    row = agreement.filter(seed=1, split="strong_train").row(0, named=True)
    assert row["agreement"] == pytest.approx(same)

"""Studies of a task that is answered in words: from a user's file to the table."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from weak2strong.analysis.finished import Results
from weak2strong.analysis.results import results_document
from weak2strong.analysis.summary import summarise
from weak2strong.analysis.warnings import warnings_of
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine import record
from weak2strong.engine.examples import read_examples
from weak2strong.engine.local import Plan
from weak2strong.engine.recorded import read_agreement
from weak2strong.engine.run import run_study
from weak2strong.experiments.followed import CHOSEN
from weak2strong.experiments.overfitting import Overfitting
from weak2strong.experiments.trusted import Trusted
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.predictions import Predictions, texts
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.ground.written import normalised
from weak2strong.losses import loss
from weak2strong.methods import METHODS, every_method
from weak2strong.methods.reference import find_method
from weak2strong.models.rates import usual_rates
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
from weak2strong.report.markdown import Section, results_page
from weak2strong.report.terminal import print_document
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import make_splits
from weak2strong.tasks.task import Example, Item

COLOURS = ("red", "blue", "green")
IN_WORDS = [name for name in every_method() if "generation" in find_method(name).kinds]
ONE = Plan(workers=1, threads=1)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Things and their colours; every fourth may be called by another name."""
    path = tmp_path_factory.mktemp("data") / "colours.jsonl"
    rows = [
        {"prompt": f"{word} {i} is", "target": COLOURS[n], "accepted": ["Teal"] if i % 4 else None}
        for n, word in enumerate(("bird", "house", "river"))
        for i in range(40)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture(scope="module")
def config(quick_study, file) -> StudyConfig:
    """Toy models and one quick epoch."""
    quick = Training(epochs=2, evaluations=2, learning_rate=1e-2, batch_size=8)
    return replace(
        quick_study,
        tasks=(str(file),),
        intermediates=(quick_study.weak,),
        data=DataOptions(near_duplicates=False),
        weak_training=replace(quick, epochs=1),
        strong_training=quick,
    )


@pytest.fixture(scope="module")
def run(config, tmp_path_factory):
    at = tmp_path_factory.mktemp("run")
    chosen = replace(config, methods=("naive", "bootstrapping-same-inputs"), seeds=2)
    return run_study(chosen, at / "run", at / "store", plan=ONE)


def test_a_run_holds_what_was_written_and_what_counts(run):
    results = Results(run)
    assert (results.config.metric, results.config.weak_training.stopping_metric) == (
        "exact_match", "exact_match",
    )  # fmt: skip
    rows = results.predictions
    assert set(rows["role"]) == {"floor", "ceiling", "student", "ngrams"}
    assert "probabilities" not in rows.columns
    one = rows.filter(role="student", method="naive", seed=1)
    accepted = one["label"].to_list()
    assert {tuple(x) for x in accepted} <= {(c, *more) for c in COLOURS for more in ((), ("Teal",))}
    right = [
        normalised(answer) in map(normalised, texts)
        for answer, texts in zip(one["answer"], accepted, strict=True)
    ]
    cell = results.cells.filter(method="naive", seed=1, metric="exact_match").row(0, named=True)
    assert cell["student"] == pytest.approx(np.mean(right))
    assert set(results.cells["metric"]) == {*("exact_match", "exact_match_cased", "words_match")}
    assert results.cells["probe_ceiling"].to_list() == [None] * 12
    assert results.cells["probe_ceiling"].dtype == pl.Float64


def test_shifts_are_told_of_what_students_and_ceiling_wrote(run, capsys):
    """Against a pass over each text alone, with the prompts of the user's file."""
    from weak2strong.models.language import load_language_model

    assert main(["shift", str(run), "--store", str(run.parent / "store"), "--quiet"]) == 0
    printed = capsys.readouterr().out
    table, tokens = (pl.read_parquet(run / f) for f in ("shift.parquet", "shifted_tokens.parquet"))
    written = Results(run).predictions.filter(pl.col("role").is_in(["student", "ceiling"]))
    (reference,), data = Results(run).config.tasks, Results(run).config.data
    prompts = {e.item.id: e.item.text for e in find_task(reference, data).load()}
    model, checked = load_language_model(Results(run).config.strong), 0
    for (role, method), rows in written.group_by("role", "method"):
        shares, counts = [], np.zeros(3)
        for _, of_seed in rows.group_by("seed"):
            bands = np.zeros(3)
            for id, answer in of_seed.select("id", "answer").iter_rows():
                begin = len(model.tokenizer(prompts[id])["input_ids"])
                row = model.tokenizer(f"{prompts[id]} {answer}".strip())["input_ids"]
                with torch.no_grad():
                    logits = model.network.whole(torch.tensor([row])).logits[0]
                for place in range(begin, len(row)):
                    better = (logits[place - 1] > logits[place - 1, row[place]]).sum().item()
                    bands[0 if better == 0 else 1 if better <= 2 else 2] += 1
            shares.append(bands)
            counts += bands
        (found,) = table.filter(pl.col("first").is_null(), role=role, method=method).to_dicts()
        assert found["tokens"] == counts.sum()
        of_writer = tokens.filter(role=role, method=method)
        sums = [of_writer[name].sum() for name in ("written", "shifted")]
        assert sums == [counts.sum(), counts[2]]
        line = next(x for x in printed.splitlines() if f" {method or role} " in x)
        names = ("unshifted", "marginal", "shifted")
        if not all(bands.sum() for bands in shares):
            # A seed whose answers are all empty.
            assert [found[n] for n in names] == [None] * 3
            continue
        mean = np.mean([bands / bands.sum() for bands in shares], axis=0)
        assert [found[n] for n in names] == pytest.approx(mean.tolist())
        assert f"{mean[0]:.3f} [" in line
        checked += 1
    assert checked


def test_the_chain_of_models_stands_in_the_table(run):
    config, table = Results(run).config, Results(run).table()
    names = [config.weak.name, config.weak.name, config.strong.name]
    assert table["chain"].to_list() == [None, " > ".join(names)]


def test_the_table_has_a_dash_for_the_probe(run, capsys):
    from rich.console import Console

    results = Results(run)
    lines = results.lines()
    assert [line.metric for line in lines] == ["exact_match"] * 2
    assert lines[0].recovered.examples == results.predictions.filter(role="ngrams").height
    # The commonest target of the test examples.
    labels = results.predictions.filter(role="ngrams")["label"].to_list()
    firsts = [label[0] for label in labels]
    assert lines[0].chance == max(map(firsts.count, COLOURS)) / len(firsts)
    print_document(results_document(lines), Console(width=160))
    printed = capsys.readouterr().out
    assert "exact match, mean of 2 seeds" in printed
    assert "–" in next(x for x in printed.splitlines() if " naive " in x).split()
    assert "–: no probe" in printed
    page = results_page([Section(results.config, lines)], "the command")
    assert "Exact match, mean of 2 seeds" in page
    assert "the probe's score or at" not in page
    assert not any("probe" in text for text in warnings_of(lines))
    assert results.table()["probe_ceiling"].to_list() == [None] * 2
    assert results.table("exact_match_cased").height == 2


def test_what_counts_as_right_comes_from_the_file(run):
    """Without what is accepted the score of somebody who always says so is another."""
    config, rows = Results(run).config, Results(run).predictions
    said = rows.with_columns(pl.lit(" teal.").alias("answer"))
    line = summarise(config, said, "exact_match")[0]
    shares = [len(x) > 1 for x in rows.filter(role="ngrams")["label"].to_list()]
    assert line.recovered.student == pytest.approx(np.mean(shares))
    assert summarise(config, said, "exact_match_cased")[0].recovered.student == 0


def test_a_run_keeps_texts_of_what_students_did_and_how_far_they_agree(run):
    results = Results(run)
    kept = read_examples(FolderFiles(run, "run"))
    assert kept is not None
    first = results.predictions.filter(seed=0)
    texts = {"bird", "house", "river"}
    assert {text.split()[0] for (text,) in kept["texts"]} <= texts
    assert set(kept["id"]) == set(first["id"])
    agreement = read_agreement(results.files)
    assert agreement is not None
    for method in results.config.methods:
        floor, student = (
            results.predictions.filter(role=role, method=name, seed=1).sort("id")["answer"]
            for role, name in (("floor", ""), ("student", method))
        )
        same = [normalised(a) == normalised(b) for a, b in zip(floor, student, strict=True)]
        row = agreement.filter(method=method, seed=1, split="test").row(0, named=True)
        assert row["agreement"] == pytest.approx(np.mean(same))
        assert row["examples"] == len(same)


@pytest.mark.parametrize(("metric", "share"), [("exact_match", 1), ("exact_match_cased", 0.5)])
def test_agreement_heeds_case_where_the_metric_does(config, monkeypatch, metric, share):
    weak, student = (
        {"test": Predictions(("1", "2"), texts(said), "generation")}
        for said in (["Bxc3", "Nf3"], ["bxc3", " Nf3."])
    )
    given = {"weak_labels": weak, "student": student, "ceiling": weak, "left_out": ()}
    for name, answers in given.items():
        monkeypatch.setattr(stages, name, lambda *_, answers=answers: answers)
    examples = [Example(Item(name, name, ""), "Bxc3") for name in "12"]
    monkeypatch.setattr(record, "_parts", lambda *_: [("test", "test", examples)])
    task_run: Any = SimpleNamespace(task=find_task(config.tasks[0], config.data))
    task_run.of_seed = lambda seed: task_run
    rows = list(record._agreements(replace(config, metric=metric), task_run))
    assert [row["agreement"] for row in rows] == [share] * len(config.methods) * config.seeds


@pytest.fixture(scope="module")
def followed(config, run):
    """A naive student that was looked at at the end of each of its two epochs."""
    overfitting = Overfitting.of(replace(config, methods=("naive",)), evaluations=2)
    folder = overfitting.write(run.parent / "followed", run.parent / "store", plan=ONE)
    return overfitting.read(folder)


def test_what_students_write_is_followed(run, followed):
    """The last point writes what the study's own student writes, and scores count its texts."""
    usual = Results(run).predictions.filter(method="naive", seed=0).sort("id")
    points = followed.points.filter(role="student").sort("id")
    last = points.filter(point="last")
    assert last["answer"].to_list() == usual["answer"].to_list()
    weak = followed.points.filter(role="floor").sort("id")["answer"].to_list()
    right = [set(map(normalised, texts)) for texts in usual["label"].to_list()]
    wrong = [normalised(w) not in r for w, r in zip(weak, right, strict=True)]
    for point in CHOSEN:
        said = list(map(normalised, points.filter(point=point)["answer"]))
        at = followed.curves.filter(point).row(0, named=True)
        assert at["test_score"] == np.mean([s in r for s, r in zip(said, right, strict=True)])
        same = [s == normalised(w) for s, w in zip(said, weak, strict=True)]
        assert at["agreement_all"] == np.mean(same)
        assert at["agreement_wrong"] == np.mean(np.array(same)[wrong])
    assert set(followed.curves["fraction"]) == {0.5, 1.0}
    assert [row["point"] for row in followed.rows] == list(CHOSEN)


def test_simulated_supervisors_write_as_many_wrong_answers_as_asked_for(config, tmp_path):
    asked = replace(config, simulated="random-flips", simulated_accuracy=0.75)
    task = find_task(config.tasks[0], config.data)
    asked = resolved(asked)
    task_run = TaskRun(asked, Store(tmp_path), task.name, task, make_splits(task))
    for split, labels in stages.weak_labels(task_run, 0).items():
        examples = task_run.splits.examples(split)
        right = [
            said in (e.label, *(e.accepted or ()))
            for said, e in zip(labels.at([e.item.id for e in examples]), examples, strict=True)
        ]
        assert len(right) - sum(right) == round(0.25 * len(right))
    for kind in ("least-confident", "first-features", "trivial-imitation"):
        with pytest.raises(UserError, match="needs classes, and task colours is answered in words"):
            resolved(replace(config, simulated=kind))


def test_trusted_labels_choose_among_what_students_write(config, run, followed):
    trusted = Trusted.of(
        replace(config, methods=("naive",)), trusted=(2, 8), evaluations=2, alone=False, draws=20
    )
    folder = trusted.write(run.parent / "trusted", run.parent / "store", plan=ONE)
    rows = trusted.read(folder).table()
    scores = followed.curves["test_score"].to_list()
    assert rows.filter(policy="none")["score"].to_list() == [pytest.approx(scores[-1])]
    assert rows.filter(policy="oracle")["score"].to_list() == [pytest.approx(max(scores))]


def test_a_second_run_is_read_from_the_store(run, tmp_path):
    config = StudyConfig.from_yaml((run / "study.yaml").read_text())
    again = run_study(config, tmp_path / "again", run.parent / "store", plan=ONE)
    events = map(json.loads, (again / "events.jsonl").read_text().splitlines())
    assert all(e["reused"] for e in events if e["event"] == "step")
    assert Results(again).predictions.equals(Results(run).predictions)


@pytest.fixture
def make_task_run(config, tmp_path):
    """Desks with stores of their own; the first argument replaces splits, the rest settings."""
    count = iter(range(99))

    def make(splits=None, **changes) -> TaskRun:
        study = resolved(replace(config, **changes))
        task = find_task(study.tasks[0], study.data)
        store = Store(tmp_path / f"store {next(count)}")
        return TaskRun(study, store, study.tasks[0], task, splits or make_splits(task))

    return make


@pytest.fixture(scope="module")
def splits(config):
    return make_splits(find_task(config.tasks[0], config.data))


def shuffled(examples, seed):
    """The same items with their targets dealt out anew."""
    order = np.random.default_rng(seed).permutation(len(examples))
    found = tuple(
        Example(e.item, examples[i].label, examples[i].accepted)
        for e, i in zip(examples, order, strict=True)
    )
    assert any(e.label != x.label for e, x in zip(examples, found, strict=True))
    return found


def test_methods_that_do_without_probabilities_are_known():
    assert set(IN_WORDS) == {
        "naive", "strong-to-strong", "bootstrapping", "bootstrapping-same-inputs", "generative",
        "zero-shot", "few-shot-weak",
    }  # fmt: skip


def with_hidden_targets(splits):
    return replace(
        splits,
        strong_train=shuffled(splits.strong_train, 1),
        validation=shuffled(splits.validation, 2),
        test=shuffled(splits.test, 3),
    )


@pytest.mark.filterwarnings("ignore:.*the first of their shots are left out")
@pytest.mark.parametrize("method", IN_WORDS)
def test_hidden_targets_change_no_student(make_task_run, splits, method):
    hidden = with_hidden_targets(splits)
    honest = stages.student(make_task_run(), method, 0)
    blind = stages.student(make_task_run(hidden), method, 0)
    for split in stages.PREDICTED:
        assert honest[split].ids == blind[split].ids
        assert honest[split].values.tolist() == blind[split].values.tolist()


def test_the_ceiling_does_depend_on_the_targets_that_students_must_not_see(make_task_run, splits):
    ceilings = [
        stages.ceiling(task_run, 0)["strong_train"]
        for task_run in (make_task_run(), make_task_run(with_hidden_targets(splits)))
    ]
    assert ceilings[0].values.tolist() != ceilings[1].values.tolist()


def test_same_inputs_begin_with_the_fit_of_the_direct_run(make_task_run, config):
    """Whose student is the first intermediate."""
    chain = make_task_run()
    stages.student(chain, "bootstrapping-same-inputs", 0)
    training = config.strong_training.at_usual_rates(usual_rates(config.weak))
    direct = make_task_run(strong=config.weak, strong_training=training, intermediates=())
    stages.student(direct, "naive", 0)
    fits = [[u.key for u in task_run.used if u.stage == "finetune"] for task_run in (chain, direct)]
    assert fits[0][:2] == fits[1]
    assert len(set(fits[0])) == 3


def test_adapters_are_enough(make_task_run, config):
    adapted = replace(config.strong, adaptation="lora")
    found = stages.student(make_task_run(strong=adapted), "naive", 0)
    assert all(isinstance(answer, str) for answer in found["test"].values)


def test_weak_labels_come_from_a_file(make_task_run, splits, tmp_path):
    """Even the empty answer is learnt, and a student of one answer gives no other."""
    path = tmp_path / "weak.csv"
    ids = [item.id for split in stages.PREDICTED for item in splits.items(split)]
    rows = pl.DataFrame({"id": ids, "answer": ["a blue bird" for _ in ids]})
    rows.write_csv(path)
    task_run = make_task_run(weak_labels=path, intermediates=())
    assert set(stages.student(task_run, "naive", 0)["test"].values) == {"a blue bird"}
    assert set(stages.weak_labels(task_run, 0)["test"].values) == {"a blue bird"}
    rows.with_columns(pl.lit("").alias("answer")).write_csv(path)
    assert set(stages.student(make_task_run(weak_labels=path), "naive", 0)["test"].values) == {""}


@pytest.mark.parametrize(
    "method", ["confidence", "entropy", "kl", "linear-probe", "ensemble+naive"]
)
def test_methods_that_need_probabilities_are_refused_before_training(config, method):
    why = "needs labels that are probabilities, .* colours are texts"
    sentence = f"'{method.split('+')[0]}.*' {why}"
    with pytest.raises(UserError, match=sentence.replace("ensemble.*", "ensemble\\+naive")):
        resolved(replace(config, methods=("naive", method)))


def test_a_loss_that_needs_probabilities_is_refused(make_task_run, monkeypatch):
    """Where a plugin's method asks for it all the same."""

    def run(context):
        return context.finetune(context.weak_labels, loss("confidence"))

    naive = METHODS.get("naive")
    monkeypatch.setattr(METHODS, "get", lambda name: replace(naive, run=run))
    with pytest.raises(UserError, match="loss Confidence needs probabilities of classes, and task"):
        stages.student(make_task_run(), "naive", 0)


@pytest.mark.parametrize("role", ["weak", "strong"])
def test_encoders_and_heads_are_refused_before_training(config, toy_models, role):
    encoder = ModelSpec(str(toy_models["bert"]))
    with pytest.raises(UserError, match="is no decoder"):
        resolved(replace(config, **{role: encoder}))
    head = replace(config.weak, adaptation="head")
    with pytest.raises(UserError, match="choose adaptation full or lora"):
        resolved(replace(config, **{role: head}))


def test_all_and_usual_leave_out_what_needs_probabilities(config, tmp_path, capsys):
    assert resolved(replace(config, methods=("all",))).methods == tuple(IN_WORDS)
    assert resolved(replace(config, methods=("usual",))).methods == ("naive",)
    with Progress() as progress:
        run_study(config, tmp_path / "run", tmp_path / "store", progress, ONE)
    said = capsys.readouterr()
    assert "left out of usual: The method 'confidence' needs labels" in said.out + said.err


def test_a_metric_of_classes_and_tasks_of_two_kinds_are_refused(config):
    with pytest.raises(UserError, match="metric of generation tasks"):
        resolved(replace(config, metric="accuracy"))
    mixed = replace(config, tasks=(*config.tasks, "atlas-asia"))
    with pytest.raises(UserError, match="scored by exact_match, atlas-asia by accuracy"):
        resolved(mixed)


def test_a_task_may_ask_for_another_metric(make_task_run, monkeypatch, config):
    real = find_task(config.tasks[0], config.data)
    cased = replace(real, metric="exact_match_cased")
    monkeypatch.setattr("weak2strong.protocol.resolve.find_tasks", lambda *a: (cased,))
    study = resolved(config)
    assert study.metric == "exact_match_cased"
    assert study.strong_training.stopping_metric == "exact_match_cased"

"""A plan says what a run then does, without a network, weights or a trace on disk."""

import json
from collections import Counter
from dataclasses import replace

import pytest
import torch
from transformers import AutoTokenizer

from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.local import Plan
from weak2strong.engine.measured import measured
from weak2strong.engine.plan import plan_study
from weak2strong.engine.run import run_study
from weak2strong.engine.sizes import TOKENS
from weak2strong.engine.stand_in import trial_run
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store, stage_key
from weak2strong.losses import loss
from weak2strong.methods import METHODS, every_method
from weak2strong.methods.method import Method
from weak2strong.models import guess as guess_module
from weak2strong.models.folders import location_of
from weak2strong.models.guess import guess
from weak2strong.models.needs import count, multiplied, skeleton
from weak2strong.models.resolve import LORA_ABOVE, fingerprint, resolve_model
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.stages.files import TRACE
from weak2strong.protocol.steps import steps
from weak2strong.tasks import SOURCES, TASKS
from weak2strong.tasks.splits import SPLITS, make_splits


def stage(plan, name):
    return next(s for s in plan.stages if s.name == name)


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, request):
    if "run" not in request.node.name:
        monkeypatch.setattr(
            "weak2strong.models.load.load_model", lambda *a: pytest.fail("weights were loaded")
        )


def test_the_default_study_is_counted_as_by_hand():
    config = StudyConfig()
    plan = plan_study(config)
    assert plan.cells == 1 * 2 * 5
    assert {s.name: s.count for s in plan.stages} == {
        "supervisor": 5, "ceiling": 5, "activations": 1, "probe": 1, "ngrams": 1,
        "student naive": 5, "student confidence": 5,
    }  # fmt: skip
    asked = steps(resolved(config), {"atlas-asia": "classification"})
    wanted = Counter(f"{s.kind} {s.method or ''}".strip() for s in asked)
    assert {s.name: s.count for s in plan.stages} == {**wanted, "activations": 1}
    assert "both methods" in stage(plan, "supervisor").shared
    assert "both methods" in stage(plan, "ceiling").shared
    assert sum(s.fits for s in plan.stages) == 5 * (1 + 1 + 2)


def test_operations_of_the_default_study_are_those_of_its_arithmetic():
    plan = plan_study(StudyConfig())
    splits = make_splits(TASKS.get("atlas-asia"))
    texts = [i.text for name in SPLITS for i in splits.items(name)]
    sizes = {name: len(splits.examples(name)) for name in SPLITS}
    names = ("atlas-s", "atlas-l")
    weights = {name: multiplied(skeleton(ModelSpec(name))) for name in names}
    tokenizer = AutoTokenizer.from_pretrained(location_of(ModelSpec("atlas-s")))
    tokens = sum(len(tokenizer(t)["input_ids"]) for t in texts) / len(texts)
    asked = sizes["strong_train"] + sizes["validation"] + sizes["test"]
    # 3 epochs of 6 operations a parameter in products and token, and the answers of 2.
    for name, model, learn in (
        ("supervisor", "atlas-s", sizes["weak_train"]),
        ("ceiling", "atlas-l", sizes["strong_train"]),
        ("student naive", "atlas-l", sizes["strong_train"]),
    ):
        one = weights[model] * tokens * (3 * 6 * learn + 2 * asked)
        found = stage(plan, name)
        assert found.flops == pytest.approx(5 * one, rel=0.02), name
        assert found.seconds is None
    read = 2 * weights["atlas-l"] * tokens * asked
    assert stage(plan, "activations").flops == pytest.approx(read, 0.02)
    assert {stage(plan, name).flops for name in ("probe", "ngrams")} == {None}


def test_a_plan_counts_what_a_stopping_rule_holds_out_and_looks_at():
    """Of 6 evaluations; a student learns all in any case."""
    splits = make_splits(TASKS.get("atlas-asia"))
    weak, strong = len(splits.weak_train), len(splits.strong_train)
    checked = len(splits.validation)
    asked = strong + checked + len(splits.test)

    def flops(rule, name):
        rules = {f"{role}_training": Training(stopping=rule) for role in ("weak", "strong")}
        return stage(plan_study(StudyConfig(**rules)), name).flops

    for name, learn in (("supervisor", weak), ("ceiling", strong), ("student naive", strong)):
        plain = 18 * learn + 2 * asked
        on_validation = plain + 2 * 6 * checked
        on_a_tenth = 18 * 0.9 * learn + 2 * (6 * 0.1 * learn + asked)
        stopped = {
            "oracle": on_validation,
            "weak-validation": on_validation if name == "student naive" else on_a_tenth,
        }
        for rule, operations in stopped.items():
            found = flops(rule, name) / flops("none", name)
            assert found == pytest.approx(operations / plain, rel=0.02), (name, rule)


def test_a_run_makes_what_the_plan_says(quick_study, tmp_path):
    short = replace(quick_study.weak_training, steps=2)
    config = replace(quick_study, seeds=2, weak_training=short, strong_training=short)
    plan = plan_study(config)
    store, out = tmp_path / "store", tmp_path / "run"
    run_study(config, out, store, plan=Plan(workers=1, threads=1))
    made = {name: n for name, (n, _) in Store(store).sizes().items()}
    assert made == {
        "finetune": sum(s.fits for s in plan.stages),
        "student": sum(s.count for s in plan.stages if s.name.startswith("student")),
        "activations": stage(plan, "activations").count,
        "probe": stage(plan, "probe").count,
        "ngrams": stage(plan, "ngrams").count,
    }
    files = [*store.glob("*/*/predictions.parquet"), out / "predictions.parquet"]
    files += store.glob("activations/*/*.safetensors")
    assert plan.disk == pytest.approx(sum(f.stat().st_size for f in files), rel=0.5)


def changed(**changes):
    return StudyConfig(strong_training=Training(stopping="none", **changes))


def test_guesses_scale_as_they_should():
    one, base = plan_study(changed()), StudyConfig()
    student = stage(one, "student naive").flops
    doubled = stage(plan_study(replace(changed(), seeds=10)), "student naive")
    assert (doubled.count, doubled.flops) == (10, 2 * student)
    # Training grows with the epochs, the answers do not.
    training, answers = (
        stage(plan_study(changed(epochs=e)), "student naive").flops for e in (6, 9)
    )  # fmt: skip
    assert answers - training == pytest.approx(training - student)
    by_steps = [stage(plan_study(changed(steps=n)), "student naive").flops for n in (100, 200, 300)]
    assert by_steps[2] - by_steps[1] == pytest.approx(by_steps[1] - by_steps[0])
    few, more = (
        Training(stopping="oracle", **looks)
        for looks in ({"evaluations": 1}, {"evaluate_every": 5})
    )
    few, more = (
        stage(plan_study(replace(base, strong_training=t)), "ceiling").flops for t in (few, more)
    )
    assert few < more
    for model, n in (("atlas-s", 106_496), ("atlas-l", 638_976)):
        config = replace(changed(), strong=ModelSpec(model))
        assert stage(plan_study(config), "student naive").flops == pytest.approx(
            student * n / 638_976
        )


def test_lora_takes_two_thirds_of_a_step_and_a_frozen_trunk_reads_once():
    def flops(adaptation, epochs):
        strong = ModelSpec("atlas-l", adaptation=adaptation)
        return stage(plan_study(replace(changed(epochs=epochs), strong=strong)), "ceiling").flops

    a_step = {a: flops(a, 2) - flops(a, 1) for a in ("full", "lora", "head")}
    assert a_step["lora"] == pytest.approx(2 / 3 * a_step["full"])
    assert a_step["head"] == 0


def test_with_labels_of_ones_own_there_is_no_supervisor(tmp_path):
    file, task = tmp_path / "labels.csv", "atlas-landlocked"
    assert main(["export", task, "--out", str(tmp_path / "all.jsonl"), "--hide-labels"]) == 0
    ids = [json.loads(line)["id"] for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    file.write_text("\n".join(["id,probability", *(f"{id},0.5" for id in ids)]) + "\n")
    plan = plan_study(StudyConfig(tasks=(task,), weak_labels=file, seeds=3))
    assert "supervisor" not in {s.name for s in plan.stages}
    assert (plan.weak, len(plan.models)) == ("labels.csv", 1)


def test_methods_that_ask_for_the_same_fit_share_it(monkeypatch):
    naive = METHODS.get("naive")

    def checkpointing(context):
        again = context.finetune(context.weak_labels, loss("cross-entropy"))
        labels = context.weak_labels
        shifted = replace(labels, values=labels.probabilities[::-1])
        assert set(again) == {"strong_train", "validation", "test"}
        return context.finetune(shifted, loss("cross-entropy"))

    entries = {"naive": naive, "twice": Method("twice", "", "", checkpointing)}
    monkeypatch.setattr(METHODS, "get", entries.__getitem__)
    assert len(trial_run("twice").fits) == 2
    plan = plan_study(StudyConfig(methods=("naive", "twice"), seeds=3))
    assert [stage(plan, f"student {m}").fits for m in ("naive", "twice")] == [3, 3]
    assert "shared" in stage(plan, "student twice").shared


@pytest.mark.parametrize("method", [*every_method(), "few-shot", "finetune-then-probe"])
def test_every_method_can_say_what_it_asks_for(method):
    asked = trial_run(method)
    # Fits, prompts, or activations alone.
    assert asked.fits or asked.texts_read or "probe" in method
    assert (trial_run(method).fits, trial_run(method).texts_read) == (asked.fits, asked.texts_read)


def test_what_methods_ask_for_is_counted_by_hand():
    counts = {
        method: (len(trial_run(method).fits), trial_run(method).texts_read)
        for method in every_method()
    }
    assert counts["naive"] == (1, 0)
    assert counts["strong-to-strong"] == (3, 0)
    assert counts["bootstrapping"] == (2, 0)
    chains = ("bootstrapping", "bootstrapping-same-inputs")
    assert [len(trial_run(chain, 2).fits) for chain in chains] == [3, 3]
    assert counts["ensemble"] == (3, 0)
    assert counts["generative"] == (2, 0)
    assert counts["zero-shot"] == (0, 1)
    assert counts["few-shot-weak"] == (0, 3 * (1 + 5))
    assert counts["probe-predict:logistic"] == (0, 0)
    # The first of the chain is what naive would be for that model, not the student's.
    assert not set(trial_run("naive").fits) & set(trial_run("bootstrapping-same-inputs").fits)


AWAY = StudyConfig(
    tasks=("owner/name",),
    weak=ModelSpec("openai-community/gpt2"),
    strong=ModelSpec("openai-community/gpt2-xl"),
    data=DataOptions(n_train=5000, n_validation=1000, n_test=5000),
)


def test_what_is_not_here_is_taken_from_what_is_asked_for():
    plan = plan_study(AWAY)
    (task,) = plan.tasks
    assert not task.here
    assert [task.examples[name] for name in SPLITS] == [5000, 5000, 1000, 5000]
    student = stage(plan, "student naive").flops
    # gpt2-xl has more than a billion parameters, so LoRA: 4 and 2 operations
    # of each weight in its 48 layers, which have 12 times the square of their width.
    one = 48 * 12 * 1600**2 * TOKENS * (3 * 4 * 5000 + 2 * 11000)
    assert student == pytest.approx(5 * one)
    assert [m.adaptation for m in plan.models] == ["full", "lora"]
    assert plan.models[0].resting == 16 * 124_439_808
    half = plan_study(replace(AWAY, data=DataOptions(n_train=2500, n_validation=500, n_test=2500)))
    assert stage(half, "student naive").flops == pytest.approx(student / 2)
    assert half.disk == pytest.approx(plan.disk / 2, rel=0.01)


def test_published_rows_bound_the_sizes_of_the_literature():
    rows = SOURCES.get("boolq").rows
    (task,) = plan_study(replace(AWAY, tasks=("boolq",), data=DataOptions())).tasks
    assert sum(task.examples.values()) == pytest.approx(rows, abs=2)
    assert task.examples["weak_train"] == task.examples["strong_train"] > task.examples["test"]
    asked = DataOptions(n_train=10 * rows, n_validation=rows, n_test=rows, shrink=True)
    (task,) = plan_study(replace(AWAY, tasks=("boolq",), data=asked)).tasks
    assert sum(task.examples.values()) <= rows
    assert task.examples["weak_train"] == pytest.approx(10 * task.examples["test"], abs=10)
    (task,) = plan_study(replace(AWAY, tasks=("boolq",), data=DataOptions(n_test=1000))).tasks
    assert task.examples["test"] == 1000
    assert sum(task.examples.values()) == pytest.approx(rows, abs=2)


def test_what_cannot_be_known_is_left_open():
    plan = plan_study(replace(AWAY, data=DataOptions(n_train=5000)))
    assert plan.unknown == ("owner/name",)
    assert {s.flops for s in plan.stages} == {None}
    assert plan.disk is None
    plan = plan_study(replace(AWAY, strong=ModelSpec("owner/unheard-of")))
    assert stage(plan, "student naive").flops is None
    assert plan.models[1].resting is None
    assert stage(plan, "supervisor").flops is not None
    mixed = plan_study(StudyConfig(tasks=("atlas-asia", "owner/name")))
    assert mixed.unknown == ("owner/name",)
    assert stage(mixed, "ceiling").flops == stage(plan_study(StudyConfig()), "ceiling").flops


def test_what_is_wrong_with_data_that_are_here_is_told(tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_text('{"text": "a"}\n')
    for config, sentence in (
        (StudyConfig(tasks=("atlas-asai",)), "Unknown task 'atlas-asai'"),
        (StudyConfig(tasks=(str(file),)), "no column 'label'"),
        (StudyConfig(methods=("nave",)), "Unknown method 'nave'"),
        (StudyConfig(weak=ModelSpec("atlas-xx")), "Unknown model 'atlas-xx'"),
        (StudyConfig(strong=ModelSpec("./nowhere")), "Model folder ./nowhere does not exist"),
        (StudyConfig(data=DataOptions(n_test=9)), "are for your own data"),
        (StudyConfig(methods=()), "at least one method"),
    ):
        with pytest.raises(UserError, match=sentence):
            plan_study(config)


def test_local_models_are_counted_and_auto_is_decided_as_in_a_run(toy_models, monkeypatch):
    spec = ModelSpec(str(toy_models["llama"]))
    found = guess(spec, torch.device("cpu"))
    assert (found.trunk, found.adaptation) == (
        count(skeleton(spec)),
        resolve_model(spec).adaptation,
    )
    monkeypatch.setattr(guess_module, "listed", dict)
    assert guess(ModelSpec("openai-community/gpt2"), torch.device("cpu")).trunk is None
    assert LORA_ABOVE == 1_000_000_000


def test_times_on_one_gpu_and_on_two_are_told_apart(toy_models, tmp_path):
    model = ModelSpec(str(toy_models["llama"]))
    runtime, inputs = Runtime.here(1), {"weights": fingerprint(model)}
    fields = {"model": {"adaptation": "full"}, "training": {"batch_size": 32}}

    def finished(folder):
        (folder / TRACE).write_text(json.dumps({"steps": 10}))

    for seed, gpus, seconds in ((0, 1, 30.0), (1, 2, 20.0), (2, 2, 22.0)):
        spec = {
            "fields": {**fields, "seed": seed},
            "inputs": inputs,
            "code": "none",
            "runtime": runtime.of("device", gpus),
        }
        key = stage_key("finetune", **spec)
        Store(tmp_path).put("finetune", key, spec, finished, seconds)
    found = measured(tmp_path, threads=1)
    for gpus, seconds in ((1, 30.0), (2, 21.0)):
        spec = replace(model, gpus_per_fit=gpus)
        assert found.step(spec, "full", 32) == pytest.approx(seconds / 10)
        assert found.stage("finetune", spec, gpus) == seconds
    assert found.step(replace(model, gpus_per_fit=3), "full", 32) is None


def test_times_are_those_that_a_run_measured_on_this_device(quick_study, tmp_path, monkeypatch):
    short = replace(quick_study.weak_training, steps=2)
    config = replace(quick_study, weak_training=short, strong_training=short)
    config, store = replace(config, methods=("naive", "kl")), tmp_path / "store"
    assert {s.seconds for s in plan_study(config, store).stages} == {None}
    assert not store.exists()
    threads = Plan.of(config).threads
    run_study(config, tmp_path / "run", store, plan=Plan(workers=1, threads=threads))
    entries = Store(store).entries()
    plan = plan_study(replace(config, seeds=2), store)
    assert plan.measured == len(entries)
    spent = {entry.stage: entry.manifest["seconds"] for entry in entries}
    weak = fingerprint(config.weak)
    (supervisor,) = (e for e in entries if e.manifest["spec"]["inputs"].get("weights") == weak)
    seconds = supervisor.manifest["seconds"]
    assert stage(plan, "supervisor").seconds == pytest.approx(2 * seconds, rel=0.1)
    students = [stage(plan, f"student {method}").seconds for method in config.methods]
    assert 0 < students[0] == students[1]
    for name in ("activations", "probe", "ngrams"):
        assert stage(plan, name).seconds == pytest.approx(spent[name])
    on_two = plan_study(replace(config, strong=replace(config.strong, gpus_per_fit=2)), store)
    assert [stage(on_two, name).seconds for name in ("ceiling", "activations")] == [None, None]
    # Another batch size, another model or another device was not measured.
    larger = replace(config.strong_training, batch_size=7)
    other = plan_study(replace(config, strong_training=larger), store)
    assert stage(other, "ceiling").seconds is None
    assert stage(other, "supervisor").seconds is not None
    another = Runtime({"device": "another"}, {"device": "another cpu", "threads": threads})
    monkeypatch.setattr(Runtime, "of_machine", lambda threads: (another,))
    assert {s.seconds for s in plan_study(config, store).stages} == {None}


def test_a_plan_of_answers_in_words_has_no_probe():
    plan = plan_study(StudyConfig(tasks=("atlas-generation",), seeds=2))
    assert {s.name: s.count for s in plan.stages} == {
        "supervisor": 2, "ceiling": 2, "ngrams": 1, "student naive": 2,
    }  # fmt: skip
    # A model reads the target, too.
    (task,), short = plan.tasks, plan_study(StudyConfig(tasks=("atlas-northerly",))).tasks[0]
    assert task.tokens["atlas-l"] > short.tokens["atlas-l"] + 0.5


def test_a_plan_is_printed_with_times_only_where_some_are_measured(capsys, quick_study):
    assert main(["run", "--dry-run", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["cells"] == 10
    assert {row["seconds"] for row in facts["stages"]} == {None}
    assert main(["run", "--dry-run"]) == 0
    table = capsys.readouterr().out
    assert "no stage of this kind was measured on this device yet" in table
    assert "FLOPs  time" not in " ".join(table.split())


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--metric", "f2"], "Unknown metric of classification tasks 'f2': did you mean f1?"),
        (["--stopping-metric", "exact_match"], "tasks 'exact_match'"),
        (["--task", "atlas-asia", "atlas-generation"], "is scored by"),
        (["--weak-labels", "none.csv"], "none.csv"),
        (["--weak-labels", "a.csv", "--task", "atlas-asia", "atlas-europe"], "belongs to one task"),
    ],
)
def test_a_plan_says_what_a_run_would_say_of_metrics_and_labels(tmp_path, capsys, more, sentence):
    said = []
    for how in ([], ["--dry-run"]):
        assert main(["run", "--out", str(tmp_path / "run"), *more, *how]) == 2
        said.append(capsys.readouterr().err)
    assert said[0] == said[1]
    assert sentence in said[0]

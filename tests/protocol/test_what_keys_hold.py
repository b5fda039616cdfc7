"""What each stage depends on is in its key, and what it does not depend on is not.

A change is made alone, so that no other part of the key can tell of it.
"""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import Predictions
from weak2strong.ground.store import Store
from weak2strong.models import precision, text_model
from weak2strong.models.devices import FAKE
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.stages.files import array_digest, labels_digest
from weak2strong.protocol.stages.frozen import activations, after_reading, all_activations, prompted
from weak2strong.protocol.task_run import TaskRun
from weak2strong.simulators import SIMULATORS
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits
from weak2strong.tasks.task import Example


class AskedError(LookupError):
    """The stage that was asked for; nothing is computed for it."""


@pytest.fixture(scope="module")
def splits() -> Splits:
    """A few examples, with every class in every split."""
    whole = make_splits(TASKS.get("atlas-southern"))
    names = ("weak_train", "strong_train", "validation", "test")
    return Splits(*(tuple(whole.examples(s)[:24]) for s in names))


@pytest.fixture
def labels_file(tmp_path, splits):
    """Weak labels for all, so that no supervisor has to be trained."""
    path = tmp_path / "labels.jsonl"
    ids = [item.id for s in stages.PREDICTED for item in splits.items(s)]
    path.write_text("".join(f'{{"id": "{id}", "probability": 0.25}}\n' for id in ids))
    return path


@pytest.fixture
def key_of(quick_study, tmp_path, splits, labels_file, toy_models, monkeypatch):
    """The key of the first stage of a name that a function asks a changed study for."""
    base = replace(
        quick_study,
        weak_labels=labels_file,
        intermediates=(ModelSpec(str(toy_models["bert"])),),
        supervisors=(ModelSpec(str(toy_models["bert"])),),
    )

    def key(stage: str, ask, data: Splits = splits, **changes) -> str:
        config = resolved(replace(base, **changes))
        store = Store(tmp_path / "store")
        task_run = TaskRun(config, store, "atlas-southern", TASKS.get("atlas-southern"), data)

        def get(name, found):
            if name == stage:
                raise AskedError(found)

        with monkeypatch.context() as patch:
            patch.setattr(store, "get", get)
            with pytest.raises(AskedError) as asked:
                ask(task_run)
        return asked.value.args[0]

    return key


def relabelled(splits: Splits, split: str) -> Splits:
    """The same items with the other label of the first half of a split.

    Of a single example it could be one that is held out for stopping.
    """
    examples = splits.examples(split)
    half = len(examples) // 2
    changed = [Example(e.item, 1 - e.label) for e in examples[:half]]
    return replace(splits, **{split: (*changed, *examples[half:])})


def reworded(splits: Splits, split: str) -> Splits:
    """The same labels with another text of the last example of a split."""
    *rest, last = splits.examples(split)
    item = replace(last.item, text=last.item.text + "!")
    return replace(splits, **{split: (*rest, Example(item, last.label))})


def with_head(toy_models, name):
    return ModelSpec(str(toy_models[name]), adaptation="head")


def named_as_a_rung(toy_models, tmp_path):
    """The same weights in a folder whose name has usual rates of its own."""
    folder = tmp_path / "atlas-m"
    if not folder.exists():
        shutil.copytree(toy_models["bert"], folder)
    return ModelSpec(str(folder))


STUDENTS = {
    "naive": "naive",
    "between": "bootstrapping",
    "ensemble": "ensemble",
    "oracle": "finetune-then-probe",
}


def changes_of_students(toy_models, quick_study, splits, tmp_path):
    """By change, the students of `STUDENTS` that it makes others; "all" or some."""
    weak, strong = quick_study.weak_training, quick_study.strong_training
    remote = ModelSpec(str(toy_models["llama"]), trust_remote_code=True)
    other = tmp_path / "other.jsonl"
    ids = [item.id for s in stages.PREDICTED for item in splits.items(s)]
    rows = [f'{{"id": "{id}", "probability": {0.25 + 0.5 * (id == ids[0])}}}\n' for id in ids]
    other.write_text("".join(rows))
    reworded_splits = {
        f"text of {s}": ({"data": reworded(splits, s)}, "all") for s in stages.PREDICTED
    }
    return reworded_splits | {
        "training": ({"strong_training": replace(strong, epochs=2)}, "all"),
        "model": ({"strong": with_head(toy_models, "llama")}, "all"),
        "weights": ({"strong": ModelSpec(str(toy_models["bert"]))}, "all"),
        "weak labels": ({"weak_labels": other}, "all"),
        "text of weak_train": ({"data": reworded(splits, "weak_train")}, "ensemble oracle"),
        "truth of weak_train": ({"data": relabelled(splits, "weak_train")}, "ensemble oracle"),
        "truth of strong_train": ({"data": relabelled(splits, "strong_train")}, "oracle"),
        "truth of validation": ({"data": relabelled(splits, "validation")}, "oracle"),
        "truth of test": ({"data": relabelled(splits, "test")}, ""),
        "between: settings": ({"intermediates": (with_head(toy_models, "bert"),)}, "between"),
        "between: weights": (
            {"intermediates": (ModelSpec(str(toy_models["gpt2"])),)},
            "between",
        ),
        "others: settings": ({"supervisors": (with_head(toy_models, "bert"),)}, "ensemble"),
        "others: weights": (
            {"supervisors": (ModelSpec(str(toy_models["llama"])),)},
            "ensemble",
        ),
        # Rates go by the name of a folder.
        "between: rates": ({"intermediates": (named_as_a_rung(toy_models, tmp_path),)}, "between"),
        "others: rates": ({"supervisors": (named_as_a_rung(toy_models, tmp_path),)}, "ensemble"),
        "remote code": ({"strong": remote}, "all"),
        "split seed": ({"split_seed": 3}, "ensemble"),
        "others: none": ({"supervisors": ()}, "ensemble"),
        "supervisor: settings": ({"weak": with_head(toy_models, "gpt2")}, "ensemble"),
        "supervisor: weights": ({"weak": ModelSpec(str(toy_models["llama"]))}, "ensemble"),
        "supervisor: training": ({"weak_training": replace(weak, epochs=2)}, "ensemble"),
    }


def test_a_student_depends_on_what_its_method_uses(
    key_of, toy_models, quick_study, splits, tmp_path
):
    changes = changes_of_students(toy_models, quick_study, splits, tmp_path)
    keys = []
    for name, method in STUDENTS.items():

        def ask(task_run, method=method):
            stages.student(task_run, method, 0)

        one = key_of("student", ask)
        keys.append(one)
        assert key_of("student", ask) == one
        found = {
            change for change, (how, _) in changes.items() if key_of("student", ask, **how) != one
        }
        assert found == {
            c for c, (_, who) in changes.items() if who == "all" or name in who.split()
        }
        assert key_of("student", lambda run, method=method: stages.student(run, method, 1)) != one
    assert len(set(keys)) == len(STUDENTS)


def test_only_where_it_stops_on_truth_a_students_key_has_that_of_validation(
    key_of, quick_study, splits
):
    oracle = replace(quick_study.strong_training, stopping="oracle")
    hidden = relabelled(splits, "validation")

    def ask(task_run):
        stages.student(task_run, "naive", 0)

    keys = [
        key_of("student", ask, data, strong_training=training)
        for training in (quick_study.strong_training, oracle)
        for data in (splits, hidden)
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


DRAW = [[("one text", 1), ("another", 0)]]


def test_a_stage_without_labels_depends_on_texts_weights_and_its_own_settings(
    key_of, toy_models, splits
):
    bert = ModelSpec(str(toy_models["bert"]))

    def of(run, model=None):
        return model or run.config.strong

    def prompts(run, draws=DRAW, calibrate=False, template=None, model=None):
        return prompted(run, of(run, model), draws, calibrate, template)

    def read(run, items=None, epochs=1, seed=0, model=None):
        return after_reading(run, of(run, model), items or run.splits.items("test"), epochs, seed)

    asked = {
        "activations": [
            lambda run: all_activations(run, of(run), [0, 1]),
            lambda run: all_activations(run, of(run), [0]),
            lambda run: all_activations(run, bert, [0, 1]),
            lambda run: all_activations(run, replace(of(run), pooling="mean"), [0, 1]),
        ],
        "prompted": [
            prompts,
            lambda run: prompts(run, DRAW[::-1] * 2),
            lambda run: prompts(run, [DRAW[0][::-1]]),
            lambda run: prompts(run, calibrate=True),
            lambda run: prompts(run, template="So is it, {text}"),
            lambda run: prompts(run, model=replace(of(run), precision="bfloat16")),
            lambda run: prompts(run, model=bert),
        ],
        "reading": [
            read,
            lambda run: read(run, run.splits.items("validation")),
            lambda run: read(run, epochs=2),
            lambda run: read(run, seed=1),
            lambda run: read(run, model=replace(of(run), adaptation="head")),
            lambda run: read(run, model=bert),
        ],
    }
    for stage, every in asked.items():
        keys = [key_of(stage, ask) for ask in every]
        assert len(set(keys)) == len(every)
        assert key_of(stage, every[0], relabelled(splits, "strong_train")) == keys[0]
        changed = {key_of(stage, every[0], reworded(splits, s)) for s in stages.PREDICTED}
        # Only the texts that are read are in the key of reading.
        assert len(changed - {keys[0]}) == (1 if stage == "reading" else 3)
    # The order in which layers are named is no setting; nor is how a model would be adapted.
    for same in (
        lambda run: all_activations(run, of(run), [1, 0, 1]),
        lambda run: all_activations(run, replace(of(run), adaptation="head"), [0, 1]),
    ):
        assert key_of("activations", same) == key_of("activations", asked["activations"][0])


def test_the_middle_and_the_last_layer_are_gathered_together(key_of):
    of = [
        key_of("activations", lambda run, layer=layer: activations(run, run.config.strong, layer))
        for layer in ("middle", "last", 0)
    ]
    assert of[0] == of[1] != of[2]


def test_the_checks_depend_on_what_they_learn_and_are_asked(key_of, toy_models, splits):
    for stage, ask in (("probe", stages.probe_ceiling), ("ngrams", stages.ngrams)):
        one = key_of(stage, ask)
        differ = [
            relabelled(splits, "strong_train"),
            reworded(splits, "strong_train"),
            reworded(splits, "test"),
        ]
        alike = [
            relabelled(splits, "test"),
            relabelled(splits, "weak_train"),
            reworded(splits, "validation"),
        ]
        assert len({one, *(key_of(stage, ask, data) for data in differ)}) == 1 + len(differ)
        assert {key_of(stage, ask, data) for data in alike} == {one}
        models = {
            key_of(stage, ask, strong=model)
            for model in (ModelSpec(str(toy_models["bert"])), with_head(toy_models, "llama"))
        }
        assert len(models | {one}) == (3 if stage == "probe" else 1)


def test_a_sweep_depends_on_probe_settings_layer_and_labels(key_of, splits, toy_models):
    def of(probe="knn", settings=(1, 2), layers=(0,), seed=None):
        return lambda run: stages.sweep(run, stages.Sweep(probe, settings, layers), seed)

    every = [of(), of("logistic"), of(settings=(1, 3)), of(layers=(1,)), of(seed=0)]
    keys = [key_of("probe-sweep", ask) for ask in every]
    keys += [key_of("probe-sweep", of(), relabelled(splits, "strong_train"))]
    keys += [key_of("probe-sweep", of(), reworded(splits, s)) for s in ("validation", "test")]
    keys += [key_of("probe-sweep", of(), strong=ModelSpec(str(toy_models["bert"])))]
    pooled = ModelSpec(str(toy_models["llama"]), pooling="mean")
    keys += [key_of("probe-sweep", of(), strong=pooled)]
    assert len(set(keys)) == len(keys) == 10
    assert key_of("probe-sweep", of(), relabelled(splits, "validation")) == keys[0]


UNTRAINED = [
    name
    for name in SIMULATORS
    if not {"supervisor", "strong_answers"} & {*SIMULATORS.get(name).needs}
]
"""Simulators for which nothing has to be trained."""


@pytest.mark.parametrize("kind", UNTRAINED)
def test_simulated_labels_depend_on_truth_accuracy_and_seed(key_of, splits, kind, toy_models):
    def ask(run, seed=0):
        return stages.weak_labels(run, seed)

    def key(data=splits, accuracy=0.75, seed=0, **more):
        settings = {"weak_labels": None, "simulated": kind, "simulated_accuracy": accuracy}
        return key_of("simulated", lambda run: ask(run, seed), data, **settings, **more)

    keys = [key(), key(accuracy=0.7), key(seed=1)]
    keys += [key(relabelled(splits, s)) for s in stages.PREDICTED]
    assert len(set(keys)) == len(keys)
    assert key(relabelled(splits, "weak_train")) == keys[0]
    others = {
        key_of(
            "simulated",
            lambda run: ask(run),
            weak_labels=None,
            simulated=name,
            simulated_accuracy=0.75,
        )
        for name in UNTRAINED
    }
    assert len(others) == len(UNTRAINED)
    other = key(strong=ModelSpec(str(toy_models["bert"])))
    assert (other != keys[0]) == ("activations" in SIMULATORS.get(kind).needs)


def test_labels_have_digests_by_id_order_value_and_kind():
    values = np.array([[0.25, 0.75], [0.5, 0.5]])
    one = Predictions(("a", "b"), values)
    others = [
        Predictions(("b", "a"), values),
        Predictions(("a", "c"), values),
        Predictions(("a", "b"), values[::-1]),
        Predictions(("a", "b"), values + np.array([[1e-12, 0], [0, 0]])),
        Predictions(("a", "b"), values, "preference"),
    ]
    assert len({labels_digest(p) for p in (one, *others)}) == 6
    assert labels_digest(Predictions(("a", "b"), values.copy())) == labels_digest(one)
    # The same numbers in another shape, and in another type that holds them.
    assert array_digest(values) != array_digest(values.reshape(1, 4))
    assert array_digest(values) == array_digest(values.astype(np.float32))
    assert array_digest(values) == array_digest(np.asfortranarray(values))
    texts = np.array(["a", "b"], dtype=object)
    assert len({array_digest(t) for t in (texts, texts[::-1], texts[:1])}) == 3


def test_threads_are_in_the_keys_of_what_processors_compute(key_of, monkeypatch):
    """On a machine with GPUs only those stages in which no model takes part."""
    asked = {
        "activations": lambda run: all_activations(run, run.config.strong, [0]),
        "probe": stages.probe_ceiling,
        "student": lambda run: stages.student(run, "naive", 0),
        "ngrams": stages.ngrams,
        "simulated": lambda run: stages.weak_labels(run, 0),
    }
    simulated = {"weak_labels": None, "simulated": "random-flips", "simulated_accuracy": 0.75}
    changes = {"simulated": simulated}

    def keys() -> dict[str, str]:
        return {s: key_of(s, f, **changes.get(s, {})) for s, f in asked.items()}

    found = {}
    for devices in ("", "cuda:8", "mps:1"):
        monkeypatch.setenv(FAKE, devices)
        for threads in (1, 2):
            monkeypatch.setattr(torch, "get_num_threads", lambda n=threads: n)
            found[devices, threads] = keys()
    on_cpu = {"ngrams", "simulated"}
    for stage in asked:
        of = [found[devices, 1][stage] for devices in ("", "cuda:8", "mps:1")]
        assert len(set(of)) == (1 if stage in on_cpu else 3)
        changed = {d for d in ("", "cuda:8", "mps:1") if found[d, 1][stage] != found[d, 2][stage]}
        assert changed == ({"", "cuda:8", "mps:1"} if stage in on_cpu else {""})


def test_the_precision_that_a_cpu_has_is_in_keys(monkeypatch):
    """The name of the device does not tell it, and models that leave it open are computed in it."""
    found = set()
    for has_units in (False, True):
        monkeypatch.setattr(precision, "_cpu_has_units", lambda has=has_units: has)
        monkeypatch.setattr(text_model, "best_device", lambda: torch.device("cpu"))
        found.add(Runtime.here().device["precision"])
    assert found == {"float32", "bfloat16"}

"""What methods can see, what keys depend on, and what stages hand on."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.code.used import Code
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.losses import loss
from weak2strong.methods import METHODS, every_method
from weak2strong.methods.confident_only import sure
from weak2strong.methods.method import Method
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.stages import students
from weak2strong.protocol.stages.frozen import activations, all_activations
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import SPLITS, Splits, make_splits
from weak2strong.tasks.task import Example


@pytest.fixture(scope="module")
def splits() -> Splits:
    """A tenth of a real task, with every class in every split."""
    whole = make_splits(TASKS.get("atlas-southern"))
    return Splits(
        *(tuple(whole.examples(s)[::5]) for s in ("weak_train", "strong_train")),
        *(tuple(whole.examples(s)[::4]) for s in ("validation", "test")),
    )


@pytest.fixture
def make_task_run(quick_study, tmp_path, splits):
    """Desks that share a store; the first argument replaces splits, the rest settings."""

    def make(splits=splits, **changes) -> TaskRun:
        config = resolved(replace(quick_study, **changes))
        store = Store(tmp_path / "store")
        return TaskRun(config, store, "atlas-southern", TASKS.get("atlas-southern"), splits)

    return make


def shuffled(examples: tuple[Example, ...], seed: int) -> tuple[Example, ...]:
    """The same items with their labels dealt out anew."""
    labels = np.random.default_rng(seed).permutation([e.label for e in examples])
    assert any(e.label != x for e, x in zip(examples, labels, strict=True))
    return tuple(Example(e.item, int(x)) for e, x in zip(examples, labels, strict=True))


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two of them, in which methods share what they start from."""
    root = tmp_path_factory.mktemp("hidden")
    return Store(root / "one"), Store(root / "other")


# The toys have no room for several shots.
@pytest.mark.filterwarnings("ignore:.*longer than the 64 tokens")
@pytest.mark.parametrize("method", every_method())
def test_hidden_labels_change_no_student(make_task_run, stores, splits, method):
    # As few as have 50 neighbours, and some of every class.
    few = {"weak_train": 40, "strong_train": 56, "validation": 20, "test": 24}
    splits = Splits(*(splits.examples(s)[: few[s]] for s in SPLITS))
    hidden = replace(
        splits,
        strong_train=shuffled(splits.strong_train, 1),
        validation=shuffled(splits.validation, 2),
        test=shuffled(splits.test, 3),
    )
    honest, blind = make_task_run(splits), make_task_run(hidden)
    # Each in a store of its own: a shared one could hide a difference behind an equal key.
    honest.store, blind.store = stores
    honest, blind = (stages.student(task_run, method, 0) for task_run in (honest, blind))
    for split in stages.PREDICTED:
        assert honest[split].ids == blind[split].ids
        np.testing.assert_array_equal(honest[split].probabilities, blind[split].probabilities)


def test_only_an_oracle_sees_the_truth_of_validation(make_task_run, splits, quick_study):
    """Where it was asked for: the key then has that truth."""
    hidden = replace(splits, validation=shuffled(splits.validation, 2))
    for stopping, same in (("weak-validation", True), ("oracle", False)):
        training = replace(quick_study.strong_training, stopping=stopping)
        keys = []
        for data in (splits, hidden):
            task_run = make_task_run(data, strong_training=training)
            stages.student(task_run, "naive", 0)
            keys.append(next(u.key for u in task_run.used if u.stage == "student"))
        assert (keys[0] == keys[1]) == same


def test_a_student_learns_from_labelled_examples_alone(make_task_run, monkeypatch):
    """Those that a method leaves out are answered, but not learnt from."""
    task_run, sets = make_task_run(), []
    real = students.finetune

    def spy(one):
        sets.append(one.train)
        return real(one)

    monkeypatch.setattr(students, "finetune", spy)
    weak = stages.weak_labels(task_run, 0)["strong_train"]
    found = stages.student(task_run, "confident-only", 0)
    keep = sure(weak.probabilities, 0.75)
    kept = {id for id, one in zip(weak.ids, keep, strict=True) if one}
    learnt = sets[-1]
    assert {item.id for item in learnt.items} == kept < set(weak.ids)
    np.testing.assert_array_equal(learnt.targets, weak.at([item.id for item in learnt.items]))
    assert set(found["strong_train"].ids) == set(weak.ids)


def test_the_ceiling_does_depend_on_the_labels_that_students_must_not_see(make_task_run, splits):
    hidden = replace(splits, strong_train=shuffled(splits.strong_train, 1))
    honest, other = stages.ceiling(make_task_run(), 0), stages.ceiling(make_task_run(hidden), 0)
    assert not np.array_equal(honest["test"].probabilities, other["test"].probabilities)


def test_a_context_holds_no_label(make_task_run, monkeypatch):
    seen = []

    def spy(context):
        seen.append(context)
        return context.finetune(context.weak_labels, loss("cross-entropy"))

    naive = METHODS.get("naive")
    monkeypatch.setattr(METHODS, "get", lambda name: replace(naive, run=spy))
    stages.student(make_task_run(), "naive", 0)
    (context,) = seen
    shown = ("id", "group", "text", "completions", "dialogues", "file", "pair")
    for split in stages.PREDICTED:
        assert all({f.name for f in fields(item)} == {*shown} for item in context.items(split))
    with pytest.raises(KeyError):
        context.items("weak_train")


def test_a_second_ask_computes_nothing(make_task_run):
    first = make_task_run()
    stages.student(first, "naive", 0)
    assert [u.reused for u in first.used] == [False, False, False]
    again = make_task_run()
    again.compute = False
    stages.student(again, "naive", 0)
    assert [u.reused for u in again.used] == [True, True]
    seconds = again.used[0].seconds
    assert again.used[0] == replace(first.used[0], reused=True, seconds=seconds, note="")


def test_a_finetuning_keeps_its_evaluations_and_its_steps(make_task_run, quick_study):
    import polars as pl

    task_run = make_task_run(strong_training=replace(quick_study.strong_training, epochs=2))
    stages.ceiling(task_run, 0)
    (used,) = task_run.used
    folder = task_run.store.get("finetune", used.key).path
    fit = json.loads((folder / "trace.json").read_text())
    curve = pl.read_parquet(folder / "curve.parquet")
    assert curve.columns == ["loss", "gradient_norm", "rates"]
    assert len(curve) == fit["steps"]
    assert (curve["gradient_norm"] > 0).all()
    assert {len(rates) for rates in curve["rates"]} == {2}
    half = len(curve) // 2
    assert curve["loss"][:half].mean() == pytest.approx(fit["trace"][0]["loss"])
    assert {"fraction", "loss", "score"} == set(fit["trace"][0])


def test_methods_share_the_supervisor(make_task_run):
    task_run = make_task_run()
    stages.student(task_run, "naive", 0)
    task_run.used.clear()
    stages.student(task_run, "confidence", 0)
    assert [(u.stage, u.reused) for u in task_run.used] == [
        ("finetune", True),
        ("finetune", False),
        ("student", False),
    ]


CHANGES = {
    "epochs": 2,
    "steps": 7,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "head_rate": 1e-2,
    "schedule": "linear",
    "warmup": 0.2,
    "warmup_steps": 9,
    "weight_decay": 0.1,
    "beta1": 0.8,
    "beta2": 0.99,
    "clip": 0.5,
    "dropout": True,
    "stopping": "weak-validation",
    "stopping_metric": "roc_auc",
    "evaluations": 3,
    "evaluate_every": 5,
}


def ceiling_key(task_run: TaskRun, monkeypatch, seed: int = 0) -> str:
    """The key under which a ceiling would be stored, without training it."""
    keys = []

    def note(stage, key):
        keys.append(key)
        raise LookupError

    monkeypatch.setattr(task_run.store, "get", note)
    with pytest.raises(LookupError):
        stages.ceiling(task_run, seed)
    return keys[0]


def test_every_training_setting_is_tried():
    assert set(CHANGES) == set(vars(Training()))


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_every_training_setting_is_in_the_key(make_task_run, quick_study, monkeypatch, name):
    one = ceiling_key(make_task_run(), monkeypatch)
    assert one == ceiling_key(make_task_run(), monkeypatch)
    changed = replace(quick_study.strong_training, **{name: CHANGES[name]})
    assert one != ceiling_key(make_task_run(strong_training=changed), monkeypatch)


def test_seed_weights_and_data_are_in_the_key(make_task_run, monkeypatch, splits, toy_models):
    one = ceiling_key(make_task_run(), monkeypatch)
    first, *rest = splits.strong_train
    other_text = Example(replace(first.item, text=first.item.text + "!"), first.label)
    other_label = Example(first.item, 1 - first.label)
    asked = replace(splits.test[0].item, text="Nowhere is a city in")
    changed = {
        "seed": ceiling_key(make_task_run(), monkeypatch, seed=1),
        "weights": ceiling_key(
            make_task_run(strong=ModelSpec(str(toy_models["bert"]))), monkeypatch
        ),
        "text": ceiling_key(
            make_task_run(replace(splits, strong_train=(other_text, *rest))), monkeypatch
        ),
        "label": ceiling_key(
            make_task_run(replace(splits, strong_train=(other_label, *rest))), monkeypatch
        ),
        "asked": ceiling_key(
            make_task_run(
                replace(splits, test=(Example(asked, splits.test[0].label), *splits.test[1:]))
            ),
            monkeypatch,
        ),
        "adaptation": ceiling_key(
            make_task_run(strong=ModelSpec(str(toy_models["llama"]), adaptation="lora")),
            monkeypatch,
        ),
        "precision": ceiling_key(
            make_task_run(strong=ModelSpec(str(toy_models["llama"]), precision="bfloat16")),
            monkeypatch,
        ),
    }
    assert len({one, *changed.values()}) == 1 + len(changed)
    # Of what is held out to stop on.
    stops = replace(make_task_run().config.strong_training, stopping="weak-validation")
    by_split = {
        ceiling_key(make_task_run(strong_training=stops, split_seed=seed), monkeypatch)
        for seed in (0, 1)
    }
    assert len(by_split) == 2


def test_libraries_threads_and_code_are_in_the_key(make_task_run, monkeypatch):
    one = ceiling_key(make_task_run(), monkeypatch)
    import weak2strong.protocol.task_run as task_run_module

    here = Runtime.here().device
    for change in ({"torch": "0.0"}, {"transformers": "0.0"}, {"threads": 64}, {"device": "tpu"}):
        with monkeypatch.context() as m:
            there = Runtime({**here, **change}, here)
            m.setattr(Runtime, "of_machine", lambda there=there: (there,))
            assert ceiling_key(make_task_run(), monkeypatch) != one
    with monkeypatch.context() as m:
        m.setattr(task_run_module, "code_of", lambda *a: Code("another source", {}))
        assert ceiling_key(make_task_run(), monkeypatch) != one


def test_several_gpus_are_in_the_key_and_go_on_from_each_others_checkpoints(make_task_run):
    folders = []

    def make(working):
        folders.append(working)
        return lambda folder: (folder / "made").write_text("")

    made = [make_task_run().stage("finetune", {}, {}, make, gpus=gpus) for gpus in (1, 2, 3)]
    assert len({entry.key for entry in made}) == len(folders) == 3
    assert len(set(folders)) == 1
    assert not folders[0].exists(), "the folder is of no use once a result is there"


def test_the_number_of_gpus_of_a_model_reaches_the_key_of_its_fits(make_task_run, monkeypatch):
    keys = set()
    for gpus in ("auto", 1, 2, 3):
        strong = replace(make_task_run().config.strong, gpus_per_fit=gpus)
        keys.add(ceiling_key(make_task_run(strong=strong), monkeypatch))
    assert len(keys) == 3, "auto is one without a GPU"


def test_a_student_depends_on_its_weak_labels(make_task_run, tmp_path, splits):
    by_supervisor = stages.student(make_task_run(), "naive", 0)
    file = tmp_path / "labels.jsonl"
    write_labels(file, splits, ("strong_train", "validation", "test"))
    task_run = make_task_run(weak_labels=file)
    by_file = stages.student(task_run, "naive", 0)
    assert not np.array_equal(by_supervisor["test"].probabilities, by_file["test"].probabilities)
    floor = stages.weak_labels(task_run, 0)["test"].probabilities
    np.testing.assert_allclose(floor[:, 1], 0.25)


def student_key(task_run: TaskRun) -> str:
    """The key under which a naive student is stored, once it is trained."""
    stages.student(task_run, "naive", 0)
    return next(u.key for u in task_run.used if u.stage == "student")


def test_hard_labels_are_the_answers_of_the_supervisor(make_task_run, monkeypatch):
    seen = []

    def spy(context):
        seen.append(context.weak_labels)
        return context.finetune(context.weak_labels, loss("cross-entropy"))

    naive = METHODS.get("naive")
    monkeypatch.setattr(METHODS, "get", lambda name: replace(naive, run=spy))
    keys = {labels: student_key(make_task_run(labels=labels)) for labels in ("soft", "hard")}
    soft, hard = (one.probabilities for one in seen)
    assert seen[0].ids == seen[1].ids
    assert ((soft > 0.01) & (soft < 0.99)).any()
    assert set(np.unique(hard)) == {0.0, 1.0}
    np.testing.assert_array_equal(hard.sum(axis=1), 1)
    np.testing.assert_array_equal(hard[:, 1] > 0.5, soft[:, 1] > 0.5)
    assert keys["soft"] != keys["hard"]


def test_labels_that_are_hard_already_stay_as_they_are(make_task_run, tmp_path, splits):
    """The key of a student has the labels that it learns, not the word for them."""
    file = tmp_path / "labels.jsonl"
    ids = [i.id for s in stages.PREDICTED for i in splits.items(s)]
    rows = [f'{{"id": "{id}", "label": {n % 2}}}' for n, id in enumerate(ids)]
    file.write_text("\n".join(rows))
    task_runs = [make_task_run(weak_labels=file, labels=labels) for labels in ("soft", "hard")]
    assert student_key(task_runs[0]) == student_key(task_runs[1])


def test_weak_labels_must_cover_every_split(make_task_run, tmp_path, splits):
    file = tmp_path / "labels.jsonl"
    write_labels(file, splits, ("strong_train", "validation"))
    with pytest.raises(UserError, match=r"split test of atlas-southern: \d+ of \d+ examples"):
        stages.weak_labels(make_task_run(weak_labels=file), 0)


def write_labels(file: Path, splits: Splits, names: tuple[str, ...]) -> None:
    """A file of weak labels that says one quarter for everything, rows in reverse."""
    rows = [f'{{"id": "{i.id}", "probability": 0.25}}' for s in names for i in splits.items(s)]
    file.write_text("\n".join(reversed(rows)))


def test_checks_use_ground_truth_of_the_ceiling_and_leave_test_out(make_task_run, splits):
    task_run = make_task_run()
    probe, names = stages.probe_ceiling(task_run), stages.ngrams(task_run)
    hidden = replace(splits, test=shuffled(splits.test, 3))
    other = make_task_run(hidden)
    other.compute = False
    for split_free, again in ((probe, stages.probe_ceiling), (names, stages.ngrams)):
        np.testing.assert_array_equal(split_free.probabilities, again(other).probabilities)
    assert probe.probabilities.shape == (len(splits.test), 2)


def test_a_ceiling_reads_first_where_students_do(make_task_run):
    task_run = make_task_run()
    read = stages.ceiling(task_run, 0, "generative:epochs=2")
    stages.student(task_run, "generative:epochs=2+naive", 0)
    made = [(u.stage, u.reused) for u in task_run.used]
    assert made.count(("reading", False)) == 1
    assert ("reading", True) in made
    plain = stages.ceiling(task_run, 0)
    assert not np.array_equal(read["test"].probabilities, plain["test"].probabilities)


def test_a_stage_may_decide_the_settings_of_later_stages(make_task_run):
    """As a search for rates does: the keys of what follows hold what it found."""

    def searched(task_run):
        def make(working):
            return lambda folder: (folder / "rate").write_text("0.002")

        rate = float((task_run.stage("search", {}, {}, make).path / "rate").read_text())
        config = task_run.config
        training = replace(config.strong_training, learning_rate=rate)
        return replace(task_run, config=replace(config, strong_training=training))

    task_run = make_task_run()
    absent = replace(task_run, compute=False)
    with pytest.raises(LookupError):
        searched(absent)
    found = stages.student(searched(task_run), "naive", 0)
    assert task_run.used[0].stage == "search"
    plain = stages.student(make_task_run(), "naive", 0)
    assert not np.array_equal(found["test"].probabilities, plain["test"].probabilities)
    again = stages.student(searched(absent), "naive", 0)
    np.testing.assert_array_equal(found["test"].probabilities, again["test"].probabilities)


def test_an_oracle_is_told_what_it_asks_for_and_others_are_not(make_task_run, splits):
    """Its key has that truth; the truth of test is nobody's."""
    probed = "finetune-then-probe"
    for method, split, tells in (
        (probed, "strong_train", True),
        (probed, "test", False),
        (f"{probed}:labels=weak", "strong_train", False),
    ):
        changed = replace(splits, **{split: shuffled(splits.examples(split), 2)})
        keys = []
        for data in (splits, changed):
            task_run = make_task_run(data)
            stages.student(task_run, method, 0)
            keys.append(next(u.key for u in task_run.used if u.stage == "student"))
        assert (keys[0] != keys[1]) == tells

    def peeping(context):
        return context.truth("strong_train")

    METHODS.add("peeping", Method("peeping", "", "", peeping), __file__)
    try:
        with pytest.raises(UserError, match=r"'peeping' asks for ground truth.*needs=\(\"truth"):
            stages.student(make_task_run(), "peeping", 0)
    finally:
        METHODS._added.clear()


def test_layers_that_methods_name_are_gathered_in_one_pass(make_task_run):
    def entries():
        return task_run.store.sizes()["activations"][0]

    task_run = make_task_run(methods=("probe-predict:knn,layer=0", "naive", "linear-probe"))
    strong = task_run.config.strong
    one, other = (activations(task_run, strong, layer) for layer in (0, "last"))
    assert entries() == 1
    alone = all_activations(task_run, strong, (0,))[0]
    assert entries() == 2
    for split, values in alone.items():
        np.testing.assert_array_equal(one[split].values, values.values)
    assert not np.array_equal(one["test"].values, other["test"].values)
    # A layer that no method names is gathered by itself.
    task_run = make_task_run(methods=("naive",))
    activations(task_run, strong, 0)
    assert entries() == 2
    activations(task_run, strong, "middle")
    assert entries() == 3

"""What each training learns from, at which rates and seeds, and that its key has all of it."""

import json
import re
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from weak2strong import probes
from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.engine.record import _agreements
from weak2strong.ground.store import Store
from weak2strong.losses import loss
from weak2strong.methods.reference import find_method
from weak2strong.models.rates import usual_rates
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import students
from weak2strong.protocol.stages.finetune import finetune
from weak2strong.protocol.stages.finetuning import on_truth, truth_parts
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits
from weak2strong.tasks.task import Example


@pytest.fixture(scope="module")
def splits() -> Splits:
    """A part of a real task, with every class in every split."""
    whole = make_splits(TASKS.get("atlas-southern"))
    names = ("weak_train", "strong_train", "validation", "test")
    return Splits(*(tuple(whole.examples(s)[::8]) for s in names))


@pytest.fixture
def make_task_run(quick_study, tmp_path, splits):
    """Task runs that share a store; the first argument replaces splits, the rest settings."""

    def make(splits=splits, **changes) -> TaskRun:
        config = resolved(replace(quick_study, **changes))
        store = Store(tmp_path / "store")
        return TaskRun(config, store, "atlas-southern", TASKS.get("atlas-southern"), splits)

    return make


def relabelled(examples, place: int):
    """The same examples with the other label at one place."""
    found = list(examples)
    found[place] = Example(found[place].item, 1 - found[place].label)
    return tuple(found)


STOPS = Training(
    epochs=1, evaluations=1, learning_rate=3e-3, head_rate=3e-3, stopping="weak-validation"
)
"""A training that holds out a tenth of ground truth to stop on."""


def another_target(of):
    targets = of.targets.copy()
    targets[0] = 1 - targets[0]
    assert not np.array_equal(targets, of.targets)
    return replace(of, targets=targets)


def another_text(of):
    first, *rest = of.items
    return replace(of, items=[replace(first, text=first.text + "!"), *rest])


CHANGES = {
    "a label that is learnt": lambda f: replace(f, train=another_target(f.train)),
    "a text that is learnt": lambda f: replace(f, train=another_text(f.train)),
    "a label to stop on": lambda f: replace(f, validation=another_target(f.validation)),
    "a text to stop on": lambda f: replace(f, validation=another_text(f.validation)),
    "the loss": lambda f: replace(f, loss=loss("entropy")),
    "a setting of the loss": lambda f: replace(f, loss=loss("entropy", maximum=0.25)),
    "the seed": lambda f: replace(f, seed=1),
    "the role": lambda f: replace(f, role="student"),
    "what is asked aside": lambda f: replace(f, aside=(f.validation.items[0],)),
    "another text aside": lambda f: replace(f, aside=(f.validation.items[1],)),
}


def test_all_that_a_finetuning_learns_from_is_in_its_key(make_task_run, monkeypatch):
    """Each change alone, so that no other part of the key can tell it."""
    task_run, keys = make_task_run(strong_training=STOPS), []

    def note(stage, key):
        keys.append(key)
        raise LookupError

    monkeypatch.setattr(task_run.store, "get", note)
    config = task_run.config
    one = on_truth(
        task_run, config.strong, config.strong_training, task_run.splits.strong_train, 0, "ceiling"
    )
    for change in (lambda f: f, *CHANGES.values()):
        with pytest.raises(LookupError):
            finetune(change(one))
    assert len(set(keys)) == 1 + len(CHANGES)


def test_an_ensemble_has_different_supervisors(make_task_run):
    task_run = make_task_run()
    method, weak = find_method("ensemble"), stages.weak_labels(task_run, 0)
    labels = students.student_labels(task_run, weak)
    context = students.StudentContext(task_run, method, 0, task_run.config.strong, labels)
    first, *others = (found.at(labels.ids) for found in context.supervisors(3))
    np.testing.assert_array_equal(first, labels.probabilities)
    assert len(others) == 2
    assert len({found.tobytes() for found in (first, *others)}) == 3


def test_no_two_students_share_a_supervisor_of_their_ensembles(make_task_run, monkeypatch):
    """Else their scores would depend on each other, and intervals over seeds be too narrow."""
    task_run, seeds = make_task_run(), []
    weak = stages.weak_labels(task_run, 0)
    labels = students.student_labels(task_run, weak)

    def note(task_run, seed, model):
        seeds.append(seed)
        return weak

    monkeypatch.setattr(students, "supervisor", note)
    for seed in range(100):
        seeds.append(seed)
        method, strong = find_method("ensemble"), task_run.config.strong
        students.StudentContext(task_run, method, seed, strong, labels).supervisors(5)
    assert len(seeds) == len(set(seeds)) == 500


def test_a_further_supervisor_is_trained_at_its_own_usual_rates(make_task_run, toy_models):
    """As in a study whose only supervisor it is, which gives no rates."""
    further = ModelSpec(str(toy_models["bert"]))
    task_run = make_task_run(supervisors=(further,))
    given = task_run.config.weak_training
    rates = (given.learning_rate, given.head_rate)
    assert usual_rates(further) != rates
    usual = replace(given, learning_rate=None, head_rate=None)
    alone = make_task_run(weak=further, weak_training=usual)
    expected = stages.supervisor(alone, 0)
    found = stages.supervisor(task_run, 0, *task_run.config.supervisors)
    for split in stages.PREDICTED:
        np.testing.assert_array_equal(found[split].values, expected[split].values)
    assert alone.used[0].key == task_run.used[0].key
    at_given = stages.supervisor(make_task_run(weak=further), 0)
    assert not np.array_equal(at_given["test"].values, found["test"].values)


@pytest.mark.parametrize("check", [stages.probe_ceiling, stages.ngrams])
def test_the_checks_learn_from_every_label_of_the_ceiling(
    make_task_run, splits, monkeypatch, check
):
    """Any one of them may change an answer."""
    # A search could find another penalty with one other label, which would change every answer.
    monkeypatch.setattr(probes, "select_penalty", lambda *args, **settings: 1.0)
    train = splits.strong_train
    found = check(make_task_run(strong_training=STOPS)).values
    task_run = make_task_run()
    training = STOPS
    kept, held_out = (
        [train.index(example) for example in part]
        for part in truth_parts(task_run, training, train)
    )
    assert held_out
    half = len(kept) // 2
    for place in (*kept[:2], *kept[half : half + 2], *kept[-2:]):
        changed = replace(splits, strong_train=relabelled(train, place))
        answers = check(make_task_run(changed, strong_training=STOPS)).values
        assert not np.array_equal(answers, found)
    # On the others the ceiling only stops.
    for place in held_out[:2]:
        changed = replace(splits, strong_train=relabelled(train, place))
        assert np.array_equal(check(make_task_run(changed, strong_training=STOPS)).values, found)


def test_where_the_last_weights_are_kept_all_ground_truth_is_learnt(
    make_task_run, splits, monkeypatch
):
    """By supervisor, ceiling and the checks on it: nothing is held out for stopping."""
    task_run, fits = make_task_run(), {}

    def noted(fit):
        fits[fit.role] = fit
        return finetune(fit)

    for module in ("supervisor", "ceiling"):
        of_role = import_module(f"weak2strong.protocol.stages.{module}")
        monkeypatch.setattr(of_role, "finetune", noted)
    stages.supervisor(task_run, 0)
    stages.ceiling(task_run, 0)
    for role, examples in (("supervisor", splits.weak_train), ("ceiling", splits.strong_train)):
        assert [item.id for item in fits[role].train.items] == [e.item.id for e in examples]
        assert fits[role].validation is None
    _, stopped_on = truth_parts(task_run, STOPS, splits.strong_train)
    place = splits.strong_train.index(stopped_on[0])
    changed = replace(splits, strong_train=relabelled(splits.strong_train, place))
    monkeypatch.setattr(probes, "select_penalty", lambda *args, **settings: 1.0)
    for check in (stages.probe_ceiling, stages.ngrams):
        one = check(task_run).values
        other = check(make_task_run(changed)).values
        assert not np.array_equal(one, other)


def test_each_role_may_stop_by_a_rule_of_its_own(make_task_run, splits, monkeypatch):
    """With oracle a model learns all of its split, and stops on ground truth of validation."""
    training = make_task_run().config.strong_training
    by_truth, fits = replace(training, stopping="oracle"), {}

    def noted(fit):
        fits[fit.role] = fit
        return finetune(fit)

    for module in ("supervisor", "ceiling", "students"):
        of_role = import_module(f"weak2strong.protocol.stages.{module}")
        monkeypatch.setattr(of_role, "finetune", noted)
    task_run = make_task_run(weak_training=by_truth, ceiling_stopping="weak-validation")
    stages.supervisor(task_run, 0)
    stages.ceiling(task_run, 0)
    stages.student(task_run, "naive", 0)
    rules = {role: fit.training.stopping for role, fit in fits.items()}
    assert rules == {"supervisor": "oracle", "ceiling": "weak-validation", "student": "none"}
    assert len(fits["supervisor"].train.items) == len(splits.weak_train)
    truth = [e.label for e in splits.validation]
    assert fits["supervisor"].validation.targets.argmax(axis=1).tolist() == truth
    held_out = {item.id for item in fits["ceiling"].validation.items}
    assert held_out < {e.item.id for e in splits.strong_train}
    assert not held_out & {item.id for item in fits["ceiling"].train.items}


@pytest.mark.parametrize(
    ("stopping", "reused"), [("none", True), ("weak-validation", False), ("oracle", True)]
)
def test_weak_labels_of_validation_decide_a_fit_only_where_it_stops_on_them(
    make_task_run, monkeypatch, stopping, reused
):
    training = replace(make_task_run().config.strong_training, stopping=stopping)
    task_run = make_task_run(strong_training=training)
    stages.student(task_run, "naive", 0)
    labels = stages.weak_labels(task_run, 0)
    turned = replace(labels["validation"], values=labels["validation"].values[:, ::-1])
    students = import_module("weak2strong.protocol.stages.students")
    monkeypatch.setattr(students, "weak_labels", lambda *_: {**labels, "validation": turned})
    task_run.used.clear()
    stages.student(task_run, "naive", 0)
    made = {used.stage: used.reused for used in task_run.used}
    assert made == {"finetune": reused, "student": False}


def test_the_probe_has_the_penalty_that_was_found_for_it(make_task_run, splits, monkeypatch):
    """So strong a one leaves no weight, and every answer is about the share of a class."""
    task_run = make_task_run()
    train, _ = truth_parts(task_run, task_run.config.strong_training, splits.strong_train)
    share = np.mean([e.label for e in train])
    asked = []

    def found(features, labels, groups, *, seed):
        asked.append((features, labels, groups))
        return 1e6

    monkeypatch.setattr(probes, "select_penalty", found)
    answers = stages.probe_ceiling(make_task_run()).values
    assert answers[:, 1] == pytest.approx(np.full(len(splits.test), share), abs=0.01)
    ((features, labels, groups),) = asked
    assert labels.tolist() == [e.label for e in train]
    assert groups.tolist() == [e.item.group for e in train]
    assert len(features) == len(labels)


def test_where_answers_are_words_the_spelling_says_what_was_learnt(make_task_run):
    task = TASKS.get("chess-mates")
    whole = make_splits(task)
    names = ("weak_train", "strong_train", "validation", "test")
    splits = Splits(*(tuple(whole.examples(s)[:40]) for s in names))
    task_run = replace(make_task_run(splits), task=task)
    answers = stages.ngrams(task_run)
    assert answers.ids == tuple(e.item.id for e in splits.test)
    learnt = {str(e.label) for e in splits.strong_train}
    assert {str(answer) for answer in answers.values} <= learnt


def test_a_finetuning_keeps_how_it_went(make_task_run):
    """The evaluations of its training, beside the answers."""
    task_run = make_task_run()
    stages.supervisor(task_run, 0)
    (used,) = task_run.used
    (file,) = task_run.store.root.glob(f"finetune/{used.key}*/trace.json")
    points = json.loads(file.read_text())["trace"]
    fractions = [point["fraction"] for point in points]
    assert len(fractions) == 2
    assert 0 < fractions[0] < fractions[1] == 1
    assert all(point["loss"] > 0 for point in points)


def test_a_note_on_how_a_training_went_is_kept_with_its_stage(make_task_run):
    """How much of its batches was padding; what is read from the store has none."""
    task_run = make_task_run()
    stages.supervisor(task_run, 0)
    stages.supervisor(task_run, 0)
    made, read = task_run.used
    assert (made.reused, read.reused) == (False, True)
    assert re.fullmatch(r"padding \d+\.\d%", made.note)
    assert read.note == ""


def test_a_traced_student_answers_at_every_evaluation(make_task_run):
    task_run = make_task_run()
    trace = stages.traced_student(task_run, "naive", 0, evaluations=3)
    assert len(trace.fractions) == len(trace.losses) == len(trace.evaluations) > 1
    assert trace.fractions[-1] == 1
    for answers in trace.evaluations:
        assert set(answers) == {"validation", "test"}
    first, last = (e["test"].values for e in (trace.evaluations[0], trace.evaluations[-1]))
    assert not np.array_equal(first, last)
    again = stages.traced_student(replace(task_run, compute=False), "naive", 0, evaluations=3)
    np.testing.assert_array_equal(again.evaluations[-1]["test"].values, last)


def test_every_role_draws_its_own_head_and_order(make_task_run, monkeypatch):
    """Ceiling and student are the same model at the same seed; so are two fresh students."""
    task_run, drawn = make_task_run(methods=("strong-to-strong",)), {}

    def noted(fit):
        drawn.setdefault(fit.role, set()).add(fit.draws)
        return finetune(fit)

    for module in ("students", "supervisor", "ceiling"):
        of_role = import_module(f"weak2strong.protocol.stages.{module}")
        monkeypatch.setattr(of_role, "finetune", noted)
    stages.ceiling(task_run, 0)
    stages.student(task_run, "strong-to-strong", 0)
    assert set(drawn) == {"supervisor", "ceiling", "student", "student 1", "student 2"}
    assert all(len(seeds) == 1 for seeds in drawn.values())
    assert len(set.union(*drawn.values())) == len(drawn)


def test_another_role_is_another_training(make_task_run):
    task_run = make_task_run()
    config, truth = task_run.config, task_run.splits.strong_train
    one = on_truth(task_run, config.strong, config.strong_training, truth, 0, "ceiling")
    answers = [finetune(replace(one, role=role))["test"] for role in ("ceiling", "student")]
    assert not np.array_equal(answers[0].probabilities, answers[1].probabilities)


def test_what_a_step_left_out_is_counted_apart_from_what_was_learned(make_task_run):
    labels = stages.weak_labels(make_task_run(), 0)["strong_train"]
    confidence = labels.probabilities.max(axis=1)
    cut = float(np.median(confidence))
    filtered = f"confident-only:threshold={cut}"
    methods = ("naive", filtered, f"{filtered}+linear-probe", f"{filtered}+strong-to-strong:1")
    task_run = make_task_run(methods=methods, seeds=1)
    truth = {e.item.id: e.label for e in task_run.splits.strong_train}
    dropped = {id for id, c in zip(labels.ids, confidence, strict=True) if c < cut}
    assert dropped
    rows = {(r["method"], r["split"]): r for r in _agreements(task_run.config, task_run)}
    # The last student learns the labels of one before it, of all examples.
    for method, without in zip(methods, (set(), dropped, dropped, set()), strict=True):
        assert stages.left_out(task_run, method, 0) == without
        student = stages.student(task_run, method, 0)["strong_train"]
        top = stages.ceiling(task_run, 0)["strong_train"]
        assert ((method, "left_out") in rows) == bool(without)
        for part, ids in (("strong_train", set(truth) - without), ("left_out", without)):
            for name, of in (
                (("weak", labels), ("student", student), ("ceiling", top)) if ids else ()
            ):
                said = dict(zip(of.ids, of.values.argmax(axis=1).tolist(), strict=True))
                right = sum(said[id] == truth[id] for id in ids) / len(ids)
                assert rows[method, part][f"{name}_right"] == pytest.approx(right)
            assert rows.get((method, part), {"examples": 0})["examples"] == len(ids)

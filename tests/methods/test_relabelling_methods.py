"""Methods that choose or make labels: what they hand on to be learnt."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions, texts
from weak2strong.losses import loss as loss_of
from weak2strong.methods.confident_only import sure
from weak2strong.methods.reference import find_method
from weak2strong.tasks.task import Item

SPLITS = {"strong_train": "abcde", "validation": "fg", "test": "h"}
ANSWERED = tuple(SPLITS)


def as_predictions(ones: dict[str, float]) -> Predictions:
    one = np.array(list(ones.values()))
    return Predictions(tuple(ones), np.stack([1 - one, one], axis=1))


@dataclass
class Study:
    """A study whose models are surer than their labels by a tenth, and which takes note."""

    weak: dict[str, float]
    splits: dict[str, str] = field(default_factory=lambda: SPLITS)
    places: dict[str, tuple[float, ...]] = field(default_factory=dict)
    intermediates: tuple[str, ...] = ()
    student: str = "student"
    classes: int = 2
    seed: int = 0
    learnt: list[tuple[str, dict[str, float]]] = field(default_factory=list)
    losses: list = field(default_factory=list)
    prompts: list = field(default_factory=list)
    forms: list = field(default_factory=list)
    fresh: list = field(default_factory=list)

    @property
    def weak_labels(self):
        return as_predictions(self.weak)

    def items(self, split):
        kept = self.weak if split == "strong_train" else self.splits[split]
        return tuple(Item(id, id.lower(), id) for id in self.splits[split] if id in kept)

    def finetune(self, labels, loss="cross-entropy", *, model=None, fresh=0):
        self.fresh.append(fresh)
        given = dict(zip(labels.ids, labels.probabilities[:, 1].tolist(), strict=True))
        self.learnt.append((model or self.student, given))
        self.losses.append(loss_of(loss) if isinstance(loss, str) else loss)
        return {
            split: as_predictions({id: given.get(id, 0.5) + 0.1 for id in self.splits[split]})
            for split in ANSWERED
        }

    def activations(self, layer="usual"):
        return {
            split: Activations(
                tuple(self.splits[split]),
                np.array([self.places[id] for id in self.splits[split]], dtype=np.float32),
            )
            for split in ANSWERED
        }

    def finetuned_activations(self, labels, loss="cross-entropy"):
        self.finetune(labels, loss)
        return self.activations()

    def prompted(self, draws, *, calibrate, template=None, form="plain", system=None):
        self.prompts.append((draws, calibrate, template))
        self.forms.append((form, system))
        return {split: as_predictions(dict.fromkeys(self.splits[split], 0.5)) for split in ANSWERED}

    def supervisors(self, seeds):
        others = [
            {id: (w + n) / (1 + n) for id, w in reversed(self.weak.items())}
            for n in range(1, seeds)
        ]
        return (self.weak_labels, *map(as_predictions, others))

    def truth(self, split):
        return as_predictions({id: float(id in "acegACEG") for id in self.splits[split]})

    def with_labels(self, labels):
        given = dict(zip(labels.ids, labels.probabilities[:, 1].tolist(), strict=True))
        return replace(self, weak=given)

    def after_reading(self, epochs):
        return replace(self, student=f"{self.student} that read {epochs} times")


WEAK = {"g": 0.2, "a": 0.1, "b": 0.6, "c": 0.75, "d": 0.74, "e": 0.25, "f": 0.5}
"""In no order of the splits."""


def test_only_sure_labels_are_learnt_and_all_are_validated_on():
    study = Study(WEAK)
    find_method("confident-only").run(study)
    ((_, learnt),) = study.learnt
    assert learnt == pytest.approx({"a": 0.1, "c": 0.75, "e": 0.25, "f": 0.5, "g": 0.2})
    find_method("confident-only:threshold=0.85+entropy").run(study)
    assert study.learnt[-1][1] == pytest.approx({"a": 0.1, "f": 0.5, "g": 0.2})
    assert study.losses[-1] == loss_of("entropy")


def test_of_a_supervisor_that_is_never_sure_the_surest_tenth_is_learnt():
    one = np.linspace(0.5, 0.6, 40)
    labels = np.stack([1 - one, one], axis=1)
    assert np.flatnonzero(sure(labels, 0.75)).tolist() == [36, 37, 38, 39]
    assert np.flatnonzero(sure(np.full((40, 2), 0.5), 0.75)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_every_student_learns_what_the_one_before_it_says(iterations):
    study = Study(WEAK)
    found = find_method(f"strong-to-strong:iterations={iterations}").run(study)
    assert len(study.learnt) == 1 + iterations
    for n, (model, learnt) in enumerate(study.learnt):
        assert model == "student"
        assert learnt == pytest.approx({id: w + 0.1 * n for id, w in WEAK.items()})
    assert study.fresh == list(range(1 + iterations))
    assert found["test"].probabilities[0, 1] == pytest.approx(0.6)


class Scripted:
    """A study whose students give answers in order, right on so many of ten training examples.

    Of ten examples of validation they give the supervisor's answer on so many.
    """

    classes, seed = 2, 0

    def __init__(self, right: list[int], agree: list[int]):
        self.right, self.agree, self.fresh = right, agree, list[int]()
        # The supervisor says class 1 always, and is right on six of ten training examples.
        self.weak_labels = said_class_one({"t": 10, "v": 10})

    def items(self, split):
        return tuple(Item(id, id, id) for id in said_class_one({split[0].replace("s", "t"): 0}).ids)

    def truth(self, split):
        assert split == "strong_train"
        return said_class_one({"t": 6})

    def finetune(self, labels, loss="cross-entropy", *, fresh=0):
        self.fresh.append(fresh)
        # Class 1 on the first n examples, of which the first six are of class 1.
        train = said_class_one({"t": 6 + 10 - self.right[fresh]})
        return {"strong_train": train, "validation": said_class_one({"v": self.agree[fresh]})}


def said_class_one(counts: dict[str, int]) -> Predictions:
    """Of ten examples of each split class 1 for so many, class 0 for the others."""
    one = np.array([float(i < n) for n in counts.values() for i in range(10)])
    ids = tuple(f"{split}{i}" for split in counts for i in range(10))
    return Predictions(ids, np.stack([1 - one, one], axis=1))


@pytest.mark.parametrize(
    ("agree", "trained", "kept"),
    [([5, 6, 7, 8], 4, 3), ([5, 6, 6, 9], 3, 1), ([5, 4, 9, 9], 2, 0)],
)
def test_students_of_students_go_on_while_agreement_rises(agree, trained, kept):
    study = Scripted([6] * 4, agree)
    found = find_method("strong-to-strong:iterations=3,goes_on=agreement").run(study)
    assert study.fresh == list(range(trained))
    assert found["validation"].values.argmax(axis=1).sum() == agree[kept]


@pytest.mark.parametrize(
    ("right", "trained"), [([7, 8, 9, 9], 4), ([7, 6, 9, 9], 2), ([6, 9, 9, 9], 1)]
)
def test_the_oracle_goes_on_from_students_that_beat_their_weak_labels(right, trained):
    """These are right on six of ten: PGR on the training set is positive above six."""
    study = Scripted(right, [5] * 4)
    method = find_method("strong-to-strong-oracle:iterations=3")
    method.run(study)
    assert method.oracle
    assert study.fresh == list(range(trained))


@pytest.mark.parametrize("setting", ["iterations=-1", "goes_on=ever"])
def test_a_way_to_go_on_that_cannot_be_is_refused(setting):
    with pytest.raises(UserError, match=r"strong-to-strong (takes iterations|'ever')"):
        find_method(f"strong-to-strong:{setting}")


MANY = {"strong_train": "abcdefghijklABCDEFGHIJKL", "validation": "xyz", "test": "w"}


def test_bootstrapping_gives_every_model_inputs_that_none_has_seen():
    weak = {id: n / 40 for n, id in enumerate(MANY["strong_train"] + MANY["validation"])}
    study = Study(weak, MANY, intermediates=("small", "middling"))
    find_method("bootstrapping").run(study)
    assert [model for model, _ in study.learnt] == ["small", "middling", "student"]
    parts = [set(learnt) - set("xyz") for _, learnt in study.learnt]
    assert set.union(*parts) == set(MANY["strong_train"])
    assert [len(part) for part in parts] == [8, 8, 8]
    # a and A are of one group.
    assert all({id.lower() for id in part} == {id.lower() for id in part & set("abcdefghijkl")}
               for part in parts)  # fmt: skip
    labels = [learnt for _, learnt in study.learnt]
    assert labels[0] == pytest.approx({id: weak[id] for id in labels[0]})
    # Each model answers .6 where it has not learnt, and a tenth more than it has learnt.
    for before, then in ((labels[0], labels[1]), (labels[1], labels[2])):
        assert {id: then[id] for id in then if id not in "xyz"} == pytest.approx(
            {id: 0.6 for id in then if id not in "xyz"}
        )
        assert [then[id] for id in "xyz"] == pytest.approx([before[id] + 0.1 for id in "xyz"])
    assert Study(weak, MANY, seed=1).seed != study.seed
    other = Study(weak, MANY, intermediates=("small", "middling"), seed=1)
    find_method("bootstrapping").run(other)
    assert set(other.learnt[0][1]) != set(labels[0])


def test_bootstrapping_on_the_same_inputs_relabels_all_of_them():
    study = Study(WEAK, intermediates=("small", "middling"))
    find_method("bootstrapping-same-inputs+kl").run(study)
    assert [model for model, _ in study.learnt] == ["small", "middling", "student"]
    for n, (_, learnt) in enumerate(study.learnt):
        assert learnt == pytest.approx({id: w + 0.1 * n for id, w in WEAK.items()})
    assert [type(of) for of in study.losses] == [
        type(loss_of(name)) for name in ("cross-entropy", "cross-entropy", "kl")
    ]


def test_an_ensemble_learns_the_mean_label_by_id():
    study = Study(WEAK)
    find_method("ensemble:size=3").run(study)
    ((_, learnt),) = study.learnt
    mean = {id: np.mean([w, (w + 1) / 2, (w + 2) / 3]) for id, w in WEAK.items()}
    assert learnt == pytest.approx(mean)


def test_an_oracle_stops_on_truth_and_learns_weak_labels():
    study = Study(WEAK)
    find_method("oracle-stopping").run(study)
    ((_, learnt),) = study.learnt
    assert learnt == pytest.approx({**WEAK, "f": 0.0, "g": 1.0})


def test_reading_comes_before_whatever_follows():
    study = Study(WEAK)
    find_method("generative:epochs=4+confident-only").run(study)
    ((model, learnt),) = study.learnt
    assert model == "student that read 4 times"
    assert "b" not in learnt


CROWD = {"strong_train": "abcdeABCDE", "validation": "uU", "test": "xX"}
PLACES = {
    id: (float(n), 100.0 * id.isupper())
    for ids in CROWD.values()
    for n, id in enumerate(ids.lower() and ids)
}
"""Capitals stand far from the rest."""
LABELS = {id: 0.9 if id.isupper() else 0.2 for id in "abcdeABCDEuU"} | {"c": 0.8, "D": 0.3}
"""As they should be, but for two."""


def crowd() -> Study:
    return Study(dict(LABELS), CROWD, PLACES)


@pytest.mark.parametrize("probe", ["knn,k=4", "logistic", "topofilter,k=4"])
def test_the_filter_leaves_out_labels_that_their_surroundings_contradict(probe):
    study = crowd()
    find_method(f"probe-filter:{probe},drop=0.2+confidence").run(study)
    ((_, learnt),) = study.learnt
    assert set(learnt) == set(LABELS) - {"c", "D"}
    assert learnt == pytest.approx({id: LABELS[id] for id in learnt})


def test_relabelling_asks_the_neighbours_for_training_and_for_stopping():
    study = crowd()
    find_method("probe-relabel:knn,k=5").run(study)
    ((_, learnt),) = study.learnt
    small = np.mean([LABELS[id] for id in "abcde"])
    capital = np.mean([LABELS[id] for id in "ABCDE"])
    assert learnt == pytest.approx(
        {id: capital if id.isupper() else small for id in "abcdeABCDEuU"}
    )


def test_predicting_finetunes_nothing():
    study = crowd()
    found = find_method("probe-predict:knn,k=5").run(study)
    assert not study.learnt
    assert {split: p.ids for split, p in found.items()} == {
        split: tuple(ids) for split, ids in CROWD.items()
    }
    small = np.mean([LABELS[id] for id in "abcde"])
    assert found["test"].probabilities[0, 1] == pytest.approx(small)
    np.testing.assert_allclose(found["strong_train"].probabilities[:5, 1], small)
    # A neighbour is none of its own, in the probe that says so.
    found = find_method("probe-predict:knn-without-itself,k=4").run(study)
    others = np.mean([LABELS[id] for id in "abde"])
    assert found["strong_train"].at(["c"])[0, 1] == pytest.approx(others)


def test_after_a_filter_a_probe_learns_what_is_left():
    study = crowd()
    found = find_method("confident-only:threshold=0.75+probe-predict:knn,k=3").run(study)
    assert {split: len(p.ids) for split, p in found.items()} == {
        "strong_train": 10, "validation": 2, "test": 2,
    }  # fmt: skip


PROBED = ("linear-probe", "finetune-then-probe:labels=weak", "finetune-then-probe")


@pytest.mark.parametrize("name", PROBED)
def test_linear_probes_answer_by_weak_labels_or_by_the_truth(name):
    rng = np.random.default_rng(0)
    train = [f"{'A' if n % 2 else 'b'}{n}" for n in range(60)]
    ids = {"strong_train": train, "validation": ["v"], "test": ["A", "b"]}
    places = {id: tuple(rng.normal(size=3) + 3 * (id[0] == "A")) for s in ids.values() for id in s}

    @dataclass
    class Crowd(Study):
        def truth(self, split):
            return as_predictions({id: float(id[0] == "A") for id in self.splits[split]})

    # Weak labels say the opposite.
    weak = {id: float(id[0] != "A") for id in [*train, "v"]}
    study = Crowd(weak, ids, places)
    found = find_method(name).run(study)
    assert len(study.learnt) == name.startswith("finetune-then-probe")
    right = found["test"].probabilities.argmax(axis=1).tolist()
    assert right == ([1, 0] if name == "finetune-then-probe" else [0, 1])


def test_shots_are_others_with_their_answers():
    splits = {**MANY, "weak_train": "mnopqrstuv"}
    weak = {id: float(id.isupper()) for id in MANY["strong_train"]}
    study = Study(weak, splits)
    find_method('few-shot-weak:k=4,draws=3,template="Is {text}, or not?"').run(study)
    ((draws, calibrate, template),) = study.prompts
    assert (calibrate, template) == (False, "Is {text}, or not?")
    assert [len(draw) for draw in draws] == [4, 4, 4]
    for draw in draws:
        assert all(answer == weak[item.id] for item, answer in draw)
        assert sorted(answer for _, answer in draw) == [0, 0, 1, 1]
    assert len({tuple(item.id for item, _ in draw) for draw in draws}) == 3
    study = Study({**weak, **dict.fromkeys("mnopqrstuv", 0.5)}, splits)
    find_method("few-shot:k=2,draws=1,calibrate=true").run(study)
    (([shots], calibrate, _),) = study.prompts
    assert calibrate
    assert all(item.id in splits["weak_train"] for item, _ in shots)
    find_method("zero-shot").run(study)
    assert study.prompts[-1] == ([[]], False, None)
    assert set(study.forms) == {("plain", None)}


def test_shots_of_a_generation_are_texts_and_settings_of_classes_are_refused():
    splits = {**MANY, "weak_train": "mnopqrstuv"}

    class Written(Study):
        @property
        def weak_labels(self):
            ids = tuple(self.weak)
            return Predictions(ids, texts(f"answer {id}" for id in ids), "generation")

    study = Written(dict.fromkeys(MANY["strong_train"], 0.5), splits)
    find_method('few-shot-weak:k=4,draws=2,form=headed,system="Be brief."').run(study)
    ((draws, _, _),) = study.prompts
    assert study.forms == [("headed", "Be brief.")]
    assert all(answer == f"answer {item.id}" for draw in draws for item, answer in draw)
    assert len({tuple(item.id for item, _ in draw) for draw in draws}) == 2
    for settings in ("calibrate=true", 'template="{text}?"'):
        with pytest.raises(UserError, match="this task is answered in words: leave them out"):
            find_method(f"few-shot-weak:{settings}").run(study)
    with pytest.raises(UserError, match="form and system are for tasks that are answered in words"):
        find_method("zero-shot:form=headed").run(Study({"A": 0.5}, splits))
    with pytest.raises(UserError, match="Unknown form of prompts 'boxed'"):
        find_method("zero-shot:form=boxed")


def test_a_probe_that_only_filters_is_refused_where_answers_are_asked_for():
    with pytest.raises(UserError, match=r"'topofilter' only says which .* \(knn, .*logistic"):
        find_method("probe-predict:topofilter")

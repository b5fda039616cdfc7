"""A step that changes nothing for the method behind it is refused, and every other one is not."""

from dataclasses import dataclass
from functools import cache

import pytest

from weak2strong import probes
from weak2strong.engine.stand_in import StandIn, _by_split
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions
from weak2strong.methods import METHODS
from weak2strong.methods.method import Method
from weak2strong.methods.reference import find_method, prepared

OURS = [name for name in METHODS if METHODS.origin(name) is None]
STEPS = [name for name in OURS if METHODS.get(name).prepares]
ENDS = [name for name in OURS if not METHODS.get(name).prepares]


@dataclass
class Recording(StandIn):
    """A stand-in whose answers to prompts depend on who is asked, and on the shots."""

    def prompted(self, draws, *, calibrate, template=None, form="plain", system=None):
        shots = [[(item.id, answer) for item, answer in draw] for draw in draws]
        return _by_split(f"{self.student} {shots}")


@pytest.fixture(autouse=True)
def one_penalty(monkeypatch):
    """Probes without a search for their penalty, which takes seconds and plays no part here."""
    monkeypatch.setattr(probes, "select_penalty", lambda *data, **more: 0.01)


@cache
def answers(end, *steps):
    """Of a method behind steps, which are looked up one by one, so that nothing is refused."""
    context = Recording()
    for step in steps:
        context = prepared(METHODS.get(step), context)
    return METHODS.get(end).run(context)["test"]


def same(a: Predictions, b: Predictions):
    return a.ids == b.ids and (a.values == b.values).all()


def told(reference):
    """The sentence by which a reference is refused, or nothing."""
    try:
        find_method(reference)
    except UserError as e:
        return str(e)
    return ""


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_refused_just_where_answers_are_the_same_without_it(step):
    for end in ENDS:
        in_vain = same(answers(end, step), answers(end))
        refused = told(f"{step}+{end}")
        assert bool(refused) == in_vain, end
        assert not refused or f"{step!r} changes" in refused
        assert not refused or f"{end!r} makes no use of" in refused


def test_there_are_both():
    """Or the test above could not fail."""
    assert same(answers("linear-probe", "consistent"), answers("linear-probe"))
    assert not same(answers("naive", "consistent"), answers("naive"))


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (
            "consistent+linear-probe",
            "Method 'consistent+linear-probe': 'consistent' changes how the student is finetuned, "
            "which 'linear-probe' makes no use of, so that it would do nothing: leave 'consistent' "
            "out, or put it before another method.",
        ),
        (
            "consistent+consistent:weight=2",
            "Method 'consistent+consistent:weight=2': the second 'consistent' takes the place of "
            "the first: name it once.",
        ),
        ("consistent+probe-filter+probe-predict", "'consistent' changes how"),
        ("confident-only+zero-shot", "'confident-only' changes the labels that are learned"),
        ("oracle-stopping+oracle-stopping", "the second 'oracle-stopping'"),
    ],
)
def test_what_would_do_nothing_is_one_sentence(reference, sentence):
    with pytest.raises(UserError) as e:
        find_method(reference)
    assert sentence in str(e.value)


def test_a_step_works_through_one_behind_it():
    find_method("consistent+bootstrapping+linear-probe")
    find_method("probe-filter+probe-filter:logistic")
    find_method("confident-only+probe-relabel+linear-probe")


def test_a_step_of_a_plugin_that_says_nothing_is_not_refused_and_words_are_checked():
    step = Method("mine", "", "", lambda context: context, prepares=True)
    assert (step.changes, step.once) == ((), False)
    with pytest.raises(UserError, match="Unknown part of the method 'mine' 'labls'"):
        Method("mine", "", "", lambda context: context, prepares=True, changes=("labls",))

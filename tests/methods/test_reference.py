"""What a user writes to name a method, and what is said of a slip."""

import json
from dataclasses import dataclass, field, fields
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions
from weak2strong.losses import LOSSES, loss
from weak2strong.methods import METHODS, every_method
from weak2strong.methods.decorators import loss as loss_decorator
from weak2strong.methods.method import NEEDS, Method
from weak2strong.methods.reference import find_method, is_oracle, names_in, values_of
from weak2strong.probes import PROBES
from weak2strong.training.loss import RowLoss


class Noting:
    """A context that says which settings a method was run with."""

    classes = 2
    weak_labels = None

    def finetune(self, labels, loss="cross-entropy"):
        return loss


def test_settings_reach_the_loss():
    found = find_method("confidence:maximum=0.75,warmup=0").run(Noting())
    assert found == loss("confidence", maximum=0.75, warmup=0)
    assert find_method("confidence:0.75").run(Noting()).maximum == 0.75
    assert METHODS.get("confidence").run(Noting()) == loss("confidence")
    code = find_method("adaptive-confidence-guo-code:warmup=0.1").run(Noting())
    assert (code.published, code.warmup) == (True, 0.1)


def another(kind: type, name: str) -> object:
    """A value that the field of this class can have, and does not have by default."""
    declared, usual = get_type_hints(kind)[name], getattr(kind(), name)
    if get_origin(declared) is Literal:
        return next(value for value in get_args(declared) if value != usual)
    return {float: 0.123, int: 7, bool: not usual, str: "other"}[declared]


METHODS_OF_LOSSES = [n for n in METHODS if METHODS.get(n).loss]


@pytest.mark.parametrize("name", METHODS_OF_LOSSES)
def test_every_field_of_a_loss_can_be_set_in_the_reference_to_its_method(name, monkeypatch):
    labels = Predictions(("a", "b"), np.array([[0.9, 0.1], [0.4, 0.6]]))
    monkeypatch.setattr("weak2strong.methods.finetuning.labels_of", lambda *_: labels)
    method = METHODS.get(name)
    kind = LOSSES.get(method.loss)
    assert list(method.options) == [f.name for f in fields(kind)]
    for setting in method.options:
        value = another(kind, setting)
        found = find_method(f"{name}:{setting}={json.dumps(value)}")
        assert getattr(found.run(Noting()), setting) == value


@pytest.mark.parametrize("name", [n for n in METHODS if not METHODS.get(n).loss])
def test_every_keyword_of_a_method_and_every_field_of_a_probe_can_be_set(name):
    method = METHODS.get(name)
    for setting, usual in method.options.items():
        words = {"form": "headed", "goes_on": "agreement", "labels": "weak"}
        word = words.get(setting, "logistic")
        value = {int: 7, float: 0.123, bool: True}.get(type(usual), word)
        find_method(f"{name}:{setting}={json.dumps(value)}")
    for probe in PROBES if method.takes_more else ():
        if name != "probe-filter" and not PROBES.get(probe).predicts:
            continue
        for f in fields(PROBES.get(probe)):
            value = another(PROBES.get(probe), f.name)
            find_method(f"{name}:{probe},{f.name}={json.dumps(value)}")


def test_a_field_without_a_default_and_a_fraction_that_begins_as_a_whole_number_can_be_set():
    def registered():
        @loss_decorator("scaled")
        @dataclass(frozen=True)
        class Scaled(RowLoss):
            power: float
            scale: float = 1
            weights: list[float] = field(default_factory=list)

            def per_example(self, logits, targets, fraction, statistics): ...

    registered()
    try:
        found = find_method("scaled:power=0.5,scale=0.25").run(Noting())
        assert (found.power, found.scale) == (0.5, 0.25)
        assert find_method("scaled:0.5").run(Noting()).power == 0.5
    finally:
        for registry in (METHODS, LOSSES):
            registry._added.pop("scaled")


def test_a_reference_is_the_name_in_tables():
    for reference in ("naive", "confidence:maximum=0.75", "probe-filter:logistic+confidence"):
        assert find_method(reference).name == reference
    assert names_in("probe-filter:logistic+confidence") == ("probe-filter", "confidence")


def test_a_step_before_a_method_brings_its_needs():
    one = find_method("generative+oracle-stopping+confidence-openai-code")
    assert set(one.needs) == {"decoder", "trunk", "truth", "stopping"}
    assert one.classes == 2
    assert one.oracle
    assert "Burns" in one.source
    assert find_method("probe-filter").needs == ()


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("confidance", "Unknown method 'confidance': the nearest are confidence"),
        ("confidence:maximal=1", "Unknown setting of the method 'confidence' 'maximal'"),
        ("confidence:maximum=2", "maximum must be at most 1, not 2"),
        ("confidence:maximum=much", "takes a number for maximum (usually 0.5), not 'much'"),
        ("confidence:maximum=true", "takes a number for maximum"),
        ("few-shot-weak:k=2.5", "takes a whole number for k (usually 5), not 2.5"),
        ("few-shot-weak:calibrate=1", "takes true or false for calibrate"),
        ("few-shot-weak:k=2,3", "'3' is no setting"),
        ("few-shot-weak:k=2,k=3", "each once"),
        ("few-shot-weak:k=2,=3", "'=3' is no setting"),
        ("naive:k=2", "The method 'naive' has no settings: leave 'k' out"),
        ("window:k=2", "Unknown setting of the method 'window' 'k': did you mean threshold?"),
        ("window:threshold=2", "threshold must be at most 1, not 2"),
        ("finetune-then-probe:labels=mine", "Unknown labels of finetune-then-probe 'mine'"),
        ("confidence+naive", "'confidence' ends with a finished student"),
        ("probe-filter:nearest", "Unknown probe 'nearest'"),
        ("probe-filter:knn,kay=3", "Unknown setting of the probe 'knn' 'kay'"),
        ("probe-filter:knn,drop=1", "a share from 0 to below 1, not 1"),
        ("probe-filter+", "Unknown method ''"),
    ],
)
def test_slips_are_told_in_a_sentence(reference, sentence):
    with pytest.raises(UserError) as e:
        find_method(reference)
    assert sentence in str(e.value)


def test_signs_within_quotes_are_text():
    asked = {}

    def run(context, *, template: str = "", k: int = 1):
        asked.update(template=template, k=k)

    METHODS.add("quoting", Method("quoting", "", "", run), "here")
    try:
        find_method('quoting:template="a: b, c=d + \\"e\\"\\n",k=3').run(None)
    finally:
        METHODS._added.clear()
    assert asked == {"template": 'a: b, c=d + "e"\n', "k": 3}


def test_all_holds_every_method_but_oracles_and_each_variant():
    found = every_method()
    assert len(set(found)) == len(found)
    oracles = {name for name in METHODS if METHODS.get(name).oracle}
    assert oracles == {
        "few-shot",
        "oracle-stopping",
        "finetune-then-probe",
        "strong-to-strong-oracle",
    }
    # Methods for data with pairs would be refused for all other data.
    paired = {name for name in METHODS if "pairs" in METHODS.get(name).needs}
    assert paired == {"consistent"}
    named = {name for reference in found for name in names_in(reference)}
    assert named == set(METHODS) - oracles - paired
    assert {"probe-filter:topofilter", "probe-relabel:logistic"} <= set(found)
    for reference in found:
        assert find_method(reference).summary
        assert not is_oracle(reference)
    assert is_oracle("oracle-stopping+confidence")
    assert is_oracle("finetune-then-probe:labels=truth")
    assert not is_oracle("finetune-then-probe:labels=weak")
    assert not is_oracle("probe-filter:logistic+finetune-then-probe:weak")
    assert is_oracle("oracle-stopping+finetune-then-probe:labels=weak")
    # A setting that the method has no longer: what it would be without.
    assert is_oracle("finetune-then-probe:layer=3")
    assert not is_oracle("of-a-plugin-that-is-gone")


def test_a_need_is_one_that_a_study_knows():
    with pytest.raises(UserError, match="Unknown need of the method 'mine' 'money'"):
        Method("mine", "", "", print, needs=("money",))  # pyright: ignore
    assert {need for name in METHODS for need in METHODS.get(name).needs} == set(NEEDS)


def test_values_of_a_setting_are_those_given_or_else_the_usual_ones():
    assert values_of("probe-predict:logistic,layer=3", "layer") == (3,)
    assert values_of("probe-filter+confidence", "layer") == ("usual",)
    assert values_of("probe-filter:layer=last+probe-predict:layer=-2", "layer") == ("last", -2)
    assert values_of("naive", "layer") == ()

"""What a user writes to name a method, and what is said of a slip."""

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.losses import loss
from weak2strong.methods import METHODS, every_method
from weak2strong.methods.method import NEEDS, Method
from weak2strong.methods.reference import find_method, is_oracle, names_in, values_of


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
        ("window:k=2", "The method 'window' has no settings: leave 'k' out"),
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
    assert oracles == {"few-shot", "oracle-stopping", "finetune-then-probe"}
    assert {name for reference in found for name in names_in(reference)} == set(METHODS) - oracles
    assert {"probe-filter:topofilter", "probe-relabel:logistic"} <= set(found)
    for reference in found:
        assert find_method(reference).summary
        assert not is_oracle(reference)
    assert is_oracle("oracle-stopping+confidence")
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

"""What functions of a plugin may not be or give, each a sentence with the plugin's file."""

import numpy as np
import pytest
import torch

from weak2strong.ground.errors import PluginError, UserError
from weak2strong.ground.metrics import metric
from weak2strong.ground.plugins import load_plugins, naming_plugins
from weak2strong.losses import loss
from weak2strong.methods import LOSSES as LOSSES_BY_NAME
from weak2strong.probes import probe
from weak2strong.probes.given import answers_of, kept_by
from weak2strong.tasks import TASKS
from weak2strong.training.given_loss import check_statistics, losses_of

BEGIN = """
from dataclasses import dataclass
import numpy as np, torch
import weak2strong as w2s
"""


@pytest.fixture
def plugin(tmp_path):
    """Loads a plugin with some text."""

    def load(text):
        path = tmp_path / "mine.py"
        path.write_text(BEGIN + text)
        load_plugins([path])
        return path

    yield load
    load_plugins(())


LOSS = """
@w2s.loss("mine")
@dataclass(frozen=True)
class Mine(w2s.RowLoss):
    def per_example(self, logits, targets, fraction, statistics):
        return {}
"""

LOSSES = {
    "None": ("None", r"it gives None where one number for each of 3 examples"),
    "a mean": ("(logits - targets).square().mean()", "it gives Tensor where one number"),
    "a row each": ("(logits - targets).square()", r"it gives Tensor of shape \(3, 2\) where one"),
    "too many": ("(logits - targets).square().flatten()", r"Tensor of shape \(6,\) where one"),
    "NaN": ("logits.sum(1) * float('nan')", "it gives nan for finite logits"),
    "infinite": ("logits.sum(1) + float('inf')", "it gives inf for finite logits"),
    "classes": ("logits.argmax(1)", "numbers of the type torch.int64"),
    "apart": ("targets.sum(1)", "losses that do not depend on the logits"),
}


@pytest.mark.parametrize(("value", "said"), LOSSES.values(), ids=LOSSES)
def test_a_loss_gives_one_finite_number_an_example(plugin, value, said):
    path = plugin(LOSS.format(value))
    logits = torch.zeros(3, 2, requires_grad=True)
    with pytest.raises(PluginError, match=said) as caught:
        losses_of(loss("mine"), logits, torch.full((3, 2), 0.5), 0.0, None)
    assert str(caught.value).startswith(f"The plugin {path} fails in Mine.per_example (")


def test_a_sound_loss_passes_also_where_a_training_has_diverged(plugin):
    plugin(LOSS.format("(logits - targets).square().sum(1)"))
    for value, expected in ((0.0, 0.5), (float("nan"), float("nan"))):
        logits = torch.full((3, 2), value, requires_grad=True)
        found = losses_of(loss("mine"), logits, torch.full((3, 2), 0.5), 0.0, None)
        torch.testing.assert_close(found, torch.full((3,), expected), equal_nan=True)


def test_a_setting_without_a_default_has_to_be_given(plugin):
    plugin(LOSS.format("0").replace("    def per", "    scale: float\n    def per"))
    with pytest.raises(UserError, match="loss 'mine' has no usual value of 'scale': give it one"):
        LOSSES_BY_NAME.build("mine", {})
    assert LOSSES_BY_NAME.build("mine", {"scale": 2.0}).scale == 2.0


def test_statistics_by_example_have_a_row_for_each(plugin):
    from weak2strong.training.loss import ByExample

    plugin(LOSS.format("logits.sum(1)"))
    check_statistics(loss("mine"), ByExample(torch.zeros(3, 2)), 3)
    with pytest.raises(PluginError, match="it gives 2 rows by example for 3 examples"):
        check_statistics(loss("mine"), ByExample(torch.zeros(2, 2)), 3)


PROBE = """
@w2s.probe("mine")
@dataclass(frozen=True)
class Mine(w2s.Answering):
    def predict(self, features, labels, queries):
        return {}
    def keep(self, features, labels, drop):
        return {}
"""

PROBES = {
    "None": ("None", "it gives None where"),
    "a list": ("[[0.5, 0.5]] * 4", "it gives list where"),
    "a shape": ("np.full((4, 3), 0.5)", r"ndarray of shape \(4, 3\) where"),
    "NaN": ("np.full((4, 2), np.nan)", "answers that are no finite numbers"),
    "sums": ("np.full((4, 2), 0.7)", "rows that are no probabilities"),
}


@pytest.mark.parametrize(("value", "said"), PROBES.values(), ids=PROBES)
def test_a_probe_gives_probabilities(plugin, value, said):
    path = plugin(PROBE.format(value, value))
    features, labels = np.zeros((4, 5)), np.full((4, 2), 0.5)
    with pytest.raises(PluginError, match=said) as caught:
        answers_of(probe("mine"), features, labels, None)
    assert str(caught.value).startswith(f"The plugin {path} fails in Mine.predict (")
    with pytest.raises(PluginError, match=r"Mine.keep \(it gives .* where a bool for each of 4"):
        kept_by(probe("mine"), features, labels, 0.1)


METRIC = """
@w2s.metric("mine", low=0, high=1)
def mine(answers, labels):
    return {}
"""

METRICS = {
    "None": ("None", "gives None where one number"),
    "a text": ("'good'", "gives 'good' where one number"),
    "ragged": ("[[1], [1, 2]]", ".* where one number was asked for"),
    "infinite": ("float('inf')", "gives inf, and is registered with values from 0 to 1"),
    "beyond": ("1.5", "gives 1.5, and is registered with values from 0 to 1"),
}


@pytest.mark.parametrize(("value", "said"), METRICS.values(), ids=METRICS)
def test_a_metric_gives_one_number_of_its_range(plugin, value, said):
    path = plugin(METRIC.format(value))
    with pytest.raises(PluginError, match=f"the metric 'mine' {said}") as caught:
        metric("classification", "mine")(np.full((3, 2), 0.5), np.array([0, 1, 1]))
    assert str(caught.value).startswith(f"The plugin {path} fails in mine (")


REFUSED = {
    "async": ("@w2s.method('mine')\nasync def mine(context): ...", "'mine' is an async function"),
    "yields": ("@w2s.method('mine')\ndef mine(context): yield 1", "'mine' yields"),
    "async metric": ("@w2s.metric('mine')\nasync def mine(a, b): ...", "metric 'mine' is an async"),
    "exits": ("raise SystemExit(0)", r"fails \(SystemExit: 0, line 5 of mine.py\): mend it"),
    "ends": ("raise GeneratorExit", r"fails \(GeneratorExit, line 5 of mine.py\)"),
    "own kind": ("class E(BaseException): ...\nraise E('x')", r"fails \(E: x, line 6 of"),
    "cannot be told": (
        "class E(Exception):\n    def __str__(self): return 1 / 0\nraise E",
        r"fails \(E, line 7 of",
    ),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_a_plugin_that_cannot_be_used_is_refused_when_it_is_loaded(plugin, tmp_path, text, said):
    with pytest.raises(UserError, match=said) as caught:
        plugin(text)
    assert str(tmp_path / "mine.py") in str(caught.value)


@pytest.mark.parametrize("raised", ["SystemExit(3)", "GeneratorExit", "ValueError('x')"])
def test_whatever_a_function_raises_is_told_as_the_plugin_s(plugin, raised):
    path = plugin(f"@w2s.task('mine', classes=['a', 'b'])\ndef mine():\n    raise {raised}")
    with pytest.raises(PluginError, match=f"The plugin {path} fails in mine"), naming_plugins():
        TASKS.get("mine").load()


def test_a_request_to_stop_is_left_as_it_is(plugin):
    plugin("@w2s.task('mine', classes=['a', 'b'])\ndef mine():\n    raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt), naming_plugins():
        TASKS.get("mine").load()


@pytest.mark.parametrize("value", ["None", "3", "'text'", "dict(a=1)"])
def test_a_task_makes_examples(plugin, value):
    path = plugin(f"@w2s.task('mine', classes=['a', 'b'])\ndef mine():\n    return {value}")
    with pytest.raises(PluginError, match=f"{path} fails in mine .*where examples were asked for"):
        TASKS.get("mine").load()

"""`w2s methods`: every method in a list, and one with all that there is to know of it."""

import re
import subprocess
import sys

import pytest

from weak2strong.cli import main
from weak2strong.ground.plugins import load_plugins
from weak2strong.losses import LOSSES
from weak2strong.methods import METHODS
from weak2strong.methods.method import NEEDS
from weak2strong.probes import PROBES

PLUGIN = """
from dataclasses import dataclass
import weak2strong as w2s

@w2s.loss("squared", source="[bold]made up")
@dataclass(frozen=True)
class Squared(w2s.RowLoss):
    \"\"\"The squared distance. It forgives.\"\"\"

    power: float = 2.0
    \"\"\"Of the distance.\"\"\"

    def per_example(self, logits, targets, fraction, statistics):
        return (logits.softmax(dim=-1) - targets).abs().pow(self.power).sum(dim=-1)

@w2s.method("secret", needs=("truth", "decoder"), classes=3)
def secret(context, *, template: str | None = None, k: int = 5):
    \"\"\"Look the answers up.\"\"\"
"""


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    yield str(path)
    load_plugins(())


@pytest.fixture(params=[100, 140])
def width(request, monkeypatch):
    """Of the terminal; a pipe counts as 140 columns."""
    from rich.console import Console

    from weak2strong.report import terminal

    monkeypatch.setattr(terminal, "table_console", lambda: Console(width=request.param))


def parts(shown: str) -> dict[str, str]:
    """The tables of the list, by the titles of their first columns."""
    titles = ("method", "step", "oracle", "probe")
    pieces = re.split(rf"^({'|'.join(titles)}) +what it does", shown, flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


@pytest.mark.usefixtures("width")
def test_the_list_has_every_method_with_source_and_needs(capsys):
    assert main(["methods"]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    tables, words = parts(shown), set(shown.split())
    assert list(tables) == ["method", "step", "oracle", "probe"]
    for name in METHODS:
        method = METHODS.get(name)
        where = "oracle" if method.oracle else "step" if method.prepares else "method"
        for reference in method.variants or (name,):
            written = re.escape(reference + ("+..." if method.prepares else ""))
            found = [
                title for title in tables if re.search(rf"^{written}( |$)", tables[title], re.M)
            ]
            assert found == [where]
        assert set(f"{method.summary} {method.source}".split()) <= words
    row = re.search(r"^generative\+\.\.\. .*", tables["step"], flags=re.MULTILINE)
    assert row is not None
    assert row.group().rstrip().endswith("decoder, trunk")
    assert "stopping: a stopping rule" in shown
    for name in PROBES:
        assert re.search(rf"^{name} ", tables["probe"], flags=re.MULTILINE)
    assert "standardise=false" in tables["probe"]


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_can_be_shown_with_its_settings(name, capsys):
    assert main(["methods", name]) == 0
    shown, method = capsys.readouterr().out, METHODS.get(name)
    described = LOSSES.get(method.loss) if method.loss else method.run
    flat = " ".join(shown.split())
    assert " ".join(described.__doc__.split()) in flat
    assert method.source in flat
    for setting in method.options:
        assert re.search(rf"^  {setting} ", shown, flags=re.MULTILINE)
    for need in method.needs:
        assert NEEDS[need] in flat
    assert (f"{name}+METHOD" in flat) == method.prepares


def test_a_setting_of_a_loss_is_explained(capsys):
    assert main(["methods", "adaptive-confidence-guo-code", "confidence"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^  warmup +0.2 +The share of training", shown, flags=re.MULTILINE)
    assert re.search(r"^  published +true ", shown, flags=re.MULTILINE)


def test_a_reference_shows_each_of_its_methods(capsys):
    assert main(["methods", "probe-filter:logistic+kl"]) == 0
    shown = capsys.readouterr().out
    assert re.findall(r"^(\S+) ─+$", shown, flags=re.MULTILINE) == ["probe-filter", "kl"]
    assert re.search(r"for probe-filter:logistic\n  penalty +0.01 +Of the squared", shown)


@pytest.mark.usefixtures("width")
def test_a_plugin_stands_in_the_list_and_is_shown(plugin, capsys):
    assert main(["methods", "--plugin", plugin]) == 0
    tables = parts(capsys.readouterr().out)
    assert re.search(r"^squared +The squared distance", tables["method"], flags=re.MULTILINE)
    assert "[bold]made up" in tables["method"]
    assert re.search(r"^secret +Look .* decoder, 3", tables["oracle"], flags=re.MULTILINE)
    assert main(["methods", "squared", "secret", "--plugin", plugin]) == 0
    shown = capsys.readouterr().out
    assert f"From {plugin}." in shown
    assert re.search(r"^  power +2.0 +Of the distance.", shown, flags=re.MULTILINE)
    assert "It is no part of `--methods all`" in shown
    assert "Only for tasks with 3 classes." in shown


def test_slips_end_with_2(plugin, tmp_path, capsys):
    assert main(["methods", "naife"]) == 2
    assert "Unknown method 'naife'" in capsys.readouterr().err
    (tmp_path / "bad.py").write_text("1 / 0")
    commands = (
        ["methods"],
        ["tasks"],
        ["export", "x", "--out", "y"],
        ["run"],
        ["run", "--dry-run"],
    )
    for command in commands:
        assert main([*command, "--plugin", str(tmp_path / "bad.py")]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert re.fullmatch(r"error: The plugin .*bad.py fails \(.*line 1.*\): .*\n", shown.err)


def test_the_list_needs_no_torch():
    """A list is quick: losses are looked at only when they are shown."""
    code = "from weak2strong.cli import main; main(['methods']); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers"} & set(done.stdout.split())

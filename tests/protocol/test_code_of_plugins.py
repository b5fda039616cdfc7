"""What a plugin uses of ours is in the keys of its results: an upgrade that changes it counts."""

import linecache
import sys
from types import ModuleType

import pytest

from weak2strong.ground.code.used import PACKAGE, code_of
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import load_plugins, sources_of
from weak2strong.methods import LOSSES, METHODS
from weak2strong.protocol.stages.students import student
from weak2strong.protocol.task_run import OURS

FILE = """
from dataclasses import dataclass

import weak2strong as w2s
from weak2strong.probes import mean_labels


@w2s.method("mine")
def mine(context, *, k: int = 5):
    \"\"\"A probe and a loss by their names, and a function of ours.\"\"\"
    labels = w2s.probe("knn", k=k).predict(None, context.weak_labels, None)
    mean_labels(labels, labels)
    return context.finetune(context.weak_labels, "window")


@w2s.loss("mine-too")
@dataclass(frozen=True)
class Mine(w2s.RowLoss):
    \"\"\"A loss.\"\"\"

    def per_example(self, logits, targets, fraction, statistics):
        return logits.sum(dim=-1)
"""

EDITS = {
    "probes/knn.py": ("labels = np.asarray(labels, dtype=float)", "labels = np.asarray(labels)"),
    "losses/window.py": ("RowLoss", "(RowLoss)"),
    "losses/confidence.py": ("+ a * own", "+ 2 * a * own"),
    "probes/logistic.py": ("import", "import math\nimport"),
    "training/loss.py": ("needs_batch: ClassVar[bool] = False", "needs_batch: ClassVar[int] = 0"),
}


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    load_plugins([path])
    yield path
    load_plugins(())


def code_after(thing, file=None):
    edits = {}
    if file:
        old, new = EDITS[file]
        text = (OURS.root / file).read_text()
        assert old in text
        edits[file] = text.replace(old, new)
        if file == "losses/window.py":
            edits[file] += "\nx = 1\nWindow.x = 2\n"
    return code_of(OURS.edited(edits), student, (thing,)).digest


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("probes/knn.py", True),
        ("losses/window.py", True),
        ("losses/confidence.py", False),
        ("probes/logistic.py", False),
    ],
)
def test_what_a_method_of_a_plugin_uses_of_ours_counts(plugin, file, counts):
    mine = METHODS.get("mine")
    assert (code_after(mine) != code_after(mine, file)) == counts


def test_what_a_loss_of_a_plugin_inherits_counts(plugin):
    loss = LOSSES.get("mine-too")()
    assert code_after(loss) != code_after(loss, "training/loss.py")
    assert code_after(loss) == code_after(loss, "losses/confidence.py")


def test_a_plugin_itself_is_no_part_of_the_code(plugin):
    """Its digest stands in the key of its own."""
    before = code_after(METHODS.get("mine"))
    plugin.write_text(
        FILE.replace("A probe and", "One probe and").replace("k: int = 5", "k: int = 6")
    )
    load_plugins([plugin])
    assert code_after(METHODS.get("mine")) == before


def test_what_is_typed_finds_what_its_notebook_has_imported():
    """The import stands in another cell than the method."""
    import weak2strong

    notebook, cell = ModuleType("some_notebook"), "<cell 7>"
    text = 'def typed(context):\n    return w2s.probe("knn").predict(*context)\n'
    sys.modules[notebook.__name__] = notebook
    notebook.__dict__["w2s"] = weak2strong
    linecache.cache[cell] = (len(text), None, text.splitlines(keepends=True), cell)
    try:
        exec(compile(text, cell, "exec"), vars(notebook))
        ((name, source),) = sources_of(notebook.typed)
        assert name == "some_notebook.typed"
        assert source == f"import {PACKAGE} as w2s\n{text}"
        assert code_after(notebook.typed) != code_after(notebook.typed, "probes/knn.py")
        assert code_after(notebook.typed) == code_after(notebook.typed, "losses/confidence.py")
    finally:
        del sys.modules[notebook.__name__], linecache.cache[cell]


def test_source_that_is_gone_is_refused_in_a_sentence(plugin):
    mine = METHODS.get("mine").run
    plugin.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"The source of mine in .*mine\.py cannot be read"):
        sources_of(mine)

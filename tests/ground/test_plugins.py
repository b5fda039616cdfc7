"""Plugins are run once and as they are, go with their study, and fail in a sentence."""

import linecache
import subprocess
import sys
from fractions import Fraction
from types import ModuleType

import pytest

from weak2strong.ground import plugins
from weak2strong.ground.errors import PluginError, UserError
from weak2strong.ground.plugins import (
    digest_of,
    digest_of_all,
    everywhere,
    load_plugins,
    naming_plugins,
)
from weak2strong.ground.registry import forget
from weak2strong.losses import LOSSES
from weak2strong.methods import METHODS
from weak2strong.methods.decorators import method
from weak2strong.methods.reference import find_method, is_extended
from weak2strong.probes import PROBES
from weak2strong.tasks import TASKS

MINE = """
import weak2strong as w2s

@w2s.method("mine")
def mine(context, *, share: float = 0.5):
    \"\"\"Do as naive does. At length.\"\"\"
    return context.finetune(context.weak_labels)
"""


@pytest.fixture(autouse=True)
def clean():
    """No plugin outlives its test."""
    yield
    load_plugins(())
    for origin in (__file__, "cell"):
        forget(origin)
    plugins._OTHERS.clear()
    plugins._TYPED.clear()


@pytest.fixture
def write(tmp_path):
    """Writes a plugin of that name, and loads it."""

    def loaded(text, name="mine.py", load=True):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        if load:
            load_plugins([path])
        return path

    return loaded


def test_what_a_plugin_adds_is_found_by_name(write):
    path = write(MINE)
    found = METHODS.get("mine")
    assert (found.summary, found.options) == ("Do as naive does", {"share": 0.5})
    assert METHODS.origin("mine") == str(path)
    assert find_method("mine:share=0.25").name == "mine:share=0.25"
    assert is_extended("confident-only+mine:0.3")
    assert not is_extended("confident-only+confidence:0.3")


def test_a_file_is_run_again_only_when_it_has_changed(write, tmp_path):
    noting = "with open('{}', 'a') as f:\n    f.write('run ')\n"
    noted = tmp_path / "noted"
    path = write(MINE + noting.format(noted))
    load_plugins([path, path.parent / "elsewhere" / ".." / path.name])
    assert noted.read_text() == "run "
    # Of the same length and second: bytecode would be taken for that of the first.
    write(MINE.replace("0.5", "0.7") + noting.format(noted))
    assert noted.read_text() == "run run "
    assert METHODS.get("mine").options == {"share": 0.7}


def test_a_name_that_an_edited_plugin_no_longer_has_is_gone(write):
    write(MINE)
    write(MINE.replace('"mine"', '"yours"'))
    assert "mine" not in METHODS
    assert "yours" in METHODS


def test_plugins_go_with_their_study(write):
    write(MINE)
    before = digest_of_all()
    other = write(MINE.replace('"mine"', '"other"'), "other.py")
    assert "mine" not in METHODS
    assert digest_of_all() != before
    load_plugins([other.with_name("mine.py")])
    assert "other" not in METHODS
    assert digest_of_all() == before
    load_plugins(())
    assert "mine" not in METHODS


def test_where_a_file_lies_and_what_it_is_called_is_in_no_key(write):
    write(MINE)
    digest = digest_of_all()
    write(MINE, "renamed.py")
    assert digest_of_all() == digest
    write(MINE + "# a remark")
    assert digest_of_all() != digest


def test_two_files_of_one_name_are_two_plugins(write):
    one = write(MINE, "a/plugin.py", load=False)
    two = write(MINE.replace('"mine"', '"yours"'), "b/plugin.py", load=False)
    load_plugins([one, two])
    assert METHODS.origin("mine") == str(one)
    assert METHODS.origin("yours") == str(two)
    before = digest_of_all()
    write(MINE.replace('"mine"', '"yours"') + "\n", "b/plugin.py", load=False)
    load_plugins([one, two])
    assert digest_of_all() != before


LOSS = """
from __future__ import annotations
from dataclasses import dataclass
import weak2strong as w2s
{decorator}
@dataclass(frozen=True)
class Mine({base}):
    \"\"\"Minds no label.\"\"\"
    how: float = 0.5
    def per_example(self, logits, targets, fraction, statistics):
        return logits.sum(dim=-1)
    def predict(self, features, labels, asked):
        return labels
"""


def test_a_loss_is_also_the_method_that_finetunes_with_it(write):
    write(LOSS.format(decorator='@w2s.loss("mine")', base="w2s.RowLoss"))
    found = METHODS.get("mine")
    assert found.summary == "Minds no label"
    assert find_method("mine:how=0.25").name == "mine:how=0.25"
    made = LOSSES.build("mine", {"how": 0.25})
    assert digest_of(type(made)) == digest_of(LOSSES.get("mine")) is not None
    assert digest_of(type(LOSSES.build("kl", {}))) is None
    with pytest.raises(UserError, match="setting of the method 'mine' 'hew'"):
        find_method("mine:hew=1")


def test_a_probe_is_named_as_a_setting(write):
    write(LOSS.format(decorator='@w2s.probe("mine", source="ours")', base="w2s.Answering"))
    kind = PROBES.get("mine")
    assert (kind.summary, kind.source) == ("Minds no label", "ours")
    assert is_extended(find_method("probe-relabel:probe=mine,how=1").name)
    assert not is_extended("probe-relabel:knn")


TASK = """
import weak2strong as w2s
@w2s.task("mine", classes=("no", "yes"))
def mine():
    \"\"\"Is it?\"\"\"
    return [{examples}]
"""


@pytest.mark.parametrize(
    ("examples", "sentence"),
    [
        ("w2s.Example(w2s.Item('a', 'a', 'A'), 2)", r"number 0 is .*label from 0 to 1"),
        ("('a', 1)", r"number 0 is \('a', 1\), and not an Example"),
        ("w2s.Example(w2s.Item('a', 'a', 'A', ('B', 'C')), 1)", "2 completions, which is no class"),
        ("*2 * [w2s.Example(w2s.Item('a', 'a', 'A'), 1)]", "two examples have the id 'a'"),
    ],
)
def test_a_task_that_makes_nonsense_is_refused(write, examples, sentence):
    write(TASK.format(examples=examples))
    assert TASKS.get("mine").summary == "Is it?"
    with pytest.raises(UserError, match=f"^Task mine: .*{sentence}"):
        TASKS.get("mine").load()


BAD = {
    "syntax": ("def (", r"fails \(SyntaxError: .*, line 1 of mine.py\): mend it"),
    "exception": ("\n1 / 0", r"fails \(ZeroDivisionError: division by zero, line 2 of mine.py\)"),
    "deep exception": ("import json\njson.loads('{')", r"JSONDecodeError: .*, line 2 of mine.py"),
    "exit": ("import sys; sys.exit(3)", r"fails \(SystemExit: 3, line 1"),
    "zero byte": ("x = 1\0", r"fails \(\w+: .*null bytes"),
    "builtin": (MINE.replace('"mine"', '"naive"'), "'naive', and weak2strong itself has one"),
    "all": (MINE.replace('"mine"', '"all"'), "'all', which stands for all methods"),
    "letters": (MINE.replace('"mine"', '"My method"'), "take lower-case letters"),
    "need": (MINE.replace('"mine"', '"mine", needs=["money"]'), "method 'mine' 'money'"),
    "position": (MINE.replace("*, ", ""), "'share' by position, .* put a \\* before it"),
    "no default": (MINE.replace(" = 0.5", ""), "'share' of the method 'mine' needs a default"),
    "no context": (MINE.replace("context, ", ""), "let that be its first argument"),
    "no dataclass": (
        LOSS.format(decorator='@w2s.loss("mine")', base="").replace("@dataclass(frozen=True)", ""),
        r"is no dataclass, .*put @dataclass",
    ),
    "no loss": (
        LOSS.format(decorator='@w2s.loss("mine")', base=""),
        r"no 'needs_batch': .*RowLoss",
    ),
    "no probe": (LOSS.format(decorator='@w2s.probe("mine")', base=""), r"'predicts': .*Answering"),
    "method of a loss": (
        LOSS.format(decorator='@w2s.loss("ensemble")', base="w2s.RowLoss"),
        "'ensemble', and weak2strong itself has one",
    ),
    "dataset": (TASK.format(examples="").replace('"mine"', '"boolq"'), "dataset of the literature"),
    "group": (TASK.format(examples="").replace('"mine"', '"burns-nlp"'), "several tasks"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD)
def test_a_plugin_that_fails_is_a_sentence_and_leaves_nothing(write, text, sentence):
    names = {registry: set(registry) for registry in (METHODS, LOSSES, PROBES, TASKS)}
    with pytest.raises(UserError, match=sentence) as e:
        write(text)
    assert len(str(e.value).splitlines()) == 1
    assert {registry: set(registry) for registry in names} == names
    assert write(MINE)


def test_a_plugin_that_is_not_there_or_no_python_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match=r"nowhere.py cannot be read \(No such file"):
        load_plugins([tmp_path / "nowhere.py"])
    (tmp_path / "notes.txt").write_text(MINE)
    with pytest.raises(UserError, match=r"notes.txt is no Python file: name one that ends in .py"):
        load_plugins([tmp_path / "notes.txt"])
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(UserError, match=r"folder.py cannot be read"):
        load_plugins([tmp_path / "folder.py"])


def test_a_name_belongs_to_the_first_plugin_that_takes_it(write):
    one, two = write(MINE, load=False), write(MINE, "two.py", load=False)
    with pytest.raises(UserError, match=r"two.py names a method 'mine', and .*mine.py has one"):
        load_plugins([one, two])
    assert METHODS.origin("mine") == str(one)


def test_a_failed_plugin_takes_back_what_it_had_added(write):
    with pytest.raises(UserError):
        write(MINE + "\n1 / 0")
    assert "mine" not in METHODS


def test_what_a_script_adds_no_other_process_knows():
    def mine(context):
        """Do as naive does."""

    assert everywhere(METHODS.origin(name) for name in METHODS)
    method("mine")(mine)
    assert METHODS.origin("mine") == __file__
    assert not everywhere(METHODS.origin(name) for name in METHODS)
    assert digest_of(mine) is not None


def test_to_use_what_nobody_has_registered_changes_no_other_key(write):
    write(MINE)
    before = digest_of_all()
    assert digest_of(Fraction) is not None
    assert digest_of_all() == before


def typed(text: str, number: int) -> ModuleType:
    """Run a cell of a notebook, as IPython does it."""
    name = f"<cell {number}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = sys.modules.setdefault("cell", ModuleType("cell"))
    exec(compile(text, name, "exec"), vars(module))
    return module


@pytest.fixture
def notebook():
    yield
    sys.modules.pop("cell", None)


def test_keys_of_a_notebook_hold_all_that_it_defines(notebook):
    typed("limit = 1\ndef helper():\n    return limit\n", 1)
    typed(MINE, 2)
    assert METHODS.origin("mine") == "cell"
    digests = [digest_of_all()]
    typed("_3 = 1", 3)
    assert digest_of_all() == digests[0]
    for number, text in enumerate(
        ["limit = 2", "def helper():\n    return 3\n", MINE.replace("naive", "nobody")], start=4
    ):
        typed(text, number)
        digests.append(digest_of_all())
    assert len(set(digests)) == 4


def test_a_loss_of_a_notebook_has_the_source_of_its_cell(notebook):
    found = []
    for number, half in enumerate(("0.5", "0.25")):
        text = LOSS.format(decorator='@w2s.loss("mine")', base="w2s.RowLoss").replace("0.5", half)
        found.append(digest_of(typed(text, number).Mine))
    assert None not in found
    assert found[0] != found[1]


def test_what_has_no_source_is_refused(notebook):
    module = sys.modules.setdefault("cell", ModuleType("cell"))
    with pytest.raises(UserError, match=r"source of mine cannot be read, .* write it to a file"):
        exec(compile(MINE, "<stdin>", "exec"), vars(module))
    assert "mine" not in METHODS


INSTALLED = """
import sys
sys.path.insert(0, sys.argv[1])
from weak2strong.methods import METHODS
from weak2strong.ground.plugins import digest_of_all, everywhere, load_plugins, naming_plugins
import weak2strong.cli
assert "ours" not in sys.modules
load_plugins([])
assert METHODS.get("mine").options == {"share": 0.5}
assert everywhere(METHODS.origin(name) for name in METHODS)
print(digest_of_all())
"""


def test_an_installed_package_adds_by_its_entry_point(tmp_path):
    """Its key has all of its Python files, and nothing is imported before a study is resolved."""
    package, about = tmp_path / "ours", tmp_path / "ours-1.0.dist-info"
    package.mkdir()
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[weak2strong.plugins]\nours = ours.plugin\n")
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text("import ours.deeper")
    (package / "deeper.py").write_text(MINE)

    def run():
        command = [sys.executable, "-c", INSTALLED, str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True)

    first = run()
    assert first.returncode == 0, first.stderr
    assert run().stdout == first.stdout
    (package / "other.py").write_text("x = 1")
    assert run().stdout != first.stdout
    (package / "plugin.py").write_text("import nowhere_to_be_found")
    broken = run()
    assert "UserError: The plugin 'ours' of an installed package cannot be loaded" in broken.stderr
    assert "line 1 of plugin.py): mend or uninstall" in broken.stderr


def test_a_package_is_named_by_its_folder_when_it_fails(tmp_path, monkeypatch):
    file, found = tmp_path / "package" / "methods.py", {}
    exec(compile("def mine():\n    return 1 / 0", str(file), "exec"), found)
    with pytest.raises(ZeroDivisionError), naming_plugins():
        found["mine"]()
    monkeypatch.setitem(plugins._PACKAGES, str(file.parent), "digest")
    with pytest.raises(PluginError) as e, naming_plugins():
        found["mine"]()
    assert str(e.value) == (
        f"The plugin {file.parent} fails in mine (ZeroDivisionError: division by zero, line 2 of "
        "methods.py): mend it."
    )


def test_a_plugin_may_stand_in_the_saliency_figure(write):
    from weak2strong.analysis.analyses.saliency import source_of

    probe = MINE.replace('"mine"', '"mine", saliency="lp(weak)"')
    write(probe)
    assert source_of("lp(weak)", ["naive", "mine"]) == "method mine"
    assert source_of("lp(weak)", ["mine", "linear-probe"]) == "method linear-probe"
    assert source_of("lp(weak)", ["naive"]) == "method linear-probe"
    with pytest.raises(UserError, match=r"Unknown saliency of the method 'mine' 'lp'"):
        write(probe.replace("lp(weak)", "lp"))

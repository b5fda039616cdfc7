"""What a function reaches in a small package, and which edits of it count."""

import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from weak2strong.ground.code.pieces import Reader
from weak2strong.ground.code.reach import Roots, reached, words_in
from weak2strong.ground.code.source import Rules, Source

FILES = {
    "__init__.py": '_NAMES = {"area": "toy.shapes", "Unrelated": "toy.other"}\n',
    "fit.py": '''
"""Fits."""
from __future__ import annotations

from typing import TYPE_CHECKING

from toy import shapes
from toy.lists import LOSSES
from toy.shapes import Square as Box

if TYPE_CHECKING:
    from toy.model import Model

RATE = 0.1
"""How fast."""
UNUSED = 7


def fit(model: Model, n: int = 2) -> float:
    """How well."""
    from toy.lazily import late

    # A comment.
    if n < 0:
        raise ValueError(f"There are {n}: give more.")
    kind = LOSSES["square"]
    return model.forward(RATE) + shapes.area(Box(n)) + late(kind)


def stage(n):
    """A stage whose function stands inside it."""
    from toy.shapes import area

    other = UNUSED

    def make(folder):
        return area(Box(n))

    return make, other
''',
    "shapes.py": '''
from toy.bases import Shape


class Square(Shape):
    """A square."""

    SIDES = 4

    def __init__(self, n):
        self.n = n

    def size(self):
        """Its size."""
        return self.n**2

    def colour(self):
        return "red"


def area(shape):
    """Of any shape."""
    return shape.size()


def other(shape):
    return shape.colour()
''',
    "bases.py": """
class Shape:
    def name(self):
        return "shape"

    def size(self):
        return 0
""",
    "model.py": '''
from elsewhere import Module


class Model(Module):
    """Whose members are called by code that is not ours."""

    def forward(self, x):
        return x + 1

    def hook(self):
        return 1


class Settings:
    rate: float = 0.1
    depth: int = 2

    def twice(self):
        return self.rate * 2
''',
    "lazily.py": "def late(x):\n    return helper(x)\n\n\ndef helper(x):\n    return x\n",
    "other.py": "class Unrelated:\n    pass\n",
    "lists.py": """
from toy.registry import Registry

LOSSES = Registry("loss", {"square": "toy.shapes:other"})
""",
    "registry.py": "class Registry:\n    pass\n",
}

FIT = Roots(functions=frozenset({("toy.fit", "fit")}))
MAKE = Roots(functions=frozenset({("toy.fit", "stage.<locals>.make")}))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("toy") / "toy"
    root.mkdir()
    for name, text in FILES.items():
        (root / name).write_text(text)
    return root


NO_RULES = Rules()


def pieces(root, roots=FIT, edits=(), rules=NO_RULES, words=(), registered=None):
    def nothing(module, name, entry):
        return None

    source = Source("toy", root, rules).edited(dict(edits))
    return reached(source, roots, words, registered or nothing).digests


def edited(file, old, new):
    assert old in FILES[file]
    return ((file, FILES[file].replace(old, new)),)


def test_names_are_followed_through_modules_imports_and_annotations(root):
    found = pieces(root)
    assert {
        "fit: fit",
        "fit: RATE",
        "shapes: area",
        "shapes: Square",
        "shapes: Square.size",
        "bases: Shape.size",
        "model: Model.forward",
        "model: Model.hook",
        "lazily: late",
        "lazily: helper",
    } <= set(found)
    assert not {"fit: UNUSED", "fit: stage", "shapes: other", "shapes: Square.colour"} & set(found)
    assert not any(name.startswith(("other:", "lists:", "registry:")) for name in found)


def test_a_function_inside_another_is_followed_without_the_other(root):
    found = pieces(root, MAKE)
    assert {"fit: stage.make", "shapes: area", "shapes: Square.size"} <= set(found)
    assert not {"fit: fit", "fit: UNUSED", "model: Model"} & set(found)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("fit.py", '"""How well."""', '"""Another sentence."""'),
        ("fit.py", '    """How well."""\n', ""),
        ("fit.py", '"""How fast."""', '"""Slowly."""'),
        ("fit.py", "# A comment.", "# Another one."),
        ("fit.py", 'f"There are {n}: give more."', 'f"{n} is too few, {UNUSED} would do."'),
        ("fit.py", "n: int = 2", "n: float = 2"),
        ("fit.py", "-> float", "-> int"),
        ("fit.py", "UNUSED = 7", "UNUSED = 8"),
        ("fit.py", "shapes.area(Box(n))", "shapes.area(\n        (Box(n)),\n    )"),
        ("fit.py", "    other = UNUSED\n", ""),
        ("shapes.py", '"red"', '"blue"'),
        ("shapes.py", "return shape.colour()", "return 1"),
        ("bases.py", '"shape"', '"form"'),
        ("lists.py", "toy.shapes:other", "toy.shapes:area"),
        ("other.py", "pass", "x = 1"),
        ("__init__.py", "toy.other", "toy.bases"),
        ("__init__.py", "_NAMES = {", "_NAMES = {'x': 'toy.x', "),
    ],
)
def test_edits_that_cannot_change_a_result_do_not_count(root, file, old, new):
    assert pieces(root) == pieces(root, edits=edited(file, old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("fit.py", "RATE = 0.1", "RATE = 0.2"),
        ("fit.py", "n: int = 2", "n: int = 3"),
        ("fit.py", "n < 0", "n <= 0"),
        ("fit.py", "raise ValueError", "raise TypeError"),
        ("fit.py", 'LOSSES["square"]', 'LOSSES["round"]'),
        ("shapes.py", "self.n**2", "self.n**3"),
        ("shapes.py", "class Square(Shape)", "class Square"),
        ("shapes.py", "self.n = n", "self.n = n + 1"),
        ("bases.py", "return 0", "return 1"),
        ("model.py", "return x + 1", "return x"),
        ("model.py", "def hook", "@property\n    def hook"),
        ("lazily.py", "    return x\n", "    return -x\n"),
    ],
)
def test_edits_of_what_is_reached_count(root, file, old, new):
    before, after = pieces(root), pieces(root, edits=edited(file, old, new))
    assert before != after
    assert sorted(before.values()) != sorted(after.values())


def test_a_definition_that_moves_to_another_module_keeps_its_digest(root):
    late, helper = FILES["lazily.py"].split("\n\n\n")
    moved = (
        ("lazily.py", f"from toy.helpers import helper\n\n\n{late}\n"),
        ("helpers.py", helper),
    )
    before, after = pieces(root), pieces(root, edits=moved)
    assert set(before) - set(after) == {"lazily: helper"}
    assert sorted(before.values()) == sorted(after.values())


def test_an_effect_of_importing_a_module_counts_for_all_of_it(root):
    effect = (("lazily.py", FILES["lazily.py"] + "\nprint(1)\n"),)
    assert len(pieces(root, edits=effect)) == len(pieces(root)) + 1
    assert pieces(root, MAKE) == pieces(root, MAKE, edits=effect)


def test_all_that_a_name_is_bound_to_counts(root):
    """A property and its setter have one name, and so has a table that is filled later."""
    twice = """
class Late:
    @property
    def x(self):
        return 1

    @x.setter
    def x(self, value):
        return 2


TABLE = {}
TABLE["a"] = 3


def late(x):
    return TABLE[Late().x]
"""
    before = pieces(root, edits=(("lazily.py", twice),))
    for number in "123":
        after = pieces(root, edits=(("lazily.py", twice.replace(number, "7")),))
        assert sorted(before.values()) != sorted(after.values())


def test_what_stands_beside_is_not_followed(root):
    found = pieces(root, rules=Rules(beside=("toy.lazily", "toy.shapes:Square", "toy.mod")))
    assert not any(name.startswith(("lazily:", "shapes: Square")) for name in found)
    assert {"shapes: area", "model: Model"} <= set(found)


def test_settings_count_only_where_their_names_are_used(root):
    roots = Roots(functions=frozenset({("toy.model", "Settings")}))
    assert "model: Settings.depth" in pieces(root, roots)
    by_value = pieces(root, roots, rules=Rules(settings=("toy.model",)))
    assert not {"model: Settings.rate", "model: Settings.depth"} & set(by_value)


@pytest.mark.parametrize(("words", "followed"), [((), True), (("round",), True)])
def test_an_entry_of_a_registry_counts_where_its_name_is_a_word(root, words, followed):
    """``square`` is a word of the code, ``round`` one of the settings at hand."""
    asked = []

    def registered(module, name, entry):
        asked.append((module, name, entry))
        if entry in ("square", *words):
            return Roots(functions=frozenset({("toy.shapes", "other")}))

    found = pieces(root, words=words, registered=registered)
    assert {"shapes: other", "shapes: Square.colour"} <= set(found)
    assert {("toy.lists", "LOSSES", word) for word in ("square", *words)} <= set(asked)
    assert "shapes: other" not in pieces(root, MAKE, words=words, registered=registered)


def test_a_decorator_that_only_registers_does_not_count(root):
    def with_summary(text):
        head = "from toy.lists import method, cached\n\n\n"
        return (("lazily.py", f'{head}@cached(2)\n@method("a", "{text}")\n{FILES["lazily.py"]}'),)

    rules = Rules(registering=("toy.lists:method",))
    one, other = (pieces(root, rules=rules, edits=with_summary(t)) for t in ("one", "other"))
    assert one == other
    assert one != pieces(root, rules=rules)
    assert pieces(root, edits=with_summary("one")) != pieces(root, edits=with_summary("other"))


def test_what_a_plugin_uses_of_ours_counts_and_it_does_not_itself(root):
    def of(text):
        return pieces(root, Roots(sources=frozenset({("mine.py", text)})))

    found = of("import toy as t\n\nx = t.area(3)\n")
    assert set(found) == {"shapes: area"}
    assert of("from toy.lazily import late\n") == {}
    assert set(of("from toy.lazily import late\nlate(1)\n")) == {"lazily: late", "lazily: helper"}


def test_a_module_that_is_handed_on_counts_as_a_whole(root):
    whole = pieces(
        root, Roots(sources=frozenset({("mine.py", "from toy import shapes\nf(shapes)")}))
    )
    assert {"shapes: area", "shapes: other", "shapes: Square"} <= set(whole)


def test_a_root_that_is_not_there_is_an_error(root):
    with pytest.raises(KeyError, match=r"no stage\.other"):
        pieces(root, Roots(functions=frozenset({("toy.fit", "stage.<locals>.other")})))


def test_words_are_the_parts_of_all_texts_in_settings():
    settings = {"method": "probe-filter:logistic+confidence", "layers": [1, "last"], "none": None}
    assert {"probe-filter", "logistic", "confidence", "last", "method"} <= set(words_in(settings))


PYTHONS = [p for v in range(11, 16) if (p := which(f"python3.{v}"))]


@pytest.mark.parametrize("python", PYTHONS)
def test_digests_do_not_depend_on_the_version_of_python(python, root):
    """Syntax trees differ from version to version; keys outlive a newer Python."""
    package = Path(sys.modules[Reader.__module__].__file__).parents[3]
    program = (
        f"import sys; sys.path.insert(0, {str(package)!r})\n"
        "from pathlib import Path\n"
        "from weak2strong.ground.code.reach import Roots, reached\n"
        "from weak2strong.ground.code.source import Rules, Source\n"
        f"source = Source('toy', Path({str(root)!r}), Rules())\n"
        "roots = Roots(functions=frozenset({('toy.fit', 'fit')}))\n"
        "print(sorted(reached(source, roots, (), lambda *a: None).digests.items()))\n"
    )
    ran = subprocess.run([python, "-c", program], capture_output=True, text=True)
    if ran.returncode and "not found" in ran.stderr + ran.stdout:
        pytest.skip(f"{python} does not run here")
    assert ran.stdout.strip() == str(sorted(pieces(root).items())), ran.stderr


def test_relative_imports_are_those_of_the_package(root):
    relative = FILES["fit.py"].replace("from toy import", "from . import")
    relative = relative.replace("from toy.shapes import", "from .shapes import")
    assert relative.count("from .") == 3
    assert pieces(root) == pieces(root, edits=(("fit.py", relative),))


def test_a_function_that_stands_in_a_branch_is_found(root):
    before = "    def make(folder):\n        return area(Box(n))\n"
    for branch in ("if n", "try", "with n"):
        inside = "".join(f"    {line}\n" for line in before.splitlines())
        end = "    finally:\n        pass\n" if branch == "try" else ""
        edits = edited("fit.py", before, f"    {branch}:\n{inside}{end}")
        assert pieces(root, MAKE, edits) == pieces(root, MAKE)


@pytest.mark.parametrize("kind", ["ValueError", "UserWarning", "SystemExit"])
def test_the_message_of_an_object_that_may_be_raised_does_not_count(root, kind):
    def with_message(text, kind=kind):
        body = f"def late(x):\n    wrong = {kind}('{text}')\n    return helper(x)"
        return edited("lazily.py", "def late(x):\n    return helper(x)", body)

    one, other = (pieces(root, edits=with_message(text)) for text in ("one", "other"))
    assert one == other != pieces(root, edits=with_message("one", "print"))

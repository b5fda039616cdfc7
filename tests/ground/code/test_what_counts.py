"""What counts besides the pieces of source themselves, and what in them does not."""

import os
import subprocess
import sys

import pytest

from weak2strong.ground.code.reach import Roots, reached
from weak2strong.ground.code.source import Rules, Source

BESIDE = {
    "b": "N = 1\ndef h(): return N\ndef one(): return 1\ndef other(): return 2",
    "c": "N = 2\ndef h(): return N",
    "d": "from toy.b import h\ndef g(): return h()",
    "e": "from toy.c import h\ndef g(): return h()",
}
"""Modules beside the one of a case: some of them have definitions of the same names."""


def reach(source, roots):
    """What is reached where nothing is registered, by name."""
    return reached(source, roots, (), lambda *a: None).digests


def digests(folder, text, rules=Rules(), **modules):  # noqa: B008  frozen
    """Of all that the function ``f`` of a module ``a`` reaches, wherever it stands."""
    folder.mkdir(exist_ok=True)
    texts = {f"{name}.py": of for name, of in ({"a": text} | BESIDE | modules).items()}
    source = Source("toy", folder, rules).edited(texts)
    roots = Roots(functions=frozenset({("toy.a", "f")}))
    return sorted(reach(source, roots).values())


CLASS_AND_F = "class A:\n {}\ndef f(a: A):\n {}"

COUNTS = {
    "an import that gives another name": (
        "from toy.b import {} as g, other\ndef f(): return g() - other()",
        ("one", "other"),
    ),
    "which of two modules has it": (
        "from toy.{0} import N\nfrom toy import {1}\ndef f(): return N, {1}.h()",
        (("b", "c"), ("c", "b")),
    ),
    "which of two modules leads to it, some steps away": (
        "from toy import {0} as x, {1} as y\ndef f(): return x.g(), y.g()",
        (("d", "e"), ("e", "d")),
    ),
    "members that change classes": (
        "class A:\n def g(self): return {}\nclass B:\n def g(self): return {}\n"
        "def f(): return A().g(), B().g()",
        ((1, 2), (2, 1)),
    ),
    "the order of fields": (
        "@dataclass\nclass A:\n {}: int\n {}: int\ndef f(): return A(1, 2).x",
        (("x", "y"), ("y", "x")),
    ),
    "the order of statements": (
        "T = {{}}\nT['x'] = {}\nT['x'] = {}\ndef f(): return T",
        ((1, 2), (2, 1)),
    ),
    "what the body of a class reads of itself": (
        "class A:\n N = {}\n M = N + 1\ndef f(): return A.M",
        (1, 2),
    ),
    "what is there where types are not checked": (
        "if TYPE_CHECKING:\n import x\nelse:\n N = {}\ndef f(): return N",
        (1, 2),
    ),
    "a member that a base's base calls": (
        "class A(Module): pass\nclass B(A):\n def hook(self): return {}\ndef f(): return B()",
        (1, 2),
    ),
    "an attribute in a pattern": (
        "class A:\n @property\n def n(self): return {}\n"
        "def f(a: A):\n match a:\n  case A(n=1): return 1",
        (1, 2),
    ),
    "an attribute by its text": (
        "class A:\n def n(self): return {}\ndef f(a: A): return methodcaller('n')(a)",
        (1, 2),
    ),
    "an attribute that is asked for by its text": (
        "class A:\n def n(self): return {}\ndef f(a: A): return getattr(a, 'n')()",
        (1, 2),
    ),
    "how much an attribute grows": ("class A: pass\ndef f(a: A): a.n += {}", (1, 2)),
    "a class that a statement changes": (
        "class A({}): pass\nA.x = 1\ndef f(): return A(1)",
        ("int", "float"),
    ),
    "a class in the name of a type": (
        "class A:\n def __len__(self): return {}\nMany = list[A]\ndef f(x: Many): return x",
        (1, 2),
    ),
    "a field that is a variable of its class": (
        "@dataclass\nclass A:\n x: {} = 1\ndef f(): return A()",
        ("int", "ClassVar[int]"),
    ),
}


def both(folder, case, **options):
    text, fillings = case
    for filling in fillings:
        parts = filling if isinstance(filling, tuple) else (filling,)
        yield digests(folder / "toy", text.format(*parts), **options)


@pytest.mark.parametrize("what", COUNTS)
def test_what_a_name_stands_for_counts(tmp_path, what):
    """All pieces may be the same, and the result is another."""
    one, other = both(tmp_path, COUNTS[what])
    assert one != other


def test_two_values_of_one_name_may_not_change_places(tmp_path):
    """The functions that use them have the same name and text, so that only the way tells."""
    text = "from toy import b, c\ndef f(): return b.h(), c.h()"
    found = digests(tmp_path / "toy", text)
    assert found == digests(tmp_path / "toy", text + "\n# the same")
    assert found != digests(tmp_path / "toy", text, b=BESIDE["c"], c=BESIDE["b"])


DOES_NOT_COUNT = {
    "the name of a type": ("{0} = list[int]\ndef f(x: {0}): return x", ("Many", "Lots")),
    "what a type is": ("Many = {}\ndef f(x: Many): return x", ("list[int]", "tuple[int, ...]")),
    "the type of a field": (
        "@dataclass\nclass A:\n x: {} = 1\ndef f(): return A()",
        ("int", "int | None"),
    ),
    "a function with the name of a field": (
        "@dataclass\nclass A:\n x: int = 1\ndef x(): return {}\ndef f(): return A()",
        (1, 2),
    ),
    "a function with the name of a variable": (
        "def x(): return {}\ndef f():\n x = 1\n return 2",
        (1, 2),
    ),
}


@pytest.mark.parametrize("what", DOES_NOT_COUNT)
def test_types_and_names_that_are_given_lead_to_no_code(tmp_path, what):
    one, other = both(tmp_path, DOES_NOT_COUNT[what])
    assert one == other


def test_defaults_and_flags_of_settings_do_not_count(tmp_path):
    """Their values stand in keys; what is computed from them counts."""
    text = (
        "class A:\n rate: {} = {}\n def g(self): return self.rate / {}\ndef f(a: A): return a.g()"
    )
    rules = Rules(settings=("toy.a",))
    said = (("float", 1, 2), ("Annotated[float, Flag('r')]", 3, 2), ("float", 1, 4))
    one, other, computed = both(tmp_path, (text, said), rules=rules)
    assert one == other
    assert one != computed


def test_a_plugin_may_import_all_names_of_a_module(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    source = Source("toy", folder, Rules()).edited({"b.py": BESIDE["b"]})
    roots = Roots(sources=frozenset({("mine.py", "from toy.b import *\nh()\n")}))
    assert set(reach(source, roots)) == {"b: h", "b: N"}


def test_source_is_that_of_the_process(tmp_path):
    """A file that changes while a process runs is not the code of that process."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "a.py").write_text("def f(): return 1")
    source, roots = (
        Source("toy", folder, Rules()),
        Roots(functions=frozenset({("toy.a", "f")})),
    )
    (folder / "a.py").write_text("def f(): return 2")
    then = reach(source, roots)
    now = reach(Source("toy", folder, Rules()), roots)
    assert then != now


def test_a_function_inside_another_sees_what_that_imports_from_beside_it(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    text = "def outer():\n from .b import one\n def make(): return one()\n return make"
    source = Source("toy", folder, Rules()).edited({"a.py": text, "b.py": BESIDE["b"]})
    roots = Roots(functions=frozenset({("toy.a", "outer.<locals>.make")}))
    assert set(reach(source, roots)) == {"a: outer.make", "b: one"}


PROGRAM = """
from pathlib import Path
from weak2strong.ground.code.reach import Roots, reached
from weak2strong.ground.code.source import Rules, Source

roots = Roots(
    functions=frozenset(("toy.a", name) for name in "fgh"),
    values=frozenset(("f", text) for text in ("1", "2", "3")),
)
text = "R = Registry('r')\\n" + "".join(f"def {n}(): return R, 'x'\\n" for n in "fgh")
source = Source("toy", Path("."), Rules()).edited({"a.py": text})
found = reached(source, roots, (), lambda *a: roots if a[2] == "x" else None)
print(sorted(found.digests.items()))
"""


def test_the_order_of_sets_does_not_count():
    """It is another one in every process."""
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(found) == 1
    assert "R, its x" in found.pop()

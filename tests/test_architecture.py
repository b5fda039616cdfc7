"""The house rules that a machine can check: who imports whom, and what an import costs."""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

import weak2strong

SRC = Path(weak2strong.__file__).parent

LAYERS = [
    ("ground",),
    ("config",),
    ("tasks",),
    ("models",),
    ("probes",),
    ("simulators",),
    ("training",),
    ("methods",),
    ("losses",),
    ("protocol",),
    ("engine",),
    ("analysis",),
    ("experiments",),
    ("report",),
    ("cli",),
    ("__main__",),
]
"""Packages from the ground up: each may import those of the lines above its own."""

SUBJECTS_MAY = {"ground", "config", "tasks", "models", "training"}
"""What the rooms of single subjects may import; nothing imports them but through a registry."""


def parts_of(path: Path) -> str:
    """The package or module directly below weak2strong that a file belongs to."""
    return path.relative_to(SRC).with_suffix("").parts[0]


@cache
def imported_names(source: str) -> set[str]:
    """Dotted names in weak2strong that a source imports anywhere, functions included."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.update(f"{node.module}.{a.name}" for a in node.names)
    return {name for name in found if name.startswith("weak2strong.")}


def imported(source: str) -> set[str]:
    """Top-level parts of weak2strong that a source imports anywhere, functions included."""
    return {name.split(".")[1] for name in imported_names(source)}


def allowed(part: str) -> set[str]:
    """What a part may import besides itself."""
    if part == "subjects":
        return SUBJECTS_MAY
    row = next(i for i, line in enumerate(LAYERS) if part in line)
    return {other for line in LAYERS[:row] for other in line}


def test_imports_go_one_way():
    wrong = {
        path.relative_to(SRC).as_posix(): against
        for path in sorted(SRC.rglob("*.py"))
        if (part := parts_of(path)) != "__init__"
        if (against := imported(path.read_text()) - allowed(part) - {part})
    }
    assert not wrong


def test_the_rule_would_notice_a_wrong_arrow():
    source = "def f():\n    from weak2strong.engine.run import run_study\n"
    assert imported(source) - allowed("training") == {"engine"}


def module_name(path: Path) -> str:
    """The dotted name of the module in a file."""
    parts = ("weak2strong", *path.relative_to(SRC).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def import_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """The modules that each module imports, from the sources of all by name."""
    graph = {}
    for module, source in sources.items():
        names = imported_names(source)
        # `from a.b import c` imports the module a.b.c if there is one, else a name of a.b.
        found = {n if n in sources else n.rpartition(".")[0] for n in names}
        graph[module] = found & set(sources) - {module}
    return graph


def circles(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """The strongly connected components of more than one module."""

    def reached(start: str) -> set[str]:
        found, waiting = set[str](), [start]
        while waiting:
            new = graph[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    reach = {module: reached(module) for module in graph}
    return {
        frozenset(other for other in reach[module] if module in reach[other])
        for module in graph
        if module in reach[module]
    }


def test_no_modules_import_each_other_in_a_circle():
    sources = {module_name(path): path.read_text() for path in SRC.rglob("*.py")}
    assert circles(import_graph(sources)) == set()


def test_the_rule_would_notice_a_circle():
    """Also one behind functions and types, over three modules."""
    sources = {
        "weak2strong.a": "def f():\n    from weak2strong.b import g\n",
        "weak2strong.b": "if TYPE_CHECKING:\n    from weak2strong.c import d\n",
        "weak2strong.c": "from weak2strong import a\n",
        "weak2strong.d": "import weak2strong.a\n",
    }
    graph = import_graph(sources)
    three = {"weak2strong.a", "weak2strong.b", "weak2strong.c"}
    assert circles(graph) == {frozenset(three)}
    assert circles({**graph, "weak2strong.c": set()}) == set()


WRITES = re.compile(
    r"\.write_(text|bytes)\(|open\([^)\n]*[\"'][wx]b?[\"']|\.write_(parquet|csv)\((?!file\)|\))"
)
"""Writing of a file other than by `ground.whole` and `ground.index`; not into memory."""


@pytest.mark.parametrize("part", ["engine", "analysis", "experiments", "report", "cli"])
def test_files_are_written_whole(part):
    found = [
        f"{path.relative_to(SRC)}: {line.strip()}"
        for path in sorted((SRC / part).rglob("*.py"))
        for line in path.read_text().splitlines()
        if WRITES.search(line)
    ]
    assert not found, "use ground.whole.write_whole, or ground.index.put in a run's folder"


def test_the_rule_would_notice_a_file_that_may_be_cut():
    for line in (
        'path.write_text("a")',
        'with open(path, "w") as file:',
        'self.out.open("w")',
        "table.write_parquet(path)",
    ):
        assert WRITES.search(line), line


ROOM_WORDS = {
    "subjects/chess": r"chess|puzzle|(?<![a-z])mates?(?![a-z])",
    "subjects/atlas": r"ladder[ _.]build|build_ladder|(?<![a-z])pretrain(?![a-z])|corpus",
    "subjects": r"weak2strong\.subjects\.",
}
"""Words of rooms, which no code outside of them may know, in names and texts."""

CITING = {"analysis/axis.py", "protocol/literature.py"}
"""Code that says what papers have found, of chess too."""


@cache
def words_of(source: str) -> set[str]:
    """The names and texts in a source, docstrings excepted."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            found.append(node.value)
        fields = ("id", "attr", "arg", "name", "asname", "module")
        found += [w for f in fields if isinstance(w := getattr(node, f, None), str)]
    return set(found)


@pytest.mark.parametrize("room", ROOM_WORDS)
def test_nothing_outside_of_a_room_knows_its_words(room):
    for path in SRC.rglob("*.py"):
        name = path.relative_to(SRC).as_posix()
        if name.startswith(f"{room}/") or name in CITING:
            continue
        words = "\n".join((name, *words_of(path.read_text())))
        found = re.search(ROOM_WORDS[room], words, re.IGNORECASE)
        assert not found, (name, found and words[: found.end()].splitlines()[-1])


def test_words_are_those_of_code_and_not_of_docstrings():
    source = '"""Chess."""\ndef f(mate):\n    """Puzzle."""\n    return f"{mate.x} of chess"'
    assert words_of(source) == {" of chess", "f", "mate", "x"}


def loaded_by(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after running code."""
    code += "; import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"torch", "transformers", "numpy", "polars", "scipy", "sklearn"}
    assert not heavy & loaded_by("import weak2strong as w2s; w2s.__version__")


def test_help_loads_nothing_heavy():
    code = (
        "from weak2strong.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "import sys\nprint('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "numpy", "polars", "scipy", "sklearn"}
    assert "usage: w2s" in done.stdout
    assert not heavy & set(done.stdout.split())


def test_the_public_names_can_be_had():
    for name in weak2strong.__all__:
        assert getattr(weak2strong, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = weak2strong.nonsense

"""The house rules that a machine can check: who imports whom, and what an import costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import weak2strong

SRC = Path(weak2strong.__file__).parent

LAYERS = [
    ("ground",),
    ("config",),
    ("tasks",),
    ("models",),
    ("losses", "probes"),
    ("simulators",),
    ("training",),
    ("methods",),
    ("protocol",),
    ("engine",),
    ("analysis",),
    ("experiments",),
    ("report",),
    ("extend",),
    ("api",),
    ("cli",),
]
"""Packages from the ground up: each may import those of the lines above its own."""

SUBJECTS_MAY = {"ground", "config", "tasks", "models", "training"}
"""What the rooms of single subjects may import; nothing imports them but through a registry."""

OPEN = {
    ("analysis", "experiments"),
    ("tasks", "subjects"),
    ("protocol", "subjects"),
    ("engine", "subjects"),
    ("analysis", "subjects"),
    ("extend", "subjects"),
    ("report", "subjects"),
    ("cli", "subjects"),
}
"""Arrows that still run the wrong way."""


def parts_of(path: Path) -> str:
    """The package or module directly below weak2strong that a file belongs to."""
    return path.relative_to(SRC).with_suffix("").parts[0]


def imported(source: str) -> set[str]:
    """Top-level parts of weak2strong that a source imports anywhere, functions included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module or ""]
            if node.module == "weak2strong":
                names = [f"weak2strong.{a.name}" for a in node.names]
        for name in names:
            top, *rest = name.split(".")
            if top == "weak2strong" and rest:
                found.add(rest[0])
    return found


def allowed(part: str) -> set[str]:
    """What a part may import besides itself."""
    still = {other for one, other in OPEN if one == part}
    if part == "subjects":
        return SUBJECTS_MAY
    row = next(i for i, line in enumerate(LAYERS) if part in line)
    return {other for line in LAYERS[:row] for other in line} | still


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_imports_go_one_way(path):
    part = parts_of(path)
    if part == "__init__":
        return
    wrong = imported(path.read_text()) - allowed(part) - {part}
    assert not wrong, f"{path.relative_to(SRC)} imports {wrong}"


def test_the_rule_would_notice_a_wrong_arrow():
    source = "def f():\n    from weak2strong.engine.run import run_study\n"
    assert imported(source) - allowed("training") == {"engine"}


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

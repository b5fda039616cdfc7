"""Which modules are mutated, and where the tests stand that should notice.

A table of folders is enough: which of their tests run a changed line is measured (`covered.py`).
"""

from collections.abc import Iterator
from pathlib import Path

TARGETS = (
    "losses",
    "ground/metrics.py",
    "analysis",
    "tasks/splits.py",
    "ground/code",
    "ground/store/key.py",
    "protocol/task_run.py",
    "protocol/stages",
)
"""What decides numbers and keys, below the package."""

NEAREST = {
    "losses": ("tests/losses", "tests/methods", "tests/protocol"),
    "ground/metrics.py": ("tests/ground/test_metrics.py", "tests/analysis"),
    "analysis/audit": ("tests/analysis", "tests/cli/test_audit.py"),
    "analysis/finished.py": (
        "tests/analysis",
        "tests/cli/test_statistics.py",
        "tests/report/test_provenance.py",
    ),
    "analysis": (
        "tests/analysis",
        "tests/cli/test_analyse.py",
        "tests/cli/test_statistics.py",
        "tests/report/test_planted_analysis.py",
        "tests/report/test_table.py",
    ),
    "tasks/splits.py": ("tests/tasks", "tests/protocol"),
    "ground/code": (
        "tests/ground/code",
        "tests/protocol/test_code_in_keys.py",
        "tests/protocol/test_code_of_plugins.py",
    ),
    "ground/store": ("tests/ground/store",),
    "protocol": ("tests/protocol", "tests/methods"),
    "protocol/stages/simulated.py": (
        "tests/protocol",
        "tests/simulators",
        "tests/experiments/test_simulated_study.py",
    ),
    "protocol/stages/sweeps.py": ("tests/protocol", "tests/experiments/test_sweep.py"),
}
"""Tests by the beginning of a module's path; the longest beginning that fits counts."""


def targets(package: Path) -> list[str]:
    """The modules that are mutated, as paths below the package."""

    def files() -> Iterator[Path]:
        for target in TARGETS:
            path = package / target
            if not path.exists():
                raise FileNotFoundError(f"{path} is gone: correct TARGETS in {__file__}.")
            yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]

    return [path.relative_to(package).as_posix() for path in files()]


def nearest(file: str) -> tuple[str, ...]:
    """The folders and files of tests for a module."""
    return NEAREST[max((name for name in NEAREST if file.startswith(name)), key=len)]

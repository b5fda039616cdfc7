"""Which statements of the mutated modules each test runs, and how long it takes: measured once.

The modules are imported with a call before each statement of their functions that takes note. A
statement that a fixture runs counts for every test with this fixture.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from mutants import Mutant

Lines = dict[str, set[int]]

NOTE = "__ran__"
"""The name of the function that takes note, among the globals of a module."""


def instrumented(package: Path, file: str) -> CodeType:
    """The code of a module that calls `NOTE` with the line of each statement of a function."""
    tree = ast.parse((package / file).read_bytes())
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            for part in ("body", "orelse", "finalbody"):
                statements = getattr(node, part, None)
                if isinstance(statements, list):
                    setattr(node, part, [x for s in statements for x in _noted(s)])
    return compile(ast.fix_missing_locations(tree), package / file, "exec", dont_inherit=True)


def _noted(statement: ast.stmt) -> list[ast.stmt]:
    if isinstance(statement, ast.Expr) and NOTE in ast.unparse(statement):
        return [statement]
    call = ast.Call(ast.Name(NOTE, ast.Load()), [ast.Constant(statement.lineno)], [])
    note = ast.copy_location(ast.Expr(call), statement)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        # A docstring stays the first statement.
        return [statement, note]
    return [note, statement]


class Recorder:
    """A pytest plugin: outcomes and seconds by test function, and the statements that it runs.

    A test function with many parameters is one test.
    """

    def __init__(self) -> None:
        self._fixtures: dict[tuple[str, str], Lines] = {}
        self._uses: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._lines: dict[str, Lines] = defaultdict(lambda: defaultdict(set))
        self._current: Lines = defaultdict(set)
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: str | None = None

    def note(self, file: str) -> Callable[[int], None]:
        """The function that a module calls."""
        return lambda line: self._current[file].add(line)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[function_of(report.nodeid)] += report.duration
        if report.failed and self.failed is None:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid or "collecting"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        name = function_of(item.nodeid)
        definitions = item._fixtureinfo.name2fixturedefs.values()
        self._uses[name] |= {(d.baseid, d.argname) for ds in definitions for d in ds}
        return (yield from self._noting(self._lines[name]))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[Any]:
        key = (fixturedef.baseid, fixturedef.argname)
        return (yield from self._noting(self._fixtures.setdefault(key, defaultdict(set))))

    def _noting(self, lines: Lines) -> Iterator[Any]:
        before, self._current = self._current, lines
        try:
            return (yield)
        finally:
            self._current = before

    def measured(self) -> dict[str, Any]:
        """Seconds and lines by test."""
        found = {}
        for name, own in self._lines.items():
            of_fixtures = [self._fixtures[key] for key in self._uses[name] if key in self._fixtures]
            files = {file for lines in (own, *of_fixtures) for file in lines}
            merged = {f: sorted(set().union(*(x[f] for x in (own, *of_fixtures)))) for f in files}
            found[name] = {"seconds": self.seconds[name], "lines": merged}
        return found


def function_of(nodeid: str) -> str:
    """The name of a test without its parameters."""
    return nodeid.split("[")[0]


@dataclass
class Coverage:
    """What the tests run, by test function; the tests of one folder are measured together."""

    tests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def chosen(self, mutant: Mutant, folders: tuple[str, ...], budget: float) -> list[str]:
        """The tests that run a mutant's line, files that are done soon first.

        Args:
            mutant: where the change is. What is done at import is run by all tests; those come
                first that run something of the module.
            folders: whose tests count.
            budget: seconds; of a file that takes longer, the tests that are done soon.
        """
        near = {name: test for name, test in self.tests.items() if name.startswith(folders)}
        ran = {n for n, t in near.items() if any(map(mutant.runs, t["lines"].get(mutant.file, ())))}
        runs = {name.split("::")[0] for name in ran}
        by_file: dict[str, list[str]] = defaultdict(list)
        # What no test runs may be run by the import, of which there is no note.
        for name in near if mutant.scope is None or not ran else ran:
            by_file[name.split("::")[0]].append(name)
        costs = {f: sum(self.tests[n]["seconds"] for n in names) for f, names in by_file.items()}
        chosen, left = list[str](), budget
        for file in sorted(costs, key=lambda file: (file not in runs, costs[file])):
            if costs[file] <= left:
                taken = by_file[file]
            else:
                soon = sorted(by_file[file], key=lambda name: self.tests[name]["seconds"])
                sums = accumulate(self.tests[name]["seconds"] for name in soon)
                fitting = {n for n, s in zip(soon, sums, strict=True) if s <= left}
                fitting |= set() if chosen else {soon[0]}
                taken = [name for name in by_file[file] if name in fitting]
            chosen += taken
            left -= self.seconds(taken)
        return chosen

    def leave_out(self, file: str) -> None:
        """Take the tests of a file for none."""
        self.tests = {n: test for n, test in self.tests.items() if n.split("::")[0] != file}

    def seconds(self, names: list[str]) -> float:
        return sum(self.tests[name]["seconds"] for name in names)

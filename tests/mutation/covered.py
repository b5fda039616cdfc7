"""Which lines of the mutated modules each test runs, and how long it takes: measured once.

A line that a fixture runs counts for every test with this fixture.
"""

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from mutants import Mutant

Lines = dict[str, set[int]]


class Recorder:
    """A pytest plugin: outcomes and seconds by test function, and the lines that it runs.

    A test function with many parameters is one test.
    """

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self._files = files or {}
        self._fixtures: dict[tuple[str, str], Lines] = {}
        self._uses: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._lines: dict[str, Lines] = defaultdict(lambda: defaultdict(set))
        self._current: Lines | None = None
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: str | None = None

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
        return (yield from self._traced(self._lines[name]))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[Any]:
        key = (fixturedef.baseid, fixturedef.argname)
        return (yield from self._traced(self._fixtures.setdefault(key, defaultdict(set))))

    def _traced(self, lines: Lines) -> Iterator[Any]:
        if not self._files:
            return (yield)
        before, self._current = self._current, lines
        sys.settrace(self._trace)
        threading.settrace(self._trace)
        try:
            return (yield)
        finally:
            self._current = before
            sys.settrace(self._trace if before is not None else None)

    def _trace(self, frame: Any, event: str, arg: Any) -> Any:
        file = self._files.get(frame.f_code.co_filename)
        if file is None or self._current is None:
            return None
        lines = self._current[file]
        lines.add(frame.f_lineno)

        def local(frame: Any, event: str, arg: Any) -> Any:
            lines.add(frame.f_lineno)
            return local

        return local

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
            mutant: where the change is. What is done at import counts as run by whatever runs
                anything of the module.
            folders: whose tests count.
            budget: seconds; files after that are left out, but never all.
        """
        by_file: dict[str, list[str]] = defaultdict(list)
        for name, test in self.tests.items():
            lines = test["lines"].get(mutant.file, ())
            if name.startswith(folders) and any(map(mutant.runs, lines)):
                by_file[name.split("::")[0]].append(name)
        costs = {f: sum(self.tests[n]["seconds"] for n in names) for f, names in by_file.items()}
        chosen, spent = [], 0.0
        for file in sorted(costs, key=lambda file: costs[file]):
            if chosen and spent + costs[file] > budget:
                break
            chosen += by_file[file]
            spent += costs[file]
        return chosen

    def seconds(self, names: list[str]) -> float:
        return sum(self.tests[name]["seconds"] for name in names)

"""What is mutated and what is not, and that a sample is even and stays as it is."""

import ast
import importlib
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OURS = ("covered", "mutants", "operators", "places", "results")

MODULE = '''
"""A module with 1 docstring."""
from typing import TYPE_CHECKING, Literal
from weak2strong.ground.table import Column

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["one", "two"]

LIMIT = 3
"""At most 3."""

Kind = Literal["a", "b"]


def one(values: list[int], most: int = LIMIT, *, strict: bool) -> bool:
    """At most 7 values."""
    if len(values) > most:
        raise ValueError(f"More than {most + 1} values: take {3}.")
    columns = [Column("one", "the 5th", detail=True)]
    return all(v < 4 for v in values if v) and zip(values, values, strict=True)


def title(value: float) -> str:
    return f"{100 * value:.1f} of {value + 1}" if value > 0 else "none"
'''


@pytest.fixture
def tool(monkeypatch):
    """The modules of the tool, which have no package of their own."""
    monkeypatch.syspath_prepend(HERE)
    for name in OURS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("mutants")
    for name in OURS:
        sys.modules.pop(name, None)


@pytest.fixture
def package(tmp_path):
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis/one.py").write_text(MODULE)
    (tmp_path / "analysis/two.py").write_text("\n".join(f"A{n} = {n}" for n in range(30)))
    (tmp_path / "three.py").write_text("\n".join(f"B{n} = {n}" for n in range(60)))
    return tmp_path


FILES = ("analysis/one.py", "analysis/two.py", "three.py")


def test_numbers_and_decisions_are_mutated_and_words_are_not(tool, package):
    found = [m for place in tool.mutants_of(package, "analysis/one.py") for m in place]
    assert {m.change for m in found} == {
        "3 -> 4",
        "3 -> 2",
        "3 -> 0",
        "len(values) > most -> not len(values) > most",
        "len(values) > most -> True",
        "len(values) > most -> False",
        "len(values) > most -> len(values) >= most",
        "len(values) > most -> len(values) <= most",
        "raise ValueError(f'More than {most + 1} values: take {3}.') -> pass",
        "return all((v < 4 for v in values if v)) and zip(values, values, strict=True) -> "
        "return not (all((v < 4 for v in values if v)) and zip(values, values, strict=True))",
        "all((v < 4 for v in values if v)) and zip(values, values, strict=True) -> "
        "all((v < 4 for v in values if v)) or zip(values, values, strict=True)",
        "all((v < 4 for v in values if v)) and zip(values, values, strict=True) -> "
        "zip(values, values, strict=True)",
        "all((v < 4 for v in values if v)) and zip(values, values, strict=True) -> "
        "all((v < 4 for v in values if v))",
        "all((v < 4 for v in values if v)) -> any((v < 4 for v in values if v))",
        "for v in values if v -> for v in values",
        "v < 4 -> v <= 4",
        "v < 4 -> v >= 4",
        "4 -> 5",
        "4 -> 3",
        "4 -> 0",
    }


def test_a_mutant_differs_by_its_change_alone(tool, package):
    source = package / "analysis/one.py"
    before = ast.unparse(ast.parse(source.read_text())).splitlines()
    for place in tool.mutants_of(package, "analysis/one.py"):
        for mutant in place:
            after = ast.unparse(tool.changed(package, mutant, mutant.file)).splitlines()
            different = [x for x, y in zip(before, after, strict=True) if x != y]
            assert len(different) == 1
    assert source.read_text() == MODULE


def test_what_is_run_is_noted_statement_by_statement(tool, package):
    """And a mutant belongs to one of these, or to a whole function, or to the import."""
    covered = importlib.import_module("covered")
    (package / "four.py").write_text(
        'def sign(x, least=0):\n    """Of 2."""\n    if x < least:\n        x = -x\n'
        "        return 1 * x\n    return (\n        3\n    )\nLIMIT = 5\n"
    )
    noted, code = [], covered.instrumented(package, "four.py")
    names = {covered.NOTE: noted.append}
    exec(code, names)
    assert names["sign"].__doc__ == "Of 2."
    assert noted == []
    assert [names["sign"](x) for x in (-2, 2)] == [2, 3]
    assert noted == [2, 3, 4, 5, 2, 3, 6]
    by_change = {
        m.change: [line for line in (3, 4, 5, 6, 99) if m.runs(line)]
        for place in tool.mutants_of(package, "four.py")
        for m in place
    }
    assert by_change["x < least -> x <= least"] == [3]
    assert by_change["-x -> x"] == [4]
    assert by_change["1 * x -> 1 / x"] == [5]
    assert by_change["3 -> 4"] == [6]
    assert by_change["0 -> 1"] == [3, 4, 5, 6]
    assert by_change["5 -> 6"] == [3, 4, 5, 6, 99]


def test_a_sample_has_of_each_module_its_share(tool, package):
    found = tool.sample(package, FILES, 20, seed=0)
    places = {file: len(tool.mutants_of(package, file)) for file in FILES}
    counts = Counter(m.file for m in found)
    assert len(found) == 20
    for file, n in places.items():
        assert abs(counts[file] - 20 * n / sum(places.values())) < 1
    assert len({(m.file, m.line, m.function) for m in found if m.file != FILES[0]}) == len(
        [m for m in found if m.file != FILES[0]]
    )


def test_a_sample_depends_on_the_seed_and_not_on_other_modules(tool, package):
    def names(seed=0):
        return {m.name for m in tool.sample(package, FILES, 20, seed)}

    before = names()
    assert before == names() != names(seed=1)
    # Another line above it all, which moves every line.
    source = package / "three.py"
    source.write_text("import os\n" + source.read_text())
    assert names() == before


def test_results_outlive_a_kill_within_a_line(tool, package, tmp_path):
    results = importlib.import_module("results")
    one, two = tool.sample(package, FILES, 2, seed=0)
    kept = results.Results(tmp_path / "out.jsonl")
    kept.add(one, {"outcome": "passed", "seconds": 1.0}, tests=3)
    kept.add(two, {"outcome": "failed", "seconds": 1.0, "test": "test_x"}, tests=3)
    whole = kept.path.read_bytes()
    kept.path.write_bytes(whole[:-9])
    again = results.Results(kept.path)
    assert again.survivors() == [one.name]
    assert set(again.last) == {one.name}
    again.add(two, {"outcome": "failed", "seconds": 1.0, "test": "test_x"}, tests=3)
    assert kept.path.read_bytes() == whole


def test_a_mutant_that_was_killed_later_counts_so_and_is_told_apart(tool, package, tmp_path):
    results = importlib.import_module("results")
    one, two, three = tool.sample(package, FILES, 3, seed=0)
    kept = results.Results(tmp_path / "out.jsonl")
    for mutant, outcome in (
        (one, "passed"), (two, "passed"), (three, "passed"), (one, "failed")
    ):  # fmt: skip
        kept.add(mutant, {"outcome": outcome, "seconds": 1.0}, tests=3)
    explained = tmp_path / "explained.yaml"
    explained.write_text(f"- mutant: '{two.name}'\n  why: it is the same\n")
    text = results.report(kept, [one, two, three], explained)
    (last,) = [line.split() for line in text.splitlines() if line.startswith("all")]
    assert last == ["all", "3", "33.3%", "0.0%", "1", "1"]
    assert f"survived: {three.name}" in text
    assert two.name not in text

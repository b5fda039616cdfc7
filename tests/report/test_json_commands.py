"""Every command that prints a table prints one JSON document where it is asked to, and no more."""

import json
import math
import os
import re
from pathlib import Path

import pytest

from weak2strong.cli import main
from weak2strong.tasks import TASKS

COMMANDS = {
    "table RUN": ["results", "over_tasks"],
    "analyse RUN": ["agreement", "calibration", "confusion", "ceilings", "difficulty", "misfit"],
    "compare RUN": ["compared"],
    "power RUN": ["designs"],
    "power --variance 0.01 0.01": ["designs"],
    "verify RUN --trusted 20": ["students"],
    "run --task atlas-asia --dry-run": ["tasks", "stages", "models"],
    "tasks": ["tasks", "datasets"],
    "tasks atlas-asia atlas-euro": ["tasks", "splits"],
    "methods": ["methods", "steps", "oracles", "probes"],
    "methods probe-filter": ["methods", "settings"],
    "models": ["models", "pairs"],
    "models --check atlas-xs": ["needs"],
    "place --weak 500M --strong 8B": ["findings"],
    "audit atlas-arabic": ["tasks"],
    "annotators PEOPLE --weak-label-columns ann bob": ["annotators", "pairs"],
    "store sizes": [],
}


PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
NAMES = set(re.findall(r"`([\w…-]+)`", PAGE))
"""What the page has in backticks; ``undefined_…`` stands for all names that begin so."""
BEGINNINGS = tuple(name.removesuffix("…") for name in NAMES if name.endswith("_…"))


def told(command):
    """The names in the parts of the page that begin with a command."""
    parts = re.split(r"\n\n(?=`[a-z]|##)", PAGE)
    of = [part for part in parts if f"`{command}" in part.partition(":")[0]]
    return set(re.findall(r"`([\w…-]+)`", "\n".join(of)))


def is_told(field):
    """Whether the page has a field of a row; the ends of an interval go by its name."""
    name = re.sub("_(low|high|wide)$", "", field)
    return bool({field, name} & NAMES) or field.startswith(BEGINNINGS)


@pytest.fixture(scope="module")
def run(made_run, tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("json") / "run", examples=60)


def numbers(value):
    """All floats in a document."""
    if isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from numbers(inside)
    elif isinstance(value, float):
        yield value


@pytest.fixture
def few_tasks(monkeypatch):
    """A list of all tasks splits each of them; these are of every kind."""
    kinds = {TASKS.get(name).kind: name for name in TASKS}
    few = {name: TASKS.get(name) for name in kinds.values()}
    monkeypatch.setattr("weak2strong.report.tasks.TASKS", few)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_one_document(command, run, capsys, few_tasks):
    # What only looks at a store makes none.
    Path(os.environ["W2S_STORE"]).mkdir(parents=True, exist_ok=True)
    people = run.parent / "people.csv"
    rows = [f"text {i},{i % 2},{i % 2},{(i + i // 9) % 2}" for i in range(90)]
    people.write_text("\n".join(["text,label,ann,bob", *rows]))
    named = {"RUN": str(run), "PEOPLE": str(people)}
    words = [named.get(word, word) for word in command.split()]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert command.startswith(found["command"])
    assert {"version", "notes", "warnings"} <= set(found)
    for name in COMMANDS[command]:
        assert found[name], name
        assert all(isinstance(row, dict) for row in found[name])
    assert all(map(math.isfinite, numbers(found)))
    unsaid = set(found) - told(found["command"]) - {"command", "version", "notes", "warnings"}
    assert not unsaid, f"docs/json.md, {found['command']}: {unsaid}"
    rows = [row for of in found.values() if isinstance(of, list) for row in of]
    unsaid = {name for row in rows if isinstance(row, dict) for name in row if not is_told(name)}
    assert not unsaid, f"docs/json.md: {unsaid}"


def test_two_tasks_are_in_one_document(capsys):
    assert main(["tasks", "atlas-asia", "atlas-euro", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [task["name"] for task in found["tasks"]] == ["atlas-asia", "atlas-euro"]
    assert {row["task"] for row in found["splits"]} == {"atlas-asia", "atlas-euro"}


def test_an_undefined_pgr_is_null_and_has_its_reason(made_run, tmp_path, capsys):
    run = made_run(tmp_path / "few", tasks=["a-task"], seeds=2, examples=10)
    assert main(["table", str(run), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["results"][0]
    assert (row["pgr"], row["pgr_low"], row["pgr_high"]) == (None, None, None)
    assert "ceiling" in row["undefined"]
    assert row["run"] == str(run)


def test_errors_leave_standard_output_empty(capsys):
    assert main(["table", "nowhere", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")

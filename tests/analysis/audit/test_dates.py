"""Dates of data, of single texts and of models: what is compared, and what is refused."""

import json
import random

import pytest

from weak2strong.analysis.audit.contamination import contamination
from weak2strong.analysis.audit.dates import date_in, may_have_read
from weak2strong.analysis.audit.published import published
from weak2strong.analysis.audit.reader import Reader
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.tasks import TASKS
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import make_splits


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """Texts of different years, some of which have no date."""
    dice, rows = random.Random(0), []
    for i in range(200):
        words = " ".join(dice.choices(["red", "blue", "bird", "house", "river", "city"], k=6))
        date = None if i % 10 == 0 else f"{2021 + i % 4}-0{1 + i % 9}-15T10:00:00Z"
        rows.append({"text": f"{words} {i}", "label": i % 2, "when": date})
    path = tmp_path_factory.mktemp("dates") / "dated.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path, rows


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2023", "2023"),
        (2023, "2023"),
        ("2023-03", "2023-03"),
        ("2023-03-14T10:00:00Z", "2023-03-14"),
        (" 2023-03-14 10:00", "2023-03-14"),
        ("14.03.2023", None),
        ("2023-13", None),
        ("20230", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_read_as_far_as_they_go(value, date):
    assert date_in(value) == date


@pytest.mark.parametrize(
    ("date", "cutoff", "may"),
    [
        ("2023-03", "2023-03", True),
        ("2023-04", "2023-03", False),
        ("2023-03-31", "2023-03", True),
        ("2023", "2023-03", True),
        ("2024", "2023-12", False),
        ("2023-05", "2023", True),
        ("2023-03-02", "2023-03-01", False),
    ],
)
def test_what_two_dates_have_both_is_compared(date, cutoff, may):
    assert may_have_read(date, cutoff) == may


def findings(command, capsys, check="published"):
    assert main([*map(str, command), "--json"]) == 0
    (task,) = json.loads(capsys.readouterr().out)["tasks"]
    return [f for f in task["findings"] if f["check"] == check]


def test_older_and_newer_test_texts_are_counted(dated, capsys):
    path, rows = dated
    model = "atlas-xs"
    command = ["audit", path, "--model", model, "--cutoff", f"{model}=2022"]
    (found,) = findings([*command, "--date-column", "when"], capsys)
    numbers = found["numbers"]
    assert found["level"] == "warning"
    assert numbers["cutoff"] == "2022"
    test = make_splits(find_task(str(path), DataOptions())).test
    of = {row["text"]: row["when"] for row in rows}
    when = [of[e.item.text] for e in test]
    assert numbers["undated"] == when.count(None)
    assert numbers["older"] == sum(d is not None and d[:4] <= "2022" for d in when)
    assert numbers["newer"] == sum(d is not None and d[:4] > "2022" for d in when)
    assert (
        f"Of {len(test)} test texts, {numbers['older']} are of dates up to 2022"
        in (found["sentence"])
    )


def test_one_date_for_all_data_is_compared_with_the_cutoff(dated, capsys):
    model = "atlas-xs"
    for date, level in (("2023-02", "warning"), ("2023-04", "note")):
        command = ["audit", dated[0], "--model", model, "--cutoff", f"{model}=2023-03"]
        (found,) = findings([*command, "--published", date], capsys)
        assert (found["level"], found["numbers"]["published"]) == (level, date)
        assert "knows texts up to 2023-03" in found["sentence"]


def test_newer_texts_are_what_older_ones_are_compared_with():
    """Cities that the rung has read about stand for old texts, and others for new ones."""
    task = TASKS.get("atlas-southern")
    subject = Subject.of("atlas-southern", task)
    unseen = [
        Entry(e.item.id, e.item.group, e.item.text, e.label, None) for e in task.load_unseen()
    ]
    old = {e.text: "2020" for e in subject.tested[:200]}
    new = {e.text: "2024" for e in unseen[:200]}
    object.__setattr__(subject, "dates", {**old, **new})
    object.__setattr__(subject, "cutoffs", {"atlas-xs": "2022"})
    subject.__dict__["tested"] = (*subject.tested[:200], *unseen[:200])
    reader = Reader(ModelSpec("atlas-xs"))
    _, found = contamination(subject, reader)
    assert found.numbers["control"] == "the test texts that are newer than it"
    assert "finds older test texts more familiar than the test texts that are newer" in (
        found.sentence
    )
    assert (found.numbers["texts"], found.numbers["control_texts"]) == (200, 200)
    assert found.numbers["auc_low"] > 0.55
    (counted,) = published(subject, reader)
    assert (counted.numbers["older"], counted.numbers["newer"]) == (200, 200)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--cutoff", "a=2023"), "are compared with what models know: name these with --model"),
        (
            ("--model", "atlas-xs", "--cutoff", "2023"),
            "--cutoff takes MODEL=DATE, such as",
        ),
        (("--model", "atlas-xs", "--cutoff", "atlas-s=2023"), "--cutoff names 'atlas-s', and the"),
        (("--model", "atlas-xs", "--cutoff", "atlas-xs=May"), "takes a year, a month or a day"),
        (("--model", "atlas-xs", "--published", "2023-3"), "--published takes a year"),
        (("--model", "atlas-xs", "--date-column", "then"), "has no column 'then', the nearest is"),
        (("--model", "atlas-xs", "--date-column", "label"), "has no date in column 'label'"),
    ],
)
def test_what_cannot_be_compared_is_refused(dated, flags, message, capsys):
    assert main(["audit", str(dated[0]), *flags]) == 2
    assert message in capsys.readouterr().err


def test_a_column_of_dates_is_one_of_a_file(capsys):
    assert main(["audit", "atlas-asia", "--model", "atlas-xs", "--date-column", "when"]) == 2
    assert "is a column of one file of texts" in capsys.readouterr().err

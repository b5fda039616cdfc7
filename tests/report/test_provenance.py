"""What the page says of a run's audit and of the device hours that it took."""

import json
import re
from dataclasses import replace

import pytest

from weak2strong.analysis.audit.audit import Audited
from weak2strong.analysis.audit.finding import Finding
from weak2strong.analysis.audit.run import write_run_audit
from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.work import FILE, Work, work_file
from weak2strong.report.page import page
from weak2strong.report.provenance import settings_text
from weak2strong.report.units import hours

LEAK = "A classifier on n-grams alone has an AUC of 0.99: the texts give their label away."
UNEVEN = "Class 'yes' has 70% of the examples."


def audited(name, *findings, models=()):
    return Audited(name, name, "it", (), 9, ("balance", "shortcut"), models, findings)


@pytest.fixture
def run(made_run, tmp_path, monkeypatch):
    """A run whose page has no pictures, since these take the time."""
    monkeypatch.setattr("weak2strong.report.page.page_figures", lambda *_: [])
    return made_run(tmp_path / "run", tasks=["a-task", "b-task"], examples=60)


def provenance(run):
    """Values by name, and the warnings."""
    text = page([run])
    rows = dict(re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td></tr>', text))
    warnings = re.search(r'<ul class="warnings">(.*?)</ul>', text)
    return rows, re.findall("<li>(.*?)</li>", warnings[1] if warnings else "")


def test_errors_and_warnings_of_an_audit_stand_among_those_of_the_page(run):
    _, before = provenance(run)
    write_run_audit(
        run,
        [
            audited(
                "a-task", Finding("shortcut", "error", LEAK), Finding("form", "note", "Quiet.")
            ),
            audited("b-task", Finding("balance", "warning", UNEVEN), models=("atlas-xs",)),
        ],
    )
    rows, warnings = provenance(run)
    assert warnings == [
        *before,
        f"a-task, audit error: {LEAK}",
        "b-task, audit warning: Class &#39;yes&#39; has 70% of the examples.",
    ]
    made = rows["audit of the data"]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d UTC by weak2strong [\w.]+: balance, shortcut; with atlas-xs",
        made,
    )


def test_tasks_that_an_audit_does_not_name_are_named_and_those_of_others_left_out(run):
    stranger = audited("stranger", Finding("shortcut", "error", "Not of this run."))
    of_a = audited("a-task", Finding("shortcut", "error", LEAK))
    write_run_audit(run, [stranger, of_a])
    rows, warnings = provenance(run)
    assert rows["audit of the data"].endswith("balance, shortcut; not of b-task")
    assert f"a-task, audit error: {LEAK}" in warnings
    assert "Not of this run." not in page([run])


@pytest.mark.parametrize("stale", [False, True])
def test_without_an_audit_of_its_tasks_the_page_says_how_to_get_one(run, stale):
    if stale:
        write_run_audit(run, [audited("stranger", Finding("shortcut", "error", LEAK))])
    rows, warnings = provenance(run)
    assert rows["audit of the data"].startswith(f"none yet: w2s audit {run} looks for")
    assert not [w for w in warnings if "audit" in w]


def test_device_hours_are_the_seconds_of_all_steps_on_their_device(run):
    steps = [
        Work("supervisor", "a-task", None, 0, 40.0, 1, 0),
        Work("student", "a-task", "naive", 0, 14.0, 3, 1),
    ]
    (run / FILE).write_bytes(work_file(steps))
    # Of a run that does not say where it was done nothing is said.
    assert "device hours" not in provenance(run)[0]
    environment = run / "environment.json"
    environment.write_text(json.dumps({"device": "cpu", "threads": 2}))
    assert provenance(run)[0]["device hours"] == "0.015 on cpu (2 threads a step)"
    (run / FILE).write_bytes(work_file([*steps, Work("ceiling", "a-task", None, 0, 7200.0, 1, 1)]))
    environment.write_text(json.dumps({"device": "NVIDIA A100", "threads": 2}))
    told = provenance(run)[0]["device hours"]
    assert told == "2 on NVIDIA A100, without 1 of 3 steps that the store had"


@pytest.mark.parametrize(
    ("inputs", "strong"),
    [("images", ""), ("text", ""), (None, ""), ("", "digits-l"), ("", "atlas-l"), ("", "a/b")],
)
def test_settings_of_texts_are_left_out_where_no_task_has_words(run, inputs, strong):
    """Where nothing is known of tasks, as of an experiment, the strong model tells."""
    found = FinishedRun(run)
    config = replace(found.config, strong=ModelSpec(strong)) if strong else found.config
    tasks = [task | ({"inputs": inputs} if inputs else {}) for task in found.tasks]
    shown = settings_text(config, () if strong else tasks)
    assert StudyConfig.from_yaml(shown) == config
    for name in ("max_length", "system_prompt", "chat_date", "prompt_column", "puzzles"):
        assert (name in shown) == (inputs != "images" and strong != "digits-l")
    assert "batch_size" in shown


def test_a_setting_of_texts_that_somebody_gave_stays(run):
    file = run / "study.yaml"
    file.write_text(file.read_text().replace("max_length: auto", "max_length: 64", 1))
    tasks = [task | {"inputs": "features"} for task in json.loads((run / "tasks.json").read_text())]
    (run / "tasks.json").write_text(json.dumps(tasks))
    found = FinishedRun(run)
    shown = settings_text(found.config, found.tasks)
    assert shown.count("max_length: 64") == 1
    assert StudyConfig.from_yaml(shown) == FinishedRun(run).config


def test_hours_are_said_with_two_digits_or_as_whole_ones():
    said = [hours(3600 * x) for x in (0.0004, 0.0149, 1.26, 12.6, 1250)]
    assert said == ["under 0.001", "0.015", "1.3", "13", "1,250"]

"""What an audit found: tables, and sentences for the page of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from weak2strong.analysis.audit.audit import Audited
from weak2strong.analysis.audit.finding import LEVELS
from weak2strong.analysis.audit.run import RunAudit
from weak2strong.ground.table import Column, Document, Row, Table, counted, words


def audit_document(one: Audited) -> Document:
    """A row a finding, with examples beneath it, or that there is none."""
    head = [f"{one.name}: {one.examples:,} examples, {one.source}", *one.cleaning]
    facts = {"tasks": [asdict(one)]}
    silent = [name for name in one.checks if name not in {f.check for f in one.findings}]
    notes = [f"Nothing found by {', '.join(silent)}.", ""] if silent else [""]
    if not one.findings:
        return Document([], facts, [*head, *notes])
    columns = [
        Column("level", "level", lambda row: row["level"], "left", tone=_tone),
        words("check"),
        Column("sentence", "what was found", _text, "left", wraps=True),
    ]
    rows = [{"task": one.name, **asdict(finding)} for finding in one.findings]
    return Document([Table("tasks", "", columns, rows, notes)], facts, head)


def sum_document(audits: Sequence[Audited]) -> Document:
    """How many findings of each level there are."""
    counts = {level: sum(one.count(level) for one in audits) for level in LEVELS}
    said = ", ".join(counted(n, level) for level, n in counts.items())
    return Document([], {"levels": counts}, [f"{counted(len(audits), 'task')}: {said}."])


def audit_warnings(found: RunAudit | None) -> list[str]:
    """The errors and warnings of a run's audit for its page, in its own words."""
    return [
        f"{task['name']}, audit {finding['level']}: {finding['sentence']}"
        for task in (found.tasks if found else ())
        for finding in task["findings"]
        if finding["level"] != "note"
    ]


def audit_told(found: RunAudit | None, folder: Path, tasks: Collection[str]) -> str:
    """When a run's tasks were audited and for what, or how that is done.

    Args:
        found: the audit, where there was one.
        folder: of the run.
        tasks: names of all its tasks.
    """
    if found is None:
        return f"none yet: w2s audit {folder} looks for leaks and shortcuts, for this page to show"
    checks = dict.fromkeys(name for task in found.tasks for name in task["checks"])
    models = dict.fromkeys(name for task in found.tasks for name in task["models"])
    told = f"{found.made:%Y-%m-%d %H:%M} UTC by weak2strong {found.version}: {', '.join(checks)}"
    if models:
        told += f"; with {', '.join(models)}"
    missing = [name for name in tasks if name not in {task["name"] for task in found.tasks}]
    return f"{told}; not of {', '.join(missing)}" if missing else told


def _tone(row: Row) -> str:
    return "quiet" if row["level"] == "note" else row["level"]


def _text(row: Row) -> str:
    """The sentence, and a line an example: where it is, and its text with line breaks shown."""
    lines = [row["sentence"]]
    for example in row["examples"]:
        where = " ".join(filter(None, (example["split"], example["id"])))
        text = example["text"].replace("\n", "⏎")
        lines.append(f"  {where}: {text}")
    return "\n".join(lines)

"""The findings of an audit: tables, and sentences for the page of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from weak2strong.analysis.audit.audit import Audited
from weak2strong.analysis.audit.finding import LEVELS
from weak2strong.analysis.audit.run import RunAudit
from weak2strong.ground.table import Column, Document, Row, Table, counted, words


def audit_document(audited: Audited) -> Document:
    """A row a finding, with examples beneath it, or that there is none."""
    head = [f"{audited.name}: {audited.examples:,} examples, {audited.source}", *audited.cleaning]
    facts = {"tasks": [asdict(audited)]}
    silent = [name for name in audited.checks if name not in {f.check for f in audited.findings}]
    notes = [f"Nothing found by {', '.join(silent)}.", ""] if silent else [""]
    if not audited.findings:
        return Document([], facts, [*head, *notes])
    columns = [
        Column("level", "level", lambda row: row["level"], "left", tone=_tone),
        words("check"),
        Column("sentence", "what was found", _text, "left", wraps=True),
    ]
    rows = [{"task": audited.name, **asdict(finding)} for finding in audited.findings]
    return Document([Table("tasks", "", columns, rows, notes)], facts, head)


def sum_document(audits: Sequence[Audited]) -> Document:
    """How many findings of each level there are."""
    counts = {level: sum(audited.count(level) for audited in audits) for level in LEVELS}
    listed = ", ".join(counted(n, level) for level, n in counts.items())
    return Document([], {"levels": counts}, [f"{counted(len(audits), 'task')}: {listed}."])


def audit_warnings(audit: RunAudit | None) -> list[str]:
    """The errors and warnings of the audit of a run, as sentences for its page."""
    return [
        f"{task['name']}, audit {finding['level']}: {finding['sentence']}"
        for task in (audit.tasks if audit else ())
        for finding in task["findings"]
        if finding["level"] != "note"
    ]


def audit_text(audit: RunAudit | None, folder: Path, tasks: Collection[str]) -> str:
    """When the tasks of a run were audited, and by which checks; or how to audit them.

    Args:
        audit: the audit; None where there was none.
        folder: the folder of the run.
        tasks: the names of all its tasks.
    """
    if audit is None:
        return f"none yet: w2s audit {folder} looks for leaks and shortcuts, for this page to show"
    checks = dict.fromkeys(name for task in audit.tasks for name in task["checks"])
    models = dict.fromkeys(name for task in audit.tasks for name in task["models"])
    text = f"{audit.made:%Y-%m-%d %H:%M} UTC by weak2strong {audit.version}: {', '.join(checks)}"
    if models:
        text += f"; with {', '.join(models)}"
    missing = [name for name in tasks if name not in {task["name"] for task in audit.tasks}]
    return f"{text}; not of {', '.join(missing)}" if missing else text


def _tone(row: Row) -> str:
    return "quiet" if row["level"] == "note" else row["level"]


def _text(row: Row) -> str:
    """The sentence, and a line for each example: its position, and its text with visible breaks."""
    lines = [row["sentence"]]
    for example in row["examples"]:
        where = " ".join(filter(None, (example["split"], example["id"])))
        text = example["text"].replace("\n", "⏎")
        lines.append(f"  {where}: {text}")
    return "\n".join(lines)

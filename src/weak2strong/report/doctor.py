"""What the doctor found, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from weak2strong.engine.doctor.finding import Finding
from weak2strong.ground.table import Column, Document, Row, Table, counted

TONES = {"fine": "", "note": "warning", "problem": "error"}


def doctor_document(findings: Sequence[Finding]) -> Document:
    """A line a finding, and how many of them are problems."""
    rows = [asdict(finding) for finding in findings]
    columns = [
        Column("about", "", lambda row: row["about"], "left"),
        Column("found", "found", lambda row: row["found"], "left", wraps=True, tone=_tone),
        Column("todo", "what to do", lambda row: row["todo"], "left", wraps=True),
    ]
    problems = sum(finding.level == "problem" for finding in findings)
    told = f"{counted(problems, 'problem')}." if problems else "No problems."
    return Document([Table("findings", "", columns, rows)], {"problems": problems}, notes=[told])


def _tone(row: Row) -> str:
    return TONES[row["level"]]

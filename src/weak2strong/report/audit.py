"""What an audit found, in the terminal and on the page of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from weak2strong.analysis.audit.audit import Audited
from weak2strong.analysis.audit.finding import LEVELS, Finding
from weak2strong.analysis.audit.run import RunAudit
from weak2strong.report.table import column_table

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {"error": "bold red", "warning": "yellow", "note": "dim"}


def print_audit(one: Audited, console: Console) -> None:
    """Print a row a finding, with examples beneath it, or that there is none."""
    from rich.text import Text

    for said in (f"{one.name}: {one.examples:,} examples, {one.source}", *one.cleaning):
        _line(console, said)
    if not one.findings:
        _line(console, f"Nothing found by {', '.join(one.checks)}.\n")
        return
    table = column_table(("level", "check", "what was found"), "llw", wraps="w")
    for finding in one.findings:
        # As text: what data say is no markup.
        table.add_row(
            Text(finding.level, style=COLOURS[finding.level]), finding.check, Text(_said(finding))
        )
    console.print(table)
    silent = [name for name in one.checks if name not in {f.check for f in one.findings}]
    _line(console, f"Nothing found by {', '.join(silent)}.\n" if silent else "")


def print_sum(audits: Sequence[Audited], console: Console) -> None:
    """Print how many findings of each level there are."""
    counts = {level: sum(one.count(level) for one in audits) for level in LEVELS}
    said = ", ".join(f"{n:,} {level}{'' if n == 1 else 's'}" for level, n in counts.items())
    _line(console, f"{len(audits):,} task{'' if len(audits) == 1 else 's'}: {said}.")


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


def _said(finding: Finding) -> str:
    """The sentence, and a line an example: where it is, and its text with line breaks shown."""
    lines = [finding.sentence]
    for example in finding.examples:
        where = " ".join(filter(None, (example.split, example.id)))
        text = example.text.replace("\n", "⏎")
        lines.append(f"  {where}: {text}")
    return "\n".join(lines)


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)

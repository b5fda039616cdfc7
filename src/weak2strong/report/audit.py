"""What an audit found, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.audit.audit import Audited
from weak2strong.analysis.audit.finding import LEVELS, Finding
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

"""What the terminal says of an audit."""

import io

from rich.console import Console

from weak2strong.analysis.audit.audit import Audited
from weak2strong.analysis.audit.finding import CUT, Finding, excerpts
from weak2strong.analysis.audit.subject import Entry
from weak2strong.report.audit import audit_document, sum_document
from weak2strong.report.terminal import print_document


def audited(*findings):
    checks = ("balance", "form", "length")
    return Audited("mine", "mine.csv", "it", ("9 of 10 rows are used.",), 9, checks, (), findings)


def said(document, what):
    console = Console(file=io.StringIO(), width=120)
    print_document(document(what), console)
    return console.file.getvalue()


def test_findings_stand_with_their_examples_and_the_data_are_no_markup():
    text = "one\n[red]two " + "x" * 200 + " end"
    examples = excerpts([Entry("a1", None, text, 0, "test")])
    assert len(examples[0].text) == CUT + len(" … ")
    output = said(audit_document, audited(Finding("form", "error", "A [bold]leak.", {}, examples)))
    assert output.startswith("mine: 9 examples, it\n9 of 10 rows are used.\n")
    assert "A [bold]leak." in output
    assert "test a1: one⏎[red]two xxx" in output
    assert "Nothing found by balance, length." in output


def test_where_nothing_is_found_the_checks_are_named():
    assert "Nothing found by balance, form, length." in said(audit_document, audited())


def test_levels_are_counted_over_tasks():
    one = audited(Finding("form", "error", "A."), Finding("form", "note", "B."))
    output = said(sum_document, [one, one, audited(Finding("length", "warning", "C."))])
    assert output == "3 tasks: 2 errors, 1 warning, 2 notes.\n"

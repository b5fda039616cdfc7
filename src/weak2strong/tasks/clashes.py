"""Columns that a user gives two roles that no column can have at once."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import Columns
from weak2strong.tasks.template import fields


def check_clashes(file: str, columns: Columns, answers: Mapping[str, str]) -> None:
    """Refuse a text with the answer in it, a column that is named twice, and groups of the answer.

    Args:
        file: its name.
        columns: those that the user names.
        answers: what each column is that holds an answer, such as "label".

    Raises:
        UserError: for the first of them.
    """
    of_text = {
        "--text-column": columns.all_text if columns.text_named else (),
        "--prompt-column": columns.prompt,
        "--template": fields(columns.template) if columns.template else (),
    }
    for flag, names in of_text.items():
        for i, name in enumerate(names):
            if name in names[:i]:
                raise UserError(f"{flag} has column {name!r} twice: name each column once.")
            if name in answers:
                written = f"{{{name}}} in {flag}" if flag == "--template" else f"{flag} {name}"
                raise UserError(
                    f"{written} puts the answer into the text, as column {name!r} of {file} is the "
                    f"{answers[name]}: leave it out of the text, or name another {answers[name]}."
                )
    if columns.group is not None and answers.get(columns.group) in ("label", "preference"):
        raise UserError(
            f"--group-column {columns.group} would keep all rows of one answer in one split, as "
            f"this column of {file} is the {answers[columns.group]}: name a column of what belongs "
            "together, such as an author, or leave --group-column out."
        )

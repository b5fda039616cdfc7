"""When texts were published, and whether a model that knows texts up to a date may have read them.

Dates are years, years and months, or days; what is compared is the part that both have, so that a
date of a year alone may be any day of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import columns_of, reading_of
from weak2strong.tasks.texts import read_dated_texts

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?=$|[T ])")


def date_in(value: object) -> str | None:
    """The date at the beginning of a value, such as 2023, 2023-03 or 2023-03-14; None without."""
    found = _DATE.match(str(value).strip()) if value is not None else None
    if found is None or not (1 <= int(found[2] or 1) <= 12 and 1 <= int(found[3] or 1) <= 31):
        return None
    return found[0]


def check_date(text: str, flag: str) -> str:
    """A date that a user gives.

    Raises:
        UserError: for something else.
    """
    found = date_in(text)
    if found is None or found != text.strip():
        raise UserError(
            f"{flag} takes a year, a month or a day, such as 2023, 2023-03 or 2023-03-14, not "
            f"{text!r}."
        )
    return found


def may_have_read(date: str, cutoff: str) -> bool:
    """Whether something of this date may be among texts up to a cutoff."""
    both = min(len(date), len(cutoff))
    return date[:both] <= cutoff[:both]


def read_cutoffs(given: Sequence[str], models: Sequence[str]) -> dict[str, str]:
    """The dates up to which models know texts, from ``MODEL=DATE``.

    Raises:
        UserError: where one is not of this form, or of a model that is not looked at.
    """
    cutoffs = dict[str, str]()
    for text in given:
        model, sign, date = text.rpartition("=")
        if not sign or not model:
            raise UserError(
                f"--cutoff takes MODEL=DATE, such as {models[0]}=2023-03, not {text!r}."
            )
        if model not in models:
            raise UserError(
                f"--cutoff names {model!r}, and the models are {', '.join(models)}: name one of "
                "these, as --model does."
            )
        cutoffs[model] = check_date(date, "--cutoff")
    return cutoffs


def dates_of(path: Path, column: str, options: DataOptions) -> Mapping[str, str]:
    """The date of each text of a file; not of those that have none.

    Raises:
        UserError: where there is no such column, or nothing in it is a date.
    """
    dates = {
        text: date
        for text, value in read_dated_texts(path, column, columns_of(options), reading_of(options))
        if (date := date_in(value))
    }
    if not dates:
        raise UserError(
            f"{path} has no date in column {column!r}: name a column with dates such as "
            "2023-03-14, or give one date for all with --published."
        )
    return dates

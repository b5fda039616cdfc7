"""Which column of a table has which role: those that a user names, and otherwise known names.

`roles_of` decides it from the names of the columns and what their values are, and touches no row
but to count the different values of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from weak2strong.ground.errors import UserError
from weak2strong.tasks import names
from weak2strong.tasks.clashes import check_clashes
from weak2strong.tasks.readers import ACCEPTED, LABEL, PAIR, SUBSET, TEXT, Columns, listed
from weak2strong.tasks.roles import Roles
from weak2strong.tasks.tables import Table
from weak2strong.tasks.template import fields

FEW = 20
"""Different answers up to which answers to texts are taken for classes ..."""

EACH = 4
"""... if there are at least so many rows for each."""


def roles_of(table: Table, columns: Columns) -> Roles:
    """What the columns of a table are for.

    Args:
        table: with at least one column.
        columns: those that the user names.

    Raises:
        UserError: where a column that is named is not there, or none is known for the task.
    """
    present = tuple(table.columns)
    for flag, name in columns.named():
        if name not in present:
            if name == columns.id and name in columns.text:
                # Rows of features have an id in place of a text.
                raise UserError(
                    f"{table.name} has no column {name!r}; it has {listed(present)}: "
                    f"call the column with the ids of the rows {name}."
                )
            raise no_column(table.name, name, present, flag)
    there = names.by_plain_name(present)
    found = (
        _preference(table, columns, there)
        or _generation(table, columns, there)
        or _classification(table, columns, there)
        or _answered(table, columns, there)
        or _chat(table, there)
    )
    if found is None:
        has_text = columns.text_named or TEXT in there
        missing = LABEL if has_text else TEXT
        flag = "--label-column" if has_text else "--text-column"
        raise no_column(table.name, missing, present, flag)
    check_clashes(table.name, columns, found.answers())
    pair = there.get(PAIR) if found.kind == "classification" else None
    used = {name for _, of_role in found.named() for name in of_role}
    pair = None if pair in used else pair
    asked = {"group": columns.group, "id": columns.id, "annotators": columns.annotators}
    return replace(found, **asked, pair=pair)


def no_column(file: str, name: str, present: Sequence[str], flag: str) -> UserError:
    """The error of a missing column, with the nearest that is there."""
    near = get_close_matches(name, present, n=1, cutoff=0.5)
    nearest = f", the nearest is {near[0]!r}" if near else ""
    return UserError(
        f"{file} has no column {name!r}{nearest}; it has {listed(present)}: "
        f"name the right one with {flag}."
    )


def _preference(table: Table, columns: Columns, there: Mapping[str, str]) -> Roles | None:
    """Two completions, of which one is known to be better, or a column says which."""
    asked = columns.chosen or columns.rejected or columns.preference
    if not asked and (columns.classes or {TEXT, LABEL} <= there.keys()):
        return None
    chosen = columns.chosen or names.first(there, names.CHOSEN)
    rejected = columns.rejected or names.first(there, names.REJECTED)
    preference, two = columns.preference, names.two_sides(there)
    scores: tuple[str, ...] = ()
    if (not chosen or not rejected) and two:
        first = names.plain(two[0])[-1]
        better_first = first == names.BETTER_FIRST[0]
        usual = names.SAID_PLAINLY if better_first else names.PREFERENCES
        preference = preference or names.first(there, usual)
        if not preference and not better_first and not asked:
            scores = names.scores(there, two)
        if not preference and not better_first and not scores:
            raise UserError(
                f"{table.name} has two completions ({listed(two)}) and no column that says which "
                "one is preferred: name it with --preference-column."
            )
        chosen, rejected = chosen or two[0], rejected or two[1]
    if not chosen or not rejected:
        if not asked:
            return None
        flag, name = ("--rejected-column", "rejected") if chosen else ("--chosen-column", "chosen")
        raise no_column(table.name, name, tuple(table.columns), flag)
    prompt = _prompt(columns, there)
    return replace(
        prompt,
        kind="preference",
        chosen=chosen,
        rejected=rejected,
        label=preference,
        scores=scores,
        subset=there.get(SUBSET),
    )


def _generation(table: Table, columns: Columns, there: Mapping[str, str]) -> Roles | None:
    """A prompt with a target: with columns that are named so, or that the user names."""
    judged = names.first(there, names.JUDGED)
    if columns.classes or (not columns.target and {TEXT, LABEL} <= there.keys()):
        return None
    if not columns.target and judged and table.columns[judged] == "truth":
        return None
    target = columns.target
    if target is None and names.PROMPTS[0] in there:
        target = names.first(there, names.ANSWERS[:2])
    if target is None:
        return None
    prompt = _prompt(columns, there)
    if not prompt.text:
        prompt = replace(prompt, text=tuple(_texts(columns, there)))
    return replace(prompt, label=target, accepted=there.get(ACCEPTED)) if prompt.text else None


def _classification(table: Table, columns: Columns, there: Mapping[str, str]) -> Roles | None:
    """A text with a class."""
    label = columns.label if columns.label_named else names.first(there, names.LABELS)
    if label is None and not columns.classes:
        return None
    prompt = _prompt(columns, there, apart=label)
    answered = TEXT not in there and prompt.text and names.first(there, names.ANSWERS)
    if not columns.classes and answered and names.plain(label or "") not in names.JUDGED:
        return None
    if columns.text_named or columns.template:
        roles = replace(prompt, text=columns.all_text or prompt.text, optional=frozenset())
        roles = roles if columns.template else replace(roles, system=None)
    elif TEXT in there or not (prompt.text or _two_texts(there)):
        roles = Roles("classification", tuple(_texts(columns, there, apart=label)))
    elif two := _two_texts(there):
        roles = Roles("classification", two)
    else:
        answer = names.first({k: v for k, v in there.items() if v != label}, names.ANSWERS)
        more = (answer,) if answer else ()
        roles = replace(prompt, text=(*prompt.text, *more))
    if not roles.text and (chat := names.first(there, names.CHATS)):
        roles = replace(roles, text=(chat,))
    if not roles.text:
        if label is None or columns.label_named:
            raise no_column(table.name, TEXT, tuple(table.columns), "--text-column")
        return None
    if label is None:
        label = names.first({k: v for k, v in there.items() if v not in roles.text}, names.ANSWERS)
    if label is None:
        raise no_column(table.name, LABEL, tuple(table.columns), "--label-column")
    titles = names.first(there, names.titles(label))
    return replace(roles, kind="classification", label=label, titles=titles)


def _answered(table: Table, columns: Columns, there: Mapping[str, str]) -> Roles | None:
    """A text with an answer, which is a class where it says true or false, or has few values."""
    prompt = _prompt(columns, there)
    asked = bool(prompt.text)
    text = prompt if asked else replace(prompt, text=tuple(_texts(columns, there)))
    rest = {name: column for name, column in there.items() if column not in text.text}
    answer = names.first(rest, names.ANSWERS)
    if not text.text or answer is None:
        return None
    is_class = table.columns[answer] == "truth" or (not asked and _has_few_values(table, answer))
    if is_class:
        return replace(text, kind="classification", label=answer)
    return replace(text, kind="generation", label=answer, accepted=there.get(ACCEPTED))


def _chat(table: Table, there: Mapping[str, str]) -> Roles | None:
    """Whole chats."""
    chat = names.first(there, names.CHATS)
    if chat is None or table.columns[chat] != "messages":
        return None
    return Roles("generation", chat=chat, system=names.first(there, names.SYSTEMS))


def _prompt(columns: Columns, there: Mapping[str, str], apart: str | None = None) -> Roles:
    """The columns of what is asked, with what stands before it."""
    there = {name: column for name, column in there.items() if column != apart}
    if columns.template:
        return Roles("generation", fields(columns.template), template=columns.template)
    system = names.first(there, names.SYSTEMS)
    if columns.prompt:
        system = None if system in columns.prompt else system
        return Roles("generation", columns.prompt, system=system)
    asked = next((name for name in names.PROMPTS if name in there), None)
    if asked is None:
        return Roles("generation", system=system)
    if asked == names.PROMPTS[0]:
        return Roles("generation", (there[asked],), system=system)
    context = names.first(there, names.CONTEXTS)
    more = there.get("input") if asked in ("instruction", "query") else None
    text = [column for column in (context, there[asked], more) if column is not None]
    optional = frozenset(text) - {there[asked]}
    return Roles("generation", tuple(text), optional, system=system)


def _texts(columns: Columns, there: Mapping[str, str], apart: str | None = None) -> list[str]:
    """The columns of what has a class."""
    if columns.text_named:
        return list(columns.all_text)
    found = names.first({k: v for k, v in there.items() if v != apart}, names.TEXTS)
    return [found] if found else []


def _two_texts(there: Mapping[str, str]) -> tuple[str, ...]:
    for one, other in names.PAIRS:
        if one in there and other in there:
            return there[one], there[other]
    return ()


def _has_few_values(table: Table, column: str) -> bool:
    """Whether a column has few different values, each in several rows."""
    values = {repr(row.get(column)) for _, row in table.rows}
    return len(values) <= FEW and len(values) * EACH <= len(table.rows)

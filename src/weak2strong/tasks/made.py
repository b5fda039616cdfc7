"""From the values of one row to what a task needs of it, by the roles of its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.labels import Label
from weak2strong.tasks.pairs import read_pair
from weak2strong.tasks.preferred import Preferred, counts_unclearly, preferred_by
from weak2strong.tasks.readers import PROMPT, row_name
from weak2strong.tasks.roles import Roles
from weak2strong.tasks.row import Row
from weak2strong.tasks.several import spread
from weak2strong.tasks.tables import Table, are_messages
from weak2strong.tasks.task import Dialogue
from weak2strong.tasks.template import fields, filled
from weak2strong.tasks.values import (
    accepted_of,
    as_turns,
    asked_in,
    label_of,
    missing,
    name_of,
    number_of,
    shown,
    targets_of,
    text_of,
    turns_of,
)

BETWEEN = "\n\n"
"""What stands between two columns that make one text."""

Made = Callable[[int, Mapping[str, Any]], tuple[list[Row], Label | None]]
"""Makes the row with a number of its values, and its label where it is a class: several rows where
it compares several completions, and none where neither of two is preferred."""


def made_by(table: Table, roles: Roles) -> Made:
    """What makes rows of a table.

    Raises:
        UserError: where the table is wrong as a whole; what it returns raises it for a row.
    """
    preferred = preferred_column(table, roles)

    def make(number: int, values: Mapping[str, Any]) -> tuple[list[Row], Label | None]:
        location = row_name(table.name, number)
        if roles.kind == "preference":
            return _compared(table.name, number, values, roles, preferred), None
        group, id = _names(values, roles, location)
        if roles.kind == "generation":
            prompt, target, *more = _answered(values, roles, location)
            row = Row(table.name, number, prompt, target, group, id, accepted=tuple(more))
            return [row], None
        assert roles.label is not None
        text, dialogues = text_from(values, roles, location)
        label = label_of(values.get(roles.label), location, roles.label)
        said = tuple(values.get(column) for column in roles.annotators)
        pair = _paired(values, roles, location)
        if pair and group is None:
            group = f"pair:{pair.removeprefix('-')}"
        more = {"dialogues": dialogues, "annotations": said, "pair": pair}
        return [Row(table.name, number, text, -1, group, id, **more)], label

    return make


def _compared(
    file: str,
    number: int,
    values: Mapping[str, Any],
    roles: Roles,
    preferred: Preferred | None,
) -> list[Row]:
    """The preferences of a row."""
    assert roles.chosen
    assert roles.rejected
    location = row_name(file, number)
    several = [(values, None)]
    if preferred is None and not roles.scores:
        prompt = roles.text[0] if roles.text else PROMPT
        several = spread(values, location, roles.id, (roles.chosen, roles.rejected), prompt)
    rows = []
    for one, question in several:
        group, id = _names(one, roles, location)
        pair = _pair(one, roles, location, preferred)
        if pair is None:
            continue
        part = one.get(roles.subset) if roles.subset else None
        subset = None if missing(part) else str(part).strip()
        row = Row(file, number, group=group, id=id, **vars(pair))
        rows.append(replace(row, question=question, subset=subset))
    return rows


def _names(values: Mapping[str, Any], roles: Roles, location: str) -> tuple[str | None, str | None]:
    """Group and id of a row, if they have columns."""
    if roles.group is None and roles.id is None:
        return None, None
    group, id = (
        name_of(values.get(column), location, column) if column else None
        for column in (None if _alone(values, roles) else roles.group, roles.id)
    )
    return group, id


def _paired(values: Mapping[str, Any], roles: Roles, location: str) -> str:
    """The name of the texts that say the same or the opposite; empty of a row without others."""
    if roles.pair is None or missing(values.get(roles.pair)):
        return ""
    return name_of(values[roles.pair], location, roles.pair)


def _alone(values: Mapping[str, Any], roles: Roles) -> bool:
    """Whether a row has no entry in a column that was taken for that of groups by its name."""
    return roles.group_found and missing(values.get(roles.group or ""))


def preferred_column(table: Table, roles: Roles) -> Preferred | None:
    """What reads the column of preferences, where there is one.

    Raises:
        UserError: where its values do not say which completion is preferred.
    """
    if roles.kind != "preference" or roles.label is None:
        return None
    assert roles.chosen
    assert roles.rejected
    values = [row.get(roles.label) for _, row in table.rows]
    sides = (roles.chosen, roles.rejected)
    if counts_unclearly(sides, values):
        raise UserError(
            f"{table.name} has 1 in every row of column {roles.label!r}, which does not say "
            f"whether {roles.chosen!r} (counted from 1) or {roles.rejected!r} (counted from 0) is "
            "preferred: write the names of these columns as its values, or call the columns "
            "themselves chosen and rejected."
        )
    found = preferred_by(sides, values)
    if found is None:
        first = next((value for value in values if not missing(value)), None)
        raise UserError(
            f"{table.name} has {shown(first)} in column {roles.label!r}, which does not say "
            f"whether {roles.chosen!r} or {roles.rejected!r} is preferred: write the names of "
            "these columns, or name two columns with --chosen-column and --rejected-column."
        )
    return found


def text_from(
    values: Mapping[str, Any], roles: Roles, location: str
) -> tuple[str, tuple[Dialogue, ...]]:
    """The text, or the prompt, of a row, and the chat that it is, if it is one."""
    if roles.alone is not None and isinstance(value := values.get(roles.alone), str):
        return text_of(value, location, roles.alone), ()
    asked = _asked(values, roles, location)
    return (asked, ()) if isinstance(asked, str) else (asked_in(asked), (asked,))


def _asked(values: Mapping[str, Any], roles: Roles, location: str) -> str | Dialogue:
    """The text or the prompt of a row, or the turns of a chat where a column holds one."""
    if roles.template:
        return filled(
            roles.template,
            {name: _written(values.get(name), location, name) for name in fields(roles.template)},
        )
    system = values.get(roles.system) if roles.system else None
    if not any(are_messages(values.get(column)) for column in roles.text):
        parts = [text_of(system, location, roles.system or "")] if not missing(system) else []
        return BETWEEN.join([*parts, *_parts(values, roles, location)])
    turns: list[tuple[str, str]] = []
    if not missing(system):
        turns.append(("system", text_of(system, location, roles.system or "")))
    for column in roles.text:
        value = values.get(column)
        if are_messages(value):
            turns += turns_of(value, location, column)
        elif not missing(value) or column not in roles.optional:
            turns.append(("user", text_of(value, location, column)))
    return tuple(turns)


def _parts(values: Mapping[str, Any], roles: Roles, location: str) -> list[str]:
    return [
        text_of(values.get(column), location, column)
        for column in roles.text
        if column not in roles.optional or not missing(values.get(column))
    ]


def _written(value: Any, location: str, column: str) -> str:
    """A value in a template, where numbers and truth values are as good as texts."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return text_of(str(value) if isinstance(value, (bool, int)) else value, location, column)


def _answered(values: Mapping[str, Any], roles: Roles, location: str) -> Sequence[str]:
    """Prompt and target, and behind them what counts as right, too."""
    if roles.chat:
        turns = turns_of(values.get(roles.chat), location, roles.chat)
        system = values.get(roles.system) if roles.system else None
        if not missing(system):
            turns = (("system", text_of(system, location, roles.system or "")), *turns)
        if len(turns) < 2 or turns[-1][0] != "assistant":
            raise UserError(
                f"{location} has no turn of the assistant at the end of column {roles.chat!r}: "
                "add the answer or drop the row."
            )
        return asked_in(turns[:-1]), turns[-1][1].strip()
    assert roles.label is not None
    prompt, _ = text_from(values, roles, location)
    targets = targets_of(values.get(roles.label), location, roles.label)
    if not roles.accepted:
        return prompt, *targets
    return prompt, *targets, *accepted_of(values.get(roles.accepted), location, roles.accepted)


def _pair(
    values: Mapping[str, Any], roles: Roles, location: str, preferred: Preferred | None
) -> Any:
    """The preference of a row; None where neither completion is preferred."""
    assert roles.chosen
    assert roles.rejected
    columns = (roles.chosen, roles.rejected)
    if preferred is not None or roles.scores:
        side = _side(values, roles, location, preferred)
        if side is None:
            return None
        columns = columns if side == 0 else (columns[1], columns[0])
    both = [as_turns(values.get(column)) for column in columns]
    prompt, system = _prompt_of_pair(values, roles, location)
    if system is not None and any(isinstance(value, list) for value in (prompt, *both)):
        prompt, both = _with_system(system, prompt, both)
    elif system is not None:
        prompt = BETWEEN.join([system, *([prompt] if prompt else [])])
    return read_pair(prompt, both[0], both[1], location, columns)


def _side(
    values: Mapping[str, Any], roles: Roles, location: str, preferred: Preferred | None
) -> int | None:
    """Which of two completions a row prefers; None where it prefers neither."""
    if preferred is None:
        first, second = (number_of(values.get(name), location, name) for name in roles.scores)
        return None if first == second else int(second > first)
    said = values.get(roles.label or "")
    try:
        return preferred(said)
    except ValueError:
        raise UserError(
            f"{location} has {shown(said)} in column {roles.label!r}, which is no preference: "
            f"write {roles.chosen} or {roles.rejected}, or drop the row."
        ) from None


def _prompt_of_pair(
    values: Mapping[str, Any], roles: Roles, location: str
) -> tuple[Any, str | None]:
    """The prompt of a preference, which may be missing, and what stands before the conversation."""
    system = values.get(roles.system) if roles.system else None
    before = None if missing(system) else text_of(system, location, roles.system or "")
    if roles.template or len(roles.text) > 1:
        alone = Roles("preference", roles.text, roles.optional, roles.template)
        asked = _asked(values, alone, location)
        return asked if isinstance(asked, str) else _as_messages(asked), before
    return as_turns(values.get(roles.text[0])) if roles.text else None, before


def _with_system(system: str, prompt: Any, both: list[Any]) -> tuple[Any, list[Any]]:
    """Prompt and completions with the turn of a system at the head of the chat."""
    turn = {"role": "system", "content": system}
    begun = [isinstance(side, list) and side[:1] and side[0].get("role") for side in both]
    if isinstance(prompt, list):
        return ([turn, *prompt] if prompt[0].get("role") != "system" else prompt), [
            [turn, *side] if role in ("user",) else side
            for side, role in zip(both, begun, strict=True)
        ]
    if isinstance(prompt, str) and prompt.strip() and "user" not in begun:
        return [turn, {"role": "user", "content": prompt}], both
    if all(role == "user" for role in begun):
        return None, [[turn, *side] for side in both]
    return [turn], both


def _as_messages(turns: Dialogue) -> list[dict[str, str]]:
    return [{"role": role, "content": said} for role, said in turns]

"""Chats as a model reads them: written by its chat template, always on the same day.

Where a template refuses the system turn, that turn is folded into the first turn of the user, as
the makers of such models do (Gemma 1 and 2, the first Mistral).
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from weak2strong.config.model import CHAT_DATE, ModelSpec
from weak2strong.ground.errors import UserError, first_line
from weak2strong.tasks.task import Dialogue, Item

SYSTEM, USER = "system", "user"

CLOCK = "strftime_now"
"""The function by which a template asks for the day."""

CLOCK_HEAD = re.compile(rf"\A{{%- macro {CLOCK}\(form\) %}}.*?{{% endmacro %}}\n", re.DOTALL)
"""What `on_day` puts before a template."""


@dataclass(frozen=True)
class ChatSettings:
    """What a user may say of how chats are written.

    Attributes:
        system_prompt: stands before chats that have no system turn of their own.
        date: the day that a template writes as today, as ``2024-07-26``.
        options: values for variables of the template, as JSON.
    """

    system_prompt: str | None = None
    date: str = CHAT_DATE
    options: str = "{}"

    @classmethod
    def of(cls, spec: ModelSpec) -> ChatSettings:
        """The settings of a model."""
        return cls(spec.system_prompt, spec.chat_date, spec.chat_template_kwargs or "{}")


@dataclass(frozen=True)
class Written:
    """A chat as a text.

    Attributes:
        text: what the model reads.
        by_template: whether a template wrote it, with its special tokens.
        folded: whether the system turn became a part of the first turn of the user.
        prompted: whether the system prompt of the settings stands in it.
    """

    text: str
    by_template: bool
    folded: bool
    prompted: bool


class ChatRefusedError(UserError):
    """A chat that a template cannot write.

    Attributes:
        item: that it is of.
    """

    def __init__(self, item: Item, template: str, reason: str, place: str = ""):
        self.item, self.template, self.reason = item, template, reason
        super().__init__(
            f"{place or f'Example {item.id}'} has a chat ({_beginning(item)}) that the chat "
            f"template of {template} refuses ({reason.rstrip('. ')}): change its turns, leave it "
            "out, or choose another model."
        )


def settings_of(tokenizer: Any) -> ChatSettings:
    """How chats are written for a tokenizer (see `load_tokenizer`)."""
    return getattr(tokenizer, "chat_settings", ChatSettings())


def keep_settings(tokenizer: Any, spec: ModelSpec) -> None:
    """Let a tokenizer write chats as the settings of its model say, in place.

    Its own templates write the day of the settings, too: so does a model that is saved with it, as
    it was trained.
    """
    settings = ChatSettings.of(spec)
    tokenizer.chat_settings = settings
    day, templates = datetime.fromisoformat(settings.date), tokenizer.chat_template
    if isinstance(templates, str):
        tokenizer.chat_template = on_day(templates, day)
    elif templates:
        # A tokenizer may have several by name.
        tokenizer.chat_template = {name: on_day(text, day) for name, text in templates.items()}


def has_template(tokenizer: Any) -> bool:
    """Whether a tokenizer has a chat template."""
    return bool(getattr(tokenizer, "chat_template", None))


def written_chats(tokenizer: Any, items: Sequence[Item]) -> dict[int, Written]:
    """The chats among the texts of some items, by position among these (see `texts_of`).

    A model without a chat template, as base models are, reads a chat as plain text, with a
    paragraph a turn; it is not among these but for the system prompt of the settings.

    Raises:
        ChatRefusedError: where the template cannot write a chat.
    """
    settings = settings_of(tokenizer)
    if not has_template(tokenizer) and settings.system_prompt is None:
        return {}
    found, position = dict[int, Written](), 0
    for item in items:
        for n, dialogue in enumerate(item.dialogues):
            found[position + n] = _written(tokenizer, settings, item, n, dialogue)
        position += len(item.texts)
    return found


def writes_date(tokenizer: Any, dialogue: Dialogue) -> bool:
    """Whether what the template writes of a chat depends on the day."""
    days = (datetime(2001, 2, 3), datetime(2019, 12, 28))
    settings, texts = settings_of(tokenizer), set[str]()
    for day in days:
        found = _attempt(tokenizer, settings, dialogue, day)
        texts.add(found if isinstance(found, str) else "")
    return len(texts) > 1


def _written(
    tokenizer: Any, settings: ChatSettings, item: Item, n: int, dialogue: Dialogue
) -> Written:
    prompt = settings.system_prompt
    prompted = prompt is not None and dialogue[0][0] != SYSTEM
    if not has_template(tokenizer):
        before = f"System: {prompt}\n\n" if prompted else ""
        return Written(before + item.texts[n], False, False, prompted)
    turns = ((SYSTEM, str(prompt)), *dialogue) if prompted else dialogue
    day = datetime.fromisoformat(settings.date)
    found, folded = _attempt(tokenizer, settings, turns, day), _folded(turns)
    if isinstance(found, str):
        return Written(found, True, False, prompted)
    if folded is not None:
        found = _attempt(tokenizer, settings, folded, day)
    if not isinstance(found, str):
        raise ChatRefusedError(item, tokenizer.name_or_path, first_line(found)) from found
    return Written(found, True, True, prompted)


def _attempt(
    tokenizer: Any, settings: ChatSettings, dialogue: Dialogue, day: datetime
) -> str | Exception:
    """What the template makes of some turns, or why it refuses them."""
    from jinja2 import TemplateError

    turns = [{"role": role, "content": text} for role, text in dialogue]
    template = on_day(tokenizer.get_chat_template(), day)
    options = {"tokenize": False, "chat_template": template, **json.loads(settings.options)}
    try:
        return tokenizer.apply_chat_template(turns, **options)
    except TemplateError as e:
        return e


def on_day(template: str, day: datetime) -> str:
    """A template that takes this day for today, whenever it is used."""
    rest = CLOCK_HEAD.sub("", template)
    return _clock(day) + rest if CLOCK in rest else rest


@cache
def _clock(day: datetime) -> str:
    """A macro in place of the function by which a template asks for the day.

    Transformers gives templates a function of its own, which it does not let one replace, but a
    macro at the head of a template counts more. The line break after it is no part of the text.
    """
    form = "form"
    for letter in string.ascii_letters:
        # Seconds since 1970 depend on the time zone.
        for directive in (f"%-{letter}", f"%{letter}") if letter != "s" else ():
            value = day.strftime(directive)
            if "%" not in value:
                form += f" | replace({directive!r}, {value!r})"
    return f"{{%- macro {CLOCK}(form) %}}{{{{ {form} }}}}{{% endmacro %}}\n"


def _folded(dialogue: Dialogue) -> Dialogue | None:
    """The turns with that of the system at the head of the first of the user; None without."""
    (role, said), *others = dialogue
    first = next((n for n, (role, _) in enumerate(others) if role == USER), None)
    if role != SYSTEM or first is None:
        return None
    others[first] = (USER, f"{said}\n\n{others[first][1]}")
    return tuple(others)


def _beginning(item: Item) -> str:
    text = " ".join((item.text or item.texts[0]).split())
    return repr(text if len(text) <= 40 else f"{text[:39]}…")

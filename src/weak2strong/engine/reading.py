"""What a model reads of a task's texts: how much of them, and how chats are written for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from weak2strong.models.chats import ChatRefusedError
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.task import Item, Task


@dataclass(frozen=True)
class Reading:
    """What one model reads.

    Attributes:
        model: its name.
        limit: tokens of a text that it reads at most.
        examples: how many there are.
        cut: how many of them have a text that is longer.
        side: of such a text that is cut off.
        folded: examples with a system turn that became a part of the first turn of the user.
        prompted: examples that the system prompt of the settings stands before.
        system_prompt: which one; None without such examples.
        date: that the chat template writes as today; None where it writes none.
        options: values for variables of the template, as JSON; None without.
    """

    model: str
    limit: int
    examples: int
    cut: int
    side: Literal["beginning", "end"]
    folded: int = 0
    prompted: int = 0
    system_prompt: str | None = None
    date: str | None = None
    options: str | None = None

    def sentences(self) -> list[str]:
        """What to know of it before anything is trained."""
        said = f"{self.model} reads up to {self.limit:,} tokens of a text"
        if self.cut:
            stays = ", but not the special tokens there" if self.side == "beginning" else ""
            said += (
                f": of {self.examples:,} examples {self.cut:,} are longer, and lose their "
                f"{self.side}{stays} (--max-length)"
            )
        found = [f"{said}."]
        if self.folded:
            found.append(
                f"{self.model}: its chat template refuses a turn of the system, which is folded "
                f"into the first turn of the user (examples: {self.folded:,})."
            )
        if self.prompted:
            prompt = " ".join((self.system_prompt or "").split())
            shown = prompt if len(prompt) <= 60 else f"{prompt[:59]}…"
            found.append(
                f"{self.model}: a system prompt stands before chats that have none (examples: "
                f"{self.prompted:,}): {shown}"
            )
        if self.date:
            found.append(
                f"{self.model}: its chat template writes the date, which is {self.date} on every "
                "day (--chat-date)."
            )
        if self.options:
            found.append(f"{self.model}: its chat template is given {self.options}.")
        return found


def reading_of(items: Sequence[Item], model: str, tokenizer: Any, counts: Sequence[int]) -> Reading:
    """What a model reads of some items.

    Args:
        items: at least one.
        model: its name.
        tokenizer: as `load_tokenizer` makes it.
        counts: tokens of every text of the items, before any cut.

    Raises:
        UserError: where the chat template cannot write one of the chats.
    """
    from weak2strong.models.chats import has_template, settings_of, writes_date, written_chats
    from weak2strong.models.lengths import longest_read

    chats = written_chats(tokenizer, items)
    owner = [n for n, item in enumerate(items) for _ in item.texts]
    limit, settings = longest_read(tokenizer), settings_of(tokenizer)
    by_template = any(chat.by_template for chat in chats.values())
    first = next((item.dialogues[0] for item in items if item.dialogues), ())
    prompted = len({owner[n] for n, chat in chats.items() if chat.prompted})
    given = by_template and settings.options != "{}"
    dated = by_template and has_template(tokenizer) and writes_date(tokenizer, first)
    return Reading(
        model=model,
        limit=limit,
        examples=len(items),
        cut=len({owner[n] for n, count in enumerate(counts) if count > limit}),
        side="beginning" if any(item.completions for item in items) else "end",
        folded=len({owner[n] for n, chat in chats.items() if chat.folded}),
        prompted=prompted,
        system_prompt=settings.system_prompt if prompted else None,
        date=settings.date if dated else None,
        options=settings.options if given else None,
    )


@contextmanager
def naming_rows(task: Task) -> Iterator[None]:
    """Tell of a chat that a template refuses in which row of the user's data it stands."""
    try:
        yield
    except ChatRefusedError as e:
        rows = task.rows if isinstance(task, FileTask) else ()
        for row in rows:
            if row.dialogues == e.item.dialogues:
                raise ChatRefusedError(e.item, e.template, e.reason, row.location) from e
        raise

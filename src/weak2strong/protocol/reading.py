"""Whether settings of what models read can change anything in a study: what cannot is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from weak2strong.config.model import CHAT_DATE, ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.configuration import load_tokenizer
from weak2strong.tasks.task import Task


def check_reading(models: Sequence[ModelSpec], tasks: Sequence[Task]) -> None:
    """Refuse settings of chats where there are no chats, or no template that they are for.

    Raises:
        UserError: for such a setting; it names the flag.
    """
    for model in models:
        given = _given(model)
        if given and not any(e.item.dialogues for task in tasks for e in task.load()):
            raise UserError(
                f"Model {model.name}: {given[0]} changes how chats are written, and no task of "
                "the study has chats: leave it out."
            )
        of_template = [name for name in given if name != "--system-prompt"]
        if of_template:
            _check_template(model, of_template[0], load_tokenizer(model).chat_template)


def _given(model: ModelSpec) -> list[str]:
    """The flags of settings of chats that are not as they are by default."""
    flags = {
        "--system-prompt": model.system_prompt is not None,
        "--chat-template-kwargs": model.chat_template_kwargs is not None,
        "--chat-date": model.chat_date != CHAT_DATE,
    }
    return [flag for flag, given in flags.items() if given]


def _check_template(model: ModelSpec, flag: str, template: Any) -> None:
    if not template:
        raise UserError(
            f"Model {model.name} has no chat template, so that {flag} changes nothing: leave it "
            "out for this model, or choose another one."
        )
    # A tokenizer may have several templates by name.
    text = template if isinstance(template, str) else json.dumps(template)
    for name in json.loads(model.chat_template_kwargs or "{}"):
        if not re.search(rf"\b{re.escape(name)}\b", text):
            raise UserError(
                f"Model {model.name}: its chat template has no variable {name!r}, so that "
                "--chat-template-kwargs changes nothing: look at the template, or leave it out."
            )

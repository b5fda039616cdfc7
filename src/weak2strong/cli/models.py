"""`w2s models`: models that make pairs, and whether one of them can be trained here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tyro.conf import arg

from weak2strong.cli.printing import Printing
from weak2strong.ground.errors import UserError
from weak2strong.ground.rooms import Purpose


@dataclass(frozen=True)
class Models(Printing):
    """List models that make pairs, or check one on this machine."""

    purpose: ClassVar[Purpose] = Purpose.DATA

    check: Annotated[str | None, arg(metavar="MODEL")] = None
    """A rung, a folder, or a hub id[@revision]: load it (it is fetched where it is not
    here yet), measure what a training takes, and try one, and every other use, on a text as long
    as the model reads."""
    tokens: Annotated[int | None, arg(metavar="N")] = None
    """With --check: tokens of a micro-batch; one text as long as the model reads by default."""

    task: Annotated[str | None, arg(metavar="NAME")] = None
    """With --check: a task by name, a file of your own or a dataset of the hub: say whether the
    frozen model knows anything of it, by a probe on a sample, beside letters alone."""

    def __call__(self) -> None:
        """Print the list, or what the check found."""
        from weak2strong.report.models import check_document, models_document

        if self.check is None:
            if self.task is not None:
                raise UserError("--task says what a model is asked about: name it with --check.")
            return self.show(models_document())
        from weak2strong.config.model import ModelSpec
        from weak2strong.models.check import check
        from weak2strong.protocol.uses import uses_of

        spec = ModelSpec.parse(self.check)
        found = check(spec, self.tokens)
        asked = None
        if self.task is not None:
            from weak2strong.protocol.asked_model import asked_about

            asked = asked_about(spec, self.task)
        self.show(check_document(self.check, found, uses_of(spec, found), asked))

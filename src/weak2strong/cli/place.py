"""`w2s place`: where a pair of model sizes stands on the compute axis of the paper."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from tyro.conf import arg

from weak2strong.cli.printing import Printing
from weak2strong.ground.rooms import Purpose

SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
SIZE = re.compile(r"(\d+\.?\d*(?:e[+-]?\d+)?)([kmbt]?)", re.IGNORECASE)


@dataclass(frozen=True)
class Place(Printing):
    """Locate a pair of model sizes among published findings.

    The place is on the compute axis of Burns et al. 2023, whose findings are beside it.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    weak: Annotated[str, arg(metavar="N")]
    """Parameters of the supervisor (500M, 7B, 1.3e9), or a model that `w2s models` lists."""
    strong: Annotated[str, arg(metavar="N")]
    """Parameters of the student, likewise."""

    def __call__(self) -> None:
        """Print places, gap and findings."""
        from weak2strong.analysis.axis import Pair
        from weak2strong.ground.errors import UserError
        from weak2strong.report.place import place_document

        pair = Pair(parameters(self.weak), parameters(self.strong))
        if pair.strong <= pair.weak:
            raise UserError(
                f"The strong model, {self.strong}, must be larger than the weak one, {self.weak}."
            )
        self.show(place_document(pair))


def parameters(text: str) -> float:
    """A number of parameters from what a user writes.

    Raises:
        UserError: where it is neither a size nor a model of the catalogue.
    """
    from weak2strong.ground.errors import UserError, unknown_name
    from weak2strong.models.catalogue import listed

    known = listed()
    if text in known:
        return float(known[text][0].parameters)
    found = SIZE.fullmatch(text)
    count = float(found[1]) * SUFFIXES[found[2].upper()] if found else math.nan
    if 1 <= count < math.inf:
        return count
    if "/" in text or text.startswith("atlas"):
        raise unknown_name("model", text, known, "Or write its parameters, such as 7B.")
    raise UserError(
        f"{text!r} is no size of a model: write its parameters, such as 500M, 7B or 1.3e9, "
        "or a name that `w2s models` lists."
    )

"""`w2s place`: where a pair of model sizes stands on the compute axis of the paper."""

from __future__ import annotations

import math
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

if TYPE_CHECKING:
    from weak2strong.analysis.axis import Pair

SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
SIZE = re.compile(r"(\d+\.?\d*(?:e[+-]?\d+)?)([kmbt]?)", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Locate a pair of model sizes on the compute axis of Burns et al. 2023, with its findings."""

    weak: Annotated[str, arg(metavar="N")]
    """Parameters of the supervisor (500M, 7B, 1.3e9), or a model that `w2s models` lists."""
    strong: Annotated[str, arg(metavar="N")]
    """Parameters of the student, likewise."""

    def __call__(self) -> None:
        """Print places, gap and findings."""
        from weak2strong.analysis.axis import Pair
        from weak2strong.ground.errors import UserError

        pair = Pair(parameters(self.weak), parameters(self.strong))
        if pair.strong <= pair.weak:
            raise UserError(
                f"The strong model, {self.strong}, must be larger than the weak one, {self.weak}."
            )
        print("\n".join(_lines(pair)))


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


def _lines(pair: Pair) -> list[str]:
    """What is printed: both places and the gap, what these rest on, and the findings."""
    from weak2strong.analysis.axis import LARGEST, SLACK, SPAN, THIRD, findings

    roles = ("weak", "strong")
    lines = [
        f"{role:6}  {_short(count):>5} parameters, 10^{at:.1f} of GPT-4's compute"
        for role, count, at in zip(roles, (pair.weak, pair.strong), pair.places, strict=True)
    ]
    size = "small" if pair.gap <= THIRD else "large" if pair.gap >= 2 * THIRD else "medium"
    lines += [
        f"gap     {10**pair.gap:.3g} times the compute, {pair.gap:.1f} orders of magnitude: "
        f"{size} on an axis of {SPAN:.0f}",
        "",
    ]
    lines += textwrap.wrap(
        f"Compute is estimated as parameters squared, and GPT-4 as {_short(LARGEST)} parameters, "
        "as EleutherAI 2024 does. GPT-4's size is not public: if it is half or twice as large, "
        f"both places move by {SLACK:.1f} orders, but the gap stays. Small and large are the "
        f"paper's words; here, a gap is small up to {THIRD:.1f} orders and large from "
        f"{2 * THIRD:.1f}, and the smallest and the largest models are the lowest and the "
        "highest third of the axis.",
        100,
    )
    lines.append("")
    off = [role for role, on in zip(roles, pair.on_axis, strict=True) if not on]
    if off:
        who = "Both models are" if len(off) == 2 else f"The {off[0]} model is"
        return [
            *lines,
            f"{who} outside of the range of Burns et al. 2023, 10^-{SPAN:.0f} to 1: "
            "none of their findings were made here.",
        ]
    lines.append("Found in this range (sections and figures are of Burns et al. 2023):")
    for f in findings(pair):
        text = f"{f.setting}: {f.text} ({f.source})."
        lines += textwrap.wrap(text, 100, initial_indent="- ", subsequent_indent="  ")
    return lines


def _short(count: float) -> str:
    """A count for a reader, such as ``1.3B``."""
    for suffix in ("T", "B", "M", "K"):
        # Half a unit of the third digit below, so that 999.9M is 1B.
        if count >= 0.9995 * SUFFIXES[suffix]:
            return f"{count / SUFFIXES[suffix]:.3g}{suffix}"
    return f"{count:.3g}"

"""The position of a pair of model sizes on the compute axis of the paper, in sentences."""

from __future__ import annotations

from dataclasses import asdict

from weak2strong.analysis.axis import LARGEST, SLACK, SPAN, THIRD, Finding, Pair, findings
from weak2strong.ground.table import Document

ROLES = ("weak", "strong")

UNITS = {"T": 1e12, "B": 1e9, "M": 1e6, "K": 1e3}


def place_document(pair: Pair) -> Document:
    """Both positions and the gap, what these rest on, and the findings that were made there."""
    sizes = (pair.weak, pair.strong)
    positions = [
        f"{role:6}  {short(count):>5} parameters, 10^{at:.1f} of GPT-4's compute"
        for role, count, at in zip(ROLES, sizes, pair.positions, strict=True)
    ]
    size = "small" if pair.gap <= THIRD else "large" if pair.gap >= 2 * THIRD else "medium"
    gap = (
        f"gap     {10**pair.gap:.3g} times the compute, {pair.gap:.1f} orders of magnitude: "
        f"{size} on an axis of {SPAN:.0f}"
    )
    rests_on = (
        f"Compute is estimated as parameters squared, and GPT-4 as {short(LARGEST)} parameters, "
        "as EleutherAI 2024 does. GPT-4's size is not public: if it is half or twice as large, "
        f"both places move by {SLACK:.1f} orders, but the gap stays. Small and large are the "
        f"paper's words; here, a gap is small up to {THIRD:.1f} orders and large from "
        f"{2 * THIRD:.1f}, and the smallest and the largest models are the lowest and the "
        "highest third of the axis."
    )
    made_here = findings(pair)
    facts = {
        "parameters": dict(zip(ROLES, sizes, strict=True)),
        "positions": dict(zip(ROLES, pair.positions, strict=True)),
        "on_axis": dict(zip(ROLES, pair.on_axis, strict=True)),
        "gap": pair.gap,
        "size_of_gap": size,
        "findings": [{n: asdict(f)[n] for n in ("setting", "text", "source")} for f in made_here],
    }
    return Document([], facts, [*positions, gap, "", rests_on, "", *_findings(pair, made_here)])


def _findings(pair: Pair, made_here: list[Finding]) -> list[str]:
    """The findings, or that none was made with such models."""
    off = [role for role, on in zip(ROLES, pair.on_axis, strict=True) if not on]
    if off:
        who = "Both models are" if len(off) == 2 else f"The {off[0]} model is"
        return [
            f"{who} outside of the range of Burns et al. 2023, 10^-{SPAN:.0f} to 1: "
            "none of their findings were made here."
        ]
    return [
        "Found in this range (sections and figures are of Burns et al. 2023):",
        *(f"- {f.setting}: {f.text} ({f.source})." for f in made_here),
    ]


def short(count: float) -> str:
    """A count for a reader, such as ``1.3B``."""
    for unit, size in UNITS.items():
        # Half a unit of the third digit below, so that 999.9M is 1B.
        if count >= 0.9995 * size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.3g}"

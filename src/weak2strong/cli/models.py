"""`w2s models`: models that make pairs, and whether one of them can be trained here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

if TYPE_CHECKING:
    from weak2strong.models.check import Checked

YES = {True: "yes", False: "no"}


@dataclass(frozen=True)
class Models:
    """List models that make weak and strong pairs, or check one of any name on this machine."""

    check: Annotated[str | None, arg(metavar="MODEL")] = None
    """A rung, a folder, or a hub id[@revision]: load it (it is fetched where it is not
    here yet) and measure what a training takes."""
    tokens: Annotated[int | None, arg(metavar="N")] = None
    """With --check: tokens of a micro-batch; one text as long as the model takes by default."""

    def __call__(self) -> None:
        """Print the list, or what the check found."""
        if self.check is None:
            _print_list()
            return
        from weak2strong.config.model import ModelSpec
        from weak2strong.models.check import check

        _print_check(self.check, check(ModelSpec.parse(self.check), self.tokens))


def _print_list() -> None:
    from weak2strong.config.model import ModelSpec
    from weak2strong.models.catalogue import FAMILIES, PAIRS, listed
    from weak2strong.models.needs import resting_bytes
    from weak2strong.report.units import size

    rank = ModelSpec.lora_rank
    rows: list[tuple[str, ...] | None] = []
    for family in FAMILIES:
        for model in family.models:
            lora = resting_bytes("lora", model.trunk, rank * model.linear)
            rows.append(
                (
                    model.name,
                    f"{model.parameters:,}",
                    size(resting_bytes("full", model.trunk)),
                    size(lora),
                    family.licence,
                    YES[family.gated],
                    family.cutoff or "–",
                )
            )
        rows.append(None)
    _print_table(
        ("model", "parameters", "full", "LoRA", "licence", "gated", "cutoff"), rows, "lrrrlll"
    )
    print(
        "full, LoRA: memory for weights, gradients and optimiser of such a training (LoRA of rank "
        f"{rank} on\na bfloat16 trunk); activations come on top: w2s models --check MODEL "
        "measures them.\n"
        "gated: accept the terms on the model's page, then `hf auth login`. "
        "cutoff: of knowledge, where the maker states it.\n\n"
        "Pairs to begin with; see from floor and ceiling whether the larger one knows more of "
        "your task:"
    )
    known = listed()
    for weak, strong in PAIRS:
        times = known[strong][0].parameters / known[weak][0].parameters
        print(f"  --weak {weak} --strong {strong}  ({times:.2g} times the parameters)")


def _print_check(name: str, found: Checked) -> None:
    from weak2strong.report.units import size

    side = "decoder" if found.decoder else "encoder"
    longest = f"{found.longest:,} tokens" if found.longest else "length not stated"
    print(f"{name}: {found.place}")
    print(
        f"{'loads' if found.loaded else 'not loaded, its weights are more than the memory'}: "
        f"{found.architecture}, {side}, {found.parameters:,} parameters, width {found.width:,}, "
        f"{found.layers} layers, texts: {longest}"
    )
    print(f"licence: {found.licence}")
    print(
        f"memory of this machine ({found.device}): {size(found.memory)}, "
        f"of which a training fills {size(found.usable)} at most\n"
    )
    rows = [
        (
            need.adaptation,
            size(need.resting),
            "–" if need.activations is None else size(need.activations),
            size(need.together),
            YES[found.fits(need)],
        )
        for need in found.needs
    ]
    titles = ("training", "at rest", f"activations of {found.tokens:,} tokens", "together", "fits")
    _print_table(titles, rows, "lrrrl")
    print(
        "at rest: weights, gradients and optimiser; weights that are not trained in "
        f"{found.frozen}.\ntogether: with half as much as the activations for work space besides. "
        "Where one text\ndoes not fit, activations are computed twice, to save most of them."
    )


def _print_table(titles: tuple[str, ...], rows: list, sides: str) -> None:
    """Print a table; None in place of a row makes a gap."""
    from weak2strong.report.table import column_table, table_console

    table = column_table(titles, sides)
    for row in rows:
        if row is None:
            table.add_section()
        else:
            table.add_row(*row)
    table_console().print(table)

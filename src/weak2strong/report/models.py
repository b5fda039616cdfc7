"""Models that make pairs, and what a training of one takes here, as tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.table import DASH, Column, Document, Table, count, words
from weak2strong.models.catalogue import FAMILIES, PAIRS, Listed, listed
from weak2strong.models.check import Checked
from weak2strong.models.needs import frozen_bytes, resting_bytes
from weak2strong.protocol.foreknowledge import Foreknowledge
from weak2strong.protocol.uses import Uses
from weak2strong.report.units import size, size_column

YES = {True: "yes", False: "no"}


def models_document() -> Document:
    """The models of the catalogue, a part a family, and pairs of them to begin with."""
    rank = ModelSpec.lora_rank
    rows, gaps = list[dict[str, Any]](), list[int]()
    for family in FAMILIES:
        gaps.append(len(rows))
        for model in family.models:
            row = {
                "model": model.name,
                "parameters": model.parameters,
                "full": resting_bytes("full", model.trunk),
                "lora": resting_bytes("lora", model.trunk, rank * model.linear),
                "lora_4bit": _of_4_bits(model, rank),
            }
            about = {"licence": family.licence, "gated": family.gated, "cutoff": family.cutoff}
            rows.append(row | about)
    columns = [
        words("model"),
        count("parameters"),
        size_column("full"),
        size_column("lora", "LoRA"),
        size_column("lora_4bit", "LoRA 4bit"),
        words("licence", detail=True),
        Column("gated", "gated", lambda row: YES[row["gated"]], "left", detail=True),
        Column("cutoff", "cutoff", lambda row: row["cutoff"] or DASH, "left", detail=True),
    ]
    notes = [
        "full, LoRA: memory for weights, gradients and optimiser of such a training (LoRA of rank "
        f"{rank} on a bfloat16 trunk, or on one whose layers are of 4 bits: --strong-precision "
        "4bit); activations come on top: w2s models --check MODEL measures "
        "them.",
        "gated: accept the terms on the model's page, then `hf auth login`. cutoff: of knowledge, "
        "where the maker states it.",
    ]
    known = listed()
    pairs = [
        {"weak": w, "strong": s, "times": known[s][0].parameters / known[w][0].parameters}
        for w, s in PAIRS
    ]
    sentences = [
        "Pairs to begin with; see from floor and ceiling whether the larger one knows more of "
        "your task:",
        *(
            f"  --weak {p['weak']} --strong {p['strong']}  ({p['times']:.2g} times the parameters)"
            for p in pairs
        ),
    ]
    table = Table("models", "", columns, rows, notes, gaps[1:])
    return Document([table], {"pairs": pairs}, notes=sentences)


def _of_4_bits(model: Listed, rank: int) -> int:
    """Memory of LoRA on layers of 4 bits, in bytes."""
    kept = frozen_bytes(ModelSpec(model.name, precision="4bit"), model.trunk, model.multiplied, 2)
    return resting_bytes("lora", model.trunk, rank * model.linear, kept)


def check_document(
    name: str, checked: Checked, uses: Uses, asked_about: Foreknowledge | None = None
) -> Document:
    """What one model is, the memory of each kind of training, and what it can be used for.

    Args:
        name: of the model, as the user wrote it.
        checked: the result of its check.
        uses: that were tried.
        asked_about: what it knows of a task, where it was asked.
    """
    side = "decoder" if checked.decoder else "encoder"
    longest = f"{checked.longest:,} tokens" if checked.longest else "length not stated"
    head = [
        f"{name}: {checked.location}",
        f"{'loads' if checked.loaded else 'not loaded, its weights are more than the memory'}: "
        f"{checked.architecture}, {side}, {checked.parameters:,} parameters, "
        f"width {checked.width:,}, {checked.layers or DASH} layers, texts: {longest}",
        f"licence: {checked.licence}",
        f"memory of this machine ({checked.device}): {size(checked.memory)}, "
        f"of which a training fills {size(checked.usable)} at most",
        "",
    ]
    columns = [
        words("adaptation", "training"),
        size_column("resting", "at rest"),
        size_column("activations", f"activations of {checked.tokens:,} tokens"),
        size_column("together"),
        Column("trains", "trains", lambda row: _tried(row["trains"]), "left"),
        Column("fits", "fits", lambda row: YES[row["fits"]], "left"),
    ]
    rows = [
        asdict(need)
        | {"together": need.together, "fits": checked.fits(need)}
        | {"trains": uses.trained[need.adaptation].works}
        | {"fault": uses.trained[need.adaptation].said}
        for need in checked.needs
    ]
    notes = [
        "at rest: weights, gradients and optimiser; weights that are not trained in "
        f"{checked.frozen}.",
        "together: with half as much as the activations for work space besides. Where one text "
        "does not fit, activations are computed twice, to save most of them.",
        "trains: a step was tried, with a text as long as the model reads"
        f"{'' if checked.loaded else ', on a small model of its architecture'}; "
        f"{DASH} where memory has no room for it.",
        *(row["fault"] for row in rows if row["fault"]),
    ]
    asked = [{"use": use, **asdict(outcome)} for use, outcome in uses.asked.items()]
    works = Column("works", "works", lambda row: _tried(row["works"]), "left")
    said = [row["said"] for row in asked if row["said"]]
    facts = {"name": name, **asdict(checked), "needs": rows, "uses": asked}
    if asked_about:
        facts["foreknowledge"] = asdict(asked_about) | {"knows": asked_about.knows}
    return Document(
        [
            Table("needs", "", columns, rows, notes),
            Table("uses", "", [words("use"), works], asked, said),
        ],
        facts,
        head,
        [asked_about.sentence] if asked_about else [],
    )


def _tried(works: bool | None) -> str:
    """What came out of a trial, in a word."""
    return DASH if works is None else YES[works]

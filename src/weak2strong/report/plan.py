"""The plan of a study as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from weak2strong.config.model import ModelSpec
from weak2strong.engine.costs import total
from weak2strong.engine.plan import StudyPlan
from weak2strong.engine.rates import HOW
from weak2strong.engine.sizes import TOKENS
from weak2strong.ground.table import DASH, Column, Document, Row, Table, count, counted, words
from weak2strong.methods.reference import passes_intermediates
from weak2strong.models.given import is_given
from weak2strong.protocol.choice import TITLES
from weak2strong.report.assumed import assumed_table
from weak2strong.report.units import duration, size, size_column
from weak2strong.tasks.splits import SPLITS

FACTS = (
    "weak",
    "strong",
    "methods",
    "seeds",
    "cells",
    "device",
    "usable",
    "disk",
    "measured",
    "said",
)
"""What JSON has of a plan beside its tables."""


def plan_document(plan: StudyPlan) -> Document:
    """Cells, tasks, stages and what they take, and what the guesses rest on."""
    head = [
        f"Plan of {plan.weak} to {plan.strong}; nothing is trained or written.",
        f"{plan.cells:,} cells: {counted(len(plan.tasks), 'task')} x "
        f"{counted(len(plan.methods), 'method')} ({', '.join(plan.methods)}) x "
        f"{counted(plan.seeds, 'seed')}.",
    ]
    models = [
        {n: getattr(m, n) for n in ("name", "adaptation", "bits", "resting")} for m in plan.models
    ]
    if plan.said:
        head.append(plan.said)
    facts = {name: getattr(plan, name) for name in FACTS} | {"models": models}
    facts["rates"] = [asdict(choice) for choice in plan.rates]
    facts["trainings"] = [
        {"role": role, **{n: getattr(training, n) for n in ("epochs", "steps", "batch_size")}}
        for role, training in plan.trainings.items()
    ]
    notes = [*_amounts(plan), *_rates(plan), *_memory(plan), _disk(plan), *_notes(plan)]
    tables = [_tasks(plan), _stages(plan)]
    if plan.assumed:
        facts["assumed_device"] = {"name": plan.assumed.name, "memory": plan.assumed.memory}
        tables.append(assumed_table(plan.assumed))
    return Document(tables, facts, head, notes)


def _tasks(plan: StudyPlan) -> Table:
    """How many examples the splits of each task hold, and how long they are."""
    columns = [
        words("task", wraps=True),
        *(Column(split, split, _examples(split), detail=split != "test") for split in SPLITS),
        Column("tokens", "tokens an example", _tokens),
    ]
    rows = [
        {"task": t.name, "here": t.here, "tokens": t.tokens, "counted": t.counted, **t.examples}
        for t in plan.tasks
    ]
    return Table("tasks", "", columns, rows)


def _examples(split: str) -> Callable[[Row], str]:
    """The text of a split: how many examples it holds, or may hold."""
    about = {True: "", False: "≤ "}
    return lambda row: DASH if row[split] is None else f"{about[row['here']]}{row[split]:,}"


def _tokens(row: Row) -> str:
    """How many tokens an example has, for each tokenizer that differs; rows of files have none."""
    if all(is_given(ModelSpec(name)) for name in row["tokens"]):
        return DASH
    about = "" if len(row["counted"]) == len(row["tokens"]) else "≈ "
    return about + " / ".join(sorted({f"{n:.0f}" for n in row["tokens"].values()}, key=float))


def _stages(plan: StudyPlan) -> Table:
    """What is made, how often, and what it takes; the last row is the sum."""
    columns = [
        words("stage", wraps=True),
        words("model"),
        count("count", "stages"),
        Column("fits", "fits", lambda row: f"{row['fits']:,}" if row["fits"] else DASH),
        words("shared", "one of them serves", detail=True),
        words("device", detail=True),
        size_column("resting", "memory", detail=True),
        Column("flops", "FLOPs", lambda row: _flops(row["flops"])),
    ]
    if any(s.seconds is not None for s in plan.stages):
        columns.append(Column("seconds", "time", lambda row: _time(row["seconds"])))
    rows = [
        {
            "stage": s.name,
            **asdict(s),
            "model": s.model or None,
            # What has no model is computed on processors.
            "device": plan.device if s.model else "cpu",
            "resting": _resting_of(plan, s.model, bool(s.fits)),
        }
        for s in plan.stages
    ]
    # Checks without a model take no operations of one.
    of_models = [s for s in plan.stages if s.model]
    together = {
        "stage": "together",
        "model": "",
        "count": sum(s.count for s in plan.stages),
        "fits": sum(s.fits for s in plan.stages),
        "shared": "",
        "device": "",
        "resting": None,
        "flops": total([s.flops for s in of_models]),
        "seconds": total([s.seconds for s in plan.stages]),
    }
    return Table("stages", "", columns, [*rows, together], gaps=(len(rows),))


def _resting_of(plan: StudyPlan, name: str, trains: bool) -> int | None:
    """Bytes of weights, gradients and optimiser of a stage that trains a model."""
    known = {model.name: model.resting for model in plan.models}
    return known.get(name) if trains else None


def _flops(value: float | None) -> str:
    return f"{value:.1e}" if value else DASH


def _time(value: float | None) -> str:
    return DASH if value is None else duration(value)


def _amounts(plan: StudyPlan) -> list[str]:
    """How much the models learn."""
    told = [(TITLES[role], training.amount) for role, training in plan.trainings.items()]
    if len({amount for _, amount in told}) == 1:
        return [f"Each training: {told[0][1]}."]
    return [f"Training of {whose}: {amount}." for whose, amount in told]


def _rates(plan: StudyPlan) -> list[str]:
    """How learning rates are chosen, and why."""
    lines = []
    for choice in plan.rates:
        why = f" ({choice.why})" if choice.why else ""
        lines.append(
            f"Learning rates of {TITLES[choice.role]} ({choice.model}): {HOW[choice.how]}{why}."
        )
    return lines


def _memory(plan: StudyPlan) -> list[str]:
    lines = []
    for model in plan.models:
        if model.resting is None:
            lines.append(f"Memory of {model.name}: {DASH}, its size is not known here.")
            continue
        bits = f" on weights of {model.bits} bits" if model.bits else ""
        if model.adaptation == "knn":
            lines.append(f"Memory of {model.name}{bits}: {size(model.resting)} for weights.")
            continue
        fits = "" if model.resting <= plan.usable else ", which is too much"
        lines.append(
            f"Memory of {model.name}, {model.adaptation}{bits}: {size(model.resting)} for weights, "
            f"gradients and optimiser, activations on top, of {size(plan.usable)} that a training "
            f"may fill here ({plan.device}){fits}."
        )
    return lines


def _times(plan: StudyPlan) -> str:
    """What the times rest on, or why there are none."""
    timed = [stage.seconds is not None for stage in plan.stages]
    if not any(timed):
        return "Times: no stage of this kind was measured on this device yet."
    missing = "" if all(timed) else f" {DASH}: no stage of this kind was measured on it yet."
    return (
        f"Times are those of the store's {counted(plan.measured, 'stage')} from this device: "
        "seconds of an optimiser step with the same model and batch size, or of the same check, "
        f"one after another.{missing}"
    )


def _disk(plan: StudyPlan) -> str:
    if plan.disk is None:
        return f"Disk: {DASH}."
    return f"Disk: about {size(plan.disk)} of stored predictions; models and data not counted."


def _notes(plan: StudyPlan) -> list[str]:
    notes = [_times(plan)]
    if any(stage.flops for stage in plan.stages):
        of = "6 (full), 4 (LoRA) or 2 (head, reading)"
        notes.insert(0, f"FLOPs are {of} a parameter of the trunk and token.")
    if any(passes_intermediates(stage.name.removeprefix("student ")) for stage in plan.stages):
        notes.append("Models between are counted as the student is, which is more than they take.")
    if any(len(task.counted) < len(task.tokens) for task in plan.tasks):
        notes.append(f"≈: texts or tokenizer are not here; a text is taken for {TOKENS} tokens.")
    away = [task for task in plan.tasks if not task.here]
    if any(n is not None for task in away for n in task.examples.values()):
        notes.append(
            "≤: the data are not here; these are the sizes asked for, or those of the published "
            "rows, before cleaning."
        )
    if plan.unknown:
        whole = "all of them" if len(plan.unknown) == len(plan.tasks) else ", ".join(plan.unknown)
        notes.append(
            f"Left out of FLOPs, time and disk, since their sizes are not known here: {whole}."
        )
    return notes

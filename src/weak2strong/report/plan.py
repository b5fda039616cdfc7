"""The plan of a study in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.engine.plan import UTILISATION, StudyPlan
from weak2strong.engine.sizes import TOKENS
from weak2strong.report.table import DASH, column_table
from weak2strong.report.units import duration, size
from weak2strong.tasks.splits import SPLITS

if TYPE_CHECKING:
    from rich.console import Console


def print_plan(plan: StudyPlan, console: Console) -> None:
    """Print cells, tasks, stages and what they take, and what the guesses rest on."""
    tasks, methods = len(plan.tasks), len(plan.methods)
    lines = [
        f"Plan of {plan.weak} to {plan.strong}; nothing is trained or written.",
        f"{plan.cells:,} cells: {_several(tasks, 'task')} x {_several(methods, 'method')} "
        f"({', '.join(plan.methods)}) x {_several(plan.seeds, 'seed')}.",
    ]
    _say(console, lines)
    _print_tasks(plan, console)
    _print_stages(plan, console)
    _say(console, [*_memory(plan), _disk(plan), *_notes(plan)])


def _several(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _say(console: Console, lines: list[str]) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _print_tasks(plan: StudyPlan, console: Console) -> None:
    table = column_table(("task", *SPLITS, "tokens an example"), "lrrrrr", wraps="l")
    for task in plan.tasks:
        counts = (task.examples[split] for split in SPLITS)
        shown = (DASH if n is None else f"{'' if task.here else '≤ '}{n:,}" for n in counts)
        counted = [task.tokens[name] for name in task.counted]
        about = "" if len(counted) == len(task.tokens) else "≈ "
        tokens = {f"{n:.0f}" for n in task.tokens.values()}
        table.add_row(task.name, *shown, about + " / ".join(sorted(tokens, key=float)))
    console.print(table)


def _print_stages(plan: StudyPlan, console: Console) -> None:
    titles = ("stage", "model", "stages", "fits", "one of them serves", "FLOPs", "time")
    table = column_table(titles, "llrrlrr", wraps="l")
    for s in plan.stages:
        counts = (f"{s.count:,}", f"{s.fits:,}" if s.fits else DASH)
        table.add_row(s.name, s.model or DASH, *counts, s.shared, _flops(s.flops), _time(s.seconds))
    table.add_section()
    # The n-gram baseline takes no operations of a model, and no time to speak of.
    counted = [s for s in plan.stages if s.model]
    whole, seconds = ([*map(pick, counted)] for pick in (lambda s: s.flops, lambda s: s.seconds))
    together = (None if None in part else sum(part) for part in (whole, seconds))
    flops, time = together
    stages, fits = (sum(pick) for pick in zip(*((s.count, s.fits) for s in plan.stages)))  # noqa: B905
    table.add_row("together", "", f"{stages:,}", f"{fits:,}", "", _flops(flops), _time(time))
    console.print(table)


def _flops(value: float | None) -> str:
    return DASH if value is None else f"{value:.1e}"


def _time(value: float | None) -> str:
    return DASH if value is None else duration(value)


def _memory(plan: StudyPlan) -> list[str]:
    lines = []
    for model in plan.models:
        if model.resting is None:
            lines.append(f"Memory of {model.name}: {DASH}, its size is not known here.")
            continue
        fits = "" if model.resting <= plan.usable else ", which is too much"
        lines.append(
            f"Memory of {model.name}, {model.adaptation}: {size(model.resting)} for weights, "
            f"gradients and optimiser, activations on top, of {size(plan.usable)} that a training "
            f"may fill here ({plan.device}){fits}."
        )
    return lines


def _disk(plan: StudyPlan) -> str:
    if plan.disk is None:
        return f"Disk: {DASH}."
    return f"Disk: about {size(plan.disk)} of stored predictions; models and data not counted."


def _notes(plan: StudyPlan) -> list[str]:
    rates = ", ".join(f"{rate:.1e} a second in {name}" for name, rate in plan.rates.items())
    notes = [
        "Times are a rough guess, within a factor of a few: FLOPs are 6 (full), 4 (LoRA) or 2 "
        "(head, reading) a parameter of the trunk and token, "
        f"at {UTILISATION:.0%} of what a product of large matrices reaches here ({rates}).",
    ]
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

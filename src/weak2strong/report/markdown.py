"""Runs as a page of Markdown tables, for a repository or an appendix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from weak2strong.analysis.finished import title_of
from weak2strong.analysis.over_tasks import OverTasks, interval_fields, over_tasks_table
from weak2strong.analysis.results import NGRAMS, PROBE, intervals_note, temperature_notes
from weak2strong.analysis.summary import Line
from weak2strong.analysis.warnings import warnings_of
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import Document, Table, count, number, pgr, seeds_text, words
from weak2strong.report.formats import to_markdown

WIDE_GAP = 0.10
"""A ceiling at least this far above its floor leaves a gap to recover."""

CLOSE = 0.02
"""A ceiling at most this far below the probe's score counts as reaching it."""


@dataclass(frozen=True)
class Section:
    """A run on the page: its study, a line a task and method, and PGR over several tasks."""

    config: StudyConfig
    lines: list[Line]
    over: OverTasks | None = None

    @property
    def by_task(self) -> dict[str, list[Line]]:
        """The lines of each task, one a method."""
        tasks = dict.fromkeys(x.task for x in self.lines)
        return {t: [x for x in self.lines if x.task == t] for t in tasks}


def results_page(runs: Sequence[Section], command: str, settings: Document | None = None) -> str:
    """The whole page: a section a run, what seen and unseen entities differ by, and settings.

    Args:
        runs: the runs in the order of the page.
        command: the command that wrote the page, for a reader who wants to write it again.
        settings: runs against the first, from which they differ in a setting, where there are any.
    """
    parts = [
        "# Results",
        f"Written by `{command}` from the run folders; not edited by hand.",
        f"{PROBE}{NGRAMS} PGR is *undefined* where the ceiling is not clearly above the floor. "
        "How the intervals are made: [statistics](statistics.md).",
    ]
    for run in runs:
        parts += _section(run)
    for seen in runs:
        for unseen in runs:
            if _differ_by_entities_alone(seen.config, unseen.config):
                parts += _seen_and_unseen(seen, unseen)
    if settings:
        parts += _between(settings)
    return "\n\n".join(parts) + "\n"


def _between(settings: Document) -> list[str]:
    """Runs against the first: in which settings they differ, and a table each."""
    about = [*filter(None, settings.head), *settings.notes, *settings.warnings]
    parts = ["## Runs that differ in a setting", _list(about)]
    for table in settings.tables:
        bare = to_markdown(replace(table, title="", notes=[]))
        parts += [f"### {table.title}", bare, _list(table.notes)]
    return parts


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in sentences)


def _section(run: Section) -> list[str]:
    config, first = run.config, run.lines[0]
    over = [over_tasks_table(run.over)] if run.over else []
    said = (*_counts(run), *temperature_notes(run.lines), *warnings_of(run.lines))
    return [
        f"## {title_of(run.config)}",
        f"{metric_title(first.metric).capitalize()}, {seeds_text(config.seeds)}."
        f"{intervals_note(run.lines)} {_rates(config)}",
        to_markdown(_scores(run)),
        *(to_markdown(replace(table, notes=[" ".join(table.notes)])) for table in over),
        _list([_begun(text, run.by_task) for text in said]),
    ]


def _begun(text: str, names: Iterable[str]) -> str:
    """A sentence with a capital, unless it begins with a name of its own."""
    return text if text.startswith(tuple(names)) else text[:1].upper() + text[1:]


def _scores(run: Section) -> Table:
    """A row a task: the scores of all methods beside each other, and then their PGRs."""
    methods = run.config.methods
    columns = [
        words("task"),
        count("examples", "test"),
        number("ngrams"),
        number("floor"),
        *(number(f"student {m}", m) for m in methods),
        number("ceiling"),
        number("probe"),
        *(pgr(f"pgr {m}", f"PGR {m}") for m in methods),
    ]
    rows = []
    for task, lines in run.by_task.items():
        first, r = lines[0], lines[0].recovered
        row = {"task": task, "examples": r.examples, "ngrams": first.ngrams, "floor": r.floor}
        row |= {"ceiling": r.ceiling, "probe": first.probe_ceiling}
        for x in lines:
            row[f"student {x.method}"] = x.recovered.student
            row |= interval_fields(f"pgr {x.method}", x.recovered.value, x.recovered.interval)
        rows.append(row)
    return Table("scores", "", columns, rows)


def _rates(config: StudyConfig) -> str:
    """How the models were finetuned."""
    weak, strong = config.weak_training, config.strong_training
    sentences = f"{strong.amount}; peak rates of trunk and head "
    if config.strong.adaptation == "head":
        sentences = f"{strong.amount}; peak rate of the head alone "
    of_weak = f"{_pair(weak, config.weak)} (weak)"
    if not config.weak.is_trained:
        of_weak = f"none of the supervisor, which answers by its {config.weak.k} neighbours"
    return sentences + f"{_pair(strong, config.strong)} (strong), {of_weak}."


def _pair(training: Training, model: ModelSpec) -> str:
    """The rates of trunk and head, for people; where a head alone is trained, its rate."""
    if training.learning_rate is None:
        return "by a search for each task"
    head = training.learning_rate if training.head_rate is None else training.head_rate
    if model.adaptation == "head":
        return f"{head:g}"
    return f"{training.learning_rate:g} and {head:g}"


def _counts(run: Section) -> list[str]:
    """On how many tasks there is a gap to recover, and a ceiling that is high enough."""
    firsts = [lines[0] for lines in run.by_task.values()]
    wide = [x for x in firsts if x.supervised and x.recovered.gap >= WIDE_GAP]
    probed = [x for x in firsts if x.probe_ceiling is not None]
    tuned = [x for x in probed if x.recovered.ceiling >= (x.probe_ceiling or 0) - CLOSE]
    sentences = [
        f"{len(wide)} of {len(firsts)} tasks have a ceiling {WIDE_GAP:.2f} or more above a floor "
        "whose interval lies above chance.",
    ]
    if probed:
        sentences.append(
            f"On {len(tuned)} of {len(probed)} tasks the ceiling is above the probe's score or at "
            f"most {CLOSE:.2f} below."
        )
    return sentences


def _differ_by_entities_alone(seen: StudyConfig, unseen: StudyConfig) -> bool:
    same = (seen.weak, seen.strong, seen.tasks) == (unseen.weak, unseen.strong, unseen.tasks)
    return same and seen.entities == "seen" and unseen.entities == "unseen"


def _seen_and_unseen(seen: Section, unseen: Section) -> list[str]:
    """What the models know, as against what the spelling alone tells."""
    rows = []
    for task, lines in seen.by_task.items():
        one, other = lines[0], unseen.by_task[task][0]
        row = {"task": task, "difference": one.recovered.ceiling - other.recovered.ceiling}
        for who, x in (("seen", one), ("unseen", other)):
            row |= {f"ngrams, {who}": x.ngrams, f"floor, {who}": x.recovered.floor}
            row[f"ceiling, {who}"] = x.recovered.ceiling
        rows.append(row)
    scores = [f"{x}, {who}" for x in ("ngrams", "floor", "ceiling") for who in ("seen", "unseen")]
    difference = number("difference", "ceiling, difference", sign=True)
    columns = [words("task"), *map(number, scores), difference]
    return [
        f"## What is knowledge: {title_of(seen.config)}, seen and unseen",
        "The same questions about entities of the pretraining text and about others. Only the "
        "difference between the two ceilings is knowledge; the rest is spelling. (There are "
        "fewer unseen entities to learn from, which is a part of the difference too: the column "
        "*ngrams* shows how much that does to a model without any knowledge.)",
        to_markdown(Table("knowledge", "", columns, rows)),
    ]

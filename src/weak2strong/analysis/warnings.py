"""What a reader has to know before quoting the numbers of a finished run, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from weak2strong.analysis.intervals import Interval
from weak2strong.analysis.recovered import HONEST_SEEDS
from weak2strong.analysis.summary import Line
from weak2strong.config.study import StudyConfig
from weak2strong.protocol.concerns import LESS_THAN_SPELLING, Concern, concerns

CUT = 0.01
"""Up to this share of cut texts, nothing is said about them."""


def stopped_on_truth(studies: Iterable[StudyConfig]) -> list[str]:
    """A sentence where students of some study were stopped on ground truth."""
    if not any(study.strong_training.stopping == "oracle" for study in studies):
        return []
    return ["Students stopped on ground truth (oracle): these are no fair results."]


def warnings_of(lines: list[Line]) -> list[str]:
    """What a reader of the table has to know, one sentence each."""
    undefined = [x for x in lines if x.recovered.undefined and not x.saturated]
    flat = [x for x in undefined if not x.recovered.has_gap]

    def of_task(line: Line) -> list[Line]:
        return [x for x in lines if x.task == line.task]

    warnings = [
        *_of_trainings(lines),
        *_each_or_all(
            [x for x in lines if x.saturated],
            lambda x: (
                f"{x.task}: floor, student and ceiling are all above {x.cut:g}: "
                "the task is too easy to tell anything apart."
            ),
            f"floor, student and ceiling are all above {lines[0].cut:g}, "
            "so they are too easy to tell anything apart",
        ),
        *_each_or_all(
            [x for x in flat if x.recovered.gap < 0],
            _floor_wins,
            "PGR is undefined, the supervisor scoring better than the ceiling",
        ),
        *_each_or_all(
            [x for x in flat if x.recovered.gap >= 0],
            lambda x: _undefined(of_task(x), x),
            "PGR is undefined, the ceiling being not clearly above the floor",
        ),
        *_each_or_all(
            [x for x in undefined if x.recovered.has_gap],
            lambda x: _undefined(of_task(x), x),
            "PGR is undefined: the ceiling is above the floor, but by how much more seeds have to "
            "tell",
        ),
        *_each_or_all(
            [x for x in lines if x.recovered.beaten("probe", "ceiling")],
            lambda x: _probe_wins(of_task(x)),
            "a logistic probe with ground truth on the frozen strong model beats the ceiling "
            "(column probe), which is too low, and PGR too high",
        ),
        *(text for role in SPELLING for text in _ngrams_win(lines, role)),
        *_each_or_all(
            [x for x in lines if x.below_chance],
            lambda x: _below_chance(of_task(x)),
            "a score is below chance, which is worse than knowing nothing: look at the labels",
        ),
        *_each_or_all(
            [x for x in lines if not x.supervised and "floor" not in x.below_chance],
            lambda x: (
                f"{x.task}: the floor, {x.recovered.floor:.3f}, is not clearly above chance "
                f"({x.chance:.3f}): the supervisor may know nothing "
                f"({_level(x.recovered.at_hand['floor'])} of these supervisors' score over test "
                f"examples alone: {_ends(x.recovered.at_hand['floor'])})."
            ),
            "the floor is not clearly above chance, so the supervisor may know nothing",
        ),
        *_each_or_all(
            [x for x in lines if max(x.truncated.values(), default=0) > CUT],
            _cut,
            f"a model cuts more than {CUT:.0%} of the texts",
        ),
    ]
    if oracles := dict.fromkeys(x.method for x in lines if x.oracle):
        every = len(oracles) == len({x.method for x in lines})
        warnings.append(
            f"{'All students' if every else 'Students of ' + ', '.join(oracles)} saw ground truth "
            "(oracle): their scores and PGR are upper bounds, not results of weak supervision."
        )
    return warnings + few_seeds({x.recovered.seeds for x in lines})


def _of_trainings(lines: list[Line]) -> list[str]:
    """Which trainings have hardly learned, and which weak labels are near to noise."""
    by_many: dict[str, list[Concern]] = {}
    for concern in concerns(one for line in lines for one in line.learned):
        by_many.setdefault(concern.of_many, []).append(concern)
    texts = []
    for of_many, found in by_many.items():
        tasks = list(dict.fromkeys(concern.task for concern in found))
        if len(tasks) > FEW:
            texts.append(f"on {len(tasks)} tasks, {of_many}: {', '.join(tasks)}.")
        else:
            texts += [concern.text for concern in found]
    return texts


def few_seeds(counts: set[int]) -> list[str]:
    """What intervals over few seeds do not cover, a sentence for each small number of seeds."""
    warnings = []
    if 1 in counts:
        warnings.append("One seed: intervals cover the draw of test examples only, not the seed.")
    warnings.extend(
        f"{n} seeds: intervals may be too narrow; from {HONEST_SEEDS} seeds on "
        "they covered as they should in simulations (docs/statistics.md)."
        for n in sorted(counts)
        if 1 < n < HONEST_SEEDS
    )
    return warnings


FEW = 3
"""Up to so many tasks, each has a sentence of its own about the same concern."""


def _each_or_all(lines: list[Line], each: Callable[[Line], str], of_many: str) -> list[str]:
    """A sentence for each of a few tasks, or one about many."""
    tasks = list(dict.fromkeys(x.task for x in lines))
    if len(tasks) > FEW:
        return [f"on {len(tasks)} tasks, {of_many}: {', '.join(tasks)}."]
    return list(dict.fromkeys(map(each, lines)))


def _undefined(lines: list[Line], line: Line) -> str:
    """Why a line has no PGR; names the method unless all lines of the task say the same."""
    alike = {x.recovered.undefined for x in lines} == {line.recovered.undefined}
    who = line.task if alike else f"{line.task}, {line.method}"
    return f"{who}: PGR is undefined. {line.recovered.undefined}"


def _floor_wins(line: Line) -> str:
    r, gap = line.recovered, line.recovered.gap_interval
    return (
        f"{line.task}: PGR is undefined. The floor, {r.floor:.3f}, is above the ceiling, "
        f"{r.ceiling:.3f}: the supervisor scores better than the ceiling "
        f"({_level(gap)} of the gap: {_ends(gap)})."
    )


def _level(interval: Interval) -> str:
    return f"{100 * interval.level:g}% interval"


def _ends(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"


SPELLING = {
    "floor": LESS_THAN_SPELLING,
    "student": "their scores are no sign of more knowledge than spelling gives",
    "ceiling": "finetuning fell short, the ceiling is too low, and PGR against it says little",
}
"""What follows where a baseline of n-grams beats a role."""


def _ngrams_win(lines: list[Line], role: str) -> list[str]:
    """Where a baseline of character n-grams is clearly better than a role."""
    beaten = [x for x in lines if x.recovered.beaten("ngrams", role)]
    who = {"floor": "the floor", "student": "students", "ceiling": "the ceiling"}[role]
    return _each_or_all(
        beaten,
        lambda x: _spelled([y for y in beaten if y.task == x.task], role),
        f"character n-grams with ground truth beat {who} (column ngrams): {SPELLING[role]}",
    )


def _spelled(lines: list[Line], role: str) -> str:
    """What a baseline of n-grams above one role means on one task."""
    first = lines[0]
    if role == "student":
        listed = " and ".join(_less(x, role, f"students of {x.method}") for x in lines)
    else:
        listed = _less(first, role, f"the {role}")
    return (
        f"{first.task}: character n-grams with ground truth score {first.ngrams:.3f}, {listed}: "
        f"{SPELLING[role]}."
    )


def _less(line: Line, role: str, name: str) -> str:
    """The score of a role that n-grams beat, and by how much they do."""
    by = line.recovered.checks["ngrams"][role]
    return (
        f"{name} {getattr(line.recovered, role):.3f} ({_level(by)} of the difference: {_ends(by)})"
    )


def _below_chance(lines: list[Line]) -> str:
    """Which scores on one task are worse than guessing."""
    scores = {role: score for x in lines for role, score in x.below_chance.items()}
    listed = " and ".join(f"{role} {score:.3f}" for role, score in scores.items())
    start = f"{lines[0].task}: {listed} below chance ({lines[0].chance:.3f}), which is"
    if not lines[0].supervised and all(role.startswith("student") for role in scores):
        return f"{start} luck, good or bad: weak labels at chance teach nothing of the task."
    return f"{start} worse than knowing nothing: look at the labels."


def _cut(line: Line) -> str:
    """Who does not read the texts of a task to their end."""
    shares = (f"{n:.1%} of the texts for {x}" for x, n in line.truncated.items() if n > CUT)
    return f"{line.task}: texts are longer than a model reads, and are cut: {', '.join(shares)}."


def _probe_wins(lines: list[Line]) -> str:
    """What a probe above the ceiling means for the methods on one task."""
    first, r = lines[0], lines[0].recovered
    above = r.checks["probe"]["ceiling"]
    text = (
        f"{first.task}: a logistic probe with ground truth on the frozen {first.strong} scores "
        f"{first.probe_ceiling:.3f}, the finetuned ceiling {r.ceiling:.3f} ({_level(above)} of "
        f"the difference over test examples: {_ends(above)}): the ceiling is too low"
    )
    gap = (first.probe_ceiling or 0) - r.floor
    against = [
        f"{(x.recovered.student - r.floor) / gap:.2f} ({x.method})"
        for x in lines
        if x.recovered.value is not None
    ]
    if against:
        text += f", and PGR too high; against the probe's score it would be {', '.join(against)}"
    return text + "."

"""What gives reason to doubt a training, in sentences: for the run, as soon as it is known, and for
every reader of its folder afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from weak2strong.ground.table import counted, listed_names
from weak2strong.protocol.learned import Learned

LITTLE = 0.05
"""A finetuning has hardly learned where its loss took up less of what its labels tell than this."""

FALLEN = 0.03
"""Of texts: where its loss has fallen by less than this share."""

UNSURE = 0.06
"""Where its answers are less sure than this, from 0 for a guess to 1, and its labels twice as
sure."""

ALIKE, VARIED = 0.98, 0.9
"""Where so many of its answers are the same, and no more than so many of its labels."""

LESS_THAN_SPELLING = (
    "the supervisor knows less than spelling alone tells: train it longer or otherwise"
)
"""What follows where a baseline of n-grams beats a supervisor."""

NEAR = 0.05
"""Weak labels are near to noise, once hardened, where the two likeliest classes of half of them are
nearer to each other."""


@dataclass(frozen=True)
class Concern:
    """A reason to doubt.

    Attributes:
        task: that it is about.
        text: the sentence.
        of_many: the same about many tasks, whose names follow.
    """

    task: str
    text: str
    of_many: str


def concerns(learned: Iterable[Learned]) -> list[Concern]:
    """Which finetunings have hardly learned, and which weak labels are near to noise."""
    every = list(dict.fromkeys(learned))
    return [*hardly_learned(every), *_near_noise_of(every)]


def hardly_learned(learned: Iterable[Learned]) -> list[Concern]:
    """Which finetunings have hardly learned; those that differ in the seed alone, in a sentence."""
    alike: dict[tuple, list[Learned]] = {}
    for one in filter(has_hardly_learned, learned):
        alike.setdefault((one.task, one.role, one.method, one.model), []).append(one)
    return list(map(_hardly_learned, alike.values()))


def _near_noise_of(learned: Sequence[Learned]) -> list[Concern]:
    """Which weak labels are near to noise: a supervisor's answers, or what students learned."""
    found = []
    for task in dict.fromkeys(one.task for one in learned):
        of_task = [one for one in learned if one.task == task]
        supervisors = [x for x in of_task if x.role == "supervisor" and x.method is None]
        margins = {x.seed: x.answers.margin for x in supervisors if x.answers}
        found += near_noise(task, margins or _learned_margins(of_task))
    return found


def has_hardly_learned(one: Learned) -> bool:
    """Whether the loss, the confidence or the sameness of the answers says so."""
    if one.labels is None or one.answers is None:
        return one.first - one.last < FALLEN * one.first
    return (
        (one.taken_up is not None and one.taken_up < LITTLE)
        or (_is_unsure(one) and one.labels.sureness >= 2 * UNSURE)
        or (one.answers.same >= ALIKE and one.labels.same <= VARIED)
    )


def near_noise(task: str, margins: dict[int, float]) -> list[Concern]:
    """The concern about weak labels whose likeliest class may be noise, if there is any.

    Args:
        task: its name.
        margins: by seed, the median difference between the two likeliest classes.
    """
    near = {seed: margin for seed, margin in margins.items() if margin < NEAR}
    if not near:
        return []
    text = (
        f"{task}: in half of the weak labels ({seeds_of(near)}) the two likeliest classes differ "
        f"by {_most(near.values())} or less, so that which of them is the likelier may be noise: "
        "hardened labels, and losses that trust the student's own side of 1/2, may learn that "
        "noise. Train the supervisor otherwise first, or learn the soft labels (as they are, or at "
        "a --weak-label-temperature)."
    )
    of_many = (
        "the two likeliest classes of half of the weak labels are so near to each other that "
        "hardened labels may be noise"
    )
    return [Concern(task, text, of_many)]


def _learned_margins(learned: Sequence[Learned]) -> dict[int, float]:
    """By seed, the margin of the labels that students learned; hardened ones have a wide one."""
    found: dict[int, float] = {}
    for one in learned:
        if one.method and one.labels:
            found[one.seed] = min(found.get(one.seed, 1.0), one.labels.margin)
    return found


def _hardly_learned(group: Sequence[Learned]) -> Concern:
    """The sentence on finetunings that differ only in the seed."""
    one = group[0]
    who, have = _who(one)
    what = f"{have} hardly learned from {_taught_by(one)}"
    return Concern(
        one.task,
        f"{one.task}: {who} ({one.model}, {seeds_of(x.seed for x in group)}) {what}: "
        f"{_signs(group)}. {_cause(group)} {_advice(one)}",
        f"{who} {what}, by training loss and confidence (try other rates and more epochs)",
    )


def _who(one: Learned) -> tuple[str, str]:
    """Who was finetuned, and the verb."""
    if one.method is None:
        return f"the {'model of trusted labels' if one.role == 'trusted' else one.role}", "has"
    if one.role.startswith("student"):
        return f"students of {one.method}", "have"
    return f"a {one.role} of {one.method}", "has"


def _taught_by(one: Learned) -> str:
    return "weak labels" if one.role.startswith("student") else "its labels"


def _signs(group: Sequence[Learned]) -> str:
    """The numbers by which they have hardly learned."""
    if any(x.labels is None or x.answers is None for x in group):
        fell = f"{_span([x.first for x in group])} to {_span([x.last for x in group])}"
        return f"the training loss went from {fell}"
    signs, answers = [], [x.answers for x in group if x.answers]
    if all(x.taken_up is not None for x in group):
        guessed = _span([x.guessing or 0.0 for x in group])
        signs.append(
            f"the training loss came to {_span([x.last for x in group])}, where always guessing "
            f"by the shares of the classes gives {guessed}"
        )
    sure = _span([x.confidence for x in answers])
    signs.append(f"the mean confidence of the answers is {sure}")
    if all(x.same >= ALIKE for x in answers):
        signs.append("nearly all answers are the same")
    return ", and ".join(signs) if len(signs) < 3 else f"{signs[0]}, {signs[1]}, and {signs[2]}"


def _cause(group: Sequence[Learned]) -> str:
    """What may be the cause, as far as the losses tell."""
    one = group[0]
    still = all(abs(x.first - x.last) < FALLEN * x.first and _is_unsure(x) for x in group)
    risen = all(x.guessing is not None and x.last > (1 + LITTLE) * x.guessing for x in group)
    fault = "too high" if risen else "too low" if still else "too low or too high"
    parts = zip(("trunk", "head"), one.rates, strict=False)
    rates = ", ".join(f"{part} {rate:g}" for part, rate in parts if rate is not None)
    return (
        f"The learning rates ({rates}; {counted(one.steps, 'step')}) may be {fault}, or this "
        "model cannot tell from these examples what the labels ask."
    )


def _is_unsure(one: Learned) -> bool:
    return one.answers is None or one.answers.sureness < UNSURE


def _advice(one: Learned) -> str:
    side = "weak" if one.role == "supervisor" else "strong"
    both = len(one.rates) > 1 and one.rates[0] is not None
    flags = f"--{side}-lr" + (f" and --{side}-head-rate" if both else "")
    then = {
        "supervisor": "take a supervisor that knows more of it, or another task",
        "ceiling": "take no PGR from this ceiling",
    }.get(one.role, "take no conclusion from these students")
    return f"Try other rates ({flags}) and more --epochs; where that changes nothing, {then}."


def seeds_of(seeds: Iterable[int]) -> str:
    """The seeds in words."""
    listed = [str(seed) for seed in sorted(set(seeds))]
    return f"seed{'s' if len(listed) > 1 else ''} {listed_names(listed)}"


def _span(values: Sequence[float]) -> str:
    """One number, or the smallest and the largest."""
    low, high = f"{min(values):.3f}", f"{max(values):.3f}"
    return low if low == high else f"{low} to {high}"


def _most(values: Iterable[float]) -> str:
    """The largest, rounded up, so that no value is above it."""
    return f"{ceil(1000 * max(values)) / 1000:.3f}"

"""Were the data public before the model's newest training text?"""

from __future__ import annotations

from weak2strong.analysis.audit.dates import may_have_read
from weak2strong.analysis.audit.finding import Finding, Level
from weak2strong.analysis.audit.reader import Reader
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.models.catalogue import listed
from weak2strong.models.folders import rungs
from weak2strong.tasks.find import source_of


def published(subject: Subject, reader: Reader) -> list[Finding]:
    """A finding on when the data and the model are from, as far as that is known.

    The date of a dataset is that of its paper; the cutoff of a model is what its maker
    states (see `weak2strong.models.catalogue`). Neither is guessed; a user may give both, and
    dates of the single texts.
    """
    model = reader.spec.name
    if model in rungs() and model not in subject.cutoffs:
        asked = subject.task.load_unseen is not None
        known = "the facts of the atlas, and its tasks ask about these" if asked else None
        read = known or "nothing but the facts of the atlas, so it cannot have read these texts"
        sentence = f"{model} was trained on {read}."
        return [Finding("published", "note", sentence, {"model": model})]
    source = source_of(subject.reference)
    cutoff = cutoff_of(subject, model)
    if subject.dates and cutoff is not None:
        return [_by_text(subject, model, cutoff)]
    date = subject.published or (source.published if source else None)
    numbers = {"model": model, "published": date, "cutoff": cutoff}
    if date is None or cutoff is None:
        unknown = [
            *(["when these data were published is not known here"] if date is None else []),
            *([f"no cutoff of {model} is known here"] if cutoff is None else []),
        ]
        sentence = " and ".join(unknown) + ": whether it can have read them is for you to find out."
        return [Finding("published", "note", sentence[:1].upper() + sentence[1:], numbers)]
    earlier = may_have_read(date, cutoff)
    level: Level = "warning" if earlier else "note"
    so = (
        "it may have read them, with their answers, and so may larger models of its family"
        if earlier
        else "it has read them only if its maker's date is wrong"
    )
    sentence = f"The data were published in {date}, and {model} knows texts up to {cutoff}: {so}."
    return [Finding("published", level, sentence, numbers)]


def cutoff_of(subject: Subject, model: str) -> str | None:
    """The date up to which a model knows texts: what the user says, or what its maker states."""
    family = listed().get(model)
    return subject.cutoffs.get(model) or (family[1].cutoff if family else None)


def by_cutoff(subject: Subject, model: str) -> tuple[list[Entry], list[Entry]]:
    """The dated test texts that a model may have read, and those that are newer than it."""
    cutoff, older, newer = cutoff_of(subject, model), list[Entry](), list[Entry]()
    if cutoff is None:
        return [], []
    for entry in subject.tested:
        if date := subject.dates.get(entry.text):
            (older if may_have_read(date, cutoff) else newer).append(entry)
    return older, newer


def _by_text(subject: Subject, model: str, cutoff: str) -> Finding:
    """A finding on the dates of the test texts."""
    older, newer = map(len, by_cutoff(subject, model))
    whole = len(subject.tested)
    undated = whole - older - newer
    also = f" {undated:,} have no date." if undated else ""
    level: Level = "warning" if older else "note"
    sentence = (
        f"Of {whole:,} test texts, {older:,} are of dates up to {cutoff}, up to when {model} knows "
        f"texts, so that it may have read them, and {newer:,} are newer.{also}"
    )
    numbers = {"model": model, "cutoff": cutoff, "older": older, "newer": newer, "undated": undated}
    return Finding("published", level, sentence, numbers)

"""Were the data public before the model's newest training text?"""

from __future__ import annotations

from weak2strong.analysis.audit.finding import Finding, Level
from weak2strong.analysis.audit.reader import Reader
from weak2strong.analysis.audit.subject import Subject
from weak2strong.models.catalogue import listed
from weak2strong.models.folders import rungs
from weak2strong.tasks.find import source_of


def published(subject: Subject, reader: Reader) -> list[Finding]:
    """A finding on when the data and the model are from, as far as that is known.

    The date of a dataset is that of its paper; the cutoff of a model is what its maker
    states (see `weak2strong.models.catalogue`). Neither is guessed.
    """
    model = reader.spec.name
    if model in rungs():
        asked = subject.task.load_unseen is not None
        known = "the facts of the atlas, and its tasks ask about these" if asked else None
        read = known or "nothing but the facts of the atlas, so it cannot have read these texts"
        sentence = f"{model} was trained on {read}."
        return [Finding("published", "note", sentence, {"model": model})]
    source = source_of(subject.reference)
    date = source.published if source else None
    family = listed().get(model)
    cutoff = family[1].cutoff if family else None
    numbers = {"model": model, "published": date, "cutoff": cutoff}
    if date is None or cutoff is None:
        unknown = [
            *(["when these data were published is not known here"] if date is None else []),
            *([f"no cutoff of {model} is known here"] if cutoff is None else []),
        ]
        sentence = " and ".join(unknown) + ": whether it can have read them is for you to find out."
        return [Finding("published", "note", sentence[:1].upper() + sentence[1:], numbers)]
    # A date of a year alone may be any month of it.
    earlier = date[:7] <= cutoff if len(date) > 4 else date <= cutoff[:4]
    level: Level = "warning" if earlier else "note"
    so = (
        "it may have read them, with their answers, and so may larger models of its family"
        if earlier
        else "it has read them only if its maker's date is wrong"
    )
    sentence = f"The data were published in {date}, and {model} knows texts up to {cutoff}: {so}."
    return [Finding("published", level, sentence, numbers)]

"""Does a model find the test texts more familiar than texts that it cannot have read?

The score is min-k% probability (Shi et al. 2024, "Detecting Pretraining Data from Large
Language Models", arXiv 2310.16789). What it is compared with decides what it can show:

- *The same words in another order.* Whoever has learnt the language prefers the text to
  its scramble, read or not. So a high AUC is no sign of contamination; a low one says that
  the score is blind for this model and these texts, and shows nothing either way.
- *Control texts of the same form that cannot have been read.* Only this can be evidence:
  cities that the ladder's corpus is silent about, for its rungs; for other data, texts of
  the user's that are newer than the model (``--fresh``, or by dates in the data, where the older
  test texts are compared with the newer ones). It is no proof either. Newer
  texts differ in more than their date, and such tests see little of what large models
  read once (Duan et al. 2024, arXiv 2402.07841): an AUC near 0.5 does not acquit.

Beside the raw score stands one that takes the words out: the score of a text less that of
its own scramble. Where the control merely has rarer words, only the raw one is high.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from weak2strong.analysis.audit.auc import LEAST, Auc, auc
from weak2strong.analysis.audit.finding import Finding, Level, excerpts
from weak2strong.analysis.audit.published import by_cutoff
from weak2strong.analysis.audit.reader import Reader
from weak2strong.analysis.audit.subject import Entry, Subject, sample, text_of
from weak2strong.models.folders import rungs

MOST = 500
"""Texts of each sort that the model reads."""

OLDER, NEWER = "older test texts", "the test texts that are newer than it"

FAMILIAR = 0.6
"""AUC, at the lower end of its interval, from which on test texts are clearly more familiar."""

BLIND = 0.6
"""AUC against scrambled texts below which the score says nothing."""


@dataclass(frozen=True)
class _Scored:
    """Texts with their scores, and those of the same words in another order."""

    entries: Sequence[Entry]
    plain: np.ndarray
    scrambled: np.ndarray


def contamination(subject: Subject, reader: Reader) -> list[Finding]:
    """Findings on how familiar the test texts are to a decoder."""
    name = reader.spec.name
    if reader.model is None:
        sentence = f"{name} is no decoder: it gives texts no probability, so nothing was compared."
        return [_note(name, sentence)]
    older, newer = by_cutoff(subject, name)
    dated = not subject.fresh and min(len(_some(older)), len(_some(newer))) >= LEAST
    tested = _some(older if dated else subject.tested)
    if len(tested) < LEAST:
        sentence = f"Fewer than {LEAST} test texts have two different words: nothing was compared."
        return [_note(name, sentence)]
    test = _scored(reader, tested)
    sane = _versus_scrambled(test)
    blind = sane.low < BLIND
    findings = [
        _note(
            name,
            f"{name} prefers test texts to the same words in another order with AUC {sane}: "
            + (
                "so little that its probabilities show nothing about these texts."
                if blind
                else "as any model of the language would, so this is no sign that it has read "
                "them; it says that the score works."
            ),
            {"control": "scrambled", "texts": len(test.entries), **sane.numbers},
        )
    ]
    fresh, what = (newer, NEWER) if dated else _control(subject, reader)
    if len(chosen := _some(fresh)) >= LEAST:
        control = _scored(reader, chosen)
        designed = not (subject.fresh or dated)
        those = OLDER if dated else "test texts"
        findings.append(_versus(name, test, control, (those, what), designed))
    else:
        findings.append(
            _note(
                name,
                f"There are no {LEAST} texts that {name} cannot have read, so whether it has read "
                "the test is not known: give newer texts of the same form with --fresh.",
            )
        )
    return findings


def _note(
    model: str, sentence: str, more: Mapping[str, float | int | str] = MappingProxyType({})
) -> Finding:
    return Finding("contamination", "note", sentence, {"model": model, **more})


def _versus(
    name: str, test: _Scored, control: _Scored, called: tuple[str, str], designed: bool
) -> Finding:
    """The finding on test texts against control texts; ``called`` is what both are called."""
    those, what = called
    plain = _auc(test.plain, control.plain)
    own = _auc(test.plain - test.scrambled, control.plain - control.scrambled)
    level: Level = "note"
    if designed:
        so = (
            "the tasks ask about what it has read, as they should"
            if plain.low > 0.5
            else "the score does not see what it has read"
        )
    elif plain.low >= FAMILIAR:
        level = "warning"
        so = (
            "it may have read the test, or the newer texts are about what is newer; "
            "look at whether the two differ in anything else"
        )
    else:
        so = "no clear sign that it has read the test, which does not prove that it has not"
    return Finding(
        "contamination",
        level,
        f"{name} finds {those} more familiar than {what} with AUC {plain} "
        f"({own} with the words' own frequency taken out): {so}.",
        {
            "model": name,
            "control": what,
            "texts": len(test.entries),
            "control_texts": len(control.entries),
            **plain.numbers,
            "auc_less_scrambled": own.value,
            "auc_less_scrambled_low": own.low,
            "auc_less_scrambled_high": own.high,
        },
        excerpts([test.entries[int(test.plain.argmax())]]) if level == "warning" else (),
    )


def _control(subject: Subject, reader: Reader) -> tuple[list[Entry], str]:
    """Texts of the same form that the model cannot have read, and what they are."""
    if subject.fresh:
        return list(subject.fresh), "the fresh texts"
    # What a rung has read is known; that other models have not read of these cities is not.
    if reader.spec.name in rungs() and subject.task.load_unseen:
        unseen = [
            Entry(e.item.id, e.item.group, text_of(e), e.label, None)
            for e in subject.task.load_unseen()
        ]
        return unseen, "texts on cities that the ladder never read about"
    return [], ""


def _some(entries: Sequence[Entry]) -> list[Entry]:
    """Some of the texts that have another order."""
    return sample([e for e in entries if len(set(e.text.split())) > 1], MOST)


def _scored(reader: Reader, entries: Sequence[Entry]) -> _Scored:
    """Texts and their scrambles, read by the model."""
    plain = reader.familiarity([e.text for e in entries])
    scrambled = reader.familiarity([scramble(e.text, e.id) for e in entries])
    return _Scored(entries, plain, scrambled)


def scramble(text: str, seed: str) -> str:
    """The words of a text in another order, drawn by the seed; never in the same one.

    Args:
        text: with two different words or more.
        seed: decides the order.
    """
    words, dice = text.split(), random.Random(seed)
    mixed = list(words)
    while mixed == words:
        dice.shuffle(mixed)
    return " ".join(mixed)


def _versus_scrambled(test: _Scored) -> Auc:
    """A text and its scramble are one group."""
    pairs = np.arange(len(test.entries))
    return auc(
        np.concatenate([test.plain, test.scrambled]),
        np.repeat([True, False], len(pairs)),
        np.concatenate([pairs, pairs]),
    )


def _auc(test: np.ndarray, control: np.ndarray) -> Auc:
    positive = np.repeat([True, False], [len(test), len(control)])
    return auc(np.concatenate([test, control]), positive)

"""How far does a classifier come that counts words and letters, and understands nothing?

That it beats chance is no defect by itself: a review that says "awful" is a bad one, and
names sound like the countries they are from. It is the number to hold scores against.
A defect is where one word decides, or nothing is left to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weak2strong.analysis.audit.auc import LEAST, Auc, against_rest
from weak2strong.analysis.audit.finding import Finding, Level, excerpts
from weak2strong.analysis.audit.subject import Entry, Subject, group_numbers, sample

WARNING, ERROR = 0.6, 0.98
"""AUCs of the classifier, at the end of the interval that is nearer to chance."""

DECIDES = 0.7
"""Difference between the shares of two classes that have an n-gram, from which on it decides."""

IN_ONE, IN_OTHER = 0.5, 0.02
"""Or it is in so much of one class, and in no more of the others."""

CLEARLY = 0.02
"""What letters must add to the AUC of words to be named in their place."""

FOLDS = 5
MOST, FEWEST, CHARACTERS = 4_000, 1_000, 600_000
"""Texts that the classifier sees: as many as have so many characters, within these bounds."""

LONGEST = 2_000
"""Characters of a text; of a longer one, half of them from each end."""

NAMED = 6
"""N-grams that are named."""

ANALYZERS: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\w+|[^\w\s]"},
    "letters": {"analyzer": "char_wb", "ngram_range": (1, 4)},
}


@dataclass(frozen=True)
class _Carrier:
    """An n-gram, the class that it speaks for, and the shares of that and the rest that have it."""

    ngram: str
    label: int
    inside: float
    outside: float

    @property
    def decides(self) -> bool:
        return self.inside - self.outside >= DECIDES or (
            self.inside >= IN_ONE and self.outside <= IN_OTHER
        )


def shortcut(subject: Subject) -> list[Finding]:
    """Findings on what n-grams alone tell of the label, cross-validated by group."""
    entries = _sample(subject.judged)
    labels = np.array([e.label for e in entries])
    groups = group_numbers(entries)
    counts = np.bincount(labels, minlength=len(subject.judged_classes))
    if counts.min() < LEAST or len(np.unique(groups)) < FOLDS:
        sentence = f"A class has fewer than {LEAST} texts: too few to look for shortcuts."
        return [Finding("shortcut", "note", sentence)]
    texts, folds = [_shortened(e.text) for e in entries], _folds(labels, groups)
    best: tuple[Auc, str, int] | None = None
    tables = {}
    for name, options in ANALYZERS.items():
        table = _table(texts, options)
        if table is None:
            continue
        tables[name] = table
        judged = against_rest(_held_out(table[1], labels, folds), labels, groups)
        # Below chance there is nothing learnt. Words tell a reader more than their letters do.
        if judged and (best is None or judged[1].low > best[0].low + CLEARLY):
            best = judged[1], name, judged[0]
    deciding = [c for grams, table in tables.values() if (c := _deciding(grams, table, labels))]
    if best is None or (best[0].low < WARNING and not deciding):
        return []
    found, name, label = best
    grams, table = tables[name]
    carriers = _carriers(grams, table, labels)
    decides = deciding[0] if deciding else None
    return [_finding(subject, entries, found, name, label, carriers, decides)]


def _finding(
    subject: Subject,
    entries: Sequence[Entry],
    found: Auc,
    name: str,
    label: int,
    carriers: list[_Carrier],
    deciding: _Carrier | None,
) -> Finding:
    classes = subject.judged_classes
    level: Level = "warning"
    so = (
        "part of the label can be had without knowing anything, as where names or the words of a "
        "text go with its class: hold scores against this number, not against chance"
    )
    if deciding is not None:
        level = "error"
        so = (
            f"{deciding.ngram!r} decides: {deciding.inside:.1%} of class "
            f"{classes[deciding.label]!r} have it, {deciding.outside:.1%} of the rest"
        )
    elif found.low >= ERROR:
        level, so = "error", "nothing is left to know, or the texts give their label away"
    by = ", ".join(
        f"{c.ngram!r} ({classes[c.label]}: {c.inside:.0%}, else {c.outside:.0%})" for c in carriers
    )
    of = "" if len(classes) == 2 else f" for class {classes[label]!r}"
    shows = deciding or carriers[0]
    having = [e for e in entries if e.label == shows.label and shows.ngram.strip() in e.text]
    return Finding(
        "shortcut",
        level,
        f"A classifier on n-grams of {name} alone has an AUC of {found}{of}: {so}. "
        f"It goes by {by}.",
        {
            **found.numbers,
            "analyzer": name,
            "texts": len(entries),
            "ngrams": " | ".join(c.ngram for c in carriers),
            "deciding": deciding.ngram if deciding else None,
        },
        excerpts(having[:2]),
    )


def _sample(entries: Sequence[Entry]) -> list[Entry]:
    mean = sum(min(len(e.text), LONGEST) for e in entries) / len(entries)
    return sample(entries, int(min(MOST, max(FEWEST, CHARACTERS / max(mean, 1)))))


def _shortened(text: str) -> str:
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} {text[-half:]}"


def _table(texts: Sequence[str], options: dict[str, Any]) -> tuple[np.ndarray, Any] | None:
    """The n-grams that are in two texts or more, and their weights in every text; None if none
    is."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    # Which n-grams there are, and how rare, is no label: so all folds share this step.
    vectorizer = TfidfVectorizer(lowercase=False, sublinear_tf=True, min_df=2, **options)
    try:
        table = vectorizer.fit_transform(texts)
    except ValueError:
        return None
    return vectorizer.get_feature_names_out(), table


def _model() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    # Dual and by coordinates: many times as fast as the default where features are many.
    return OneVsRestClassifier(
        LogisticRegression(solver="liblinear", dual=True, max_iter=1000, tol=1e-3, random_state=0)
    )


Folds = Sequence[tuple[np.ndarray, np.ndarray]]
"""Positions of the texts that a model learns, and of those that are held out, fold by fold."""


def _folds(labels: np.ndarray, groups: np.ndarray) -> Folds:
    """Folds that share no group; they take as long to find as a model takes to learn."""
    from sklearn.model_selection import StratifiedGroupKFold

    parting = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    return list(parting.split(labels, labels, groups))


def _held_out(table: Any, labels: np.ndarray, folds: Folds) -> np.ndarray:
    """What models that have not seen a text's group say of it: ``(n, classes)``."""
    classes = int(labels.max()) + 1
    scores = np.zeros((len(labels), classes))
    for taught, held in folds:
        # Where few groups make up a class, a fold may have all of them.
        if len(np.unique(labels[taught])) < 2:
            continue
        model = _model().fit(table[taught], labels[taught])
        decision = model.decision_function(table[held])
        if decision.ndim == 1:
            decision = np.stack([-decision, decision], axis=1)
        scores[np.ix_(held, model.classes_)] = decision
    return scores


def _carriers(grams: np.ndarray, table: Any, labels: np.ndarray) -> list[_Carrier]:
    """The n-grams that move the scores of a model of all texts most."""
    model = _model().fit(table, labels)
    spread = np.sqrt(np.maximum(_mean(table.power(2)) - _mean(table) ** 2, 0))
    moves = np.stack([one.coef_[0] for one in model.estimators_]) * spread
    order = np.argsort(-np.abs(moves).max(axis=0), kind="stable")[:NAMED]
    shares, rest = _shares(table, labels)
    carriers = []
    for column in order.tolist():
        # Of two classes there is one model, and what speaks against the second is for the first.
        at = int(moves[:, column].argmax()) if len(moves) > 1 else int(moves[0, column] > 0)
        label = int(model.classes_[at])
        inside, outside = float(shares[label, column]), float(rest[label, column])
        carriers.append(_Carrier(str(grams[column]), label, inside, outside))
    return carriers


def _deciding(grams: np.ndarray, table: Any, labels: np.ndarray) -> _Carrier | None:
    """The n-gram that one class has and the others have not; None if there is none."""
    shares, rest = _shares(table, labels)
    label, column = np.unravel_index((shares - rest).argmax(), shares.shape)
    inside, outside = float(shares[label, column]), float(rest[label, column])
    carrier = _Carrier(str(grams[column]), int(label), inside, outside)
    return carrier if carrier.decides else None


def _shares(table: Any, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shares of every class, and of the rest, that have each n-gram: (classes, n-grams)."""
    present = (table > 0).astype(float)
    sizes = np.bincount(labels)[:, None]
    sums = (present[labels == label].sum(axis=0) for label in range(len(sizes)))
    has = np.stack([np.asarray(counts).ravel() for counts in sums])
    return has / sizes, (has.sum(axis=0) - has) / (len(labels) - sizes)


def _mean(table: Any) -> np.ndarray:
    return np.asarray(table.mean(axis=0)).ravel()

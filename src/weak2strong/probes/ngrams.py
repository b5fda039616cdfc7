"""How much of a task the spelling gives away: a classifier that has only seen its letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

# Fixed, not cross-validated: rows about one entity would meet across the folds.
# On the continents of the atlas' cities, 10 had the lowest held-out log-loss
# among 0.3, 1, 3, 10, 30 and 100.
INVERSE_PENALTY = 10.0

SLICE = 512
"""Test texts that are compared at once."""


def ngram_neighbour(
    train_texts: Sequence[str], train_answers: Sequence[str], test_texts: Sequence[str]
) -> list[str]:
    """The answer of the training text that is spelt most alike, for each test text.

    What `ngram_baseline` is to classes, with the same n-grams: the cosine of their tf-idf.
    Of texts that are equally alike the first counts.

    Args:
        train_texts: ``n`` texts.
        train_answers: theirs.
        test_texts: whose answers are guessed.
    """
    vectorizer = _letters()
    known = vectorizer.fit_transform(train_texts)
    asked = vectorizer.transform(test_texts)
    found = []
    for begin in range(0, len(test_texts), SLICE):
        alike = (asked[begin : begin + SLICE] @ known.T).toarray()
        found.extend(train_answers[i] for i in alike.argmax(axis=1))
    return found


def _letters() -> TfidfVectorizer:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, lowercase=False
    )


def ngram_baseline(
    train_texts: Sequence[str],
    train_labels: np.ndarray,
    test_texts: Sequence[str],
    classes: int,
) -> np.ndarray:
    """Class probabilities ``(n_test, classes)`` of a character n-gram classifier.

    Logistic regression (``C = 10``) on sublinear tf-idf of the 1- to 4-grams of
    characters inside words, case kept. It knows nothing but what it is shown, so
    whatever it gets right above chance, the spelling of the texts gives away: a
    name that sounds like its country, an answer format that differs by label. A
    model that does no better has not shown that it knows anything.

    Deterministic. A class that is absent from ``train_labels`` gets probability 0.

    Args:
        train_texts: ``n`` texts.
        train_labels: ``(n,)`` class indices in ``0 .. classes - 1``.
        test_texts: ``n_test`` texts.
        classes: the number of columns to return.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    labels = np.asarray(train_labels)
    present = np.unique(labels)
    probabilities = np.zeros((len(test_texts), classes))
    if len(present) == 1:
        probabilities[:, present] = 1.0
        return probabilities
    model = make_pipeline(
        _letters(),
        LogisticRegression(C=INVERSE_PENALTY, max_iter=1000),
    )
    model.fit(train_texts, labels)
    probabilities[:, present] = model.predict_proba(test_texts)
    return probabilities

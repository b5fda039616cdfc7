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
    queries = vectorizer.transform(test_texts)
    answers = []
    for begin in range(0, len(test_texts), SLICE):
        alike = (queries[begin : begin + SLICE] @ known.T).toarray()
        answers.extend(train_answers[i] for i in alike.argmax(axis=1))
    return answers


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
    characters inside words, case kept. It knows nothing but its training texts, so
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
    model = make_pipeline(_letters(), LogisticRegression(C=INVERSE_PENALTY, max_iter=1000))
    model.fit(train_texts, labels)
    probabilities[:, present] = model.predict_proba(test_texts)
    return probabilities


def ngram_comparison(
    train_pairs: Sequence[Sequence[str]],
    train_labels: np.ndarray,
    test_pairs: Sequence[Sequence[str]],
) -> np.ndarray:
    """Which of two texts is preferred, ``(n_test, 2)``, by the n-grams of `ngram_baseline`.

    A Bradley-Terry model: logistic regression without a bias on the features of the second
    text less those of the first. Swapped texts get swapped probabilities.

    Args:
        train_pairs: ``n`` pairs of texts, at least two.
        train_labels: ``(n,)`` indices of the preferred ones.
        test_pairs: ``n_test`` pairs.
    """
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    letters = _letters().fit([text for pair in train_pairs for text in pair])

    def features(pairs: Sequence[Sequence[str]]) -> csr_array:
        first, second = (csr_array(letters.transform(texts)) for texts in zip(*pairs, strict=True))
        return second - first

    # A pair says the same the other way round: so told, both labels occur whatever they were.
    wanted = np.arange(len(train_labels)) % 2
    signs = np.where(np.asarray(train_labels) == wanted, 1.0, -1.0)
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000, fit_intercept=False)
    model.fit(features(train_pairs).multiply(signs[:, None]).tocsr(), wanted)
    return model.predict_proba(features(test_pairs))

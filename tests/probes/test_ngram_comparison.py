"""Which of two texts is better, by their letters: symmetric, and what logistic regression says."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from weak2strong.probes import ngram_comparison
from weak2strong.probes.ngrams import INVERSE_PENALTY

RNG = np.random.default_rng(0)
GOOD, BAD = ("blue", "sky", "river"), ("red", "brick", "wall")
LABELS = RNG.integers(0, 2, 60)
PAIRS = [
    tuple(RNG.choice(words) + f" {i}" for words in ((BAD, GOOD) if y else (GOOD, BAD)))
    for i, y in enumerate(LABELS)
]


def test_letters_that_tell_are_learnt():
    answers = ngram_comparison(PAIRS[:40], LABELS[:40], PAIRS[40:])
    np.testing.assert_allclose(answers.sum(axis=1), 1)
    assert (answers.argmax(axis=1) == LABELS[40:]).all()


def test_swapped_texts_get_swapped_probabilities():
    answers = ngram_comparison(PAIRS[:40], LABELS[:40], PAIRS[40:])
    turned = ngram_comparison(PAIRS[:40], LABELS[:40], [p[::-1] for p in PAIRS[40:]])
    np.testing.assert_allclose(turned, answers[:, ::-1], atol=1e-12)


def test_it_is_logistic_regression_on_differences():
    letters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, lowercase=False
    ).fit([text for pair in PAIRS[:40] for text in pair])
    x = np.array([(letters.transform([b]) - letters.transform([a])).toarray()[0] for a, b in PAIRS])
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000, fit_intercept=False)
    expected = model.fit(x[:40], LABELS[:40]).predict_proba(x[40:])
    answers = ngram_comparison(PAIRS[:40], LABELS[:40], PAIRS[40:])
    np.testing.assert_allclose(answers, expected, atol=1e-3)


@pytest.mark.parametrize("label", [0, 1])
def test_labels_that_are_all_the_same_are_no_obstacle(label):
    pairs = [p if y == label else p[::-1] for p, y in zip(PAIRS, LABELS, strict=True)]
    answers = ngram_comparison(pairs[:40], np.full(40, label), pairs[40:])
    assert (answers.argmax(axis=1) == label).all()

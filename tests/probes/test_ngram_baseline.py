"""The spelling baseline finds what the letters give away, and nothing where they give nothing."""

import numpy as np

from weak2strong.probes import ngram_baseline, ngram_neighbour


def names(seed, n, endings):
    rng = np.random.default_rng(seed)
    letters = list("abcdefghijklmnopqrst")
    labels = rng.integers(0, len(endings), n)
    return ["".join(rng.choice(letters, 5)) + endings[c] for c in labels], labels


def test_endings_give_the_class_away():
    endings = ["burg", "ville", "pur"]
    train, labels = names(0, 150, endings)
    test, truth = names(1, 60, endings)
    p = ngram_baseline(train, labels, test, 3)
    assert p.shape == (60, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == truth).all()


def test_random_names_give_nothing_away():
    train, labels = names(2, 400, ["", ""])
    test, truth = names(3, 400, ["", ""])
    p = ngram_baseline(train, labels, test, 2)
    assert abs((p.argmax(axis=1) == truth).mean() - 0.5) < 0.1  # four standard errors


def test_case_is_part_of_the_spelling():
    train, labels = ["Yes", "yes"] * 20, np.array([0, 1] * 20)
    p = ngram_baseline(train, labels, ["Yes", "yes"], 2)
    assert p.argmax(axis=1).tolist() == [0, 1]


def test_absent_classes_get_zero_and_columns_follow_the_indices():
    train, labels = names(4, 40, ["burg", "ville"])
    p = ngram_baseline(train, np.array([1, 3])[labels], train, 4)
    assert (p[:, [0, 2]] == 0).all()
    assert (p.argmax(axis=1) == np.array([1, 3])[labels]).all()
    alone = ngram_baseline(train, np.full(40, 2), ["x", "y"], 3)
    assert alone.tolist() == [[0, 0, 1], [0, 0, 1]]


def test_the_same_input_gives_the_same_bits():
    train, labels = names(5, 60, ["burg", "ville"])
    first, second = (ngram_baseline(train, labels, train, 2) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_neighbour_is_the_text_spelt_most_alike():
    train = ["Hamburg is in", "Freiburg is in", "Kanpur is in", "Jaipur is in"]
    answers = ["Hamburg's", "Freiburg's", "Kanpur's", "Jaipur's"]
    asked = ["Jaipur is in", "Freiburg is in", "Neuburg is in", "Raipur is in"]
    found = ngram_neighbour(train, answers, asked)
    assert found[:2] == ["Jaipur's", "Freiburg's"]
    assert found[2] in answers[:2]
    assert found[3] == "Jaipur's"


def test_neighbours_do_not_depend_on_what_is_compared_at_once(monkeypatch):
    train, labels = names(0, 90, ["burg", "pur"])
    test, _ = names(1, 40, ["burg", "pur"])
    whole = ngram_neighbour(train, labels.tolist(), test)
    monkeypatch.setattr("weak2strong.probes.ngrams.SLICE", 7)
    assert ngram_neighbour(train, labels.tolist(), test) == whole

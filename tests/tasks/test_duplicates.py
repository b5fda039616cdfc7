"""Near-duplicates are found exactly, by a rule that leaves short and templated texts apart."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.tasks import duplicates
from weak2strong.tasks.duplicates import near_duplicates


def literal(texts, threshold):
    """The rule word for word, for texts of plain lower-case words: every pair, as Python sets."""

    def shingles(text):
        words = ["", "", *text.split(), "", ""]
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)} - {("", "", "")}

    def alike(a, b):
        return bool(a | b) and len(a & b) / len(a | b) >= threshold

    whole = [shingles(text) for text in texts]
    most = max(50, 0.05 * len(texts))
    template = {s for s in set().union(*whole) if sum(s in w for w in whole) > most}
    group = list(range(len(texts)))
    for i, j in combinations(range(len(texts)), 2):
        same = texts[i].split() == texts[j].split()
        if same or (alike(whole[i], whole[j]) and alike(whole[i] - template, whole[j] - template)):
            group = [group[i] if g == group[j] else g for g in group]
    found = {}
    for i, g in enumerate(group):
        found.setdefault(g, []).append(i)
    return sorted(members for members in found.values() if len(members) > 1)


WORDS = st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join)
THRESHOLDS = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.8, 1.0])


@given(st.lists(WORDS, max_size=14), THRESHOLDS)
def test_short_texts_agree_with_comparing_every_pair(texts, threshold):
    assert near_duplicates(texts, threshold) == literal(texts, threshold)


def edited(rng, words):
    """A copy with up to three words changed, dropped or added."""
    words = list(words)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(words))
        words[at : at + rng.randrange(2)] = rng.choices("xyz", k=rng.randrange(2))
    return " ".join(words)


@given(st.randoms(use_true_random=False), THRESHOLDS)
def test_edited_texts_agree_with_comparing_every_pair(rng, threshold):
    sources = [rng.choices("abcdefghijklmnop", k=rng.randint(20, 60)) for _ in range(3)]
    texts = [edited(rng, rng.choice(sources)) for _ in range(12)]
    assert near_duplicates(texts, threshold) == literal(texts, threshold)


def templated(rng, count):
    """Texts of three templates and short names, so that many shingles are in many texts."""
    forms = [" ".join(rng.choices("abcdefgh", k=n)) for n in (30, 12, 4)]
    names = [f"n{i}" for i in range(12)]
    return [f"{rng.choice(forms)} {rng.choice(names)} {rng.choice(names)}" for _ in range(count)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.3, 0.8])
def test_templated_texts_agree_with_comparing_every_pair(seed, threshold):
    texts = templated(random.Random(seed), 180)
    found = near_duplicates(texts, threshold)
    assert found == literal(texts, threshold)
    assert found


def test_batches_change_nothing(monkeypatch):
    texts = templated(random.Random(9), 180)
    whole = near_duplicates(texts, 0.3)
    monkeypatch.setattr(duplicates, "AT_ONCE", 7)
    assert near_duplicates(texts, 0.3) == whole


@given(st.lists(WORDS, max_size=14), st.randoms(use_true_random=False))
def test_the_order_of_texts_plays_no_part(texts, rng):
    places = list(range(len(texts)))
    rng.shuffle(places)
    found = near_duplicates([texts[p] for p in places], 0.5)
    back = sorted(sorted(places[i] for i in group) for group in found)
    assert back == sorted(near_duplicates(texts, 0.5))


def numbered(n):
    return [f"word{i}" for i in range(n)]


@pytest.mark.parametrize(("words", "linked"), [(5, False), (24, False), (25, True), (100, True)])
def test_one_changed_word_makes_another_text_of_a_short_one_only(words, linked):
    one, two = numbered(words), numbered(words)
    two[words // 2] = "other"
    assert near_duplicates([" ".join(one), "elsewhere", " ".join(two)]) == [[0, 2]] * linked


@pytest.mark.parametrize(
    ("one", "two", "linked"),
    [
        ("Lyon is a city in", "Lima is a city in", False),
        ("Is 1234 prime?", "Is 1235 prime?", False),
        ("Is 3 > 5?", "Is 3 < 5?", False),
        ("Lyon is a city in", " LYON is a  city in", True),
        ("Where is Lyon?", "Where is 'Lyon'", True),
        ("Die Straße ist lang.", "die STRASSE ist lang", True),
        ("!!!", "!!!", True),
        ("!!!", "???", False),
        ("", "", True),
    ],
)
def test_what_makes_short_texts_the_same(one, two, linked):
    assert near_duplicates([one, two]) == [[0, 1]] * linked


def test_scripts_without_spaces_are_compared_by_character():
    text = "里昂是法国的一座城市位于罗讷河和索恩河的交汇处人口约五十二万"
    assert len(text) > 25
    assert near_duplicates([text, text.replace("万", "千"), text[::-1]]) == [[0, 1]]
    assert near_duplicates(["里昂是法国的一座城市", "利马是秘鲁的一座城市"]) == []


def test_a_similarity_of_just_the_threshold_is_enough():
    # 55 shingles, all of them among the 100 of the other; 0.55 * 100 is above 55 as a float.
    inner = numbered(53)
    outer = [*inner, *(f"more{i}" for i in range(43)), *inner[-2:]]
    assert near_duplicates([" ".join(outer), " ".join(inner)], 0.55) == [[0, 1]]
    assert near_duplicates([" ".join([*outer, "end"]), " ".join(inner)], 0.55) == []


def with_instructions(count):
    page = " ".join(numbered(100))
    return [f"{page} where is town{i}" for i in range(count)]


def test_a_page_of_instructions_does_not_make_questions_the_same():
    assert near_duplicates(with_instructions(60)) == []


def test_a_repeated_question_is_found_beneath_the_instructions():
    asked = "which of all the rivers that run through this land is the longest one of them all"
    page = " ".join(numbered(100))
    both = [f"{page} {asked} and why is it so", f"{page} {asked} and how is it so long then"]
    alone = [text.removeprefix(page) for text in both]
    assert near_duplicates([*with_instructions(60), *both], 0.5) == [[60, 61]]
    assert near_duplicates(alone, 0.5) == [[0, 1]]


def test_few_texts_with_a_page_in_common_are_one_family():
    assert near_duplicates(with_instructions(10)) == [list(range(10))]


def test_a_chain_is_one_family():
    texts = [" ".join(f"word{i + step}" for i in range(60)) for step in range(0, 20, 2)]
    assert near_duplicates([texts[0], texts[-1]]) == []
    assert near_duplicates(texts) == [list(range(10))]


def test_nothing_is_alike_in_nothing():
    assert near_duplicates([]) == []
    assert near_duplicates(["one text"]) == []


@pytest.mark.parametrize("threshold", [0, -1, 1.1])
def test_a_threshold_is_a_similarity(threshold):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        near_duplicates(["a"], threshold)

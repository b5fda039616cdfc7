"""Parts of the audit's checks, each on a few texts: which answers, which signs, which examples."""

import json
import random

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from weak2strong.analysis.audit import CHECKS
from weak2strong.analysis.audit.answers import answers_in
from weak2strong.analysis.audit.audit import read_fresh
from weak2strong.analysis.audit.balance import balance
from weak2strong.analysis.audit.features import ANYWHERE, outward
from weak2strong.analysis.audit.near_duplicates import near_duplicates
from weak2strong.analysis.audit.shortcut import _carriers, _sample, shortcut
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.find import find_task
from weak2strong.tasks.parts import NAMES
from weak2strong.tasks.splits import SPLITS, Splits
from weak2strong.tasks.task import Example, Item, Task

WORDS = [f"{a}{b}" for a in "bdfg" for b in ("arn", "olk", "isp", "ent", "urm")]


def entries(*texts, labels=None, groups=None):
    rows = range(len(texts))
    labels, groups = labels or [0] * len(texts), groups or [f"g{i}" for i in rows]
    return [Entry(f"e{i}", groups[i], texts[i], labels[i], "test") for i in rows]


def test_where_no_way_finds_answers_no_text_has_one():
    assert answers_in(entries("Lyon is a city", "Lima is one", "so is Oslo")) == [None] * 3


def test_an_answer_is_what_most_texts_show_it_to_be():
    said = entries("Q: who? Answer: me\nthanks", "Who? you", "a: no one")
    assert answers_in(said) == ["me", None, "no one"]
    asked = entries("who is it? me", "Answer: x", "where? there\nand there")
    assert answers_in(asked) == ["me", None, "there"]
    # Two of four are enough; one of three is not.
    assert answers_in(entries("Answer: yes", "Answer: no", "c", "d")) == ["yes", "no", None, None]
    assert answers_in(entries("Answer: yes", "b", "c")) == [None] * 3


def test_texts_of_one_group_with_two_labels_differ_in_their_answers():
    pair = entries("is it so yes indeed", "is it so no indeed", labels=[1, 0], groups=["g", "g"])
    assert answers_in(pair) == ["yes", "no"]
    alike = entries("is it so yes indeed", "is it so no indeed", labels=[1, 1], groups=["g", "g"])
    assert answers_in(alike) == [None] * 2
    strangers = entries("yes indeed", "no indeed", labels=[1, 0], groups=["g", "g"])
    assert answers_in(strangers) == [None] * 2


@pytest.mark.parametrize("of_class", [0, 1])
def test_a_sign_is_shown_by_two_texts_that_have_it_and_one_that_has_not(of_class):
    texts = [f"text {i}{'!' * (i % 2 == of_class)}" for i in range(80)]
    labels, groups = np.arange(80) % 2, np.arange(80)
    (found,) = outward(
        "form", "texts", {"shouts": lambda t: "!" in t}, entries(*texts), texts, labels, groups,
        ("no", "yes"),
    )  # fmt: skip
    assert ["!" in e.text for e in found.examples] == [True, True, False]
    assert found.level == "error"
    assert {found.numbers["inside"], found.numbers["outside"]} == {0.0, 1.0}


def test_a_fresh_text_that_is_missing_is_told_by_its_row(tmp_path):
    path = tmp_path / "fresh.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n')
    assert [e.text for e in read_fresh(path, DataOptions())] == ["one", "two"]
    for missing in ('{"text": "  "}', '{"text": null}', '{"text": 3}'):
        path.write_text('{"text": "one"}\n' + missing)
        with pytest.raises(UserError, match=r"2 has (no text|3) in column 'text'"):
            read_fresh(path, DataOptions())


def subject_of(**splits):
    """A task with these texts and labels by split, each a group of its own."""
    parts = {
        name: tuple(
            Example(Item(f"{name} {i}", f"{name} {i}", text), label)
            for i, (text, label) in enumerate(splits.get(name, ()))
        )
        for name in SPLITS
    }
    task = Task("own", "classification", ("no", "yes"), "", "", "", list)
    return Subject.of("own", task, splits=Splits(**parts))


def test_twins_by_numbers_count_where_one_is_tested_and_another_taught():
    learnt = [(f"{word} number 1 is it", i % 2) for i, word in enumerate(WORDS)]
    asked = [(f"{word} number 22 is it", i % 2) for i, word in enumerate(WORDS)]
    only_asked = [("gate 1 and gate 2", 0), ("gate 3 and gate 4", 1), ("no number at all", 1)]
    only_learnt = [("road 1 and road 2", 0), ("road 3 and road 4", 1), ("no number at all then", 1)]
    subject = subject_of(
        weak_train=learnt[:10] + only_learnt[:2],
        strong_train=learnt[10:] + only_learnt[2:],
        validation=[("neither here", 0)],
        test=asked + only_asked,
    )
    (found,) = near_duplicates(subject)
    assert found.numbers["texts"] == len(WORDS)
    assert found.numbers["share"] == pytest.approx(len(WORDS) / (len(WORDS) + 3))
    assert (found.numbers["agreement"], found.numbers["chance"]) == (1, 0.5)
    assert found.level == "warning"
    assert [e.split for e in found.examples] in (["test", "weak_train"], ["test", "strong_train"])
    one, other = (e.text for e in found.examples)
    assert one.split()[0] == other.split()[0]
    without = subject_of(weak_train=only_learnt, strong_train=only_learnt, test=only_asked)
    assert near_duplicates(without) == []


def test_what_every_text_has_carries_nothing():
    """However much weight a model puts on it: what speaks for a class is in some texts only."""
    rng = np.random.default_rng(0)
    labels = (np.arange(200) % 10 == 0).astype(int)
    signs = (rng.random((200, 8)) < 0.3).astype(float)
    signs[:, 3] = labels
    table = csr_matrix(np.column_stack([np.full(200, 3.0), signs]))
    grams = np.array(["every", *(f"sign {i}" for i in range(8))])
    found = _carriers(grams, table, labels)
    assert found[0].ngram == "sign 3"
    assert (found[0].label, found[0].inside, found[0].outside) == (1, 1.0, 0.0)
    assert len(found) == 6
    assert "every" not in {c.ngram for c in found}


def test_the_texts_that_show_a_deciding_word_have_it_and_its_class():
    dice = random.Random(0)
    rows = [
        (f"{dice.choice(WORDS)} {dice.choice(WORDS)} {('zymurgy', 'quixotic')[i % 2]}", i % 2)
        for i in range(200)
    ]
    subject = subject_of(weak_train=rows[:80], strong_train=rows[80:140], test=rows[140:])
    (found,) = shortcut(subject)
    decides = found.numbers["deciding"]
    assert decides in ("zymurgy", "quixotic")
    assert len(found.examples) == 2
    assert all(decides in e.text for e in found.examples)
    assert (found.level, found.numbers["texts"]) == ("error", 200)


def test_what_cleaning_compares_is_every_text_of_each_file_once(tmp_path):
    texts = dict(zip(NAMES, ("abcab", "defa", "gha"), strict=True))
    for name, letters in texts.items():
        rows = [{"text": f"text {x}", "label": ord(x) % 2} for x in letters]
        rows += [{"text": f"more {name} {i}", "label": i % 2} for i in range(40)]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = find_task(str(tmp_path), DataOptions(near_duplicates=False))
    once = Subject.of(str(tmp_path), task).once
    by_split = {
        split: sorted(e.text[-1] for e in once if e.split == split and e.text.startswith("text"))
        for split in {e.split for e in once}
    }
    assert sorted(map("".join, by_split.values())) == ["abc", "adef", "agh"]
    assert {len([e for e in once if e.split == s and e.text.startswith("more")])
            for s in by_split} == {40}  # fmt: skip


def test_texts_without_a_word_in_common_are_judged_by_their_letters():
    """Each of its own word; those of one class begin alike."""
    dice = random.Random(1)
    words = ["".join(dice.choices("bcdfghklmnprst", k=9)) for _ in range(160)]
    rows = [(f"{('zu', 'ae')[i % 2]}{word}", i % 2) for i, word in enumerate(words)]
    subject = subject_of(weak_train=rows[:60], strong_train=rows[60:100], test=rows[100:])
    (found,) = shortcut(subject)
    assert (found.numbers["analyzer"], found.level) == ("letters", "error")
    assert found.numbers["auc"] == pytest.approx(1)


def test_the_classifier_sees_as_many_texts_as_have_so_many_characters():
    """600,000, within 1,000 and 4,000 texts; of a long text 2,000 count."""
    for length, seen in ((10, 4000), (300, 2000), (5000, 1000)):
        many = [Entry(f"e{i}", None, "x" * length, 0, None) for i in range(4500)]
        assert len(_sample(many)) == seen


def test_a_text_in_two_splits_is_shown_once_of_each():
    shared = [("Lyon is a city in France", 0), ("Lima is a city in Peru", 1), ("Oslo too", 1)]
    subject = subject_of(weak_train=shared, strong_train=shared[:1] * 3, test=shared[::-1])
    (found,) = CHECKS.get("duplicates")(subject)
    splits = [e.split for e in found.examples]
    assert len(splits) == 3
    assert splits[0] != splits[1]
    assert found.examples[0].text == found.examples[1].text != found.examples[2].text


def of_file(folder, rows, **options):
    """The subject of a file with these texts and labels."""
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps({"text": t, "label": x}) + "\n" for t, x in rows))
    task = find_task(str(path), DataOptions(near_duplicates=False, **options))
    return Subject.of(str(path), task)


@pytest.mark.parametrize(("many", "told"), [(60, False), (70, False), (100, True)])
def test_classes_that_were_made_even_are_told_as_they_were_given(tmp_path, many, told):
    rows = [(f"text {i}", int(i < 60)) for i in range(60 + many)]
    found = balance(of_file(tmp_path, rows))
    assert [f.level for f in found] == ["note"] * told
    if told:
        assert found[0].numbers == {"0": 0.625, "1": 0.375}


def test_the_rarest_class_decides_whether_classes_are_uneven():
    def rows(counts, name):
        return [(f"{name} {label} {i}", label) for label, n in enumerate(counts) for i in range(n)]

    def found(counts):
        names = ("weak_train", "strong_train", "validation", "test")
        return balance(subject_of(**{name: rows(counts, name) for name in names}))

    assert found((50, 50)) == []
    for counts, level in (((70, 30), "warning"), ((95, 5), "error"), ((5, 95), "error")):
        (uneven,) = found(counts)
        assert uneven.level == level
        assert uneven.numbers == {"no": counts[0] / 100, "yes": counts[1] / 100}


def test_of_two_classes_that_are_as_far_apart_the_first_is_told():
    def rows(counts, name):
        return [(f"{name} {label} {i}", label) for label, n in enumerate(counts) for i in range(n)]

    subject = subject_of(
        weak_train=rows((96, 32), "w"),
        strong_train=rows((64, 64), "s"),
        validation=rows((64, 64), "v"),
        test=rows((64, 64), "t"),
    )
    apart = [f for f in balance(subject) if "class" in f.numbers]
    assert [(f.numbers["class"], f.numbers["weak_train"]) for f in apart] == [("no", 0.75)]


def test_rows_of_one_file_repeat_or_contradict_one_another(tmp_path):
    rows = [(f"text {i}", i % 2) for i in range(100)]
    assert CHECKS.get("duplicates")(of_file(tmp_path, rows)) == []
    (again,) = CHECKS.get("duplicates")(of_file(tmp_path, rows + rows[:3]))
    assert again.numbers == {"rows": 3, "share": 3 / 103}
    against = [(text, 1 - label) for text, label in rows[:2]]
    (contrary,) = CHECKS.get("duplicates")(of_file(tmp_path, rows + against))
    assert contrary.numbers == {"rows": 4, "share": 4 / 102}


def test_families_of_two_files_are_told_as_given(tmp_path):
    words = [" ".join(random.Random(k).choices(WORDS, k=40)) for k in range(8)]
    for name in NAMES:
        rows = [{"text": f"{name} {i} {WORDS[i % 20]}", "label": i % 2} for i in range(40)]
        twins = NAMES[1:] if name in NAMES[1:] else ()
        rows += [{"text": f"{w} of {name}", "label": 1} for w in words if twins]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = near_duplicates(Subject.of(str(tmp_path), find_task(str(tmp_path), DataOptions())))
    given = [f for f in found if "families" in f.numbers]
    assert [f.numbers["families"] for f in given] == [8]
    assert "as given" in given[0].sentence


SIGNS = {
    "ends with punctuation": ("It is.", "It is"),
    "ends with a question mark": ("Is it?", "Is it!"),
    "ends with white space": ("It is ", "It is"),
    "begins with white space": (" It is", "It is"),
    "begins with a capital": ('"It is"', "it is"),
    "has no small letter": ("IT IS 1", "It is 1"),
    "has a digit": ("it is 1", "it is one"),
    "has quotation marks": ("“it” is", "'it' is"),
    "has brackets": ("it [is]", "it is"),
    "has an address of the web": ("see www.here.it", "see here.it"),
    "has a character beyond ASCII": ("à la", "a la"),
    "has a space twice": ("it  is", "it is  "),
}


def test_each_sign_of_a_text_is_told_by_an_example_and_a_counterexample():
    assert set(SIGNS) == set(ANYWHERE) - {"number of line breaks"}
    for name, (having, lacking) in SIGNS.items():
        assert ANYWHERE[name](having), name
        assert not ANYWHERE[name](lacking), name
    assert ANYWHERE["number of line breaks"]("a\nb\n\nc") == 3

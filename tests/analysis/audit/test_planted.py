"""Every planted defect is found by the check that is for it, and nothing where there is none."""

import json
import random
import re

import pytest

from weak2strong.analysis.audit import CHECKS
from weak2strong.analysis.audit.subject import Subject
from weak2strong.config.data import DataOptions
from weak2strong.tasks import TASKS
from weak2strong.tasks.find import find_task
from weak2strong.tasks.parts import NAMES
from weak2strong.tasks.splits import SPLITS
from weak2strong.tasks.task import Example, Item, Task

OPTIONS = DataOptions(group_column="doc")
CONSONANTS, VOWELS = "bdfgklmnprst", "aeiou"
WORDS = [a + b + c + d for a in CONSONANTS for b in VOWELS for c in CONSONANTS[::3] for d in "aio"]


def made(n, seed, answer=None):
    """Questions of random words with random answers, of all lengths, some with a full stop.

    Args:
        n: how many.
        seed: decides them.
        answer: makes another answer of the dice, the class and the answer; or None.
    """
    dice, rows = random.Random(seed), []
    for i in range(n):
        label = dice.choice(["no", "yes"])
        first, second = (" ".join(dice.choices(WORDS, k=dice.randint(3, 18))) for _ in range(2))
        said = " ".join(dice.choices(WORDS, k=dice.randint(1, 5))) + dice.choice(["", "."])
        said = answer(dice, label, said) if answer else said
        text = f"{first.capitalize()}.\nQuestion: {second}?\nAnswer: {said}\nIs it right?"
        rows.append({"text": text, "label": label, "doc": f"{seed} {i // 2}"})
    return rows


def three(answer=None):
    """Rows for the supervisor, the student and the test."""
    return [made(n, seed, answer) for n, seed in ((300, 1), (300, 2), (240, 3))]


@pytest.fixture
def audited(tmp_path):
    """A function from the rows of a file, or of three, to what all checks find by name."""

    def run(rows, options=OPTIONS):
        parts = {"all.jsonl": rows} if isinstance(rows[0], dict) else dict(zip(NAMES, rows))  # noqa: B905
        for name, part in parts.items():
            (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in part))
        reference = str(tmp_path / "all.jsonl" if len(parts) == 1 else tmp_path)
        subject = Subject.of(reference, find_task(reference, options))
        return {name: CHECKS.get(name)(subject) for name in CHECKS}

    return run


def grave(found):
    """Names of the checks that have an error or a warning, with the gravest."""
    levels = {name: [f.level for f in findings] for name, findings in found.items()}
    order = ("error", "warning")
    return {n: next(x for x in order if x in ls) for n, ls in levels.items() if {*ls} & {*order}}


def letter_if_right(dice, label, said):
    return dice.choice("ABCD") if label == "yes" else said


def test_a_clean_control_is_silent_in_three_files_and_in_one(audited):
    assert grave(audited(three())) == {}
    assert grave(audited([row for part in three() for row in part])) == {}


def test_letters_for_right_answers_and_texts_for_wrong_ones(audited):
    """The defect of OpenBookQA in a public code."""
    found = audited(three(letter_if_right))
    assert grave(found)["answers"] == "error"
    letters = next(f for f in found["answers"] if "letter alone" in f.numbers["feature"])
    assert letters.numbers["inside"] == 1
    assert letters.numbers["outside"] == 0
    assert letters.numbers["auc"] == 1
    assert "class 'yes'" in letters.sentence
    assert re.search(r"Answer: [A-D]\nIs it right\?$", letters.examples[0].text)


def test_letters_behind_a_question_mark_alone_are_found_too(audited):
    parts = three(lambda dice, label, said: f"({dice.choice('abcd')})" if label == "yes" else said)
    for part in parts:
        for row in part:
            row["text"] = row["text"].replace("\nAnswer: ", " ").removesuffix("\nIs it right?")
    found = audited(parts)
    assert any(f.numbers["feature"] == "is an option's letter alone" for f in found["answers"])
    assert grave(found)["answers"] == "error"


def test_a_sign_in_one_class_alone_is_found_where_it_moves_no_auc(audited):
    def answer(dice, label, said):
        return f"{said.rstrip('.')}!" if label == "yes" and dice.random() < 0.12 else said

    found = audited([row for part in three() for row in part])
    assert found["answers"] == []
    parts = three(lambda *a: answer(*a).rstrip("."))
    found = audited(parts)
    (sign,) = found["answers"]
    assert (sign.level, sign.numbers["feature"]) == ("warning", "ends with punctuation")
    assert sign.numbers["auc"] < 0.6
    assert sign.numbers["outside"] == 0


def test_answers_are_what_texts_of_one_question_differ_in(audited):
    """No word says where the answer is: the group does."""
    dice, rows = random.Random(0), []
    for i in range(300):
        asked = " ".join(dice.choices(WORDS, k=30))
        right, wrong = dice.choice("ABCD"), " ".join(dice.choices(WORDS, k=3))
        rows.append({"text": f"{asked} so {right} it is", "label": "yes", "doc": str(i)})
        rows.append({"text": f"{asked} so {wrong} it is", "label": "no", "doc": str(i)})
    found = audited(rows)
    features = {f.numbers["feature"]: f for f in found["answers"]}
    assert features["is an option's letter alone"].numbers["inside"] == 1
    assert features["is an option's letter alone"].level == "error"


def test_texts_that_two_files_have(audited):
    rows = three()
    rows[0][:12] = [{**row, "text": row["text"].upper()} for row in rows[2][:12]]
    found = audited(rows, DataOptions())
    (given,) = found["duplicates"]
    assert given.level == "error"
    assert given.numbers["weak_train and test"] == 12
    assert given.numbers["share_of_a_split"] == pytest.approx(12 / 240)
    assert "12 texts stand in more than one split as given" in given.sentence
    assert {e.split for e in given.examples} == {"weak_train", "test"}
    # A run leaves them out of the first file, so its own splits have none.
    assert "of a run" not in given.sentence
    assert grave(found) == {"duplicates": "error"}


def test_rows_that_one_file_repeats_or_contradicts(audited):
    rows = made(600, 1)
    found = audited([*rows, *rows[:30]])
    assert grave(found) == {"duplicates": "warning"}
    (again,) = found["duplicates"]
    assert again.numbers == {"rows": 30, "share": 30 / 630}
    other = {"no": "yes", "yes": "no"}
    contrary = [{**row, "label": other[row["label"]]} for row in rows[:2]]
    (once,) = audited([*rows, *contrary])["duplicates"]
    assert (once.level, once.numbers["rows"]) == ("note", 4)
    assert "label differently" in once.sentence


def test_texts_that_are_nearly_in_two_files(audited):
    rows = three()
    for k in range(12):
        page = " ".join(random.Random(k).choices(WORDS, k=40))
        rows[1][k]["text"] = f"{page} first"
        rows[2][k]["text"] = f"{page.upper()}, second!"
    found = audited(rows, DataOptions())
    assert grave(found) == {"near-duplicates": "error"}
    (given,) = found["near-duplicates"]
    assert "as given" in given.sentence
    assert given.numbers["families"] == 12
    assert given.numbers["strong_train and test"] == 12
    # A run without the search for them has them in its own splits too.
    found = audited(rows, DataOptions(near_duplicates=False))
    assert [f.level for f in found["near-duplicates"]] == ["error", "error"]
    assert "of a run" in found["near-duplicates"][0].sentence


@pytest.mark.parametrize(("told", "level"), [(True, "warning"), (False, "note")])
def test_texts_that_differ_in_numbers_leak_where_a_twin_has_the_label(audited, told, level):
    dice, forms, rows = random.Random(0), [made(80, 5), made(80, 6)], []
    for form in forms[0] + forms[1]:
        for _ in range(4):
            number = dice.randint(0, 10**6)
            label = form["label"] if told else dice.choice(["no", "yes"])
            text = " ".join(form["text"].split()[:12])
            rows.append({"text": f"{text} {number}", "label": label})
    found = audited(rows, DataOptions())
    (twins,) = found["near-duplicates"]
    assert (twins.level, "only in their numbers" in twins.sentence) == (level, True)
    assert (twins.numbers["agreement"] > 0.9) == told


def test_groups_in_two_files(audited):
    rows = three()
    for row in rows[0][:20]:
        row["doc"] = rows[2][0]["doc"]
    found = audited(rows)
    assert grave(found) == {"groups": "error"}
    (given,) = found["groups"]
    assert given.numbers["groups"] == 1
    assert given.numbers["weak_train and test"] == 1


def test_a_task_whose_own_splits_leak():
    """Nobody cleans what a plugin gives."""
    texts = [row["text"] for row in made(400, 1)]
    texts[10], texts[11] = texts[311].upper(), f"{texts[12]} yes"
    examples = [Example(Item(str(i), f"g{i % 390}", text), i % 2) for i, text in enumerate(texts)]
    split = {str(i): SPLITS[i // 100] for i in range(400)}
    task = Task("own", "classification", ("a", "b"), "", "", "", lambda: examples, given=split)
    subject = Subject.of("own", task)
    found = {check: CHECKS.get(check)(subject) for check in CHECKS}
    assert grave(found) == {"duplicates": "error", "groups": "error"}
    assert found["duplicates"][0].numbers["weak_train and test"] == 1
    assert found["groups"][0].numbers["groups"] == 10
    assert "of a run" in found["groups"][0].sentence


def test_length_that_goes_with_the_label(audited):
    dice = random.Random(0)
    rows = made(600, 1)
    for row in rows:
        words = dice.randint(0, 20) + 12 * (row["label"] == "yes")
        row["text"] += " " + " ".join(dice.choices(WORDS, k=words))
    found = audited(rows)
    (told,) = found["length"]
    assert told.level in ("error", "warning")
    assert told.numbers["class"] == "yes"
    assert told.numbers["inside"] > told.numbers["outside"]
    for row in rows:
        row["text"] += " " + " ".join(dice.choices(WORDS, k=60 * (row["label"] == "yes")))
    assert grave(audited(rows))["length"] == "error"


def test_a_word_that_decides(audited):
    def planted(share):
        dice, rows = random.Random(0), made(600, 1)
        for row in rows:
            signs = ["zymurgy", "quixotic"] if row["label"] == "yes" else ["quixotic", "zymurgy"]
            words = row["text"].split(" ")
            words.insert(3, signs[dice.random() > share])
            row["text"] = " ".join(words)
        return rows

    found = audited(planted(0.95))
    assert grave(found) == {"shortcut": "error"}
    (told,) = found["shortcut"]
    assert told.numbers["analyzer"] == "words"
    assert told.numbers["auc"] > 0.9
    assert told.numbers["deciding"] in ("zymurgy", "quixotic")
    assert {"zymurgy", "quixotic"} <= set(told.numbers["ngrams"].split(" | "))
    assert f"{told.numbers['deciding']!r} decides" in told.sentence
    # Where it is right in three of four: a number to know, no reason to stop.
    found = audited(planted(0.75))
    assert grave(found) == {"shortcut": "warning"}
    assert found["shortcut"][0].numbers["deciding"] is None


def test_classes_that_are_uneven(audited):
    rows = made(900, 1)
    rows = [row for i, row in enumerate(rows) if row["label"] == "yes" or i % 3 == 0]
    found = audited(rows, DataOptions(group_column="doc", balance=False))
    assert grave(found) == {"balance": "warning"}
    assert "all splits are uneven" in found["balance"][0].sentence
    found = audited(rows)
    assert grave(found) == {}
    (told,) = found["balance"]
    assert "uneven as given" in told.sentence
    rows = [row for i, row in enumerate(made(900, 1)) if row["label"] == "yes" or i % 20 == 0]
    assert grave(audited(rows, DataOptions(balance=False)))["balance"] == "error"


def test_a_test_file_with_other_shares_than_the_others(audited):
    rows = three()
    rows[2] = [row for i, row in enumerate(rows[2]) if row["label"] == "yes" or i % 5 == 0]
    found = audited(rows, DataOptions(group_column="doc", balance=False))
    uneven, apart = found["balance"]
    assert "classes of test are uneven" in uneven.sentence
    assert "what is learnt of one split" in apart.sentence
    assert apart.numbers["class"] == "no"
    have = [row["label"] == "no" for row in rows[2]]
    assert apart.numbers["test"] == pytest.approx(sum(have) / len(have))


@pytest.mark.parametrize("name", ["atlas-landlocked", "atlas-spanish", "atlas-claim-hemisphere"])
def test_tasks_of_the_atlas_have_no_error(name):
    subject = Subject.of(name, TASKS.get(name))
    found = {check: CHECKS.get(check)(subject) for check in CHECKS}
    assert "error" not in grave(found).values()
    # Names sound like where they are from: that is said, with the number.
    names = name != "atlas-claim-hemisphere"
    assert grave(found) == ({"shortcut": "warning"} if names else {})


def test_what_is_found_does_not_depend_on_the_order_of_rows(audited):
    rows = [row for part in three(letter_if_right) for row in part]
    one = audited(rows)
    random.Random(1).shuffle(rows)
    two = audited(rows)
    assert {n: [(f.level, f.numbers) for f in fs] for n, fs in one.items()} == {
        n: [(f.level, f.numbers) for f in fs] for n, fs in two.items()
    }


def test_three_classes_and_one_too_rare_to_judge(audited):
    dice = random.Random(0)
    rows = made(900, 1)
    for row in rows:
        row["label"] = dice.choice("abc")
        if row["label"] == "c":
            row["text"] = row["text"].replace("Answer: ", "Answer: 7 ")
    found = audited(rows)
    assert found["shortcut"][0].level == "error"
    (digits,) = [f for f in found["answers"] if f.numbers["feature"] == "has a digit"]
    assert (digits.level, digits.numbers["class"]) == ("error", "c")
    assert grave(audited([{**r, "label": dice.choice("abc")} for r in made(900, 2)])) == {}
    rare = [{**row, "label": "z"} for row in made(8, 9)]
    few = audited([*made(300, 1), *rare], DataOptions(balance=False))
    assert [f.level for f in few["shortcut"]] == ["note"]


def test_what_the_splits_of_a_column_share_is_found_as_given(tmp_path):
    def as_given(parts):
        rows = [row | {"split": split} for split, part in parts.items() for row in part]
        (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        reference = str(tmp_path / "d.jsonl")
        subject = Subject.of(reference, find_task(reference, OPTIONS))
        found = [
            f for c in ("duplicates", "near-duplicates", "groups") for f in CHECKS.get(c)(subject)
        ]
        return {f.check: f.numbers["train and test"] for f in found if "as given" in f.sentence}

    parts = dict(zip(("train", "validation", "test"), three(), strict=True))
    assert as_given(parts) == {}
    for i, (taught, tested) in enumerate(zip(parts["train"], parts["test"][:24], strict=False)):
        tested["doc"] = taught["doc"] if i >= 16 else f"own {i}"
        if i < 16:
            tested["text"] = taught["text"] + (" truly." if i >= 8 else "")
            tested["label"] = taught["label"]
    found = as_given(parts)
    # A word more makes a short text another one.
    assert 6 <= found.pop("near-duplicates") <= 8
    assert found == {"duplicates": 8, "groups": 4}

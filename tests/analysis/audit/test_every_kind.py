"""`w2s audit` on a file of each kind: what is judged there, and defects planted in it."""

import json
import random

import pytest

from weak2strong.analysis.audit import CHECKS
from weak2strong.analysis.audit.audit import audit
from weak2strong.analysis.audit.subject import Subject
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.study import StudyConfig
from weak2strong.tasks.find import find_task
from weak2strong.tasks.parts import NAMES

WORDS = [a + b + c + d for a in "bdfgklmnprst" for b in "aeiou" for c in "bkns" for d in "aio"]
OPTIONS = DataOptions(near_duplicates=False)


def said(dice, least=3, most=12):
    return " ".join(dice.choices(WORDS, k=dice.randint(least, most)))


def pairs(n, prompts=True, chosen=lambda text: text, seed=0):
    dice = random.Random(seed)
    for _ in range(n):
        row = {"chosen": chosen(said(dice)), "rejected": said(dice)}
        yield {"prompt": said(dice, 8, 20), **row} if prompts else row


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def found(path, options=OPTIONS):
    """Level and sentence of the graver findings, by check."""
    audited = audit(Subject.of(str(path), find_task(str(path), options)))
    return {f.check: (f.level, f.sentence) for f in reversed(audited.findings) if f.level != "note"}


@pytest.mark.parametrize("prompts", [True, False])
def test_preferences_without_a_defect_pass(tmp_path, prompts):
    assert found(write(tmp_path / "d.jsonl", pairs(300, prompts))) == {}


@pytest.mark.parametrize("prompts", [True, False])
@pytest.mark.parametrize(
    ("chosen", "check", "sentence"),
    [
        (lambda text: f"{text} {text}", "length", "completions of class 'chosen' have"),
        (lambda text: f"{text}!", "form", "ends with punctuation: 100.0% of class 'chosen', 0.0%"),
        (lambda text: text[0].upper(), "answers", "is one word: 100.0% of class 'chosen'"),
        (lambda text: f"{text} xyz", "shortcut", "'xyz' decides: 100.0% of class 'chosen' have it"),
    ],
)
def test_completions_are_judged_and_not_prompts(tmp_path, prompts, chosen, check, sentence):
    level, text = found(write(tmp_path / "d.jsonl", pairs(300, prompts, chosen)))[check]
    assert level == "error" or check == "length"
    assert sentence in text


def test_signs_of_prompts_are_no_defect_of_preferences(tmp_path):
    rows = [
        row | {"prompt": f"{row['prompt']} {'?' * (i % 2)}"} for i, row in enumerate(pairs(300))
    ]
    assert found(write(tmp_path / "d.jsonl", rows)) == {}


def turns(conversation, count):
    """A chat of so many questions, all but the last one answered."""
    dice, chat = random.Random(conversation), []
    for _ in range(count):
        chat += [{"role": "user", "content": said(dice, 2, 4)}]
        chat += [{"role": "assistant", "content": said(dice)}]
    return chat


def compared(conversation, count):
    chat = turns(conversation, count)
    other = {"role": "assistant", "content": said(random.Random(f"{conversation} {count}"))}
    return {"chosen": chat, "rejected": [*chat[:-1], other], "row": f"{conversation} {count}"}


def as_text(chat):
    return "".join(
        f"\n\n{'Human' if t['role'] == 'user' else 'Assistant'}: {t['content']}" for t in chat
    )


@pytest.mark.parametrize("form", ["chat", "text"])
def test_conversations_in_several_splits_are_an_error_where_they_are_forced_there(tmp_path, form):
    rows = [compared(c, t) for c in range(60) for t in (1, 2, 3)]
    if form == "text":
        rows = [row | {n: as_text(row[n]) for n in ("chosen", "rejected")} for row in rows]
    path = write(tmp_path / "d.jsonl", rows)
    assert "beginnings" not in found(path)
    forced = DataOptions(near_duplicates=False, group_column="row")
    level, sentence = found(path, forced)["beginnings"]
    assert level == "error"
    assert "openings of conversations stand in more than one split of a run" in sentence
    for name, part in zip(NAMES, (rows[:60], rows[60:119], rows[119:]), strict=True):
        write(tmp_path / name, part)
    level, sentence = found(tmp_path)["beginnings"]
    assert (level, sentence[:50]) == ("error", "1 openings of conversations stand in more than one")
    assert "as given" in sentence


def test_long_beginnings_in_several_splits_are_a_warning(tmp_path):
    dice = random.Random(0)
    passages = [said(dice, 30, 40) for _ in range(60)]
    rows = [{"text": f"{p} {said(dice)}?", "label": i % 2} for p in passages for i in range(3)]
    path = write(tmp_path / "d.jsonl", rows)
    level, sentence = found(path)["beginnings"]
    assert level == "warning"
    assert "beginnings of 80 characters or more" in sentence
    kept = DataOptions(near_duplicates=False, group_beginnings=True)
    assert "beginnings" not in found(path, kept)


def test_a_generation_is_audited_by_what_needs_no_classes(tmp_path, capsys):
    dice = random.Random(0)
    rows = [{"prompt": said(dice), "target": said(dice, 1, 2)} for _ in range(120)]
    path = write(tmp_path / "d.jsonl", [*rows, rows[0], rows[1] | {"target": "another"}])
    assert main(["audit", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "1 of 122 rows repeat another row's text and label" in shown
    assert "2 of 122 rows have a text that other rows label differently" in shown
    assert "Nothing found by near-duplicates, groups, beginnings." in shown
    assert {"balance", "shortcut"} < set(CHECKS)


def test_a_pair_turned_round_is_a_contradiction_and_repeats_are_counted(tmp_path):
    rows = list(pairs(120))
    turned = {
        "prompt": rows[0]["prompt"],
        "chosen": rows[0]["rejected"],
        "rejected": rows[0]["chosen"],
    }
    path = write(tmp_path / "d.jsonl", [*rows, turned, rows[1]])
    audited = audit(Subject.of(str(path), find_task(str(path), OPTIONS)))
    sentences = [f.sentence for f in audited.findings if f.check == "duplicates"]
    assert any(s.startswith("1 of 122 rows repeat") for s in sentences)
    assert any(s.startswith("2 of 122 rows have a text that other rows") for s in sentences)


def test_a_run_of_preferences_without_prompts_is_audited(tmp_path, capsys):
    path, run = write(tmp_path / "d.jsonl", pairs(120, False, lambda t: f"{t}!")), tmp_path / "run"
    run.mkdir()
    (run / "study.yaml").write_text(StudyConfig(tasks=(str(path),), data=OPTIONS).to_yaml())
    assert main(["audit", str(run)]) == 0
    assert "form of completions goes with the label" in " ".join(capsys.readouterr().out.split())

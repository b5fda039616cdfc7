"""Conversations are told by what stands before their first reply, as texts and as chats."""

import json

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.tasks.conversations import opening, prompt_of
from weak2strong.tasks.files import file_task
from weak2strong.tasks.parts import parted_task
from weak2strong.tasks.splits import SPLITS, make_splits

TURNS = [("user", "What is this?"), ("assistant", "Tea."), ("user", "Hot?"), ("assistant", "Yes.")]

FORMS = {
    "hh": lambda turns: "".join(
        f"\n\n{'Human' if role == 'user' else 'Assistant'}: {said}" for role, said in turns
    ),
    "chatml": lambda turns: "".join(
        f"<|im_start|>{role}\n{said}<|im_end|>\n" for role, said in turns
    ),
    "llama3": lambda turns: "".join(
        f"<|start_header_id|>{role}<|end_header_id|>\n\n{said}<|eot_id|>" for role, said in turns
    ),
    "zephyr": lambda turns: "".join(f"<|{role}|>\n{said}</s>\n" for role, said in turns),
    "gemma": lambda turns: "".join(
        f"<start_of_turn>{'user' if role == 'user' else 'model'}\n{said}<end_of_turn>\n"
        for role, said in turns
    ),
    "llama2": lambda turns: "".join(
        f"[INST] {said} [/INST]" if role == "user" else f" {said} " for role, said in turns
    ),
    "alpaca": lambda turns: "\n\n".join(
        f"### {'Instruction' if role == 'user' else 'Response'}:\n{said}" for role, said in turns
    ),
    "bold": lambda turns: "\n".join(
        f"**{'User' if role == 'user' else 'AI'}:** {said}" for role, said in turns
    ),
}


def conversations(count, turns=3):
    """Three comparisons of each conversation, at its first, second and third turn, as chats."""
    for c in range(count):
        before = []
        for t in range(turns):
            before = [*before, ("user", f"Q{c}.{t}?")]
            yield [*before, ("assistant", f"Yes {c}.{t}")], [*before, ("assistant", f"No {t}.{c}")]
            before = [*before, ("assistant", f"Yes {c}.{t}")]


def rows_of(form, pairs):
    if form == "chat":
        form_of = lambda turns: [{"role": r, "content": s} for r, s in turns]  # noqa: E731
    else:
        form_of = FORMS[form]
    return [{"chosen": form_of(chosen), "rejected": form_of(other)} for chosen, other in pairs]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_the_opening_is_what_stands_before_the_first_reply(form):
    whole = FORMS[form](TURNS)
    found = opening("", (whole, FORMS[form]([*TURNS[:3], ("assistant", "No.")])))
    first = FORMS[form](TURNS[:1]).removesuffix("[/INST]").strip()
    assert found == first.strip()
    other = FORMS[form]([("user", "What else?"), *TURNS[1:]])
    assert opening("", (whole, other)) == ""


@pytest.mark.parametrize("form", FORMS)
def test_what_both_conversations_begin_with_is_the_prompt(form):
    chosen, rejected = (FORMS[form]([*TURNS[:3], ("assistant", s)]) for s in ("Yes.", "Yeah."))
    prompt = prompt_of(chosen, rejected)
    assert "Hot?" in prompt
    assert "Ye" not in prompt
    assert chosen.startswith(prompt)
    assert rejected.startswith(prompt)


def test_texts_that_are_no_conversations_have_no_opening_and_no_prompt():
    assert opening("Where?", (" Here.", " There.")) == ""
    assert opening("", ("An assistant: one who helps.", "The model was old.")) == ""
    assert prompt_of("The same begin, one", "The same begin, other") == ""
    # The sign of a reply is cut where the two texts part within it.
    assert prompt_of("Human: a\n\nAssistant: b", "Human: a\n\nAssistants") == ""


def test_a_chat_that_begins_with_a_reply_or_has_none_has_no_opening():
    assert opening("", ("", ""), [TURNS[1:], TURNS[1:2]]) == ""
    assert opening("", ("", ""), [TURNS[:1], TURNS[:1]]) == ""
    assert opening("", ("", ""), [[("system", "Be brief."), *TURNS]] * 2) == (
        "Be brief.\n\nWhat is this?"
    )


@pytest.mark.parametrize("form", ["chat", *FORMS])
def test_comparisons_of_one_conversation_are_in_one_split(tmp_path, form):
    rows = rows_of(form, conversations(40))
    task = file_task(write(tmp_path / "d.jsonl", rows), DataOptions(near_duplicates=False))
    assert (task.cleaning.kept, task.cleaning.opened, task.cleaning.conversations) == (120, 120, 40)
    splits, where = make_splits(task), {}
    for split in SPLITS:
        for item in splits.items(split):
            text = "\n".join(item.texts)
            where.setdefault(text[text.index("Q") :].partition(".")[0], set()).add(split)
    assert len(where) == 40
    assert {len(of) for of in where.values()} == {1}
    said = "no group is given: 120, of 40 conversations."
    assert any(sentence.endswith(said) for sentence in task.cleaning.sentences())


def test_a_group_column_is_heeded_before_openings(tmp_path):
    rows = [row | {"who": f"w{i}"} for i, row in enumerate(rows_of("hh", conversations(40)))]
    options = DataOptions(group_column="who", near_duplicates=False)
    task = file_task(write(tmp_path / "d.jsonl", rows), options)
    assert {e.item.group for e in task.load()} == {row["who"] for row in rows}
    assert task.cleaning.opened == 0


def test_an_opening_that_many_rows_have_is_a_template(tmp_path):
    """A few-shot prompt, say: its rows are grouped by their whole prompt, as before."""
    start = [("user", "Begin."), ("assistant", "Go on.")]
    pairs = [([*start, *a], [*start, *b]) for a, b in conversations(60, 1)]
    path = write(tmp_path / "d.jsonl", rows_of("chat", pairs))
    task = file_task(path, DataOptions(near_duplicates=False))
    assert len({e.item.group for e in task.load()}) == 60
    assert task.cleaning.opened == 0


def test_conversations_stay_in_one_of_three_files_and_are_counted_there(tmp_path):
    rows = rows_of("hh", conversations(60))
    parts = [rows[:60], rows[60:120] + rows[2:3], rows[120:] + rows[5:6]]
    files = [write(tmp_path / f"{n}.jsonl", part) for n, part in enumerate(parts)]
    task = parted_task(files, DataOptions(near_duplicates=False))
    # Two rows repeat, and of their conversations two more rows each stand in the first file.
    assert (task.cleaning.kept, task.cleaning.across) == (176, 6)
    assert (task.cleaning.conversations, task.cleaning.opened) == (58, 174)

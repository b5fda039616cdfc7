"""What is kept about the tasks of a run is what a count over their examples says."""

import json
import shutil
from dataclasses import asdict, replace

import pytest
from transformers import AutoTokenizer

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.engine.contents import FILE, contents, contents_file, read_contents, told
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.models.folders import location_of
from weak2strong.report.contents import contents_document
from weak2strong.tasks import TASKS
from weak2strong.tasks.cleaning import Cleaning
from weak2strong.tasks.files import data_task, file_task
from weak2strong.tasks.splits import SPLITS, make_splits


@pytest.fixture(scope="module")
def task():
    """Texts of 10 to 109 words, a class for each parity of their length."""
    lines = ["text,label", *(f"{'bird ' * (10 + i)}{i},{i % 2}" for i in range(100))]
    content = "\n".join(lines).encode()
    return data_task({"long.csv": content}, DataOptions(near_duplicates=False), "long", "it", "mit")


def test_tokens_are_counted_for_every_model(task, toy_models):
    models = [ModelSpec(str(toy_models[name])) for name in ("llama", "bert")]
    splits = make_splits(task)
    found = contents("long.csv", task, splits, models)
    texts = [e.item.text for split in SPLITS for e in splits.examples(split)]
    for model in models:
        tokenizer = AutoTokenizer.from_pretrained(location_of(model))
        cut = sum(len(tokenizer(text)["input_ids"]) > 64 for text in texts)
        assert 0 < cut < 100
        assert found.truncated[model.name] == pytest.approx(cut / 100)
    alone = contents("long.csv", task, splits, models[:1])
    assert found.splits == alone.splits, "the table is the first model's"
    assert contents("long.csv", task, splits, models[1:]).splits != alone.splits
    assert found.cleaning == Cleaning(100, 0, 0, 0, 0, 0, 0, 100)


def test_what_is_written_is_read(task, tmp_path):
    atlas = TASKS.get("atlas-southern")
    both = [contents(t.name, t, make_splits(t)) for t in (task, atlas)]
    (tmp_path / FILE).write_bytes(contents_file(both))
    found = read_contents(FolderFiles(tmp_path, "run"))
    # JSON has lists for tuples.
    assert found == json.loads(json.dumps([asdict(one) for one in both]))
    assert found[1]["cleaning"] is None
    assert found[1]["truncated"] == {}
    assert found[1]["licence"] == atlas.licence
    assert sum(row["examples"] for row in found[1]["splits"]) == len(atlas.load())


def test_a_run_from_before_there_was_such_a_file_has_none(tmp_path):
    assert read_contents(FolderFiles(tmp_path, "run")) == []


STRICT = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('No system') }}"
    "{% endif %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Turns must alternate') }}{% endif %}{{ m['content'] }} {% endfor %}"
)


def chats(rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    options = DataOptions(near_duplicates=False, balance=False)
    return data_task({"c.jsonl": lines.encode()}, options, "c", "it", "mit")


def preference(i, *before, words=1):
    turns = [*before, ("user", f"question {i} " * words)]
    prompt = [{"role": role, "content": said} for role, said in turns]
    sides = {"chosen": f"right {i}", "rejected": f"wrong {i}"}
    return {"prompt": prompt} | {
        side: [{"role": "assistant", "content": said}] for side, said in sides.items()
    }


def with_template(folder, template, tmp_path):
    copy = tmp_path / "strict"
    shutil.copytree(folder, copy)
    (copy / "chat_template.jinja").write_text(template)
    return ModelSpec(str(copy))


def test_what_is_cut_folded_and_fixed_is_said(toy_models, tmp_path):
    system = ("system", "Be right.")
    rows = [preference(i, *[system][: i % 4 == 0], words=1 if i % 3 else 40) for i in range(60)]
    task = chats(rows)
    splits = make_splits(task)
    model = with_template(toy_models["llama"], STRICT + "{{ strftime_now('%Y') }}", tmp_path)
    (read,) = contents("c.jsonl", task, splits, [model]).read
    used = [e.item for split in SPLITS for e in splits.examples(split)]
    assert read.examples == len(used)
    assert read.cut == sum(item.text.count("question") > 1 for item in used) > 0
    assert read.folded == sum("System:" in item.text for item in used) > 0
    assert (read.limit, read.side, read.date, read.prompted) == (64, "beginning", "2024-07-26", 0)
    cut, folded, date = read.sentences()
    assert f"of {len(used)} examples {read.cut} are longer, and lose their beginning" in cut
    assert "folded into the first turn of the user" in folded
    assert "2024-07-26 on every day" in date
    document = contents_document(contents("c.jsonl", task, splits, [model]))
    assert document.head[-3:] == [cut, folded, date]
    # Of the same model without its template nothing is folded.
    (plain,) = contents("c.jsonl", task, splits, [ModelSpec(str(toy_models["llama"]))]).read
    assert (plain.folded, plain.date) == (0, None)


def test_texts_lose_their_end(task, toy_models):
    model = ModelSpec(str(toy_models["llama"]), max_length=30)
    found = contents("long.csv", task, make_splits(task), [model, replace(model, max_length=50)])
    short, long = found.read
    assert (short.limit, long.limit, short.side) == (30, 50, "end")
    assert short.cut > long.cut > 0
    # Both have one name: the one that reads less counts.
    assert found.truncated[model.name] == pytest.approx(short.cut / short.examples)


def test_a_chat_that_a_template_refuses_is_told_by_its_row(toy_models, tmp_path):
    rows = [preference(i) for i in range(40)]
    rows[16] = preference(16, ("user", "And this?"))
    task = chats(rows)
    model = with_template(toy_models["llama"], STRICT, tmp_path)
    with pytest.raises(UserError, match=r"^c.jsonl, row 17 has a chat \(.*Turns must alternate\)"):
        contents("c.jsonl", task, make_splits(task), [model])


def test_what_was_done_with_columns_and_rows_is_told_as_it_was_printed(tmp_path):
    rows = [{"question": f"Is {i} odd?", "Class": i % 2, "source": "mine"} for i in range(80)]
    rows[3]["question"] = ""
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)))
    task = file_task(tmp_path / "d.jsonl", DataOptions(near_duplicates=False))
    shown = contents("d.jsonl", task, make_splits(task))
    (tmp_path / FILE).write_bytes(contents_file([shown]))
    (kept,) = read_contents(FolderFiles(tmp_path, "run"))
    said = told(kept)
    assert said[0] == "Read as texts with classes: text from question; class from Class."
    assert "Not read, though there is text in it: source;" in said[1]
    assert any("row 4 has no text in column 'question'): 1." in sentence for sentence in said)
    assert set(said) <= set(contents_document(shown).head)
    assert told({"name": "a run of an older release"}) == []

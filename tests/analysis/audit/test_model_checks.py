"""What is said of a task and a model: cut texts, dates, and what the model may have read."""

import json
import random
from types import SimpleNamespace

import numpy as np
import pytest

from weak2strong.analysis.audit.contamination import LEAST, contamination, scramble
from weak2strong.analysis.audit.published import published
from weak2strong.analysis.audit.reader import Reader
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.analysis.audit.truncation import truncation
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.tasks import SOURCES, TASKS
from weak2strong.tasks.find import find_task


@pytest.fixture(scope="module")
def southern():
    return Subject.of("atlas-southern", TASKS.get("atlas-southern"))


@pytest.fixture(scope="module")
def rung():
    return Reader(ModelSpec("atlas-xs"))


def of_file(folder, texts):
    path = folder / "mine.jsonl"
    rows = [{"text": text, "label": i % 2} for i, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Subject.of(str(path), find_task(str(path), DataOptions(near_duplicates=False)))


@pytest.mark.parametrize(
    ("long", "level"), [(0, None), (1, "note"), (10, "warning"), (120, "error")]
)
def test_texts_that_are_cut(tmp_path, toy_models, long, level):
    texts = [f"The blue bird sings {i}" + " in the morning" * (40 * (i < long)) for i in range(200)]
    subject = of_file(tmp_path, texts)
    found = truncation(subject, Reader(ModelSpec(str(toy_models["llama"]))))
    assert [f.level for f in found] == ([level] if level else [])
    for f in found:
        assert f.numbers["share"] == pytest.approx(long / 200)
        assert f.numbers["limit"] == 64
        assert f"cuts {long / 200:.1%} of the texts" in f.sentence


def test_what_a_rung_has_read_is_more_familiar_than_what_it_has_not(southern, rung):
    """The one case where the truth is known: the ladder's corpus is silent about unseen cities."""
    sane, known = contamination(southern, rung)
    assert {f.numbers["model"] for f in (sane, known)} == {"atlas-xs"}
    assert sane.numbers["auc_low"] > 0.9
    assert "no sign that it has read them" in sane.sentence
    assert known.numbers["auc_low"] > 0.6
    assert known.numbers["auc_less_scrambled_low"] > 0.5
    assert known.level == "note", "the tasks are about what the ladder has read"


def test_fresh_texts_of_the_same_kind_are_no_sign_and_unread_ones_are(southern, rung):
    """The other test texts as control, then cities that nobody told the model of."""

    def entries(examples):
        return tuple(Entry(e.item.id, None, e.item.text, -1, None) for e in examples)

    own = entries(southern.splits.strong_train)
    _, same = contamination(Subject.of(southern.reference, southern.task, own), rung)
    assert same.level == "note"
    assert same.numbers["auc_low"] < 0.5 < same.numbers["auc_high"]
    assert "does not prove that it has not" in same.sentence
    enough, few = (
        contamination(Subject.of(southern.reference, southern.task, own[:n]), rung)[1]
        for n in (LEAST, LEAST - 1)
    )
    assert "auc_low" in enough.numbers
    assert f"There are no {LEAST} texts" in few.sentence
    unseen = entries(southern.task.load_unseen())
    _, other = contamination(Subject.of(southern.reference, southern.task, unseen), rung)
    assert other.level == "warning"
    assert "may have read the test" in other.sentence


def test_without_a_control_nothing_is_claimed(tmp_path, toy_models, rung):
    dice = random.Random(0)
    texts = [
        " ".join(dice.choices(["Lyon", "is", "a", "city", "in", "Peru"], k=9)) for _ in range(300)
    ]
    subject = of_file(tmp_path, texts)
    blind, unknown = contamination(subject, rung)
    # Random words have no order that a model could prefer.
    assert "show nothing about these texts" in blind.sentence
    assert "--fresh" in unknown.sentence
    assert {blind.level, unknown.level} == {"note"}
    (encoder,) = contamination(subject, Reader(ModelSpec(str(toy_models["bert"]))))
    assert "is no decoder" in encoder.sentence


def test_a_scramble_has_the_same_words_in_another_order():
    text = "Lyon is a city in France"
    mixed = scramble(text, "a")
    assert sorted(mixed.split()) == sorted(text.split())
    assert mixed != text
    assert scramble(text, "a") == mixed
    assert len({scramble(text, str(i)) for i in range(20)}) > 10
    assert scramble("one two", "x") == "two one"


def test_dates_are_those_of_papers_and_makers(southern, rung):
    def said(reference, model):
        subject = Subject(reference, southern.task, southern.splits)
        (found,) = published(subject, Reader(ModelSpec(model)))
        return found.level, found.numbers.get("published"), found.numbers.get("cutoff")

    # GPT-2's newest text is of 2017; SciQ is of July 2017, BoolQ of May 2019.
    assert said("sciq", "openai-community/gpt2") == ("warning", "2017-07", "2017-12")
    assert said("boolq@main", "openai-community/gpt2") == ("note", "2019-05", "2017-12")
    # Of a paper whose month is not known, the year counts.
    assert said("multirc", "openai-community/gpt2") == ("note", "2018", "2017-12")
    assert said("sst2", "openai-community/gpt2") == ("warning", "2013", "2017-12")
    assert said("boolq", "Qwen/Qwen2.5-0.5B") == ("note", "2019-05", None)
    assert said("mine.csv", "openai-community/gpt2") == ("note", None, "2017-12")
    (own,) = published(southern, rung)
    for reference, model, unknown, known in (
        ("mine.csv", "openai-community/gpt2", "When these data", "no cutoff"),
        ("boolq", "Qwen/Qwen2.5-0.5B", "No cutoff of Qwen/Qwen2.5-0.5B", "when these data"),
    ):
        subject = Subject(reference, southern.task, southern.splits)
        (found,) = published(subject, Reader(ModelSpec(model)))
        assert found.sentence.startswith(unknown)
        assert known not in found.sentence
    assert "its tasks ask about these" in own.sentence


def test_a_date_is_known_where_the_papers_address_tells_it():
    known = {name: SOURCES.get(name).published for name in SOURCES if SOURCES.get(name).repo}
    assert {name for name, date in known.items() if date is None} == {"quail", "twitter-sentiment"}
    assert known["anthropic_hh"] == "2022-04"
    assert np.unique([len(d) for d in known.values() if d]).tolist() == [4, 7]


def test_a_text_of_just_the_length_that_a_model_reads_is_not_cut(tmp_path, toy_models):
    reader = Reader(ModelSpec(str(toy_models["llama"])))
    tokens = reader.tokenizer("The blue bird sings in the morning. " * 20)["input_ids"]
    text = reader.tokenizer.decode(tokens[:64], skip_special_tokens=True)
    assert len(reader.tokenizer(text)["input_ids"]) == 64
    others = [f"The blue bird sings {i}" for i in range(60)]
    assert truncation(of_file(tmp_path, [text, *others]), reader) == []
    (found,) = truncation(of_file(tmp_path, [f"{text} in", *others]), reader)
    assert (found.numbers["longest"], found.numbers["limit"]) == (65, 64)


def test_of_a_date_with_its_day_the_month_counts(southern, monkeypatch):
    from weak2strong.analysis.audit import published as module

    reader = Reader(ModelSpec("openai-community/gpt2"))
    for date, level in (("2017-12-31", "warning"), ("2018-01-01", "note")):
        source = SimpleNamespace(published=date)
        monkeypatch.setattr(module, "source_of", lambda reference, source=source: source)
        (found,) = module.published(southern, reader)
        assert (found.level, found.numbers["published"]) == (level, date)

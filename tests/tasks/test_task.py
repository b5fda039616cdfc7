"""Ids depend on content alone, and items show no label."""

from dataclasses import fields, replace

import pytest

from weak2strong.tasks.prompt import Prompt
from weak2strong.tasks.task import Item, Shares, Task, stable_id, texts_of


def test_an_id_is_a_golden_function_of_its_parts():
    assert stable_id("atlas-asia", "42", "Lyon is a city in") == "79f0d0ecfc241f3c"


def test_the_border_between_parts_counts():
    ids = {stable_id("ab", "c"), stable_id("a", "bc"), stable_id("abc"), stable_id("c", "ab")}
    assert len(ids) == 4
    assert all(len(i) == 16 and int(i, 16) >= 0 for i in ids)


def test_what_a_method_sees_has_no_label():
    shown = {"id", "group", "text", "completions", "dialogues", "pair", "file"}
    assert {f.name for f in fields(Item)} == shown


def test_a_model_reads_a_text_or_the_prompt_with_each_completion():
    items = [Item("a", "g", "one"), Item("b", "g", "two", (" x", " y"))]
    assert [item.texts for item in items] == [("one",), ("two x", "two y")]
    assert texts_of(items) == ["one", "two x", "two y"]


def test_what_an_item_says_does_not_depend_on_the_order_of_completions():
    one, other = Item("a", "g", "p", ("x", "y")), Item("b", "g", "p", ("y", "x"))
    assert one.content == other.content != Item("c", "g", "p", ("x", "z")).content
    assert Item("d", "g", "p").content == "p"


def test_the_default_shares_add_up_and_train_both_models_on_as_much():
    shares = Shares()
    total = shares.weak_train + shares.strong_train + shares.validation + shares.test
    assert total == pytest.approx(1)
    assert shares.weak_train == shares.strong_train


def test_a_task_is_asked_by_its_own_prompt_or_by_its_classes():
    task = Task("toy", "classification", ("bad", "good"), "A toy?", "here", "CC0", list)
    assert task.wording.answers == ((" bad",), (" good",))
    own = Prompt(((" no",), (" yes",)))
    assert replace(task, prompt=own).wording is own

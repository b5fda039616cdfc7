"""Settings of what a model reads, as a user may write them."""

from datetime import date

import pytest

from weak2strong.config.model import CHAT_DATE, ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError


def test_a_system_prompt_is_a_text_or_stands_in_a_file(tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_text("  Be short.\n")
    assert ModelSpec("a", system_prompt=str(path)).system_prompt == "Be short."
    assert ModelSpec("a", system_prompt="Be short.").system_prompt == "Be short."
    assert ModelSpec("a", system_prompt="long " * 5000).system_prompt == "long " * 5000
    # The study of a run holds the text itself.
    study = StudyConfig(weak=ModelSpec("a", system_prompt=str(path)))
    path.unlink()
    assert StudyConfig.from_yaml(study.to_yaml()).weak.system_prompt == "Be short."


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_prompt_is_refused(tmp_path, content):
    path = tmp_path / "prompt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"is empty|no text in UTF-8"):
        ModelSpec("a", system_prompt=str(path))


@pytest.mark.parametrize("name", ["prompt.txt", "./prompt", "/nowhere/prompt", "~/prompt.md"])
def test_what_looks_like_a_file_has_to_be_one(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="there is no file"):
        ModelSpec("a", system_prompt=name)


def test_variables_of_a_template_are_json_in_one_order():
    written = '{"a": 1, "b": false}'
    for value in ({"b": False, "a": 1}, '{"b": false, "a": 1}', written):
        assert ModelSpec("a", chat_template_kwargs=value).chat_template_kwargs == written
    text = "weak: {name: a, chat_template_kwargs: {b: false, a: 1}}"
    assert StudyConfig.from_yaml(text).weak.chat_template_kwargs == written


@pytest.mark.parametrize("value", ["x", "[1]", [1], {1: 2}, '{"a": NaN}', {"a": {1, 2}}])
def test_other_variables_are_refused(value):
    with pytest.raises(UserError, match="chat_template_kwargs must be an object of JSON"):
        ModelSpec("a", chat_template_kwargs=value)


@pytest.mark.parametrize("name", ["tokenize", "messages", "strftime_now", "chat_template"])
def test_what_is_no_variable_of_templates_is_refused(name):
    with pytest.raises(UserError, match=f"chat_template_kwargs: {name} is no variable"):
        ModelSpec("a", chat_template_kwargs={name: 1})


def test_a_day_may_be_a_date_of_yaml():
    assert StudyConfig.from_yaml("weak: {name: a, chat_date: 2026-11-28}").weak.chat_date == (
        ModelSpec("a", chat_date=date(2026, 11, 28)).chat_date
    )
    with pytest.raises(UserError, match="chat_date must be a day such as 2024-07-26, not 'today'"):
        ModelSpec("a", chat_date="today")


def test_only_what_is_read_otherwise_is_in_keys():
    plain = ModelSpec("a").settings
    assert ModelSpec("a", max_length="auto", chat_date=CHAT_DATE).settings == plain
    for changed in (
        {"max_length": 2048},
        {"system_prompt": "Be short."},
        {"chat_template_kwargs": {"a": 1}},
        {"chat_date": "2026-11-28"},
    ):
        assert ModelSpec("a", **changed).settings.keys() - plain.keys() == changed.keys()

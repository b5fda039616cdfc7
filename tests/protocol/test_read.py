"""What a model reads of chats is in keys: the text that its template writes, and not the turns."""

import json
import shutil
from dataclasses import replace

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.reading import check_reading
from weak2strong.tasks.files import data_task
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Example, Item

DATED = "{{ strftime_now('%d %b') }}{% for m in messages %}{{ m['content'] | trim }}{% endfor %}"


def item(asked="Where is Lyon?", first="user"):
    dialogues = tuple(((first, asked), ("assistant", said)) for said in ("Peru", "France"))
    return Item("c", "g", "the same", (" a", " b"), dialogues)


@pytest.fixture(scope="module")
def dated(toy_models, tmp_path_factory):
    """A model whose template writes the date, drops the roles, and trims what is said."""
    folder = tmp_path_factory.mktemp("dated") / "model"
    shutil.copytree(toy_models["llama"], folder)
    (folder / "chat_template.jinja").write_text(DATED)
    return ModelSpec(str(folder))


def test_a_digest_is_of_the_text_that_is_read(dated):
    of = read_digest([item()], dated)
    # Turns that are written alike are read alike.
    assert of == read_digest([item(" Where is Lyon? ", first="tool")], dated)
    assert of != read_digest([item("Where is Nice?")], dated)
    assert of != read_digest([item()], replace(dated, chat_date="2026-11-28"))
    assert of != read_digest([item()], replace(dated, system_prompt="Be short."))
    assert of == read_digest([item()], replace(dated, lora_rank=3))
    # The label of an example counts as ever.
    labelled = [read_digest([Example(item(), label)], dated) for label in (0, 1)]
    assert len({of, *labelled}) == 3


def test_without_a_template_the_texts_alone_count(toy_models, dated):
    plain = ModelSpec(str(toy_models["llama"]))
    without = replace(item(), dialogues=())
    assert read_digest([item()], plain) == read_digest([without], plain) == digest([without])
    assert read_digest([without], dated) == digest([without])


def task(chats):
    said = ("right", "wrong")
    rows = [
        {"prompt": f"Question {i}", **dict(zip(("chosen", "rejected"), said, strict=True))}
        for i in range(20)
    ]
    if chats:
        rows = [row | {"prompt": [{"role": "user", "content": row["prompt"]}]} for row in rows]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    return data_task({"c.jsonl": lines.encode()}, DataOptions(), "c", "it", "mit")


@pytest.mark.parametrize(
    ("settings", "chats", "template", "said"),
    [
        ({"system_prompt": "Be short."}, False, True, "--system-prompt .* no task of the study"),
        ({"chat_date": "2026-11-28"}, False, True, "--chat-date .* no task of the study has chats"),
        ({"chat_date": "2026-11-28"}, True, False, "no chat template, so that --chat-date"),
        ({"chat_template_kwargs": {"m": 1}}, True, False, "so that --chat-template-kwargs"),
        ({"chat_template_kwargs": {"thinking": 1}}, True, True, "no variable 'thinking'"),
    ],
)
def test_a_setting_that_changes_nothing_is_refused(
    dated, toy_models, settings, chats, template, said
):
    model = dated if template else ModelSpec(str(toy_models["llama"]))
    with pytest.raises(UserError, match=said):
        check_reading([model, replace(model, **settings)], [task(chats)])


def test_a_setting_that_changes_something_is_taken(dated, toy_models):
    plain = ModelSpec(str(toy_models["llama"]), system_prompt="Be short.")
    given = replace(dated, chat_date="2026-11-28", chat_template_kwargs={"messages_": 1})
    with pytest.raises(UserError, match="no variable 'messages_'"):
        check_reading([given], [task(True)])
    given = replace(given, chat_template_kwargs={"m": 1})
    check_reading([plain, given], [task(False), task(True)])

"""What a model reads of chats is in keys: the text that its template writes, and not the turns."""

import json
import shutil
from dataclasses import replace

import pytest
import transformers.utils.chat_template_utils as templates

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.protocol import read, stages
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.reading import check_reading
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
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


def rows(chats, count=20):
    found = [
        {"prompt": f"Question {i}", "chosen": "right", "rejected": "wrong"} for i in range(count)
    ]
    if chats:
        found = [row | {"prompt": [{"role": "user", "content": row["prompt"]}]} for row in found]
    return found


def task(chats):
    lines = "".join(json.dumps(row) + "\n" for row in rows(chats))
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


def test_the_stages_of_one_day_are_those_of_another(dated, quick_study, tmp_path, monkeypatch):
    path = tmp_path / "chats.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(True, 60)))
    study = replace(quick_study, tasks=(str(path),), weak=dated, strong=dated, methods=("naive",))

    def used(day, **settings):
        class Clock(templates.datetime):
            @classmethod
            def now(cls, tz=None):
                return cls(2026, 11, day)

        monkeypatch.setattr(templates, "datetime", Clock)
        # As in a new process.
        read._reader.cache_clear()
        model = replace(dated, **settings)
        config = resolved(replace(study, weak=model, strong=model))
        task_run = TaskRun.of(config, Store(tmp_path / "store"), str(path))
        answers = stages.ceiling(task_run, 0)["test"].values
        stages.student(task_run, "naive", 0)
        stages.probe_ceiling(task_run)
        return answers, {u.stage: u.reused for u in task_run.used}

    first, made = used(3)
    again, reused = used(17)
    assert not any(made.values())
    assert all(reused.values())
    assert (again == first).all()
    other, anew = used(3, chat_date="2026-11-03")
    assert not any(anew.values())
    assert (other != first).any()

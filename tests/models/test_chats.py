"""How chats are written for a model: on a fixed day, with system turns that it can read, and cut
behind their special tokens."""

import shutil
from dataclasses import replace

import pytest
import transformers.utils.chat_template_utils as templates
from transformers import AutoTokenizer

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode, encode_items
from weak2strong.models.chats import ChatRefusedError, ChatSettings, writes_date, written_chats
from weak2strong.models.configuration import load_config, load_tokenizer
from weak2strong.models.lengths import LONGEST, longest_of, longest_read
from weak2strong.tasks.pairs import chat_pair
from weak2strong.tasks.task import Item

TURN = "[{{ m['role'] }}] {{ m['content'] }} "
PLAIN = "{% for m in messages %}" + TURN + "{% endfor %}"
DATED = "{{ bos_token }}{{ strftime_now('%d %b %Y') }} " + PLAIN
STRICT = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('No system turns') }}"
    "{% endif %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Turns must alternate') }}{% endif %}" + TURN + "{% endfor %}"
)
ASKED = (("user", "Where is Lyon?"),)
SYSTEM = (("system", "You know Peru."),)


def chat(*before, name="c"):
    pair = chat_pair(*((*before, ("assistant", said)) for said in ("In Peru.", "In France.")))
    return Item(name, "g", pair.text, pair.completions, pair.dialogues)


def texts(tokenizer, *items):
    return [written.text for written in written_chats(tokenizer, items).values()]


@pytest.fixture
def reader(toy_models):
    """The tokenizer of a toy model with a template and settings of chats."""

    def made(template, name="llama", **settings):
        tokenizer = load_tokenizer(ModelSpec(str(toy_models[name])))
        tokenizer.chat_template = template
        tokenizer.chat_settings = ChatSettings(**settings)
        return tokenizer

    return made


def test_a_template_writes_the_same_day_on_every_day(reader, monkeypatch):
    class Clock(templates.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 5, 17)

    monkeypatch.setattr(templates, "datetime", Clock)
    tokenizer = reader(DATED)
    turns = [{"role": "user", "content": "Where is Lyon?"}]
    assert "17 May 2031" in tokenizer.apply_chat_template(turns, tokenize=False)
    first, _ = texts(tokenizer, chat(*ASKED))
    assert first.startswith("<s>26 Jul 2024 [user] Where is Lyon? [assistant] In ")
    tokenizer = reader(DATED, date="2026-11-28")
    assert "28 Nov 2026" in texts(tokenizer, chat(*ASKED))[0]
    assert writes_date(tokenizer, ASKED)
    assert not writes_date(reader(PLAIN), ASKED)


def test_a_tokenizer_and_what_is_saved_with_it_write_the_same_day(toy_models, tmp_path):
    folder = tmp_path / "dated"
    shutil.copytree(toy_models["llama"], folder)
    (folder / "chat_template.jinja").write_text(DATED)
    spec, turns = ModelSpec(str(folder)), [{"role": "user", "content": "Where?"}]
    tokenizer = load_tokenizer(spec)
    assert "26 Jul 2024" in tokenizer.apply_chat_template(turns, tokenize=False)
    tokenizer.save_pretrained(folder)
    again = AutoTokenizer.from_pretrained(folder)
    assert "26 Jul 2024" in again.apply_chat_template(turns, tokenize=False)
    other = load_tokenizer(replace(spec, chat_date="2026-11-28"))
    assert "28 Nov 2026" in other.apply_chat_template(turns, tokenize=False)
    assert other.chat_template.count("endmacro") == 1


@pytest.mark.parametrize(
    "template",
    [
        "\n\n{% if strftime_now is defined %}{{ strftime_now('%Y-%m %H:%M') }}{% endif %}" + PLAIN,
        "  {%- set day = strftime_now('%B %-d, %y') -%}\n{{ day }}" + PLAIN,
        "  {% macro head(x) %}{{ strftime_now(x) }}{% endmacro %}{{ head('%A %e %j') }}" + PLAIN,
        "   x\n {% for m in messages %}{{ strftime_now('%a %b %p') }}" + TURN + "\n{% endfor %}\n",
    ],
)
def test_a_template_writes_what_it_would_have_written_on_that_day(reader, monkeypatch, template):
    class Clock(templates.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 11, 28)

    monkeypatch.setattr(templates, "datetime", Clock)
    tokenizer, item = reader(template, date="2026-11-28"), chat(*ASKED)
    turns = [{"role": role, "content": said} for role, said in item.dialogues[0]]
    assert texts(tokenizer, item)[0] == tokenizer.apply_chat_template(turns, tokenize=False)


def test_a_system_turn_that_is_refused_is_folded_into_the_first_turn_of_the_user(reader):
    items = [chat(*SYSTEM, *ASKED), chat(*ASKED)]
    found = written_chats(reader(STRICT), items)
    assert [written.folded for written in found.values()] == [True, True, False, False]
    assert {w.text.split("[assistant]")[0] for w in found.values()} == {
        "[user] You know Peru.\n\nWhere is Lyon? ",
        "[user] Where is Lyon? ",
    }
    # A template that takes such turns gets them as they are.
    assert texts(reader(PLAIN), items[0])[0].startswith("[system] You know Peru. [user] Where")


@pytest.mark.parametrize(
    ("before", "reason"),
    [((*ASKED, *ASKED), "Turns must alternate"), (SYSTEM, "No system turns")],
)
def test_a_chat_that_cannot_be_written_is_one_sentence(reader, before, reason):
    with pytest.raises(ChatRefusedError) as refused:
        texts(reader(STRICT), chat(*before, name="row-7"))
    assert isinstance(refused.value, UserError)
    assert str(refused.value).startswith("Example row-7 has a chat ('")
    assert f"refuses ({reason}): change its turns" in str(refused.value)


def test_a_system_prompt_stands_before_chats_that_have_none(reader):
    items = [chat(*ASKED), chat(*SYSTEM, *ASKED)]
    found = written_chats(reader(PLAIN, system_prompt="Be short."), items)
    assert [written.prompted for written in found.values()] == [True, True, False, False]
    assert found[0].text.startswith("[system] Be short. [user] Where is Lyon? [assistant] In ")
    assert found[2].text.startswith("[system] You know Peru. [user] Where is Lyon?")
    folded = texts(reader(STRICT, system_prompt="Be short."), items[0])
    assert folded[0].startswith("[user] Be short.\n\nWhere is Lyon? ")
    # Without a template it is a paragraph before the others, and special tokens are added.
    tokenizer = reader(None, system_prompt="Be short.")
    plain = [f"System: Be short.\n\n{text}" for text in items[0].texts]
    assert encode_items(tokenizer, items) == encode(tokenizer, [*plain, *items[1].texts])


def test_variables_of_the_template_are_set(reader):
    template = "{% if thinking %}<think> {% endif %}" + PLAIN
    assert "<think>" not in texts(reader(template), chat(*ASKED))[0]
    assert texts(reader(template, options='{"thinking": true}'), chat(*ASKED))[0].startswith(
        "<think> [user]"
    )


@pytest.mark.parametrize("name", ["llama", "bert", "gpt2"])
def test_a_long_chat_is_cut_behind_the_special_tokens_at_its_start(reader, name):
    tokenizer = reader("{{ bos_token or cls_token }}" + PLAIN, name)
    long = chat(("user", "house " * 100), ("assistant", "Yes."), ("user", "Where is Lyon?"))
    special = tokenizer.bos_token_id if tokenizer.bos_token else tokenizer.cls_token_id
    short_rows, rows = encode_items(tokenizer, [chat(*ASKED)]), encode_items(tokenizer, [long])
    whole = encode_items(tokenizer, [long], limit=10**6)
    for row, uncut in zip(rows, whole, strict=True):
        assert len(row) == 64 < len(uncut)
        assert row == [special, *uncut[-63:]]
    assert {row[0] for row in short_rows} == {special}


def test_a_first_special_token_that_only_the_template_writes_stays(reader):
    tokenizer = reader("{{ eos_token }}" + PLAIN, "gpt2")
    row, _ = encode_items(tokenizer, [chat(("user", "house " * 100))])
    whole, _ = encode_items(tokenizer, [chat(("user", "house " * 100))], limit=10**6)
    assert row == [tokenizer.eos_token_id, *whole[-63:]]
    # What begins with a word has nothing to keep.
    tokenizer = reader(PLAIN, "gpt2")
    row, _ = encode_items(tokenizer, [chat(("user", "house " * 100))])
    assert row == encode_items(tokenizer, [chat(("user", "house " * 100))], limit=10**6)[0][-64:]


def test_the_length_of_what_is_read_is_a_setting(toy_models):
    spec = ModelSpec(str(toy_models["llama"]))
    assert longest_read(load_tokenizer(spec)) == 64
    assert longest_read(load_tokenizer(replace(spec, max_length=20))) == 20
    # No model reads more than it has positions for.
    assert longest_read(load_tokenizer(replace(spec, max_length=1000))) == 64
    tokenizer = load_tokenizer(replace(spec, max_length=20))
    assert [len(row) for row in encode_items(tokenizer, [chat(("user", "house " * 50))])] == [
        20,
        20,
    ]


@pytest.mark.parametrize(
    ("layers", "width", "tokens"),
    [(12, 768, 8192), (16, 2048, 4096), (32, 4096, 1024), (80, 8192, 1024)],
)
def test_left_open_a_model_reads_what_takes_little_memory(toy_models, layers, width, tokens):
    spec = ModelSpec(str(toy_models["llama"]))
    config = load_config(spec)
    config.num_hidden_layers, config.hidden_size = layers, width
    assert longest_of(spec, config) == tokens
    states = 4 * layers * width
    assert tokens == LONGEST or states * tokens <= 2**29 < states * 2 * tokens
    assert longest_of(replace(spec, max_length=300), config) == 300

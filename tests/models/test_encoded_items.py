"""What a tokenizer makes of items: one text or two, cut where they are alike, chats by template."""

import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode, encode_items, token_counts
from weak2strong.models.configuration import load_tokenizer
from weak2strong.models.load import load_model
from weak2strong.tasks.task import Item

NAMES = ["llama", "gpt2", "bert"]
TEMPLATE = "{% for m in messages %}{{ bos_token }}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}"
SAID = ("In Peru.", "In France.")
CHAT = Item(
    "c",
    "g",
    "User: Where is Lyon?",
    tuple(f"\n\nAssistant: {said}" for said in SAID),
    tuple((("user", "Where is Lyon?"), ("assistant", said)) for said in SAID),
)


@pytest.fixture(params=NAMES)
def tokenizer(request, toy_models):
    return load_tokenizer(ModelSpec(str(toy_models[request.param])))


def test_items_of_one_text_are_encoded_as_their_texts(tokenizer):
    texts = ["Lyon is a city", "", "word " * 100]
    items = [Item(str(i), "g", text) for i, text in enumerate(texts)]
    assert encode_items(tokenizer, items) == encode(tokenizer, texts)


def test_a_pair_is_two_texts_one_after_another(tokenizer):
    items = [Item("a", "g", "Lyon is", (" red", " blue")), Item("b", "g", "", ("x", "y"))]
    expected = encode(tokenizer, ["Lyon is red", "Lyon is blue", "x", "y"])
    assert encode_items(tokenizer, items) == expected


def test_a_long_prompt_loses_its_beginning_and_keeps_its_special_tokens(tokenizer):
    item = Item("a", "g", "house " * 100, ("red", "blue"))
    first, second = encode_items(tokenizer, [item])
    assert len(first) == len(second) == 64
    assert first != second
    whole, _ = encode_items(tokenizer, [item], limit=10**6)
    special = len(whole) - len(encode(tokenizer, [item.texts[0]], 10**6, special=False)[0])
    end = -1 if tokenizer.sep_token else None
    begin = special - (end is not None)
    assert first[:begin] == whole[:begin]
    assert first[begin:end] == whole[len(whole) - 64 + begin : end]
    assert token_counts(tokenizer, [item])[0] == len(whole)
    assert tokenizer.truncation_side == "right"


def test_without_a_template_a_chat_is_read_as_plain_text(tokenizer):
    assert encode_items(tokenizer, [CHAT]) == encode(tokenizer, list(CHAT.texts))


def test_a_template_writes_the_chat_and_its_own_special_tokens(tokenizer):
    tokenizer.chat_template = TEMPLATE
    bos = tokenizer.bos_token or ""
    written = [f"{bos}[user]Where is Lyon?{bos}[assistant]{said}" for said in SAID]
    plain = Item("a", "g", "Lyon is", (" red", " blue"))
    found = encode_items(tokenizer, [plain, CHAT])
    assert found[:2] == encode(tokenizer, ["Lyon is red", "Lyon is blue"])
    assert found[2:] == encode(tokenizer, written, special=False)


def test_a_preference_has_no_answers_to_start_from(toy_models):
    spec = ModelSpec(str(toy_models["llama"]), head_start="answers", answers=(" a", " b"))
    with pytest.raises(UserError, match=r"one reward and no classes, .*another head_start"):
        load_model(spec, "preference", 2, seed=0)

"""A language model is asked in the words that the ladder has read."""

import pytest

from weak2strong.subjects.atlas.facts import cities, sentence
from weak2strong.subjects.atlas.ladder.corpus import RELATIONS, _words
from weak2strong.subjects.atlas.ladder.judgements import VERDICTS
from weak2strong.tasks import TASKS

ATLAS = [
    name for name in TASKS if name.startswith("atlas-") and TASKS.get(name).kind == "classification"
]
PLAIN_ENGLISH = ("northerly", "easterly", "populous", "borders", "beside-china")
WITHOUT_WORDS = {f"atlas-{name}" for name in PLAIN_ENGLISH}
CLAIMS = {n for n in ATLAS if "claim" in n} | {"atlas-same-country", "atlas-larger"}


@pytest.mark.parametrize("name", sorted(set(ATLAS) - WITHOUT_WORDS - CLAIMS))
def test_the_right_answer_is_a_sentence_of_the_pretraining_text(loaded, name):
    prompt = TASKS.get(name).wording
    by_group = {f"city:{c.id}": c for c in cities()}
    asked = [e for e in loaded(name) if prompt.scored[e.label]]
    assert {e.label for e in asked} == {c for c in (0, 1) if prompt.scored[c]}
    for e in asked[::20]:
        words = _words(by_group[e.item.group], "")
        read = {sentence(t, **words) for r in RELATIONS for t in r.templates}
        end = prompt.separator.rstrip("\n")
        said = {prompt.asked(e.item.text) + answer + end for answer in prompt.answers[e.label]}
        assert len(said & read) == 1


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_claims_are_judged_in_the_words_of_the_text(name):
    prompt = TASKS.get(name).wording
    assert prompt.scored == tuple((f" {v}",) for v in VERDICTS)
    assert prompt.content_free[0] == "Claim: N/A. This is"


@pytest.mark.parametrize("name", sorted(WITHOUT_WORDS))
def test_what_the_text_has_no_words_for_is_asked_in_plain_english(name):
    task = TASKS.get(name)
    assert f"Question: {task.summary}\nAnswer:" in task.wording.asked("Lyon is a city in")


@pytest.mark.parametrize("name", sorted(set(ATLAS) - CLAIMS))
def test_texts_that_say_nothing_have_the_form_of_the_examples(loaded, name):
    prompt, text = TASKS.get(name).wording, loaded(name)[0].item.text
    begin, end = prompt.content_free[0].split("N/A")
    assert text.startswith(begin)
    assert text.endswith(end)

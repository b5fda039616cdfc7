"""Min-k% probability against a loop over single texts, and what it can see of the ladder."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from weak2strong.analysis.audit.reader import Reader
from weak2strong.config.model import ModelSpec

TEXTS = [
    "Lyon is a city in France.",
    "The red house stands beside a blue river, and the bird sings in the morning.",
    "Weak labels",
    "Question: Where is Quito? Answer: In Ecuador. " * 6,
]


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_the_score_is_the_papers(toy_models, name):
    """One text at a time, no padding, sorted by hand."""
    reader = Reader(ModelSpec(str(toy_models[name]), precision="float32"))
    found = reader.familiarity(TEXTS)
    tokenizer = AutoTokenizer.from_pretrained(toy_models[name])
    model = AutoModelForCausalLM.from_pretrained(toy_models[name]).eval()
    for text, score in zip(TEXTS, found, strict=True):
        ids = tokenizer(text)["input_ids"][:64]
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[0].double()
        said = [
            (logits[i - 1] - logits[i - 1].logsumexp(0))[ids[i]].item() for i in range(1, len(ids))
        ]
        least = sorted(said)[: max(1, len(said) // 5)]
        assert score == pytest.approx(np.mean(least), rel=1e-4)


def test_a_text_of_one_token_has_no_score(toy_models):
    reader = Reader(ModelSpec(str(toy_models["gpt2"])))
    found = reader.familiarity(["a", "Lyon is a city in France."])
    assert np.isnan(found).tolist() == [True, False]


def test_an_encoder_has_no_language_model(toy_models):
    assert Reader(ModelSpec(str(toy_models["bert"]))).model is None

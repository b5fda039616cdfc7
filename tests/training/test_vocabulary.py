"""Training only the rows of an embedding that are used gives what training all of them gives."""

import pytest
import torch
from torch import nn

from weak2strong.config.training import Training
from weak2strong.losses.confidence import Confidence
from weak2strong.training import vocabulary
from weak2strong.training.fit import fit
from weak2strong.training.vocabulary import UsedRows, only_used_rows

NAMES = ["llama", "gpt2", "bert"]
SETTINGS = {"learning_rate": 3e-3, "head_rate": 3e-3, "epochs": 3, "batch_size": 5}


def embedding(model):
    return model.network.trunk.get_input_embeddings()


def weights(model):
    named = model.network.state_dict().items()
    return {k: v.clone() for k, v in named if "pooler" not in k}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_is_learnt_and_other_rows_are_left_alone(
    load, lesson, soft_lesson, monkeypatch, name
):
    found, sizes = [], []
    for worth in (0, 10**9):
        monkeypatch.setattr(vocabulary, "WORTH", worth)
        model = load(name, double=True)
        before = embedding(model).weight.detach().clone()
        fit(
            model,
            soft_lesson(20),
            Confidence(),
            Training(**SETTINGS),
            0,
            validation=lesson(9, seed=3),
            on_step=lambda *_, m=model, s=sizes: s.append(type(embedding(m)).__name__),
        )
        found.append(weights(model))
        assert type(embedding(model)) is nn.Embedding
    assert set(sizes[:12]) == {"UsedRows"}
    assert set(sizes[12:]) == {"Embedding"}
    few, all_rows = found
    assert max((few[k] - all_rows[k]).abs().max().item() for k in few) < 1e-9
    moved = (embedding(model).weight != before).any(1)
    assert 10 < moved.sum() < len(before) / 2
    texts = [i.text for i in lesson(9, seed=3).items] + [i.text for i in soft_lesson(20).items]
    used = {t for row in model.tokenizer(texts)["input_ids"] for t in row}
    assert set(moved.nonzero().flatten().tolist()) <= used


def test_validation_texts_may_have_tokens_of_their_own(load, lesson, monkeypatch):
    """Their rows are looked up as they are, not as another token's."""
    from weak2strong.tasks.task import Item
    from weak2strong.training.training_set import TrainingSet

    other = lesson(2, seed=3)
    other = TrainingSet(
        [Item(i.id, i.group, "The capital of Kenya") for i in other.items], other.targets
    )
    scores = []
    for worth in (0, 10**9):
        monkeypatch.setattr(vocabulary, "WORTH", worth)
        settings = Training(**SETTINGS, evaluations=5, stopping_metric="roc_auc")
        done = fit(load(double=True), lesson(20), Confidence(), settings, 0, validation=other)
        scores.append([p.score for p in done.trace])
    assert scores[0] == scores[1]


def test_the_embedding_is_whole_again_after_an_error(load):
    model = load()
    before = embedding(model)
    with pytest.raises(KeyboardInterrupt), only_used_rows(model.network.trunk, [[4, 5]], 2):
        raise KeyboardInterrupt
    assert embedding(model) is before


@pytest.mark.parametrize("case", ["weight decay", "frozen", "tied", "special"])
def test_embeddings_that_are_more_than_a_table_stay_as_they_are(load, lesson, monkeypatch, case):
    monkeypatch.setattr(vocabulary, "WORTH", 0)
    model = load("llama", adaptation="lora" if case == "frozen" else "full")
    trunk = model.network.trunk
    if case == "tied":
        trunk.other = nn.Linear(32, 320, bias=False)
        trunk.other.weight = embedding(model).weight
    if case == "special":

        class Scaled(nn.Embedding):
            pass

        scaled = Scaled(320, 32)
        trunk.set_input_embeddings(scaled)
    decay = 0.1 if case == "weight decay" else 0.0
    kinds = set()
    fit(
        model,
        lesson(10),
        Confidence(),
        Training(**SETTINGS, stopping="none", weight_decay=decay),
        0,
        on_step=lambda *_: kinds.add(type(embedding(model))),
    )
    assert UsedRows not in kinds


def test_a_pad_token_that_has_no_gradient_has_none_here_either():
    whole = nn.Embedding(10, 3, padding_idx=2)
    part = UsedRows(whole, torch.tensor([1, 2, 7]))
    tokens = torch.tensor([[7, 1, 2, 2]])
    torch.testing.assert_close(part(tokens), whole(tokens))
    part(tokens).sum().backward()
    assert part.rows.grad.tolist() == [[1] * 3, [0] * 3, [1] * 3]

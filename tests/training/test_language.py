"""Training on tokens against a plain loop of Transformers and torch, and its invariants."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode, pad
from weak2strong.models.language import load_language_model
from weak2strong.training import vocabulary
from weak2strong.training.language import fit_language
from weak2strong.training.loop import _batches
from weak2strong.training.vocabulary import UsedRows

DECODERS = ["llama", "gpt2"]
PLACES = ["Lyon is a city in France.", "Lima is a city in Peru.", "Nairobi", "The capital of Kenya"]
TEXTS = [f"{place} {word}".strip() for place in PLACES for word in ("", "red", "blue river")]


def settings(rate=3e-3, **others):
    return Training(**{"learning_rate": rate, "stopping": "none", "evaluations": 2} | others)


SHORT = settings(epochs=2, batch_size=5)


@pytest.fixture
def load(toy_models):
    """A function from toy and settings to a fresh language model, in float64 if asked."""

    def load(name="llama", double=False, **settings):
        model = load_language_model(ModelSpec(str(toy_models[name]), **settings))
        if double:
            model.network.double()
        return model

    return load


def weights(model):
    return {k: v.clone() for k, v in model.network.state_dict().items()}


def farthest(one, two):
    return max((one[k] - two[k]).abs().max().item() for k in one)


def lesson(model):
    """Rows, and marks for the last two tokens of each second row, for all of the others."""
    rows = encode(model.tokenizer, TEXTS)
    marks = [[int(i % 2 or j >= len(r) - 2) for j in range(len(r))] for i, r in enumerate(rows)]
    return rows, marks


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("counts", ["all", "some"])
def test_equals_a_plain_loop(load, toy_models, name, counts):
    """AdamW of torch on the mean over counted tokens, whole batches at once."""
    model = load(name, double=True)
    rows, marks = lesson(model)
    if counts == "all":
        marks = [[1] * len(r) for r in rows]
    training = settings(epochs=2, batch_size=5, schedule="constant", warmup=0, weight_decay=0.1)
    before = weights(model)
    done = fit_language(model, rows, marks if counts == "some" else None, training, seed=1)

    theirs = AutoModelForCausalLM.from_pretrained(toy_models[name]).double().eval()
    groups = [
        {"params": [p for p in theirs.parameters() if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in theirs.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, 3e-3, betas=(0.9, 0.95))
    losses, norms = [], []
    for _, batch in zip(range(6), _batches(12, 5, 1), strict=False):
        tokens, mask = pad([rows[i] for i in batch], 0, model.device)
        labels = torch.where(pad([marks[i] for i in batch], 0, model.device)[0] == 1, tokens, -100)
        logits = theirs(input_ids=tokens, attention_mask=mask).logits
        loss = cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0).item())
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    expected = {f"whole.{k}": v for k, v in theirs.state_dict().items()}
    assert farthest(weights(model), before) > 1e-3
    assert farthest(weights(model), expected) < 1e-9
    assert [p.loss for p in done.trace] == pytest.approx([sum(losses[:3]) / 3, sum(losses[3:]) / 3])
    assert done.steps == 6
    assert done.curve.losses == pytest.approx(losses)
    assert done.curve.norms == pytest.approx(norms)
    assert done.curve.rates == ((3e-3,),) * 6


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_the_cut_of_a_batch_does_not_matter(load, name, adaptation):
    found = []
    for budget in (8192, 1, 30):
        model = load(name, double=True, adaptation=adaptation)
        done = fit_language(model, *lesson(model), SHORT, seed=1, token_budget=budget)
        found.append((weights(model), [p.loss for p in done.trace]))
    for others in found[1:]:
        assert farthest(found[0][0], others[0]) < 1e-9
        assert found[0][1] == pytest.approx(others[1], abs=1e-6)


def test_a_step_without_memory_is_repeated_with_half_the_tokens(load):
    found = []
    for limit in (10**9, 40):
        model = load(double=True)

        def refuse(_, inputs, limit=limit):
            if inputs[0].numel() > limit:
                raise torch.OutOfMemoryError("CUDA out of memory.")

        model.network.register_forward_pre_hook(refuse)
        done = fit_language(model, *lesson(model), SHORT, seed=0, token_budget=8192)
        found.append((weights(model), done.budget))
    assert found[0][1] == 8192
    assert 1 < found[1][1] <= 64
    assert farthest(found[0][0], found[1][0]) < 1e-9


def test_room_is_measured_where_no_budget_is_given(load):
    found = []
    for budget in (None, 8192):
        model = load(double=True)
        fit_language(model, *lesson(model), SHORT, seed=0, token_budget=budget)
        found.append(weights(model))
    assert farthest(*found) < 1e-9


def test_what_stands_after_the_last_counted_token_does_not_matter(load):
    found = []
    for change in (None, 7, "shorter"):
        model = load(double=True)
        rows = [list(r) for r in encode(model.tokenizer, TEXTS)]
        marks = [[1] * (len(r) - 2) + [0, 0] for r in rows]
        if change == 7:
            rows = [[*r[:-2], 7, 8] for r in rows]
        if change == "shorter":
            rows, marks = [r[:-2] for r in rows], [m[:-2] for m in marks]
        fit_language(model, rows, marks, SHORT, seed=1)
        found.append(weights(model))
    assert farthest(found[0], found[1]) < 1e-9
    assert farthest(found[0], found[2]) < 1e-9


def test_rows_in_which_nothing_counts_are_left_out(load):
    found = []
    for more in ([], [[1]], [[1, 5, 6]]):
        model = load(double=True)
        rows, marks = lesson(model)
        training = settings(epochs=1, batch_size=12)
        fit_language(model, [*rows, *more], [*marks, *([1, 0, 0][: len(r)] for r in more)],
                     training, seed=1)  # fmt: skip
        found.append(weights(model))
    assert farthest(found[0], found[1]) == farthest(found[0], found[2]) == 0
    with pytest.raises(UserError, match="nothing to learn"):
        fit_language(load(), [[1], [2]], None, SHORT, seed=0)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_the_loss_falls(load, name, adaptation):
    model = load(name, adaptation=adaptation)
    training = settings(1e-2, epochs=12, batch_size=6, evaluations=12)
    trace = fit_language(model, encode(model.tokenizer, TEXTS), None, training, seed=0).trace
    assert trace[0].loss > 4
    assert trace[-1].loss < 2


def test_the_padding_side_of_a_tokenizer_does_not_matter(load):
    found = []
    for side in ("left", "right"):
        model = load("gpt2")
        model.tokenizer.padding_side = side
        fit_language(model, *lesson(model), SHORT, seed=0)
        found.append(weights(model))
    assert farthest(*found) == 0


class KilledError(Exception):
    pass


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("name", DECODERS)
def test_killed_and_resumed_equals_undisturbed_to_the_bit(
    load, tmp_path, monkeypatch, name, dropout
):
    monkeypatch.setattr(vocabulary, "WORTH", 0)
    file, training = tmp_path / "c.safetensors", settings(epochs=2, batch_size=5, dropout=dropout)

    def run(model, **options):
        return fit_language(model, *lesson(model), training, seed=3, **options)

    def kill(step, steps):
        if step == 4:
            raise KilledError

    whole, again, heard = load(name), load(name), []
    expected = run(whole)
    with pytest.raises(KilledError):
        run(load(name), on_step=kill, checkpoint=file, checkpoint_seconds=0)
    done = run(
        again,
        on_step=lambda step, steps: heard.append(step),
        checkpoint=file,
        checkpoint_seconds=math.inf,
    )
    assert done == expected
    assert farthest(weights(whole), weights(again)) == 0
    assert heard == [5, 6]


@pytest.mark.parametrize("name", DECODERS)
def test_training_the_used_rows_of_an_embedding_only_gives_the_same(load, monkeypatch, name):
    """Where the output layer has rows of its own; where it shares them, all are trained."""
    found, kinds = [], []
    for worth in (0, 10**9):
        monkeypatch.setattr(vocabulary, "WORTH", worth)
        model, seen = load(name, double=True), set()

        def evaluate(step, steps, whole=model.network.whole, seen=seen):
            seen.add(type(whole.get_input_embeddings()))

        fit_language(model, *lesson(model), SHORT, 0, on_step=evaluate)
        kinds.append(UsedRows in seen)
        found.append(weights(model))
    assert kinds == [name == "llama", False]
    assert farthest(*found) < 1e-9


def test_a_judge_decides_which_weights_are_kept(load, monkeypatch):
    monkeypatch.setattr(vocabulary, "WORTH", 0)
    model, scores, snapshots, modes = load("gpt2"), iter([0.2, 0.7, 0.7, 0.1]), [], []

    def judge():
        snapshots.append(weights(model))
        modes.append(model.network.training)
        return next(scores)

    training = settings(
        steps=4, batch_size=5, evaluations=4, stopping="weak-validation", dropout=True
    )
    done = fit_language(model, *lesson(model), training, 0, judge)
    assert [p.score for p in done.trace] == [0.2, 0.7, 0.7, 0.1]
    assert done.kept == 0.75
    assert farthest(weights(model), snapshots[1]) > 0
    assert farthest(weights(model), snapshots[2]) == 0
    assert farthest(weights(model), snapshots[3]) > 0
    assert modes == [False] * 4


def test_under_a_judge_the_embedding_stays_whole(load, monkeypatch):
    """It may have the model write tokens that no text has."""
    monkeypatch.setattr(vocabulary, "WORTH", 0)
    model, kinds = load("llama"), set()

    def judge():
        kinds.add(type(model.network.whole.get_input_embeddings()))
        return 0.0

    training = settings(steps=2, batch_size=5, stopping="weak-validation")
    fit_language(model, *lesson(model), training, 0, judge)
    assert kinds == {torch.nn.Embedding}


def test_stopping_needs_a_judge_and_a_rate_is_given(load):
    with pytest.raises(ValueError, match="needs a judge"):
        fit_language(
            load(), [[1, 2]], None, Training(learning_rate=1e-3, stopping="oracle"), seed=0
        )
    with pytest.raises(ValueError, match="must be given"):
        fit_language(load(), [[1, 2]], None, Training(stopping="none"), seed=0)

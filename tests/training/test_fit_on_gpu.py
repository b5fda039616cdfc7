"""The same fit on CUDA: bf16 products over float32 weights, near what the CPU gives."""

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses import loss
from weak2strong.models import text_model
from weak2strong.models.load import load_model
from weak2strong.tasks.task import Item
from weak2strong.training.fit import fit
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.training_set import TrainingSet

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
]


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
@pytest.mark.parametrize("loss_name", ["cross-entropy", "confidence"])
@pytest.mark.parametrize(("adaptation", "rate"), [("full", 1e-3), ("lora", 1e-2)])
def test_a_gpu_learns_what_the_cpu_learns(
    toy_models, monkeypatch, name, loss_name, adaptation, rate
):
    words = ["red house", "blue river"]
    items = [Item(f"i{i}", f"g{i}", f"{words[i % 2]} {i}") for i in range(64)]
    truth = np.eye(2)[[i % 2 for i in range(64)]]
    training = Training(learning_rate=rate, head_rate=1e-2, stopping="none", evaluations=1)
    answers = {}
    for device in ("cpu", "cuda"):
        monkeypatch.setattr(text_model, "best_device", lambda device=device: torch.device(device))
        spec = ModelSpec(str(toy_models[name]), adaptation=adaptation)
        model = load_model(spec, "classification", 2, seed=0)
        trained = [p.dtype for p in model.network.parameters() if p.requires_grad]
        assert set(trained) == {torch.float32}
        fit(model, TrainingSet(items, truth), loss(loss_name), training, seed=0)
        answers[device] = predict(model, items).probabilities
    assert (answers["cuda"].argmax(1) == truth.argmax(1)).mean() > 0.9
    np.testing.assert_allclose(answers["cuda"], answers["cpu"], atol=0.15)


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_packed_texts_are_read_as_padded_ones(toy_models, name):
    """By the attention of the GPU for texts of any length, in bfloat16."""
    items = [Item(f"i{i}", f"g{i}", "a red house " * (i % 7 + 1)) for i in range(40)]
    found = {}
    for packing in ("on", "off"):
        spec = ModelSpec(str(toy_models[name]), packing=packing)
        model = load_model(spec, "classification", 2, seed=0)
        assert model.packing == (packing == "on")
        found[packing] = pooled_activations(model, items)
    size = np.abs(found["off"]).max()
    np.testing.assert_allclose(found["on"], found["off"], rtol=0, atol=0.03 * size)
    assert np.std(found["off"], axis=0).max() > 0.1 * size


@pytest.mark.parametrize("loss_name", ["cross-entropy", "confidence"])
def test_steps_wait_for_nothing(toy_models, loss_name):
    """PyTorch itself refuses whatever waits for the GPU, from the third step to the eighth."""
    items = [Item(f"i{i}", f"g{i}", "a red house " * (i % 7 + 1)) for i in range(64)]
    truth = np.eye(2)[[i % 2 for i in range(64)]]
    training = Training(learning_rate=1e-3, head_rate=1e-3, batch_size=4, epochs=1, evaluations=1)

    def on_step(done, total):
        if done in (3, 8):
            torch.cuda.set_sync_debug_mode("error" if done == 3 else "default")

    model = load_model(ModelSpec(str(toy_models["llama"])), "classification", 2, seed=0)
    assert model.packing
    try:
        done = fit(model, TrainingSet(items, truth), loss(loss_name), training, 0, on_step=on_step)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert done.steps == 16
    assert np.isfinite(done.curve.losses).all()

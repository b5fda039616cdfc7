"""A fit in a process that is killed goes on from its checkpoint, to the same numbers."""

import signal
from pathlib import Path

import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses.confidence import Confidence
from weak2strong.models.load import load_model
from weak2strong.tasks.task import Item
from weak2strong.training.fit import Fit, fit
from weak2strong.training.training_set import TrainingSet

TRAINING = Training(learning_rate=3e-3, head_rate=3e-3, steps=100, batch_size=4, evaluations=5)


def run(folder: str, checkpoint: Path | None, on_step) -> tuple[Fit, dict]:
    """One fit on LoRA adapters, with a checkpoint after every step where there is a file."""
    torch.set_num_threads(1)
    words = ("red house", "blue river")
    items = [Item(str(i), str(i), f"{words[i % 2]} {i}") for i in range(40)]
    weak = torch.tensor([[0.8, 0.2], [0.3, 0.7]]).double().numpy()
    lesson = TrainingSet(items, weak[[i % 2 for i in range(40)]])
    model = load_model(ModelSpec(folder, adaptation="lora"), "classification", 2, seed=0)
    done = fit(
        model,
        lesson,
        Confidence(),
        TRAINING,
        0,
        TrainingSet(items[:10], lesson.targets[:10]),
        on_step=on_step,
        checkpoint=checkpoint,
        checkpoint_seconds=0,
    )
    return done, model.network.state_dict()


IN_A_COPY = """
import runpy
from pathlib import Path
file, folder, checkpoint = arguments
run = runpy.run_path(file)["run"]
run(folder, Path(checkpoint), lambda step, steps: told.send(step))
"""


def test_a_fit_killed_in_the_middle_ends_with_the_same_numbers(toy_models, tmp_path, copied):
    folder, checkpoint = str(toy_models["gpt2"]), tmp_path / "checkpoint.safetensors"
    whole, weights = run(folder, None, lambda step, steps: None)
    heard, told = copied.pipe(duplex=False)
    child = copied(IN_A_COPY, __file__, folder, checkpoint, told=told)
    while heard.recv() < 30:
        pass
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    heard = []
    again, found = run(folder, checkpoint, lambda step, steps: heard.append(step))
    assert 25 < heard[0] < 99
    assert heard[-1] == 100
    assert again == whole
    assert all(torch.equal(found[name], weights[name]) for name in weights)

"""What a pass costs beside its tokens: measured once on a device that is no CPU, and kept."""

import json

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses import loss
from weak2strong.models.language import load_language_model
from weak2strong.training import language, pace, passes
from weak2strong.training.fit import fit
from weak2strong.training.language import fit_language
from weak2strong.training.pace import LARGEST, SIZES, Pace, Passing, pace_of


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    """Of what this process has measured."""
    monkeypatch.setattr(pace, "_MEASURED", {})


@pytest.fixture
def elsewhere(monkeypatch):
    """Lets trainings measure on the CPU, as on another device; returns who asked."""
    asked = []

    def measuring(model):
        asked.append(model)
        return pace.kept(passing_of(model))

    for module in (passes, language):
        monkeypatch.setattr(module, "pace_of", measuring)
    return asked


def passing_of(model, gradients=True):
    return Passing(
        lambda count, length: model.network(*model.batch(model.reader.blank(count, length))),
        model.network,
        model.network.trunk.get_input_embeddings(),
        64,
        model.device,
        model.ranks,
        {},
        gradients,
    )


def times(floor, extra, a_token=1e-6, sizes=SIZES):
    """Seconds of passes on a device that is as slow with few tokens as with ``floor``."""
    return {n: a_token * max(floor, n + extra) for n in sizes}


@pytest.mark.parametrize(("floor", "extra"), [(1024, 64), (64, 0), (2048, 1024), (128, 64)])
def test_floor_and_extra_are_those_that_times_were_made_of(floor, extra):
    found = pace.from_times(times(floor, extra))
    assert found == Pace(floor, extra)


def test_small_differences_of_times_change_nothing():
    rng = np.random.default_rng(0)
    exact = times(1024, 256)
    for _ in range(20):
        noisy = {n: t * (1 + 0.01 * rng.standard_normal()) for n, t in exact.items()}
        assert pace.from_times(noisy).floor == 1024


@pytest.mark.parametrize("floor", [16, 100_000])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_whatever_the_times_a_batch_has_some_tokens_and_not_too_many(floor, count):
    found = pace.from_times(times(floor, 0, sizes=SIZES[:count]))
    assert SIZES[1] <= found.enough <= LARGEST
    assert found.enough & (found.enough - 1) == 0


def test_a_batch_is_large_enough_that_hardly_any_time_is_lost():
    slow = Pace(512.0, 64.0)
    assert slow.extra / slow.enough <= pace.LOST
    assert slow.enough >= 2 * slow.floor


def test_on_a_cpu_nothing_is_measured(load, monkeypatch):
    monkeypatch.setattr(pace, "kept", None)
    model = load()
    weights = sum(p.numel() for p in model.network.parameters())
    assert pace_of(model) == Pace(0.0, pace.LAUNCH / weights + pace.STREAM[torch.float32])


def test_measuring_leaves_the_model_as_it_is(load):
    model = load(adaptation="lora")
    model.network.train()
    model.network.head.eval()
    before = {k: v.clone() for k, v in model.network.state_dict().items()}
    modes, state = [m.training for m in model.network.modules()], torch.get_rng_state()
    found = pace.measured(passing_of(model), room=300)
    assert found.floor > 0
    assert all(p.grad is None for p in model.network.parameters())
    assert [m.training for m in model.network.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    for key, value in model.network.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_sizes_end_where_memory_or_patience_do(load, monkeypatch):
    passing, passed = passing_of(load()), []
    monkeypatch.setattr(pace, "seconds", lambda of, tokens: passed.append(tokens) or tokens / 1e6)
    pace.measured(passing, room=1024)
    assert passed == [16, 256, 1024]
    passed.clear()
    # A second a token: a next size would take too long.
    monkeypatch.setattr(pace, "seconds", lambda of, tokens: passed.append(tokens) or tokens)
    pace.measured(passing)
    assert passed == [16]


def test_a_device_without_memory_ends_the_sizes(load, monkeypatch):
    def seconds(of, tokens):
        if tokens > 256:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 1e-6 * max(tokens, 64)

    monkeypatch.setattr(pace, "seconds", seconds)
    assert pace.measured(passing_of(load())).floor == 64


def test_what_was_measured_is_kept_until_the_driver_changes(load, monkeypatch, tmp_path):
    monkeypatch.setenv("W2S_STORE", str(tmp_path))
    passing, count = passing_of(load()), []
    monkeypatch.setattr(
        pace, "seconds", lambda of, tokens: count.append(tokens) or times(512, 64)[tokens]
    )

    def again():
        pace._MEASURED.clear()
        count.clear()
        assert pace.kept(passing) == Pace(512, 64)
        return len(count) > 0

    assert again()
    assert not again()
    (file,) = (tmp_path / "measured").iterdir()
    said = json.loads(file.read_text())
    assert {"device", "driver", "PyTorch", "floor", "extra"} < set(said)
    monkeypatch.setattr(pace.platform, "release", lambda: "a newer one")
    assert again()
    monkeypatch.undo()
    monkeypatch.setenv("W2S_STORE", str(tmp_path))


@pytest.mark.parametrize("content", ["", "{}", '{"floor": "a", "extra": 1}', "[]"])
def test_a_damaged_file_is_made_anew(load, monkeypatch, tmp_path, content):
    monkeypatch.setenv("W2S_STORE", str(tmp_path))
    monkeypatch.setattr(pace, "seconds", lambda of, tokens: times(512, 64)[tokens])
    passing = passing_of(load())
    pace.kept(passing)
    (file,) = (tmp_path / "measured").iterdir()
    file.write_text(content)
    pace._MEASURED.clear()
    assert pace.kept(passing) == Pace(512, 64)
    assert json.loads(file.read_text())["floor"] == 512


def test_where_nothing_can_be_written_it_is_measured_once_a_process(load, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("W2S_STORE", str(tmp_path / "file"))
    passing, count = passing_of(load()), []
    monkeypatch.setattr(
        pace, "seconds", lambda of, tokens: count.append(tokens) or times(512, 64)[tokens]
    )
    assert pace.kept(passing) == pace.kept(passing)
    assert len(count) == len(SIZES)


def test_spared_rows_of_the_embedding_make_no_other_model(load):
    model = load()
    before = pace._conditions(passing_of(model))
    trunk = model.network.trunk
    trunk.set_input_embeddings(torch.nn.Embedding(7, 32))
    assert pace._conditions(passing_of(model)) == before
    model.network.head.requires_grad_(False)
    assert pace._conditions(passing_of(model)) != before


def test_a_measured_pace_changes_no_number(load, soft_lesson, elsewhere):
    """But by the rounding of sums, in float64 less than what a wrong gradient would do."""
    training = Training(epochs=2, batch_size=8, learning_rate=1e-3, head_rate=1e-3, dropout=True)
    found = []
    for measured in (True, False):
        if not measured:
            # As it is on a CPU.
            passes.pace_of = pace_of
        model = load(double=True, packing="off")
        fit(model, soft_lesson(16), loss("cross-entropy"), training, seed=0)
        found.append(model.network.state_dict())
    for key, value in found[0].items():
        torch.testing.assert_close(value, found[1][key], rtol=0, atol=1e-9)
    assert len(elsewhere) == 1


def test_a_language_model_is_measured_too(toy_models, elsewhere):
    model = load_language_model(ModelSpec(str(toy_models["llama"]), packing="off"))
    rows = [[5, 6, 7, 8], [9, 10, 11]]
    done = fit_language(model, rows, None, Training(epochs=1, learning_rate=1e-3), seed=0)
    assert np.isfinite(done.trace[-1].loss)
    assert elsewhere == [model]

"""On a GPU: what a pass costs is measured in a few seconds, once."""

import time

import pytest
import torch

from weak2strong.training import pace
from weak2strong.training.pace import pace_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
]


@pytest.mark.parametrize("gradients", [True, False])
def test_a_pace_is_measured_in_five_seconds_and_kept(load, monkeypatch, tmp_path, gradients):
    monkeypatch.setenv("W2S_STORE", str(tmp_path))
    monkeypatch.setattr(pace, "_MEASURED", {})
    model = load(packing="off")
    assert model.device.type == "cuda"
    begun = time.perf_counter()
    found = pace_of(model, gradients)
    assert time.perf_counter() - begun < 5
    # So small a model takes as long for a few tokens as for hundreds.
    assert found.floor > 16
    assert len(list((tmp_path / pace.MEASURED).iterdir())) == 1
    pace._MEASURED.clear()
    monkeypatch.setattr(pace, "measured", None)
    assert pace_of(model, gradients) == found

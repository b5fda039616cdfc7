"""A fit on two GPUs is near one on one: the sums differ by rounding to bfloat16."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from weak2strong.training.together import Job, together

sys.path.insert(0, str(Path(__file__).parent))
from in_ranks import Case, finetuned

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs"),
]


@pytest.mark.parametrize("kind", ["classification", "preference", "generation"])
@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_two_gpus_learn_what_one_learns(toy_models, kind, adaptation):
    case = Case(str(toy_models["llama"]), kind=kind, adaptation=adaptation, double=False)
    (one,), (two,) = (
        together(Job(finetuned, ([case],)), count, lambda done, total: None) for count in (1, 2)
    )
    np.testing.assert_allclose(two[0].curve.losses, one[0].curve.losses, rtol=0, atol=0.05)
    np.testing.assert_allclose(two[2], one[2], rtol=0, atol=0.15)


def test_in_float64_two_gpus_learn_the_same(toy_models):
    """No sum is rounded to bfloat16 then."""
    case = Case(str(toy_models["llama"]), loss="confidence", double=True)
    (one,), (two,) = (
        together(Job(finetuned, ([case],)), count, lambda done, total: None) for count in (1, 2)
    )
    np.testing.assert_allclose(two[0].curve.losses, one[0].curve.losses, rtol=0, atol=1e-6)

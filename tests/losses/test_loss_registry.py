"""Losses are found by name, take only their own settings, and load torch only when used."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

import weak2strong.losses as losses
from weak2strong.ground.errors import UserError
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy


def test_names_lead_to_losses_with_their_settings():
    assert losses.loss("cross-entropy") == CrossEntropy()
    assert losses.loss("confidence", maximum=0.75) == Confidence(maximum=0.75, warmup=0.2)


@pytest.mark.parametrize("name", list(losses.LOSSES))
def test_every_loss_keeps_the_contract(name):
    loss = losses.loss(name)
    assert isinstance(loss.needs_batch, bool)
    assert "needs_batch" not in vars(loss)  # no field, so no part of cache keys
    with pytest.raises(FrozenInstanceError):
        loss.maximum = 1.0  # pyright: ignore


def test_unknown_names_and_settings_are_sentences():
    with pytest.raises(UserError, match=r"Unknown loss 'confidense': the nearest are confidence, "):
        losses.loss("confidense")
    with pytest.raises(UserError, match=r"did you mean maximum\?"):
        losses.loss("confidence", maximun=0.5)
    with pytest.raises(UserError, match="has no settings"):
        losses.loss("cross-entropy", maximum=0.5)


def test_listing_losses_and_methods_loads_no_torch():
    code = (
        "import sys; from weak2strong.methods import LOSSES, METHODS;"
        "assert 'kl' in LOSSES and 'kl' in METHODS and 'generative' in METHODS;"
        "assert not {'torch', 'transformers', 'polars', 'scipy', 'sklearn'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

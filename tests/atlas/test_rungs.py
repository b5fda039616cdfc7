"""The ladder grows, and its recipe counts whole batches."""

import pytest

from weak2strong.atlas.rungs import RUNGS, Recipe


def test_rungs_grow_and_their_heads_fit():
    sizes = [r.width**2 * r.layers for r in RUNGS]
    assert sizes == sorted(set(sizes))
    assert len({r.name for r in RUNGS}) == len(RUNGS)
    for rung in RUNGS:
        # Rotary positions turn pairs of numbers.
        assert rung.width % (2 * rung.heads) == 0


@pytest.mark.parametrize(("tokens", "steps"), [(63, 0), (64, 1), (127, 1), (128, 2), (6400, 100)])
def test_a_batch_that_is_not_full_is_left_out(tokens, steps):
    assert Recipe(tokens=tokens, context=16, batch=4).steps == steps


def test_token_ids_of_the_shipped_recipe_fit_the_stream():
    assert Recipe().vocabulary <= 2**16

"""The ladder grows, and its recipe counts whole batches."""

import pytest

from weak2strong.subjects.atlas.facts import cities, seen_cities
from weak2strong.subjects.atlas.ladder.pretrain import new_model
from weak2strong.subjects.atlas.ladder.rungs import RUNGS, Recipe


def test_four_rungs_are_named_by_size_and_ascend_in_parameters():
    assert [r.name for r in RUNGS] == ["atlas-xs", "atlas-s", "atlas-m", "atlas-l"]
    sizes = [sum(p.numel() for p in new_model(r, Recipe()).parameters()) for r in RUNGS]
    assert sizes == sorted(set(sizes))


def test_heads_fit():
    for rung in RUNGS:
        # Rotary positions turn pairs of numbers.
        assert rung.width % (2 * rung.heads) == 0


@pytest.mark.parametrize(("tokens", "steps"), [(63, 0), (64, 1), (127, 1), (128, 2), (6400, 100)])
def test_a_batch_that_is_not_full_is_left_out(tokens, steps):
    assert Recipe(tokens=tokens, context=16, batch=4).steps == steps


def test_token_ids_of_the_shipped_recipe_fit_the_stream():
    assert Recipe().vocabulary <= 2**16


def test_the_shipped_recipe_reads_about_every_city_that_may_be_seen():
    read = {c.id for c in seen_cities(Recipe().minimum_population)}
    assert read == {c.id for c in cities() if c.seen}

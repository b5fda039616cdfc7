"""The search for unused objects is as it was before, whatever happens meanwhile."""

import gc

import pytest

from weak2strong.ground.garbage import kept_objects


def test_the_search_is_paused_and_goes_on_behind_the_outermost_pause():
    with kept_objects():
        with kept_objects():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_ends_the_pause():
    with pytest.raises(ValueError, match="one"), kept_objects():
        raise ValueError("one")
    assert gc.isenabled()


def test_who_paused_it_before_has_it_paused_behind():
    gc.disable()
    try:
        with kept_objects():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

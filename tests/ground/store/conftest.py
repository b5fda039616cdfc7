"""A store of the test's own."""

import pytest

from weak2strong.ground.store import Store


@pytest.fixture
def store(tmp_path):
    """Empty."""
    return Store(tmp_path / "store")

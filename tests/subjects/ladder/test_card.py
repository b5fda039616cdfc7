"""A card is read where a ladder was built, and asked for where none was."""

import json

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.subjects.atlas.ladder.card import CARD_FILE, read_card


def test_a_card_is_read_as_written(tmp_path):
    (tmp_path / CARD_FILE).write_text(json.dumps({"rungs": [1, 2]}))
    assert read_card(tmp_path) == {"rungs": [1, 2]}


def test_without_a_card_one_is_told_how_to_build(tmp_path):
    with pytest.raises(
        UserError, match=r"No readable ladder card at .*card\.json.*`w2s ladder build"
    ):
        read_card(tmp_path / "nowhere")

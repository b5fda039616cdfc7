"""What the package ships does what its card and its README say; slow, on the real ladder."""

import json
from itertools import pairwise

import pytest

import weak2strong as w2s
from weak2strong.config.study import StudyConfig
from weak2strong.ground.store import file_fingerprint
from weak2strong.models.folders import LADDER, rungs
from weak2strong.protocol.resolve import resolved
from weak2strong.subjects.atlas.facts import FACTS_FILE, seen_cities, unseen_cities
from weak2strong.subjects.atlas.ladder.card import read_card
from weak2strong.subjects.atlas.ladder.knowledge import known_countries


def test_the_card_is_of_the_shipped_facts_and_rungs():
    card = read_card(LADDER)
    assert card["facts"] == file_fingerprint(FACTS_FILE)
    assert tuple(r["name"] for r in card["rungs"]) == rungs()
    assert len({r["tokens"] for r in card["rungs"]}) == 1


def test_the_card_is_a_staircase_of_knowledge_above_what_spelling_tells():
    """Every rung knows clearly more of what it has read than the one below; none of the rest."""
    steps = read_card(LADDER)["rungs"]
    seen, unseen = ([r[f"known_{x}"] for r in steps] for x in ("seen", "unseen"))
    assert len(steps) == 4
    assert all(higher - lower >= 0.05 for lower, higher in pairwise(seen))
    assert seen[-1] > 0.9
    assert max(unseen) - min(unseen) < 0.1


def test_the_ladder_is_small_enough_to_be_in_a_repository():
    assert sum(f.stat().st_size for f in LADDER.rglob("*") if f.is_file()) <= 25e6


def test_the_shipped_weights_load_like_any_other_model():
    from transformers import AutoModelForCausalLM

    for rung in read_card(LADDER)["rungs"]:
        model = AutoModelForCausalLM.from_pretrained(LADDER / rung["name"])
        assert sum(p.numel() for p in model.parameters()) == rung["parameters"]


@pytest.mark.slow
@pytest.mark.parametrize("name", rungs())
def test_a_rung_knows_what_the_card_says(name):
    card = read_card(LADDER)
    (rung,) = [r for r in card["rungs"] if r["name"] == name]
    least = card["recipe"]["minimum_population"]
    for column, cities in (("seen", seen_cities(least)), ("unseen", unseen_cities(least))):
        assert len(cities) == card["cities"][column]
        known = known_countries(LADDER / name, cities)
        # Another machine may round another way now and then.
        assert sum(known) / len(known) == pytest.approx(rung[f"known_{column}"], abs=0.005)


@pytest.mark.slow
def test_the_default_study_finds_a_clear_gap(tmp_path):
    results = w2s.Study().run(out=tmp_path / "run", store=tmp_path / "store", quiet=True)
    for row in results.table().iter_rows(named=True):
        assert row["ceiling"] - row["floor"] >= 0.1
        assert row["pgr_low"] < row["pgr"] < row["pgr_high"]
    plain = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert plain["weak2strong"] == w2s.__version__
    assert results.config == resolved(StudyConfig())

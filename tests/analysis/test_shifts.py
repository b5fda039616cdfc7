"""Shares of shifted tokens equal a literal count, by seed and place."""

import numpy as np
import pytest

from weak2strong.analysis import tested as tests_of
from weak2strong.analysis.shifts import place_text, shift_rows, token_rows
from weak2strong.ground.predictions import texts

RANKS = {
    "": (),
    "a b": (1, 2),
    "c": (4,),
    "a b c a b c": (3, 1, 9, 1, 1, 70),
}


@pytest.fixture
def tested():
    rng = np.random.default_rng(0)
    answers = {who: texts(rng.choice([*RANKS], 40)) for who in ("s0", "s1", "c0", "c1", "f")}
    answers |= {"s1": texts(["c" if i % 2 else "" for i in range(40)])}
    labels = np.empty(40, dtype=object)
    labels[:] = [("a",)] * 40
    return tests_of.Tested(
        labels=labels,
        groups=np.array([f"g{i // 2}" for i in range(40)]),
        floor=np.stack([answers["f"]] * 2),
        ceiling=np.stack([answers["c0"], answers["c1"]]),
        students={"naive": np.stack([answers["s0"], answers["s1"]])},
        probe=None,
        difficulty=None,
        kind="generation",
        metric="exact_match",
    )


@pytest.fixture
def ranks():
    return {(i, text): (tuple(text.split()), of) for text, of in RANKS.items() for i in range(40)}


def test_shares_and_places_are_those_of_a_literal_count(tested, ranks):
    rows = list(shift_rows(tested, ranks))
    assert {(r["role"], r["method"]) for r in rows} == {("student", "naive"), ("ceiling", "")}
    for row in rows:
        shares, tokens = [], 0
        for of_seed in tested.roles[row["role"], row["method"]]:
            found = [
                rank
                for text in of_seed
                for place, rank in enumerate(RANKS[text], start=1)
                if row["first"] is None or row["first"] <= place <= row["last"]
            ]
            tokens += len(found)
            bands = [sum(r == 1 for r in found), sum(r in (2, 3) for r in found)]
            bands.append(sum(r > 3 for r in found))
            shares.append([b / len(found) if found else np.nan for b in bands])
        assert row["tokens"] == tokens
        # A seed without any such token has no share: s1 writes nothing behind its first token.
        if np.isnan(shares).any():
            assert row["shifted"] is None
            continue
        mean = np.mean(shares, axis=0)
        assert [row["unshifted"], row["marginal"], row["shifted"]] == pytest.approx(mean.tolist())
        for band in ("unshifted", "marginal", "shifted"):
            assert 0 <= row[f"{band}_low"] <= row[band] <= row[f"{band}_high"] <= 1
    of_ceiling = [r for r in rows if r["role"] == "ceiling"]
    assert [place_text(r["first"], r["last"]) for r in of_ceiling] == [
        *("all", "1", "2", "3", "4"),
        "5-8",
    ]
    assert place_text(65, None) == "65+"


def test_tokens_are_counted_over_seeds_the_most_shifted_first(tested, ranks):
    rows = [r for r in token_rows(tested, ranks) if r["role"] == "ceiling"]
    for row in rows:
        every = [
            rank
            for text in tested.ceiling.ravel()
            for token, rank in zip(text.split(), RANKS[text], strict=True)
            if token == row["token"]
        ]
        assert (row["written"], row["shifted"]) == (len(every), sum(r > 3 for r in every))
    assert rows[0]["token"] == "c"
    assert [r["shifted"] for r in rows] == sorted((r["shifted"] for r in rows), reverse=True)

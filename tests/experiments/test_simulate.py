"""Agreement with simulated labels is that of `w2s analyse`, beside scores and PGR."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.analyses.agreement import agreement_rows
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.tested import read_tested
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.experiments.simulate import supervised_rows

N, SEEDS = 90, 3
CONFIG = StudyConfig(
    tasks=("one",),
    methods=("naive",),
    seeds=SEEDS,
    weak=ModelSpec("atlas-xs"),
    strong=ModelSpec("atlas-s"),
    simulated="longest",
)


def predictions(floor: float) -> pl.DataFrame:
    """Answers to three classes; the supervisors are right on such a share, others by chance."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=N)
    who = [("ngrams", "", -1)]
    who += [(r, m, s) for s in range(SEEDS) for r, m in (("floor", ""), ("ceiling", ""))]
    who += [("student", "naive", s) for s in range(SEEDS)]
    frames = []
    for role, method, seed in who:
        share = floor if role == "floor" else 0.7
        said = np.where(rng.random(N) < share, labels, rng.integers(3, size=N))
        same = {"task": "one", "kind": "classification", "role": role, "method": method}
        ids = [f"{i:03}" for i in range(N)]
        rest = {"seed": seed, "id": ids, "group": ids, "label": labels}
        frames.append(pl.DataFrame(same | rest | {"probabilities": np.eye(3)[said].tolist()}))
    return pl.concat(frames)


def run_of(config: StudyConfig, frame: pl.DataFrame, folder: Path) -> FinishedRun:
    """A run folder with nothing but its study and its answers."""
    (folder / "study.yaml").write_text(config.to_yaml())
    frame.write_parquet(folder / "predictions.parquet")
    names = dict.fromkeys(("task", "method", "metric"), pl.String)
    numbers = dict.fromkeys(("floor", "student", "ceiling"), pl.Float64)
    empty = pl.DataFrame(schema={**names, "seed": pl.Int64, **numbers})
    empty.write_parquet(folder / "results.parquet")
    return FinishedRun(folder)


def test_agreement_has_intervals(tmp_path):
    frame = predictions(floor=0.6)
    (row,) = supervised_rows(run_of(CONFIG, frame, tmp_path))
    assert row["supervisor"] == "longest"
    shares = {"all": [], "right": [], "wrong": []}
    for seed in range(SEEDS):
        both = [
            frame.filter(role=role, seed=seed)["probabilities"].to_list()
            for role in ("student", "floor")
        ]
        labels = frame.filter(role="floor", seed=seed)["label"].to_list()
        rows = [(s == w, w.index(1) == y) for s, w, y in zip(*both, labels, strict=True)]
        shares["all"].append(np.mean([same for same, _ in rows]))
        shares["right"].append(np.mean([same for same, right in rows if right]))
        shares["wrong"].append(np.mean([same for same, right in rows if not right]))
    expected = {
        r["weak_label"]: r for r in agreement_rows(read_tested(CONFIG, frame, "one"), "naive")
    }
    for name, of_seeds in shares.items():
        assert row[f"agreement_{name}"] == pytest.approx(np.mean(of_seeds))
        ends = [row[f"agreement_{name}{end}"] for end in ("_low", "_high")]
        assert ends == [expected[name][f"agreement{end}"] for end in ("_low", "_high")]
        assert ends[0] < row[f"agreement_{name}"] < ends[1]


def test_there_is_no_agreement_with_errors_of_a_supervisor_that_makes_none(tmp_path):
    frame = predictions(floor=1)
    real = replace(CONFIG, simulated=None)
    (row,) = supervised_rows(run_of(real, frame, tmp_path))
    assert row["supervisor"] == "real"
    assert {row[f"agreement_wrong{end}"] for end in ("", "_low", "_high")} == {None}

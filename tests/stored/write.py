"""Writes the small stored study of `test_stored_study.py` anew: `make stored-study`.

Do this only where a change can change the numbers of stages that it makes anew, and say so in the
changelog: whoever upgrades computes these once more.
"""

import shutil
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.local import Plan
from weak2strong.engine.run import run_study

HERE = Path(__file__).parent

STORE = HERE / "store"

RESULTS = HERE / "results.parquet"


def study() -> StudyConfig:
    """A study that takes seconds, with a stage of every kind that studies usually have."""
    quick = Training(epochs=1, evaluations=2, learning_rate=1e-3, stopping="none")
    return StudyConfig(
        tasks=(str(HERE / "numbers.csv"),),
        weak=ModelSpec("atlas-xs"),
        strong=ModelSpec("atlas-s"),
        methods=("naive", "confidence", "probe-predict:knn,k=3"),
        seeds=1,
        weak_training=quick,
        strong_training=quick,
        data=DataOptions(),
    )


def write_data() -> None:
    """Numbers, and whether each is odd."""
    lines = [f"The number {n} is,{'odd' if n % 2 else 'even'}" for n in range(100, 220)]
    (HERE / "numbers.csv").write_text("\n".join(["text,label", *lines]) + "\n")


def write() -> None:
    """Write data, store and results."""
    write_data()
    shutil.rmtree(STORE, ignore_errors=True)
    folder = run_study(study(), HERE / "run", STORE, plan=Plan(workers=1, threads=1))
    shutil.copyfile(folder / "results.parquet", RESULTS)
    shutil.rmtree(folder)
    for left in ("locks", "temporary", "working"):
        shutil.rmtree(STORE / left, ignore_errors=True)


if __name__ == "__main__":
    write()

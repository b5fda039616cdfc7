"""`w2s analyse` on run folders made by hand: what it prints, writes and refuses."""

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.analyses import every_analysis
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training

RATES = Training(learning_rate=1e-4, head_rate=1e-3)
METHODS = ("naive", "finetune-then-probe")
N, SEEDS = 120, 2


def make_run(folder, strong="atlas-s", student=0.7, kind="classification", tasks=("one", "two")):
    """A run folder with what `w2s run` writes, as far as the analyses need it."""
    config = StudyConfig(
        tasks=tasks,
        methods=METHODS,
        seeds=SEEDS,
        weak=ModelSpec("atlas-xs"),
        strong=ModelSpec(strong),
        weak_training=RATES,
        strong_training=RATES,
    )
    answerers = [("probe", "", -1, 0.8), ("ngrams", "", -1, 0.5)]
    for seed in range(SEEDS):
        answerers += [("floor", "", seed, 0.6), ("ceiling", "", seed, 0.9)]
        answerers += [("student", method, seed, student) for method in METHODS]
    frames = []
    for task in config.tasks:
        labels = np.arange(N) % 2
        for role, method, seed, share in answerers:
            # Whoever is right on more is right where the others are: errors are imitated.
            p = np.where(np.arange(N) < share * N, labels, 1 - labels)[:, None] == np.arange(2)
            frame = {
                "task": task,
                "kind": kind,
                "role": role,
                "method": method,
                "seed": seed,
                "id": [f"{i:03}" for i in range(N)],
                "group": [f"{i:03}" for i in range(N)],
                "label": labels,
                "difficulty": np.arange(N, dtype=float),
                "probabilities": np.where(p, 0.8, 0.2).tolist(),
            }
            frames.append(pl.DataFrame(frame))
    folder.mkdir()
    (folder / "study.yaml").write_text(config.to_yaml())
    pl.concat(frames).write_parquet(folder / "predictions.parquet")
    pl.DataFrame({"task": tasks}).write_parquet(folder / "results.parquet")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("analyse") / "run")


def said(capsys, *command: object, code: int = 0) -> str:
    """What a command prints, which ends with that code."""
    capsys.readouterr()
    assert main(list(map(str, command))) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def test_one_run_is_printed_and_written_in_full(run, capsys):
    shown = said(capsys, "analyse", run)
    lines = [line.split() for line in shown.splitlines()]
    naive = [line for line in lines if line[:2] == ["one", "naive"]]
    # Agreement: on all 1 - (0.7 - 0.6), on right weak labels 1, on wrong ones 0.3 / 0.4.
    assert naive[0][2::3] == ["0.900", "1.000", "0.750"]
    # Who is right: both, student alone, supervisor alone, neither.
    assert naive[1][2:] == ["0.600", "0.100", "0.000", "0.300"]
    # The ceiling check: PGR is (0.7 - 0.6) / (0.9 - 0.6).
    assert "0.33" in naive[3]
    assert "* saw ground truth (oracle): finetune-then-probe." in shown
    assert "A dash: the run lacks lp(weak) (method linear-probe)." in shown
    assert "left out" not in shown
    assert "warning: 2 seeds:" in shown
    assert "…" not in shown
    files = {f.stem: pl.read_parquet(f) for f in (run / "analysis").glob("*.parquet")}
    # The tasks are no benchmarks with subsets and have no pairs, and the run, made by hand, does
    # not say who is right on the training set.
    without = {"subsets", "consistency", "filters", "training_set"}
    assert set(files) == {a.file for a in every_analysis()} - without
    assert set(files["agreement"]["run"]) == {str(run)}


def test_several_runs_show_whether_larger_students_imitate_less(run, tmp_path, capsys):
    larger = make_run(tmp_path / "larger", "atlas-m", student=0.8)
    shown = said(capsys, "analyse", larger, run, "--out", tmp_path / "both")
    assert "largest student agrees less with wrong weak labels than the smallest on 4" in shown
    assert "(mean change -0.250)" in shown
    rows = [line for line in shown.splitlines() if line.startswith("one ") and "naive" in line]
    assert "atlas-xs to atlas-s" in rows[0]
    assert "atlas-xs to atlas-m" in rows[1]
    both = pl.read_parquet(tmp_path / "both" / "agreement.parquet")
    assert both.filter(task="one", method="naive", weak_label="wrong").select(
        "strong_parameters", "agreement"
    ).sort("strong_parameters").rows() == [
        (237_888, pytest.approx(0.75)),
        (330_640, pytest.approx(0.5)),
    ]
    assert not (larger / "analysis").exists()
    # Of the same models: their folders tell them apart.
    again = make_run(tmp_path / "again")
    assert str(again) in said(capsys, "analyse", run, again, "--out", tmp_path / "same")


def test_many_tasks_are_printed_as_means(tmp_path, capsys):
    shown = said(capsys, "analyse", make_run(tmp_path / "seven", tasks=tuple("abcdefg")))
    rows = [line.split() for line in shown.splitlines() if line.startswith("mean of 7 ")]
    assert rows[0] == ["mean", "of", "7", "naive", "0.900", "1.000", "0.750"]
    assert "More than 6 tasks: means over tasks are printed" in shown
    assert len(pl.read_parquet(tmp_path / "seven" / "analysis" / "agreement.parquet")) == 7 * 6


def test_edges_and_metric_are_heeded(run, tmp_path, capsys):
    out = tmp_path / "out"
    said(capsys, "analyse", run, "--out", out, "--edges", 72, 84, "--metric", "roc_auc")
    found = pl.read_parquet(out / "difficulty.parquet").filter(task="one", role="floor")
    assert found.select("from", "to", "examples").rows() == [
        (0, 72, 72),
        (72, 84, 12),
        (84, 119, 36),
    ]
    assert found["score"].to_list() == [1, 0, 0]
    assert set(found["metric"]) == {"roc_auc"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("nowhere",), "holds no finished run"),
        (("RUN", "RUN"), "A run folder is named twice"),
        (("RUN", "--metric", "f2"), "'f2'"),
        (("RUN", "--metric", "brier"), "of which more is better"),
        (("RUN", "--edges", "5", "4"), "--edges rise from easy to hard"),
        (("RUN", "--edges", "500"), "go from 0 to 119"),
        (("RUN", "--out", "RUN/study.yaml"), "Cannot write "),
    ],
)
def test_bad_input_is_one_sentence(run, capsys, command, message):
    error = said(capsys, "analyse", *(w.replace("RUN", str(run)) for w in command), code=2)
    assert message in error
    assert error.count("\n") == 1


def test_a_run_that_is_answered_in_words_has_what_needs_no_probabilities(run, tmp_path, capsys):
    """The same numbers as of classes that are called so; the rest is left out, each with why."""
    words = make_run(tmp_path / "words", kind="generation")
    frame = pl.read_parquet(words / "predictions.parquet")
    written = frame.filter(pl.col("role") != "probe").with_columns(
        answer=pl.format("Class {}.", pl.col("probabilities").list.arg_max()),
        label=pl.concat_list(pl.format("class {}", "label")),
    )
    written.drop("probabilities").write_parquet(words / "predictions.parquet")
    shown = said(capsys, "analyse", words)
    said(capsys, "analyse", run)
    for name in ("agreement", "confusion", "difficulty"):
        of_words, of_classes = (
            pl.read_parquet(x / "analysis" / f"{name}.parquet").drop("run", "metric")
            for x in (words, run)
        )
        assert of_words.equals(of_classes)
    assert {f.stem for f in (words / "analysis").iterdir()} == {
        "agreement", "confusion", "difficulty",
    }  # fmt: skip
    for what in ("Calibration", "Misfit", "Saliency", "Ceiling check"):
        assert shown.count(f"left out: {what}: ") == 1
    assert "Exact match on test by difficulty" in shown
    assert "metric of generation tasks" in said(
        capsys, "analyse", words, "--metric", "roc_auc", code=2
    )

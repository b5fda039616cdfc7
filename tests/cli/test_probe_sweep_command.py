"""`w2s probe-sweep` and `Study.probe_sweep`: flags, grids, files."""

import re
from pathlib import Path

import numpy as np
import pytest

import weak2strong as w2s
from weak2strong.cli import main
from weak2strong.experiments.sweep import ProbeSweep


def test_the_command_and_the_api_share_what_the_store_has(
    one_process, toy_models, tmp_path, capsys
):
    out, store = tmp_path / "out", tmp_path / "store"
    flags = ["--task", "atlas-landlocked", "--weak", toy_models["gpt2"], "--seeds", 1]
    flags += ["--strong", toy_models["llama"], "--steps", 4, "--layers", "last", 0]
    flags += ["--k", 9, 3, "--penalty", 0.1, "--out", out, "--store", store]
    assert main(["probe-sweep", *map(str, flags)]) == 0
    shown = capsys.readouterr()
    assert re.search(r"layer \\ k +3 +9\b", shown.out)
    assert re.search(r"layer \\ penalty +0.1\b", shown.out)
    rows = [line.split()[0] for line in shown.out.splitlines() if re.match(r" +\d ", line)]
    assert rows == ["0", "2"] * 6
    for path in re.findall(r"^  (\S+\.\w+)  ", shown.out, flags=re.MULTILINE):
        assert Path(path).is_file()

    before = sorted(store.glob("*/*"))
    steps = w2s.Training(steps=4)
    study = w2s.Study(
        "atlas-landlocked",
        str(toy_models["gpt2"]),
        str(toy_models["llama"]),
        seeds=1,
        weak_training=steps,
        strong_training=steps,
    )
    again = study.probe_sweep([0, 2], (3, 9), (0.1,), tmp_path / "again", store, quiet=True)
    assert sorted(store.glob("*/*")) == before
    accuracy, auc = again.grids(), again.grids("roc_auc")
    assert [one.probe for one in accuracy] == ["knn", "logistic"]
    assert accuracy[0].score.shape == (2, 2)
    assert not np.array_equal(accuracy[0].score, auc[0].score)
    one = again.scores.filter(
        learned="weak", probe="knn", layer=2, setting=3.0, split="test", against="truth"
    )
    assert accuracy[0].score[1, 0] == one.filter(metric="accuracy")["score"][0]


def test_the_help_names_the_defaults_of_the_grid(capsys):
    with pytest.raises(SystemExit):
        main(["probe-sweep", "--help"])
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    grid = ProbeSweep()
    for values in (grid.ks, grid.penalties):
        assert f"(default: {' '.join(f'{value:g}' for value in values)})" in shown


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--layers", "9"], "Layer 9 is none of the model's 3"),
        (["--layers", "first"], "Layer 'first' is none"),
        (["--k", "0"], "--k must be at least 1, not 0."),
        (["--penalty", "-1"], "--penalty must be at least 0, not -1.0."),
    ],
)
def test_bad_grids_are_one_sentence(flags, said, tmp_path, capsys):
    assert main(["probe-sweep", *flags, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert not (tmp_path / "out").exists()

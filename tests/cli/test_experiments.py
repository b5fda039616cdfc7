"""simulate, overfitting and grid on toy models: what they print and what they write."""

import polars as pl
import pytest

from weak2strong.cli import main
from weak2strong.ground.store import Store

pytestmark = pytest.mark.usefixtures("one_process")

QUICK = """
tasks: [atlas-landlocked]
methods: [naive]
weak: {weak}
strong: {strong}
seeds: 1
weak_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
strong_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
"""


@pytest.fixture(scope="module")
def study(toy_models, tmp_path_factory):
    """A quick study as a file, with a folder for runs and a store beside it."""
    file = tmp_path_factory.mktemp("experiments") / "quick.yaml"
    file.write_text(QUICK.format(weak=toy_models["gpt2"], strong=toy_models["llama"]))
    return file


def said(capsys, study, command, *more, code=0) -> str:
    """What a command prints on the quick study."""
    place = ["--out", str(study.parent / command), "--store", str(study.parent / "store")]
    assert main([command, str(study), *place, "--quiet", *more]) == code
    shown = capsys.readouterr()
    return shown.err if code else shown.out


def test_simulate_sets_supervisors_side_by_side(study, capsys):
    shown = said(capsys, study, "simulate", "--kinds", "random-flips", "longest")
    rows = pl.read_parquet(study.parent / "simulate" / "simulated.parquet")
    assert rows["supervisor"].to_list() == ["real", "random-flips", "longest"]
    # As accurate as the real one, to the example.
    assert rows["floor"].n_unique() == rows["ceiling"].n_unique() == 1
    run = pl.read_parquet(study.parent / "simulate" / "random-flips" / "predictions.parquet")
    same = {
        role: run.filter(role=role).sort("id")["probabilities"].list.arg_max()
        for role in ("floor", "student")
    }
    share = (same["floor"] == same["student"]).mean()
    assert rows["agreement_all"][1] == pytest.approx(share)
    for word in ("floor", "PGR", "wrong", "random-flips: labels drawn at random are wrong."):
        assert word in shown


def test_simulate_takes_accuracies(study, capsys):
    shown = said(capsys, study, "simulate", "--kinds", "longest", "--accuracy", "0.9", "0.65")
    rows = pl.read_parquet(study.parent / "simulate" / "simulated.parquet")
    assert rows["run"].to_list() == ["real", "longest-0.65", "longest-0.9"]
    assert rows["accuracy"].to_list() == [None, 0.65, 0.9]
    for row in rows.tail(2).iter_rows(named=True):
        assert row["floor"] == pytest.approx(row["accuracy"], abs=0.005)
        assert (study.parent / "simulate" / row["run"] / "predictions.parquet").exists()
        assert f"{row['floor']:.3f}" in shown


def test_an_unknown_kind_is_refused_before_anything_is_trained(study, capsys):
    shown = said(capsys, study, "simulate", "--kinds", "longst", code=2)
    assert "Unknown simulated supervisor 'longst'" in shown


def test_overfitting_prints_three_points(study, capsys):
    shown = said(capsys, study, "overfitting", "--evaluations", "3")
    for word in ("best", "stopped", "last", "PGR"):
        assert word in shown
    assert len(pl.read_parquet(study.parent / "overfitting" / "curves.parquet")) == 3


def test_a_grid_pairs_every_weaker_model_with_every_stronger_one(study, toy_models, capsys):
    """They share two supervisors and two ceilings, and there are three students."""
    models = [str(toy_models[name]) for name in ("llama", "bert", "gpt2")]
    store = study.parent / "grid-store"
    shown = said(capsys, study, "grid", "--store", str(store), "--models", *models)
    assert len(list((Store(store).root / "finetune").iterdir())) == 2 + 2 + 3
    rows = pl.read_parquet(study.parent / "grid" / "grid.parquet")
    assert len(rows) == 3
    assert (rows["weak_parameters"] < rows["strong_parameters"]).all()
    assert rows["weak"].n_unique() == rows["strong"].n_unique() == 2
    assert rows.group_by("weak").agg(pl.col("floor").n_unique())["floor"].to_list() == [1, 1]
    assert rows.group_by("strong").agg(pl.col("ceiling").n_unique())["ceiling"].to_list() == [1, 1]
    assert "supervisor" in shown
    assert "ceiling" in shown


def test_a_grid_of_one_is_refused(study, toy_models, capsys):
    shown = said(capsys, study, "grid", "--models", str(toy_models["llama"]), code=2)
    assert "at least two models" in shown


def test_report_and_figures_take_what_was_written(study, toy_models, tmp_path, capsys, undrawn):
    said(capsys, study, "simulate", "--kinds", "random-flips")
    said(capsys, study, "overfitting", "--evaluations", "3")
    models = [str(toy_models[name]) for name in ("llama", "bert", "gpt2")]
    said(capsys, study, "grid", "--store", str(study.parent / "grid-store"), "--models", *models)
    said(capsys, study, "probe-sweep", "--k", "5", "--penalty", "0.1")
    figures = {
        "simulate": {"error-structure"},
        "overfitting": {"overfitting"},
        "grid": {"sizes", "agreement-by-size"},
        "probe-sweep": {"sweep"},
    }
    folders = [study.parent / name for name in figures]
    assert main(["report", *map(str, folders), "--out", str(tmp_path / "page.html")]) == 0
    text = (tmp_path / "page.html").read_text()
    for i, names in enumerate(figures.values()):
        assert all(f'id="experiment{i}-{name}"' in text for name in names)
    for folder, names in zip(folders, figures.values(), strict=True):
        assert main(["figures", str(folder), "--format", "svg"]) == 0
        assert {path.stem for path in (folder / "figures").glob("*.svg")} == names

"""`w2s overlap` on a toy run: what it prints is what it writes, and it can be had again."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from weak2strong.cli import main
from weak2strong.engine.local import Plan

QUICK = """
tasks: [atlas-landlocked]
methods: [naive, confidence]
weak: {weak}
strong: {strong}
seeds: 2
weak_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
strong_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
"""


@pytest.fixture(autouse=True, scope="module")
def in_this_process():
    """Starting processes would take longer than what they are to do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "of", staticmethod(lambda *_: Plan(workers=1, threads=1)))
        yield


@pytest.fixture(scope="module")
def run(toy_models, tmp_path_factory):
    """A finished run, beside its store."""
    at = tmp_path_factory.mktemp("overlap")
    file = at / "quick.yaml"
    file.write_text(QUICK.format(weak=toy_models["gpt2"], strong=toy_models["llama"]))
    place = ["--out", str(at / "run"), "--store", str(at / "store")]
    assert main(["run", str(file), *place, "--quiet"]) == 0
    return at / "run"


def test_density_and_expansion_stand_beside_gain_and_pgr(run, capsys):
    store = ["--store", str(run.parent / "store"), "--quiet"]
    assert main(["overlap", str(run), "--k", "4", *store]) == 0
    shown = capsys.readouterr().out
    overlap, expansion = (pl.read_parquet(run / f"{n}.parquet") for n in ("overlap", "expansion"))
    assert set(overlap["layer"]) == set(expansion["layer"]) == {2}
    assert set(expansion["k"]) == {4}
    for method in ("naive", "confidence"):
        mean = overlap.filter(pl.col("seed").is_null(), method=method)
        assert mean["share"].sum() == pytest.approx(1)
        row = mean.filter(region="overlap")
        # Density, with its interval, in the line of the method.
        density = f"{row['share'][0]:.3f} [{row['share_low'][0]:.3f}, {row['share_high'][0]:.3f}]"
        (line,) = [x for x in shown.splitlines() if method in x and density in x]
        scores = pl.read_parquet(run / "results.parquet").filter(metric="accuracy", method=method)
        gain = (scores["student"] - scores["floor"]).mean()
        assert f"{gain:+.3f}" in line
        by_class = expansion.filter(pl.col("seed").is_null(), method=method)
        assert len(by_class) == 2
        for wrong, error in by_class.select("wrong", "student_error").iter_rows():
            assert f"{wrong:.3f}" in shown
            assert f"{error:.3f}" in shown
    defined = expansion.filter(pl.col("bound").is_not_null())
    assert (defined["bound"] >= defined["student_error"] - 1e-12).all()

    # Pruned, all of it is made again, to the digit.
    empty, out = run.parent / "empty", run.parent / "again"
    again = ["--out", str(out), "--store", str(empty), "--quiet"]
    assert main(["overlap", str(run), "--k", "4", *again]) == 0
    assert capsys.readouterr().out.split("Written")[0] == shown.split("Written")[0]
    assert_frame_equal(pl.read_parquet(out / "overlap.parquet"), overlap)
    assert_frame_equal(pl.read_parquet(out / "expansion.parquet"), expansion)


def test_explain_has_what_overlap_found_also_of_a_run_that_is_named_latest(
    run, tmp_path, monkeypatch
):
    """The test before has put the tables beside the run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").symlink_to(run)
    assert main(["explain", "latest", "--out", "explained", "--quiet"]) == 0
    assert pl.read_parquet("explained/explained.parquet")["overlap"].null_count() == 0


def test_a_table_of_somebody_is_not_written_over(run, tmp_path, capsys):
    (tmp_path / "expansion.parquet").write_text("mine")
    store = ["--store", str(run.parent / "store"), "--quiet"]
    assert main(["overlap", str(run), "--out", str(tmp_path), *store]) == 2
    assert "holds expansion.parquet, which may be a file of yours" in capsys.readouterr().err
    assert (tmp_path / "expansion.parquet").read_text() == "mine"


def test_wrong_input_is_one_sentence(run, capsys):
    out = run.parent / "refused"
    store = ["--out", str(out), "--store", str(run.parent / "store"), "--quiet"]
    for flags, said in (
        ([str(run.parent / "nothing")], "holds no finished run"),
        ([str(run), "--layer", "first"], "Layer 'first' is none of the model's 2"),
        ([str(run), "--k", "100000"], "--k 100000 neighbours cannot be had among the"),
    ):
        assert main(["overlap", *flags, *store]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert said in error
    assert not out.exists()

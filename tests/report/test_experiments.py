"""Folders of experiments: what they are told by, and the numbers that pages and figures give."""

import io
import json
import re
import xml.etree.ElementTree as ET
from html import unescape
from itertools import combinations, pairwise
from shutil import copytree

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.experiments.grid import FinishedGrid
from weak2strong.experiments.overfitting import FinishedOverfitting
from weak2strong.ground.errors import UserError
from weak2strong.ground.table import pgr_text
from weak2strong.report.figures import EXPERIMENT_FIGURES
from weak2strong.report.figures.style import method_styles, styled
from weak2strong.report.folders import figures_of, read_finished, read_folder
from weak2strong.report.page import page
from weak2strong.report.pictures import export, inline_svg
from weak2strong.report.terminal import print_document

FIGURES = {
    "overfitting": ["overfitting"],
    "simulate": ["error-structure"],
    "sweep": ["sweep"],
    "grid": ["sizes", "agreement-by-size"],
}


@pytest.fixture(scope="module")
def experiments(made_experiments):
    return {folder.name: read_finished(folder) for folder in made_experiments}


@pytest.fixture(scope="module")
def frames(experiments):
    return {kind.name: frame for e in experiments.values() for kind, frame in figures_of(e)}


@pytest.fixture(scope="module")
def text(made_experiments, undrawn_pages):
    """Their page."""
    with undrawn_pages():
        return page(made_experiments)


@pytest.fixture(scope="module")
def tables(text):
    """Texts of the cells of every table, by caption."""
    found = {}
    for caption, rows in re.findall(r"<caption>(.*?)</caption>(.*?)</table>", text, re.DOTALL):
        found[unescape(caption)] = [
            [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", rows)
        ]
    return found


def test_a_folder_is_told_by_its_files(experiments, small_run):
    for name, found in experiments.items():
        (one,) = found
        assert [kind.name for kind, _ in figures_of([one])] == FIGURES[name]
    assert [type(x) for x in read_folder(small_run)] == [FinishedRun]


def test_a_folder_may_hold_a_run_and_an_experiment(made_run, made_sweep, tmp_path):
    folder = made_run(tmp_path / "both", tasks=["a-task"], examples=60)
    (folder / "sweep.parquet").write_bytes((made_sweep / "sweep.parquet").read_bytes())
    run, sweep = read_folder(folder)
    assert isinstance(run, FinishedRun)
    assert sweep.title == "Probes of atlas-s, taught by atlas-xs"


def test_the_page_has_a_section_and_the_figures_of_each(text, experiments):
    for i, (name, (one,)) in enumerate(experiments.items()):
        assert f'<h2 id="experiment{i}">{one.title}</h2>' in text
        for figure in FIGURES[name]:
            assert f'<figure id="experiment{i}-{figure}"' in text
    levels = [int(level) for level in re.findall(r"<h(\d)", text)]
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = re.findall(r'<[^>]* id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<a [^>]*href="#([^"]+)"', text)) <= set(ids)


def test_the_table_of_points_is_that_of_the_parquet_files(tables, made_overfitting):
    (rows,) = [r for c, r in tables.items() if c.startswith("atlas-xs to atlas-s: accuracy")]
    points = pl.read_parquet(made_overfitting / "points.parquet")
    curves = pl.read_parquet(made_overfitting / "curves.parquet")
    assert len(rows) == 1 + 2 * 2 * 3
    for task, method, point, training, floor, student, ceiling, _, wrong in rows[1:]:
        at = curves.filter(pl.col(point), task=task, method=method)
        assert training == f"{at['fraction'].mean():.0%}"
        assert wrong == f"{at['agreement_wrong'].mean():.3f}"
        of = points.filter(task=task)
        roles = (of.filter(role="floor"), of.filter(method=method, point=point))
        for shown, answers in zip((floor, student), roles, strict=True):
            right = answers["probabilities"].list.arg_max() == answers["label"]
            assert shown == f"{right.mean():.3f}"
        assert float(ceiling) > float(floor)


def test_the_tables_of_supervisors_are_those_of_the_parquet_file(tables, made_simulated):
    for row in pl.read_parquet(made_simulated / "simulated.parquet").iter_rows(named=True):
        (table,) = [
            r
            for c, r in tables.items()
            if c.startswith(f"{row['task']}: ") and r[0][0] == "supervisor"
        ]
        (shown,) = [r for r in table if r[:2] == [row["supervisor"], row["method"]]]
        scores = [f"{row[k]:.3f}" for k in ("floor", "student")]
        agree = [f"{row[f'agreement_{k}']:.3f}" for k in ("all", "right", "wrong")]
        low, high = (f"{row[f'agreement_wrong_{end}']:.3f}" for end in ("low", "high"))
        agree[2] += f" [{low}, {high}]"
        assert shown[2:] == [*scores, pgr_text(row), *agree]


def test_the_grids_of_a_sweep_are_means_of_the_parquet_file(tables, made_sweep):
    scores = pl.read_parquet(made_sweep / "sweep.parquet")
    rows = tables["a-task, knn: agreement with the weak labels of validation"]
    assert rows[0] == ["layer \\ k", "5", "50"]
    for layer, *shown in rows[1:]:
        for setting, value in zip((5.0, 50.0), shown, strict=True):
            at = scores.filter(
                probe="knn", layer=int(layer), setting=setting, split="validation", against="weak"
            )
            assert value.rstrip("*+ ") == f"{at['score'].mean():.3f}"


def test_the_triangles_are_those_of_the_parquet_file_and_of_the_terminal(tables, made_grid):
    grid = pl.read_parquet(made_grid / "grid.parquet")
    stream = io.StringIO()
    print_document(FinishedGrid(made_grid).document, Console(file=stream, width=140))
    for row in grid.iter_rows(named=True):
        caption = f"{row['task']}, {row['method']}: accuracy of the student and PGR [95%]"
        (table,) = [r for c, r in tables.items() if c.startswith(caption)]
        cell = f"{row['student']:.3f}  {pgr_text(row)}"
        (shown,) = [r for r in table if r[0] == row["weak"]]
        assert shown[table[0].index(f"to {row['strong']}")] == cell
        # Of a real grid, a supervisor's floor is the same beside every student.
        same = grid.filter(task=row["task"], method=row["method"], weak=row["weak"])
        assert shown[1] == f"{same['floor'][0]:.3f}"
        assert cell in stream.getvalue()


def test_a_grid_is_compared_and_its_few_runs_have_sections(tables, text):
    rows = tables["PGR of every run and method"]
    pairs = [f"{a} to {b}" for a, b in combinations(("atlas-xs", "atlas-s", "atlas-m"), 2)]
    assert sorted({r[0] for r in rows[1:]}) == sorted(pairs)
    assert 'id="run2"' in text
    # The figures of the only grid stand in its own section.
    assert 'id="compared-sizes"' not in text
    assert 'id="experiment3-sizes"' in text


def test_many_runs_of_a_grid_have_no_sections(made_grid, monkeypatch):
    monkeypatch.setattr("weak2strong.report.page.FEW_RUNS", 2)
    text = page([made_grid])
    assert 'id="run0"' not in text
    assert "PGR of every run and method" in text
    assert 'id="cells"' in text


def test_a_grid_beside_a_run_is_compared_in_figures(made_grid, made_run, tmp_path, compared_drawn):
    run = made_run(tmp_path / "run", strong="atlas-l", seeds=2, examples=120)
    text = page([made_grid, run])
    for name in ("sizes", "agreement-by-size"):
        figure = re.search(rf'id="compared-{name}".*?</figure>', text, re.DOTALL)[0]
        assert ">902k<" in figure
    assert "<title>1 run and 1 experiment: " in text


def test_a_run_named_beside_its_grid_is_there_once(made_grid, monkeypatch):
    monkeypatch.setattr("weak2strong.report.page.FEW_RUNS", 2)
    text = page([made_grid, made_grid / "atlas-s-to-atlas-m"])
    assert 'id="run0"' in text
    assert 'id="run1"' not in text
    assert 'id="compared-sizes"' not in text
    assert len(json.loads(re.search(r'id="data">(.*?)</script>', text)[1])["runs"]) == 3


def test_warnings_tell_of_undefined_pgr_and_few_seeds(experiments):
    (overfitting,) = experiments["overfitting"]
    assert overfitting.document.warnings[-1].startswith("2 seeds: intervals may be too narrow")
    (grid,) = experiments["grid"]
    said = [w for w in grid.document.warnings if w.startswith("2 seeds")]
    assert len(said) == 1, "what all runs say is said once"


def test_supervisors_without_a_gap_are_named_and_drawn(made_simulated, tmp_path):
    folder = copytree(made_simulated, tmp_path / "simulate")
    rows = pl.read_parquet(folder / "simulated.parquet")
    flat = pl.col("task") == "a-task", pl.col("supervisor") != "longest"
    none = [pl.when(*flat).then(None).otherwise(c).alias(c) for c in ("pgr", "pgr_low", "pgr_high")]
    rows.with_columns(none).write_parquet(folder / "simulated.parquet")
    (found,) = read_finished(folder)
    assert found.document.warnings[0] == (
        "a-task: PGR is undefined for students of real, random-flips: the ceiling is not clearly "
        "above the floor."
    )
    kind, frame = next(figures_of([found]))
    with styled():
        svg = inline_svg(kind.draw(frame, method_styles(["naive", "confidence"])), "x")
    assert svg.count(">undefined<") == 4


def test_provenance_is_that_of_the_folder_or_of_the_runs_in_it(tables, nasty, text):
    provenance = tables["The experiment"]
    assert ["commit", "abc"] in provenance
    assert nasty not in text


def test_curves_are_drawn_as_they_are_in_the_file(frames, made_overfitting):
    finished = FinishedOverfitting(made_overfitting)
    config, curves = finished.config, finished.curves
    frame = frames["overfitting"]
    assert frame["test_score"].to_list() == curves["test_score"].to_list()
    for row in finished.rows:
        ends = frame.filter(task=row["task"])
        assert ends["floor"].unique().to_list() == [row["floor"]]
        assert ends["ceiling"].unique().to_list() == [row["ceiling"]]
    kind = next(k for k, _ in figures_of(read_finished(made_overfitting)))
    for method in config.methods:
        at = {p: curves.filter(pl.col(p), method=method)["test_score"] for p in ("best", "last")}
        assert f"{at['best'].mean() - at['last'].mean():.3f}" in kind.describe(frame).title


def test_bars_of_supervisors_are_the_rows_of_the_file(frames, made_simulated):
    rows = pl.read_parquet(made_simulated / "simulated.parquet")
    frame = frames["error-structure"]
    assert frame.equals(rows.select(frame.columns))
    kind = next(k for k, _ in figures_of(read_finished(made_simulated)))
    known = rows.filter(pl.col("supervisor") != "real").drop_nulls("pgr")["pgr"]
    for end in (known.min(), known.max()):
        assert f"{end:.2f}" in kind.describe(frame).title


def test_the_chosen_place_of_a_sweep_has_the_best_agreement(frames, made_sweep):
    scores = pl.read_parquet(made_sweep / "sweep.parquet")
    weak = scores.filter(learned="weak")
    by = ["probe", "layer", "setting"]
    means = weak.group_by(*by, "split").agg(pl.col("score").mean())
    agreement = means.filter(split="validation").sort("score", descending=True)
    for probe in ("knn", "logistic"):
        best = agreement.filter(probe=probe).row(0, named=True)
        chosen = frames["sweep"].filter(pl.col("chosen"), probe=probe).row(0, named=True)
        assert [chosen[k] for k in by] == [best[k] for k in by]
        assert chosen["agreement"] == pytest.approx(best["score"])
        test = means.filter(split="test", **{k: best[k] for k in by})["score"].item()
        assert chosen["score"] == pytest.approx(test)
    assert frames["sweep"]["floor"].unique().item() == pytest.approx(
        scores.filter(role="floor")["score"].mean()
    )


def test_sizes_of_a_grid_are_means_over_the_tasks_of_its_rows(frames, made_grid):
    grid = pl.read_parquet(made_grid / "grid.parquet")
    for row in frames["sizes"].iter_rows(named=True):
        of = grid.filter(weak=row["weak"], strong=row["strong"], method=row["method"])
        for role in ("floor", "student", "ceiling"):
            assert row[role] == pytest.approx(of[role].mean())
        gain, gap = row["student"] - row["floor"], row["ceiling"] - row["floor"]
        expected = None if of["pgr"].has_nulls() else pytest.approx(gain / gap)
        assert row["pgr"] == expected
        assert row["parameters"] == of["strong_parameters"][0]


def test_sizes_of_one_task_have_its_intervals(made_grid, tmp_path):
    grid = pl.read_parquet(made_grid / "grid.parquet").filter(task="a-task")
    grid.write_parquet(tmp_path / "grid.parquet")
    frame = EXPERIMENT_FIGURES.get("sizes").data(FinishedGrid(tmp_path))
    frame = frame.sort("weak", "strong", "method")
    same = grid.sort("weak", "strong", "method")
    for name in ("pgr", "pgr_low", "pgr_high"):
        assert frame[name].to_list() == pytest.approx(same[name].to_list())


def test_agreement_by_size_is_counted_by_hand(frames, made_grid):
    frame = frames["agreement-by-size"]
    run = FinishedRun(made_grid / "atlas-s-to-atlas-m")
    shares = {"all": [], "supervisor is right": [], "supervisor is wrong": []}
    for task in run.by_task:
        of = {k: [] for k in shares}
        for seed in range(2):
            rows = run.predictions.filter(task=task, seed=seed).sort("id")
            said = {
                role: np.array(rows.filter(role=role, method=m)["probabilities"].to_list()).argmax(
                    1
                )
                for role, m in (("floor", ""), ("student", "naive"))
            }
            same = said["floor"] == said["student"]
            right = said["floor"] == rows.filter(role="floor")["label"].to_numpy()
            of["all"].append(same.mean())
            of["supervisor is right"].append(same[right].mean())
            of["supervisor is wrong"].append(same[~right].mean())
        for k in shares:
            shares[k].append(np.mean(of[k]))
    here = frame.filter(weak="atlas-s", strong="atlas-m", method="naive")
    found = dict(here.select("where", "agreement").iter_rows())
    assert found == {k: pytest.approx(np.mean(v)) for k, v in shares.items()}


def test_every_figure_says_what_it_shows_and_can_be_drawn(experiments):
    styles = method_styles(["naive", "confidence"])
    for found in experiments.values():
        for kind, frame in figures_of(found):
            with styled():
                svg = inline_svg(kind.draw(frame, styles), "x")
            words = [
                t for e in ET.fromstring(svg).iter() if e.tag.endswith("text") for t in e.itertext()
            ]
            assert words
            assert re.search(r"\d", kind.describe(frame).title), kind.name
            assert re.search(r"\d\.\d", kind.describe(frame).alt), kind.name
            assert kind.describe(frame).note.endswith(".")


def test_figures_of_experiments_are_files_with_their_data(experiments, tmp_path):
    for name, found in experiments.items():
        out = tmp_path / name
        written = export(figures_of(found), method_styles(["naive", "confidence"]), out, ["svg"])
        names = {p.name for p in written}
        for figure in FIGURES[name]:
            assert {f"{figure}.svg", f"{figure}.csv"} <= names
            assert f"{figure}: " in (out / "captions.txt").read_text()
    rows = pl.read_csv(tmp_path / "simulate" / "error-structure.csv")
    assert rows["pgr"].to_list() == experiments["simulate"][0].table()["pgr"].to_list()


def test_report_and_figures_take_the_folders(made_sweep, tmp_path, capsys):
    assert main(["report", str(made_sweep), "--out", str(tmp_path / "page.html")]) == 0
    assert "Probes of atlas-s" in (tmp_path / "page.html").read_text()
    assert main(["figures", str(made_sweep), "--out", str(tmp_path), "--format", "svg"]) == 0
    assert str(tmp_path / "sweep.csv") in capsys.readouterr().out


@pytest.mark.parametrize("command", ["report", "figures"])
def test_any_other_folder_is_refused_in_a_sentence(tmp_path, capsys, command):
    for folder in (tmp_path, tmp_path / "none"):
        assert main([command, str(folder)]) == 2
        told = capsys.readouterr().err
        assert "holds no run: name a folder that `w2s run` wrote" in " ".join(told.split())


def test_a_table_without_its_runs_is_told(made_grid, made_simulated, tmp_path):
    for folder, file in ((made_grid, "grid.parquet"), (made_simulated, "simulated.parquet")):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
        with pytest.raises(UserError, match=r"lacks the run .*results.parquet.*: copy the folder"):
            page([tmp_path])
        (tmp_path / file).unlink()

"""Published numbers beside those of a run, against SciPy and plain counts."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata, ttest_1samp

from weak2strong.analysis.finished import Results
from weak2strong.analysis.literature import literature_table
from weak2strong.cli import main
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.protocol.literature import REPORTED
from weak2strong.protocol.resolve import checked
from weak2strong.report.page import write_page

TASKS = tuple(f"{letter}-task" for letter in "abcdef")


def signed_ranks(differences):
    """The share of all ways to put signs with ranks at least as high as the given ones."""
    some = np.round(differences, 9)
    some = some[some != 0]
    ranks = rankdata(np.abs(some))
    sums = [ranks @ signs for signs in product((0, 1), repeat=len(some))]
    return np.mean(np.array(sums) >= ranks[some > 0].sum() - 1e-9)


def named(run, literature):
    """The same run, whose study names published results."""
    config = Results(run).config
    (run / "study.yaml").write_text(replace(config, literature=literature).to_yaml())
    (run / "run.json").unlink(missing_ok=True)
    return Results(run)


@pytest.fixture(scope="module")
def run(made_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("literature")
    return made_run(folder / "run", TASKS, ("naive", "confidence"), 2, 120)


def test_tests_and_counts_are_those_of_the_students_scores(run):
    found = named(run, "eleuther-2024")
    rows = {row["quantity"]: row for row in literature_table(found).rows}
    cells = found.cells.filter(metric="accuracy", task=pl.col("task"))
    means = {
        (task, method): part["student"].mean()
        for (task, method), part in cells.group_by("task", "method")
    }
    differences = np.array([means[t, "confidence"] - means[t, "naive"] for t in TASKS])
    assert rows["wins"]["ours"] == f"{(differences > 1e-12).sum()} of {len(TASKS)}"
    t = ttest_1samp(differences, 0, alternative="greater").pvalue
    assert rows["t-one-sided"]["value"] == pytest.approx(t)
    assert rows["wilcoxon-one-sided"]["value"] == pytest.approx(signed_ranks(differences))
    floors = {task: part["floor"].mean() for (task,), part in cells.group_by("task")}
    above = sum(means[t, "naive"] > floors[t] for t in TASKS)
    assert rows["positive"]["ours"] == f"{above} of {len(TASKS)}"
    assert [row["reported"] for row in rows.values()] == ["21 of 21", "16 of 21", ".135", ".079"]


def test_a_median_has_its_interval_and_the_table_stands_in_print_json_and_page(run, capsys):
    found = named(run, "burns-2023")
    naive, confidence = literature_table(found).rows
    over = found.over.methods["naive"]
    assert naive["value"] == over.median
    assert (naive["value_low"], naive["value_high"]) == (
        over.median_interval.low,
        over.median_interval.high,
    )
    assert confidence["reported"] == "nearly 80%"
    assert main(["table", str(run)]) == 0
    shown = capsys.readouterr().out
    assert f"nearly 80%  {confidence['ours']}" in shown
    assert "no result of this run" in " ".join(shown.split())
    assert main(["table", str(run), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["literature"]) == 2
    assert "nearly 80%" in write_page([run], run / "report.html").read_text()


def test_what_a_run_lacks_is_a_dash(made_run, tmp_path):
    alone = made_run(tmp_path / "alone", TASKS[:1], ("naive",), 2, 120)
    rows = literature_table(named(alone, "eleuther-2024")).rows
    assert [row["ours"] for row in rows][1:] == ["–"] * 3
    rows = literature_table(named(alone, "burns-2023")).rows
    assert [row["ours"] for row in rows] == ["undefined", "–"]
    assert literature_table(Results(made_run(tmp_path / "none", TASKS[:1]))) is None


def test_a_pgr_is_that_of_the_one_task(made_run, tmp_path, run):
    alone = named(made_run(tmp_path / "one", TASKS[:1], ("naive",), 3, 300), "burns-2023-chess")
    (line,) = alone.lines()
    rows = literature_table(alone).rows
    assert [row["reported"] for row in rows] == ["near 0", "above 40%"]
    for row in rows:
        assert row["value"] == line.recovered.value
        assert (row["value_low"], row["value_high"]) == (
            line.recovered.interval.low,
            line.recovered.interval.high,
        )
        assert row["ours"].startswith(f"{line.recovered.value:.2f} [")
    (row,) = literature_table(named(run, "burns-2023-reward-modelling")).rows
    assert (row["ours"], row["value"]) == ("–", None), "of several tasks there is no one PGR"


def test_unknown_literature_is_refused_and_every_number_has_a_source():
    with pytest.raises(UserError, match="Unknown study of the literature 'burns': did you mean"):
        checked(StudyConfig(literature="burns"))
    for numbers in REPORTED.values():
        assert all(n.source and n.setting and n.value and n.what for n in numbers)

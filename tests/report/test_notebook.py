"""What Python and notebooks show of studies, results and tables."""

import io
import re
import sys
from html import unescape
from importlib.util import find_spec
from typing import get_args

import pytest
from matplotlib.figure import Figure

import weak2strong as w2s
from weak2strong.analysis import finished
from weak2strong.analysis.figure_names import FigureName
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.printed import run_document
from weak2strong.ground.errors import UserError
from weak2strong.ground.table import Table, number, words
from weak2strong.report.figures import EXPERIMENT_FIGURES, FIGURES
from weak2strong.report.folders import figures_of

NASTY = '<script>alert("x")</script>&'


@pytest.fixture(scope="module")
def run(small_run):
    return FinishedRun(small_run)


def cells(html):
    """The texts of the cells of all tables, as a browser shows them."""
    return [unescape(x) for x in re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", html, flags=re.DOTALL)]


def test_a_table_has_the_columns_and_texts_of_the_terminal_and_is_escaped():
    table = Table("t", NASTY, [words("name"), number("score")], [{"name": NASTY, "score": 0.5}])
    html = table._repr_html_()
    assert "<script" not in html
    assert cells(html) == ["name", "score", NASTY, "0.500"]
    assert re.search(r'<td class="number">0\.500</td>', html)


def test_results_show_what_the_command_line_prints(run):
    document = run_document(run)
    html = run._repr_html_()
    expected = []
    for table in document.tables:
        expected += [c.title for c in table.columns] + [x for row in table.texts for x in row]
    assert cells(html) == expected
    for text in document.warnings:
        assert text in unescape(html)


def test_a_study_shows_what_is_not_usual_and_is_escaped():
    html = w2s.Study(tasks="atlas-southern", weak="atlas-xs", labels="hard")._repr_html_()
    shown = cells(html)
    told = dict(zip(shown[2::2], shown[3::2], strict=True))
    assert told["tasks"] == "atlas-southern"
    assert (told["weak"], told["labels"], told["seeds"]) == ("atlas-xs", "hard", "5")
    assert "rates" not in told
    assert "<script" not in w2s.Study(tasks=NASTY)._repr_html_()
    grid = w2s.Grid(models=["atlas-xs", "atlas-s"])._repr_html_()
    assert "atlas-xs, atlas-s" in grid


def test_figures_are_had_by_name_and_can_be_styled(run):
    figure = run.figure("pgr")
    assert isinstance(figure, Figure)
    figure.axes[0].set_title("mine")
    assert "mine" in {axes.get_title() for axes in figure.axes}
    assert "mine" not in {axes.get_title() for axes in run.figure("pgr").axes}
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=30)
    assert file.getvalue().startswith(b"\x89PNG")


def test_every_figure_that_the_command_writes_can_be_had(run):
    names = [kind.name for kind, _ in figures_of([run])]
    assert len(names) >= 5
    for name in names:
        assert run.figure(name).axes


def test_an_unknown_figure_is_told_with_the_names(run):
    with pytest.raises(UserError) as told:
        run.figure("pgrr")
    assert "did you mean pgr?" in str(told.value) or "the nearest are pgr" in str(told.value)
    for name in FIGURES:
        assert name in str(told.value)


def test_a_figure_without_data_is_told_with_those_that_there_are(run):
    with pytest.raises(UserError, match="lacks the data for the figure 'consistency': it has scor"):
        run.figure("consistency")


def test_editors_know_all_figures():
    assert set(get_args(FigureName)) == {*FIGURES, *EXPERIMENT_FIGURES}


def test_pandas_is_told_where_it_is_not_installed(run, monkeypatch):
    monkeypatch.setattr(finished, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'weak2strong\[pandas\]'"):
        run.to_pandas()


@pytest.mark.skipif(find_spec("pandas") is None, reason="pandas is an extra")
def test_the_table_is_a_frame_of_pandas(run):
    frame, table = run.to_pandas(), run.table()
    assert "pandas" in sys.modules
    assert list(frame.columns) == table.columns
    assert frame["floor"].tolist() == table["floor"].to_list()
    assert list(run.to_pandas(metric="roc_auc")["metric"].unique()) == ["roc_auc"]


def test_types_are_told_to_those_who_use_the_package():
    from pathlib import Path

    assert (Path(w2s.__file__).parent / "py.typed").exists()

"""An analysis is one file: terminal, Markdown, page, JSON and the file of its rows follow."""

import json
import sys

import polars as pl
import pytest

from weak2strong.analysis import analyses
from weak2strong.cli import main
from weak2strong.report.page import page

PLANTED = '''
"""How sure students are."""

from weak2strong.analysis.analyses import analysis
from weak2strong.ground.table import number, words


@analysis(
    "sureness",
    "a row a student",
    title="Sureness on test, beside {metric}",
    columns=[number("sureness"), words("word")],
    notes=lambda rows: [f"Of {len(rows)} students."],
    lacks=lambda run: ["Sureness: nothing."],
)
def sureness(run):
    return run.of_students(
        lambda tested, method: [
            {"sureness": float(tested.students[method].max(axis=2).mean()), "word": "<b>|"}
        ]
    )
'''


@pytest.fixture(params=["in the package", "as a plugin"])
def planted(request, tmp_path, monkeypatch):
    """The flags that an analysis takes: none for a file in the package."""
    file = tmp_path / "sureness.py"
    file.write_text(PLANTED)
    name = f"{analyses.__name__}.sureness"
    # All of ours are imported first: what is imported beside the planted one would go with it.
    assert analyses.every_analysis()
    before = dict(analyses.ANALYSES._added)
    if request.param == "in the package":
        monkeypatch.setattr(analyses, "__path__", [*analyses.__path__, str(tmp_path)])
    yield () if request.param == "in the package" else ("--plugin", str(file))
    analyses.ANALYSES._added = before
    sys.modules.pop(name, None)


def test_an_analysis_in_one_file_is_seen_everywhere(planted, made_run, tmp_path, capsys):
    run = made_run(tmp_path / "run", tasks=["a-task"], methods=["naive"], examples=40)
    markdown = tmp_path / "page.md"
    assert main(["analyse", str(run), *planted, "--markdown", str(markdown)]) == 0
    shown, told = capsys.readouterr()
    assert "\nSureness on test, beside accuracy\ntask    method  sureness  word\n" in shown
    value = next(x for x in shown.splitlines() if x.endswith("<b>|")).split()[2]
    assert "Of 1 students." in shown
    assert "left out: Sureness: nothing." in shown
    assert "  sureness.parquet  a row a student" in told
    row = pl.read_parquet(run / "analysis" / "sureness.parquet").row(0, named=True)
    assert f"{row['sureness']:.3f}" == value
    text = markdown.read_text()
    assert "## Sureness on test, beside accuracy\n\n| task | method | sureness | word |" in text
    assert f"| a-task | naive | {value} | \\<b\\>\\| |" in text
    assert main(["analyse", str(run), *planted, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sureness"][0]["sureness"] == row["sureness"]
    html = page([run])
    assert "<caption>Sureness on test, beside accuracy</caption>" in html
    assert f'<td class="number">{value}</td><td>&lt;b&gt;|</td>' in html


def test_analyses_as_json_have_raw_values(made_run, tmp_path, capsys):
    run = made_run(tmp_path / "run", tasks=["a-task"], methods=["naive"], examples=40)
    assert main(["analyse", str(run), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    (agreement,) = found["agreement"]
    tidy = pl.read_parquet(run / "analysis" / "agreement.parquet").filter(weak_label="wrong")
    assert agreement["agreement_wrong_low"] == tidy["agreement_low"][0]
    assert agreement["oracle"] is False
    assert len(found["calibration"]) == 3
    assert any(note.startswith("All intervals") for note in found["notes"])
    assert "agreement.parquet" in err

"""Commands and Python find a run by what one calls it; printing a run tells its result."""

import shutil

import pytest

import weak2strong as w2s
from weak2strong.analysis.finished import RESULT, FinishedRun
from weak2strong.cli import main
from weak2strong.cli.commands import every_command
from weak2strong.cli.parsed import parsed
from weak2strong.cli.paths import with_paths


@pytest.fixture
def runs(small_run, tmp_path, monkeypatch):
    """A folder to work in, with two runs."""
    for name in ("20260101-first", "20260102-second"):
        shutil.copytree(small_run, tmp_path / "runs" / name)
    (tmp_path / "runs" / "latest").symlink_to("20260102-second")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "command", ["table {}", "report {}", "compare {}", "power {}", "analyse {}", "figures {}"]
)
def test_commands_take_a_run_by_the_beginning_of_its_name(runs, command, capsys):
    line = command.format("20260101").split()
    found = with_paths(parsed(line))
    (named,) = [getattr(found, name) for name in found.runs]
    assert str(named if not isinstance(named, tuple) else named[0]) == "runs/20260101-first"
    assert main(command.format("2026").split()) == 2
    assert "2026 is the beginning of 2 folders in runs" in capsys.readouterr().err


def test_every_command_on_runs_says_which_fields_name_them():
    """A field with the default runs/latest, or with runs in its place in the usage, is one."""
    for name, kind in every_command([]).items():
        for field, default in getattr(kind, "__dataclass_fields__", {}).items():
            if "runs/latest" in str(default.default):
                assert field in kind.runs, name


def test_the_page_of_the_latest_run_lies_in_its_folder(runs, tmp_path):
    assert main(["report", "latest"]) == 0
    assert (tmp_path / "runs" / "20260102-second" / "report.html").is_file()
    assert main(["analyse", "20260101"]) == 0
    assert (tmp_path / "runs" / "20260101-first" / "analysis").is_dir()


def test_python_takes_text_path_and_latest(runs):
    loaded = w2s.load("latest")
    assert isinstance(loaded, FinishedRun)
    assert loaded.table().equals(w2s.Results("20260101").table())
    assert w2s.load("runs/20260101-first").folder.name == "20260101-first"
    with pytest.raises(w2s.UserError, match="beginning of 2 folders"):
        w2s.load("2026")
    with pytest.raises(w2s.UserError, match="holds no run"):
        w2s.load("nothing")


def test_a_printed_run_is_its_result(small_run):
    run = w2s.Results(str(small_run))
    table = run.table()
    assert tuple(table.columns[: len(RESULT)]) == RESULT
    shown = str(run)
    assert shown.startswith("atlas-xs to atlas-s: accuracy, mean of 3 seeds (")
    for name in RESULT:
        assert f" {name} " in shown
    for row in table.iter_rows(named=True):
        assert f"{row['student']:.3f}" in shown
    assert "…" not in shown


def test_a_study_says_what_it_is():
    study = w2s.Study(tasks="boolq", weak="atlas-xs", methods=["naive", "kl"], seeds=2)
    assert repr(study) == (
        "Study(tasks=['boolq'], weak='atlas-xs', strong='atlas-l', methods=['naive', 'kl'], "
        "seeds=2)"
    )
    assert repr(w2s.Study(entities="unseen")).endswith("other than usual: entities)")

"""What several tests read, printed once."""

import io
from contextlib import redirect_stdout

import pytest

from weak2strong.cli import main
from weak2strong.engine.local import Plan


@pytest.fixture
def one_process(monkeypatch):
    """Studies run in this process, which has the libraries loaded."""
    monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=1, threads=1))


@pytest.fixture(scope="session")
def tasks_listed():
    """What `w2s tasks` prints on a wide terminal: it splits every task, which takes seconds."""
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(shown):
        patch.setenv("COLUMNS", "200")
        assert main(["tasks"]) == 0
    return shown.getvalue()

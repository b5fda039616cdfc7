"""Threads that wait for each other give up a processor soon, unless the user says otherwise."""

import os
import subprocess
import sys

import pytest

NAMES = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY")

SCRIPT = f"import os, weak2strong; print([os.environ.get(n) for n in {NAMES}])"


def said(script, **environment):
    """What a new process prints, on both streams."""
    own = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", script], env=own | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["2000", "1", None]),
        ({"OMP_WAIT_POLICY": "active"}, [None, None, "active"]),
        ({"GOMP_SPINCOUNT": "7"}, ["7", None, None]),
        ({"KMP_BLOCKTIME": "9"}, [None, "9", None]),
    ],
)
def test_what_the_user_set_counts(given, found):
    assert said(SCRIPT, **given).strip() == str(found)


GNU = """
import ctypes, importlib.util, pathlib, weak2strong
libraries = pathlib.Path(importlib.util.find_spec("torch").origin).parent / "lib"
for library in libraries.glob("libgomp*"):
    ctypes.CDLL(library)
"""


def test_the_openmp_of_pytorch_reads_it():
    """GNU's prints what it has read; where PyTorch comes with another one, nothing is shown."""
    printed = said(GNU, OMP_DISPLAY_ENV="verbose")
    if "OPENMP DISPLAY ENVIRONMENT" not in printed:
        pytest.skip("PyTorch does not bring GNU's OpenMP here")
    assert "GOMP_SPINCOUNT = '2000'" in printed

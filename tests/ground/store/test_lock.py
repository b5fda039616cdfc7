"""A lock saves the double work of two processes; results do not rest on it."""

import subprocess
import sys

from weak2strong.ground.store import digest

KEY = digest("one")


COMPUTING = """
import sys, time
from pathlib import Path
from weak2strong.ground.store import Store

store, key, log = Store(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with store.lock("fit", key):
    if store.get("fit", key) is None:
        with log.open("a") as file:
            file.write("computed ")
        time.sleep(0.7)
        store.put("fit", key, {}, lambda folder: (folder / "a").write_text("a"), 0.7)
"""


def test_two_processes_compute_an_entry_once(store, tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", COMPUTING, str(store.root), KEY, str(log)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        for process in (one, other):
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            process.stdin.write("go\n")
            process.stdin.flush()
        assert (one.wait(30), other.wait(30)) == (0, 0)
    assert log.read_text() == "computed "
    assert store.get("fit", KEY) is not None


def test_where_no_lock_is_possible_the_work_goes_on(store):
    (store.root / "locks").write_text("not a folder")
    with store.lock("fit", KEY):
        store.put("fit", KEY, {}, lambda folder: (folder / "a").write_text("a"), 0.7)
    assert store.get("fit", KEY) is not None

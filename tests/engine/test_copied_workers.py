"""Workers that begin as copies of a process with the libraries: what they have, and who ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere workers begin empty"
)

JOBS = """
import os, sys

def look(on_step):
    loaded = sorted({"colorsys", "torch"} & set(sys.modules))
    names = ("OF_WORKER", "CHANGED", "REMOVED")
    return os.getpid(), os.getppid(), loaded, [os.environ.get(name) for name in names]
"""

SCRIPT = """
import json, os, signal
import jobs
from weak2strong.engine.workers import Answered, Workers
from weak2strong.ground import processes

processes.LIBRARIES = ("colorsys",)
os.environ["REMOVED"] = os.environ["CHANGED"] = "before"
found = []
with Workers(lambda name: {"OF_WORKER": name}, loaded=True) as workers:

    def ask(name):
        workers.give(name, (jobs.look, ()))
        ((_, message),) = workers.heard()
        assert isinstance(message, Answered), message
        found.append(message.result)

    ask("first")
    del os.environ["REMOVED"]
    os.environ["CHANGED"] = "after"
    # As a cluster sends it, to all processes of a job.
    os.kill(found[0][1], signal.SIGTERM)
    ask("second")
    os.kill(found[0][0], signal.SIGKILL)
    # A copy of the same process takes its place.
    while workers._processes["first"][0].is_alive():
        pass
    codes = [workers._processes["first"][0].exitcode]
    ask("first")
    workers.ask_to_stop()
    for process, _ in workers._processes.values():
        process.join()
        codes.append(process.exitcode)
print(json.dumps([found, codes]))
"""


def test_copies_have_the_libraries_and_the_environment_of_now_and_outlive_a_signal_to_all(tmp_path):
    (tmp_path / "jobs.py").write_text(JOBS)
    Path(tmp_path, "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found, codes = json.loads(done.stdout)
    copied = found[0][1]
    assert [[parent, loaded] for _, parent, loaded, _ in found] == [[copied, ["colorsys"]]] * 3
    assert [environment for *_, environment in found] == [
        ["first", "before", "before"],
        ["second", "after", None],
        ["first", "after", None],
    ]
    assert len({pid for pid, *_ in found}) == 3
    assert codes == [-9, 0, 0]

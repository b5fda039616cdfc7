"""`w2s run` on worker processes: Ctrl-C, SIGTERM and a killed worker during long trainings."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open

from weak2strong.config.training import Training

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc"),
]

W2S = "import sys; from weak2strong.cli import main; sys.exit(main())"


class Command:
    """A running `w2s run` in a group of processes of its own, as a terminal or srun has it."""

    def __init__(self, at: Path):
        words = ["run", "study.yaml", "--out", "run", "--store", "store"]
        self.at, self.errors = at, at / "errors.txt"
        self.process = subprocess.Popen(
            [sys.executable, "-c", W2S, *words],
            cwd=at,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=self.errors.open("w"),
        )

    def wait_for(self, what, seconds=120.0):
        """Wait until something is there; the seconds that it took."""
        begun = time.monotonic()
        while not (found := what()):
            assert self.process.poll() is None, self.said
            assert time.monotonic() - begun < seconds, self.said
            time.sleep(0.02)
        return found, time.monotonic() - begun

    @property
    def said(self):
        """All that it has said so far."""
        return self.errors.read_text()

    def says(self, text):
        """Wait until it says something; the seconds that this took."""
        return self.wait_for(lambda: re.search(text, self.said))

    def wait_for_trainings(self):
        """Wait until two workers are there, and one of them begins or goes on to train."""
        self.wait_for(lambda: len(self.workers()) == 2)
        self.wait_for(lambda: list(self.at.glob("store/working/finetune-*")))

    def ask(self, number):
        """Send a signal to the whole group."""
        os.killpg(self.process.pid, number)

    def workers(self):
        """Process ids of its workers: its children but the one that tidies up after them."""
        children = set()
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            children |= {int(pid) for pid in task.read_text().split()}
        lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        return [pid for pid, line in lines.items() if b"spawn_main" in line]


def steps_of(at):
    """The steps that checkpoints of trainings hold, by the name of their folders."""
    found = {}
    for file in at.glob("store/working/*/checkpoint.safetensors"):
        with safe_open(file, "np") as saved:
            found[file.parent.name] = json.loads(saved.metadata()["notes"])["step"]
    return found


@pytest.mark.parametrize(
    ("number", "code", "by"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 75, "SIGTERM")]
)
def test_a_command_that_is_stopped_goes_on_from_its_checkpoints(
    quick_study, tmp_path, number, code, by
):
    long = Training(steps=20000, evaluations=1, learning_rate=1e-3, stopping="none")
    study = replace(quick_study, seeds=2, weak_training=long, strong_training=long)
    (tmp_path / "study.yaml").write_text(study.to_yaml())
    before = {}
    for seconds in (8, 0):
        command = Command(tmp_path)
        command.wait_for_trainings()
        # What trains says so every 15 seconds at the most, so that this is a guess.
        time.sleep(3 + seconds)
        command.ask(number)
        _, answered = command.says(f"{by}: stopping when each training that goes on")
        asked = time.monotonic()
        assert command.process.wait(timeout=30) == code
        print(f"{by}: the line after {answered:.2f} s, the end {time.monotonic() - asked:.2f} s on")
        assert answered < 2
        assert f"stopped by {by}; finished stages and checkpoints are kept" in command.said
        steps = steps_of(tmp_path)
        print(steps)
        assert steps
        assert all(steps[name] > before[name] for name in before)
        before = steps


def test_a_killed_worker_costs_its_step_a_second_try_and_nothing_else(quick_study, tmp_path):
    short = Training(steps=300, evaluations=1, learning_rate=1e-3, stopping="none")
    study = replace(quick_study, seeds=2, weak_training=short, strong_training=short)
    (tmp_path / "study.yaml").write_text(study.to_yaml())
    command = Command(tmp_path)
    command.wait_for_trainings()
    os.kill(command.workers()[0], signal.SIGKILL)
    command.says("its process was ended by SIGKILL; it is tried once more, with nothing beside it")
    assert command.process.wait(timeout=300) == 0, command.said
    assert (tmp_path / "run" / "results.parquet").exists()

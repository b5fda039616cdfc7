"""`w2s run` on worker processes: Ctrl-C, SIGTERM and a killed worker during long trainings."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from weak2strong.config.training import Training

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc"),
]

W2S = """
import sys
from weak2strong.cli import main
from weak2strong.ground.progress import Progress
# Trainings say every half second, instead of every 15, how far they are.
Progress.__init__.__defaults__ = (None, 0.5, False)
sys.exit(main())
"""


class Command:
    """A running `w2s run` in a group of processes of its own, as a terminal or srun has it."""

    def __init__(self, at: Path):
        words = ["run", "study.yaml", "--out", "run", "--store", "store"]
        self.at, self.errors = at, at / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", W2S, *words],
                cwd=at,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=errors,
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

    def ask(self, number):
        """Send a signal to the whole group."""
        os.killpg(self.process.pid, number)


@pytest.fixture
def command(tmp_path):
    """Starts the command; nothing of it outlives the test."""
    started = []

    def start():
        started.append(Command(tmp_path))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


def write_study(quick_study, at, steps):
    """A study of two seeds whose trainings have so many steps."""
    training = Training(steps=steps, evaluations=1, learning_rate=1e-3, stopping="none")
    study = replace(quick_study, seeds=2, weak_training=training, strong_training=training)
    (at / "study.yaml").write_text(study.to_yaml())


@pytest.mark.parametrize(
    ("number", "code", "by"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 75, "SIGTERM")]
)
def test_a_command_that_is_stopped_goes_on_from_its_checkpoints(
    quick_study, tmp_path, command, number, code, by
):
    write_study(quick_study, tmp_path, 20000)
    first = command()
    # In half a second it would not come as far again.
    first.says("supervisor seed .: ([5-9].|...+) of 20000")
    first.ask(number)
    _, answered = first.says(f"{by}: stopping when each training that goes on")
    asked = time.monotonic()
    assert first.process.wait(timeout=30) == code
    print(f"{by}: its line after {answered:.2f} s, its end {time.monotonic() - asked:.2f} s later")
    assert answered < 2
    assert f"stopped by {by}; finished stages and checkpoints are kept" in first.said
    stopped = dict(re.findall(r"[(,] ?([^,(]+ seed .) at step ([0-9]+) of 20000", first.said))
    assert len(list(tmp_path.glob("store/working/*/checkpoint.safetensors"))) == len(stopped)
    # Others wait for the supervisors, so that these are the first to go on.
    stopped = {name: step for name, step in stopped.items() if "supervisor" in name}
    assert stopped
    again = command()
    for name, step in stopped.items():
        said, _ = again.says(f"{name}: ([0-9]+) of 20000")
        print(f"{name} was stopped in step {step} or so, and its first line says {said[1]}")
        assert int(said[1]) > int(step)


def test_a_killed_worker_costs_its_step_a_second_try_and_nothing_else(
    quick_study, tmp_path, command, workers_of
):
    write_study(quick_study, tmp_path, 100)
    run = command()
    run.says("(supervisor|ceiling) seed .: [0-9]+ of 100")
    os.kill(workers_of(run.process.pid)[0], signal.SIGKILL)
    run.says("its process was ended by SIGKILL; it is tried once more, with nothing beside it")
    assert run.process.wait(timeout=300) == 0, run.said
    assert (tmp_path / "run" / "results.parquet").exists()

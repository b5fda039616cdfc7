"""A study that is asked to stop keeps checkpoints, says what it waits for, and goes on later."""

import io
import os
import signal
import threading

import pytest

from weak2strong.engine.local import Plan
from weak2strong.engine.run import run_study
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped


class Interrupting(Progress):
    """Sends this process a signal when the training of the supervisor has made so many steps."""

    def __init__(self, number, after):
        super().__init__(io.StringIO(), quiet=True)
        self.number, self.after, self.steps = number, after, []

    def update(self, task, done, total, note=""):
        if "supervisor" in task:
            self.steps.append(done)
            if done == self.after:
                os.kill(os.getpid(), self.number)

    @property
    def said(self):
        """What was printed; it is a thread that prints."""
        for thread in threading.enumerate():
            if thread.name == "answer":
                thread.join()
        return self._stream.getvalue()


def test_a_training_in_this_process_stops_with_its_checkpoint(quick_study, tmp_path):
    """Twice: by a cluster, and then by Ctrl-C where it went on from its checkpoint."""
    heard = []
    for number, after in ((signal.SIGUSR1, 2), (signal.SIGINT, 4)):
        stopping = Interrupting(number, after)
        with pytest.raises(Stopped) as stopped:
            run_study(quick_study, tmp_path / "run", tmp_path / "store", stopping, Plan(1, 1))
        assert stopped.value.number == number
        assert f"supervisor seed 0 at step {after - 1} of " in stopping.said
        heard.append(stopping.steps)
    assert heard == [[1, 2], [3, 4]]
    assert list((tmp_path / "store" / "working").glob("*/checkpoint.safetensors"))

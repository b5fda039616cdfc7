"""Studies on a Ray cluster whose nodes share no folder: the numbers are those of one process."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("ray")

from weak2strong.engine.places import Plan
from weak2strong.engine.run import run_study
from weak2strong.models.gpus import ROOM, _resting
from weak2strong.models.needs import USABLE
from weak2strong.models.resolve import fingerprint

pytestmark = pytest.mark.slow

SRC = str(Path(__file__).parents[3] / "src")
W2S = "import sys; from weak2strong.cli import main; sys.exit(main())"
FILES = ("results.parquet", "predictions.parquet")


@pytest.fixture(scope="module")
def study(quick_study, tmp_path_factory):
    """A study of a task in a file, toy models in folders and a plugin: nodes have none of these."""
    folder = tmp_path_factory.mktemp("study")
    plugin = folder / "copied.py"
    plugin.write_text(
        "import weak2strong as w2s\n\n\n"
        '@w2s.method("copied", summary="Learns the labels, as naive does.")\n'
        "def copied(context):\n"
        "    return context.finetune(context.weak_labels)\n"
    )
    rows = [{"text": f"{i} is {'odd' if i % 2 else 'even'}", "label": i % 2} for i in range(600)]
    data = folder / "numbers.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return replace(
        quick_study,
        tasks=(str(data), "atlas-southern"),
        seeds=2,
        methods=("naive", "confidence", "copied"),
        plugins=(plugin,),
    )


@pytest.fixture(scope="module")
def here(study, tmp_path_factory):
    """The run folder of the study, done by one process of this machine."""
    at = tmp_path_factory.mktemp("here")
    return run_study(study, at / "run", at / "store", plan=Plan(workers=1, threads=1))


class Cluster:
    """A cluster, and runs on it."""

    def __init__(self, folder, study, *nodes):
        self.folder = folder
        folder.joinpath("study.yaml").write_text(study.to_yaml())
        self.environment = {**os.environ, "PYTHONPATH": SRC, "OMP_NUM_THREADS": "1"}
        self.environment.pop("W2S_STORE", None)
        script = Path(__file__).with_name("cluster_process.py")
        self.process = subprocess.Popen(
            [sys.executable, script, folder, *map(str, nodes or (3,))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        self.drivers = []
        self.address = self._line("address ")

    def _line(self, begin):
        for line in self.process.stdout:
            if line.startswith(begin):
                return line.removeprefix(begin).strip()
        raise AssertionError("the cluster has ended")

    def kill(self, node):
        self.process.stdin.write(f"kill {node}\n")
        self.process.stdin.flush()
        self._line("killed")

    def end(self):
        for driver in self.drivers:
            driver.kill()
            driver.wait()
            driver.stdout.close()
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def start(self, name, **environment):
        """Begin the study; the store has the name of the run."""
        where = ("--store", self.folder / f"store {name}", "--out", self.folder / name)
        engine = ("--engine", "ray", "--address", self.address)
        driver = subprocess.Popen(
            [sys.executable, "-c", W2S, "run", self.folder / "study.yaml", *where, *engine],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.drivers.append(driver)
        return driver

    def run(self, name, **environment):
        process = self.start(name, **environment)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said

    def wait_for(self, name, count):
        """Wait until a run has so many entries in its store."""
        while len(self.entries(name)) < count:
            time.sleep(0.05)

    def entries(self, name):
        found = (self.folder / f"store {name}").glob("*/*/manifest.json")
        return {(path.parent.parent.name, path.parent.name) for path in found}

    def made(self, name):
        """The stages that a run made, those of all its starts; each as often as it was made."""
        log = (self.folder / name / "events.jsonl").read_text().splitlines()
        steps = [e for e in map(json.loads, log) if e["event"] == "step"]
        stages = [s for step in steps for s in step["stages"]]
        return [(s["stage"], s["key"]) for s in stages if not s["reused"]]


@pytest.fixture
def cluster(study, tmp_path):
    cluster = Cluster(tmp_path, study)
    yield cluster
    cluster.end()


def assert_same(one, other):
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_nodes_without_a_common_folder_make_every_stage_once(cluster, here, study):
    cluster.run("first")
    assert_same(cluster.folder / "first", here)
    made = cluster.made("first")
    assert len(made) == len(set(made)) == len(cluster.entries("first"))
    nodes = [cluster.folder / f"node{i}" for i in range(3)]
    # Each node has a part of the entries, and the files that its steps read.
    assert sum(any(node.glob("*/*/manifest.json")) for node in nodes) >= 2
    brought = {path.name for node in nodes for path in node.glob("files/*/*/*")}
    assert {"numbers.jsonl", "copied.py", Path(study.weak.name).name} <= brought
    # A driver with another device finds all of it.
    cluster.run("first", W2S_FAKE_DEVICES="cuda:1")
    assert cluster.made("first") == made
    assert_same(cluster.folder / "first", here)


def test_a_node_that_is_killed_and_a_driver_that_is_killed_cost_no_number(cluster, here):
    driver = cluster.start("run")
    cluster.wait_for("run", 4)
    cluster.kill(1)
    cluster.wait_for("run", 8)
    driver.kill()
    driver.wait()
    # What its workers still send comes to nobody.
    time.sleep(3)
    arrived = cluster.entries("run")
    cluster.run("run")
    assert_same(cluster.folder / "run", here)
    events = (cluster.folder / "run" / "events.jsonl").read_text()
    later = events[events.rindex('"event": "start"') :].splitlines()[1:]
    again = [s for line in later for s in json.loads(line).get("stages", ()) if not s["reused"]]
    assert again
    assert not {(s["stage"], s["key"]) for s in again} & arrived


def test_a_run_that_is_asked_to_stop_goes_on_later(cluster, here):
    driver = cluster.start("run")
    cluster.wait_for("run", 3)
    begun = time.monotonic()
    driver.send_signal(signal.SIGINT)
    said, _ = driver.communicate(timeout=30)
    assert time.monotonic() - begun < 20
    assert driver.returncode == 130
    assert "Ctrl-C: stopping" in said
    cluster.run("run")
    assert_same(cluster.folder / "run", here)
    made = cluster.made("run")
    assert len(made) == len(set(made))


def test_a_cluster_that_is_started_for_a_run_shares_the_store(study, here, tmp_path):
    (tmp_path / "study.yaml").write_text(study.to_yaml())
    where = ("--store", tmp_path / "store", "--out", tmp_path / "run", "--engine", "ray")
    done = subprocess.run(
        [sys.executable, "-c", W2S, "run", tmp_path / "study.yaml", *where],
        env={**os.environ, "PYTHONPATH": SRC, "W2S_STORE": str(tmp_path / "another")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "run", here)
    assert not (tmp_path / "another").exists()


def gpus_of(folder):
    """On how many GPUs the stages with a model of a store were made, by their keys."""
    found = {}
    for path in folder.glob("*/*/manifest.json"):
        spec = json.loads(path.read_text())["spec"]
        stage, weights = path.parent.parent.name, spec["inputs"].get("weights")
        found[stage, weights] = spec["runtime"].get("gpus", 1)
    return found


def test_the_memory_of_the_workers_says_on_how_many_gpus_a_fit_is(study, tmp_path):
    """The driver has no GPU. The student takes two of those of a node, the supervisor one, and
    so it is where this machine has such GPUs itself."""
    head = replace(study.weak, adaptation="head")
    small = replace(study, weak=head, tasks=study.tasks[1:], seeds=1, methods=("naive",))
    resting = [_resting(model, "float32") for model in (small.weak, small.strong)]
    memory = int(resting[1] / (1 - ROOM) / USABLE["other"] / 1.5)
    assert resting[0] < memory * (1 - ROOM) * USABLE["other"] < resting[1]
    cluster = Cluster(tmp_path, small, 1, 2, memory)
    try:
        said = cluster.run("run")
        assert "Ray: 1 workers with GPU 2, CPU 1 each, on 1 nodes" in said
        gpus = gpus_of(tmp_path / "store run")
        made = cluster.made("run")
        cluster.run("run")
        assert cluster.made("run") == made
    finally:
        cluster.end()
    weights = {fingerprint(small.weak): 1, fingerprint(small.strong): 2}
    assert {weights[of]: n for (stage, of), n in gpus.items() if stage == "finetune"} == {
        1: 1,
        2: 2,
    }
    where = ("--store", tmp_path / "store here", "--out", tmp_path / "here")
    done = subprocess.run(
        [sys.executable, "-c", W2S, "run", tmp_path / "study.yaml", *where],
        env={**cluster.environment, "W2S_FAKE_DEVICES": f"cuda:2:{memory}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert gpus_of(tmp_path / "store here") == gpus
    assert_same(tmp_path / "run", tmp_path / "here")

"""What fails in a plugin's function is told as the plugin's, in one sentence, wherever it ran."""

import subprocess
import sys

import pytest

from weak2strong.cli import main
from weak2strong.engine.local import Plan
from weak2strong.ground.plugins import load_plugins

STUDY = """
tasks: [{task}]
methods: ["{method}"]
weak: {weak}
strong: {strong}
seeds: 1
weak_training: {{epochs: 1, steps: 2, learning_rate: 0.003}}
strong_training: {{epochs: 1, steps: 2, learning_rate: 0.003}}
"""

BEGIN = """
from dataclasses import dataclass
import numpy as np
import weak2strong as w2s
"""

METHOD = """
@w2s.method("mine")
def mine(context):
    found = context.finetune(context.weak_labels)
    if "atlas" in "atlas-landlocked":
        raise KeyError("nobody\\nhome")
    return found
"""

CALLED = """
@w2s.method("mine")
def mine(context):
    return context.finetune(np.zeros(3))
"""

LOSS = """
@w2s.loss("mine")
@dataclass(frozen=True)
class Mine(w2s.RowLoss):
    def per_example(self, logits, targets, fraction, statistics):
        return logits @ targets
"""

PROBE = """
@w2s.probe("mine")
@dataclass(frozen=True)
class Mine(w2s.Answering):
    def predict(self, features, labels, asked):
        return [][0]
"""

TASK = """
@w2s.task("mine", classes=["odd", "even"])
def mine():
    def examples():
        yield 1 / 0
    return examples()
"""

FAILING = {
    "method": (METHOD, "mine", "atlas-landlocked", r"mine (KeyError: 'nobody\nhome', line 10 of"),
    "what a method calls": (CALLED, "mine", "atlas-landlocked", "mine (AttributeError: 'numpy.n"),
    "loss": (LOSS, "mine", "atlas-landlocked", "Mine.per_example (RuntimeError: "),
    "probe": (
        PROBE,
        "probe-predict:mine",
        "atlas-landlocked",
        "Mine.predict (IndexError: list index out of range, line 10 of",
    ),
    "task": (
        TASK,
        "naive",
        "mine",
        "mine.<locals>.examples (ZeroDivisionError: division by zero, line 9 of",
    ),
}


@pytest.fixture
def fail(tmp_path, toy_models, monkeypatch, capsys):
    """Runs a study with a plugin in so many processes, to its failure: what was told."""

    def run(plugin, method, task, workers=1):
        file, study = tmp_path / "mine.py", tmp_path / "study.yaml"
        file.write_text(BEGIN + plugin)
        models = {"weak": toy_models["gpt2"], "strong": toy_models["llama"]}
        study.write_text(STUDY.format(task=task, method=method, **models))
        monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=workers, threads=1))
        out = {name: str(tmp_path / name) for name in ("out", "store")}
        flags = [word for name, path in out.items() for word in (f"--{name}", path)]
        assert main(["run", str(study), "--plugin", str(file), *flags, "--quiet"]) == 2
        return capsys.readouterr().err

    yield run
    load_plugins(())


@pytest.mark.parametrize(("plugin", "method", "task", "said"), FAILING.values(), ids=FAILING)
def test_a_plugin_is_named_with_function_and_line(fail, tmp_path, plugin, method, task, said):
    (line,) = fail(plugin, method, task).splitlines()
    assert line.startswith(f"error: The plugin {tmp_path / 'mine.py'} fails in {said}")
    assert line.endswith(" of mine.py): mend it. Finished stages are kept.")


def test_worker_processes_say_the_same_and_keep_what_is_finished(fail, tmp_path):
    plugin, method, task, said = FAILING["method"]
    (line,) = fail(plugin, method, task, workers=2).splitlines()
    assert said in line
    assert list(tmp_path.glob("store/finetune/*/manifest.json"))


def test_development_mode_shows_what_was_called(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(BEGIN + TASK)
    arguments = ["export", "mine", "--plugin", str(file), "--out", str(tmp_path / "mine.jsonl")]
    code = f"import sys; from weak2strong.cli import main; sys.exit(main({arguments}))"
    usual, development = (
        subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True)
        for flags in ((), ("-X", "dev"))
    )
    assert usual.returncode == development.returncode == 2
    assert len(usual.stderr.splitlines()) == 1
    assert "yield 1 / 0" in development.stderr
    assert development.stderr.endswith(usual.stderr)

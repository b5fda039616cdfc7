"""Every file of benchmarks/ runs: its main function, at a smallest size.

What benchmarks say is tested where it is used (``tests/analysis``); here, that each of them still
starts, goes to its end, and prints its table.
"""

import importlib
import json
import multiprocessing.pool
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from weak2strong.config.training import Training
from weak2strong.tasks.splits import make_splits

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

PARTS = {"choosing", "nothing", "process", "tables", "trainer"}
PARTS |= {"gpu_loops", "gpu_models", "gpu_parts", "gpu_speed", "unchecked"}
"""Files that others import, and that cannot be run."""


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the main function of a script with flags, and returns what it prints."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)

    def printed(name: str, *flags: object, **instead: object) -> str:
        module = importlib.import_module(name)
        assert Path(module.__file__).parent == BENCHMARKS
        for attribute, value in instead.items():
            monkeypatch.setattr(module, attribute, value)
        monkeypatch.setattr(sys, "argv", [name, *map(str, flags)])
        ended = module.main()
        assert not ended
        return capsys.readouterr().out

    yield printed
    for name in set(sys.modules) - before:
        if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def quick(quick_study):
    """What makes a script's study that of toy models, whatever else it asks for."""

    def study(**settings):
        own = ("weak_training", "strong_training")
        return replace(quick_study, **{k: v for k, v in settings.items() if k not in own})

    return study


@pytest.fixture
def small_task(tmp_path):
    """A file of 160 examples."""
    file = tmp_path / "rooms.csv"
    words = ("red house", "blue river")
    rows = [f"a {words[i % 2]} number {i},{i % 2}" for i in range(160)]
    file.write_text("\n".join(["text,label", *rows]))
    return file


def small_splits(task):
    """The first examples of the splits of a task."""
    splits = make_splits(task)
    return replace(splits, **{name: of_split[:40] for name, of_split in vars(splits).items()})


def lines(text: str) -> list[list[str]]:
    """The cells of the lines of Markdown tables, without their titles."""
    tables = re.findall(r"^\| *-{3}.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row.strip("| ").split("|") for table in tables for row in table.splitlines()]
    return [[cell.strip() for cell in row] for row in rows]


class OneThread(ThreadPoolExecutor):
    """One after another: Transformers cannot load models in two threads of a process at a time."""

    def __init__(self, workers, **options):
        super().__init__(1, **options)


SIMULATIONS = {
    "auc": ("--trials", 1, "--seeds", 2),
    "coverage": ("--trials", 1, "--seeds", 2, "--replicates", 10, "--regimes", "mixed"),
    "few_seeds": ("--trials", 1, "--seeds", 2),
    "shared_entities": ("--trials", 1, "--seeds", 2, "--tasks", 4),
}


@pytest.mark.parametrize("name", SIMULATIONS)
def test_a_simulation_prints_its_tables(run, name):
    assert lines(run(name, *SIMULATIONS[name]))


def test_levels_and_intervals_are_calibrated(run):
    """The test on trusted labels is counted out for few labels, at two of the true chances."""
    instead = {"TASKS": (5,), "CHANCES": ((0.1, 0.1), (0.1, 0.2)), "TRUSTED": (10,)}
    rows = lines(run("calibration", "--trials", 1, "--seeds", 2, **instead))
    regimes = [name for name in ("seeds", "examples", "mixed", "narrow gap") for _ in range(2)]
    assert [row[0] for row in rows] == ["normal", "heavy", "skewed", "counts", *regimes, "10"]


def test_models_are_timed_beside_a_literal_loop(run):
    here = SimpleNamespace(Pool=multiprocessing.pool.ThreadPool)
    flags = ("--examples", 8, "--repeats", 1, "--threads", 1)
    instead = {"VOCABULARY": 300, "WIDTH": 16, "LAYERS": 1, "PRODUCT_WIDTH": {"cpu": 64}}
    instead["get_context"] = lambda how: here
    rows = lines(run("finetune", *flags, **instead))
    everybody = ("literal", "unpadded", "by 8", "Trainer", "float32", "auto")
    assert [row[:2] for row in rows[:6]] == [["full", by] for by in everybody]
    assert {row[0] for row in rows} == {"full", "lora", "head", "inference", "activations"}
    # The same updates, whoever makes them.
    losses = [float(row[8]) for row in rows[:5]]
    assert losses == pytest.approx([losses[0]] * 5, abs=2e-4)


def test_probes_are_timed_beside_scikit_learn(run):
    flags = ("--examples", 100, "--width", 8, "--threads", 1, "--repeats", 1)
    instead = {"NEIGHBOURS": ((100, 60),), "REGRESSIONS": ((60, 4, 2),)}
    assert len(lines(run("probes", *flags, **instead))) == 2


def test_heads_on_features_are_timed(run):
    def here(command, **options):
        assert command[2] == "--folder"
        found = sys.modules["features"].measure(Path(command[3]), neighbours=50, epochs=1)
        return SimpleNamespace(stdout=json.dumps(found))

    flags = ("--rows", 300, "--width", 8, "--neighbours", 50, "--epochs", 1)
    out = run("features", *flags, subprocess=SimpleNamespace(run=here, PIPE=None))
    assert len(lines(out)) == 5
    assert re.search(r"300 x 8, accuracy [0-9.]+", out)


def test_the_page_is_timed(run):
    def here(command, **options):
        sys.argv = command[2:]
        exec("import sys; from weak2strong.cli import main; main(['report', sys.argv[1]])")

    flags = ("--tasks", 1, "--methods", 2, "--seeds", 2, "--examples", 60)
    out = run("report", *flags, subprocess=SimpleNamespace(run=here))
    assert re.search(r"1 tasks x 2 methods x 2 seeds.* [0-9.]+ MB", out)


def test_engines_are_timed(run):
    """But for finetunings by one and by two workers, which `tests/engine` has."""
    flags = ("--steps", 8, "--runs", 1, "--many", 8, "--seeds", 1)
    rows = lines(run("engines", *flags, WORKERS=1, run_study=lambda *study, plan: None))
    assert {"serial", "local"} <= {row[0] for row in rows}


def test_rates_are_chosen(run, toy_models):
    flags = ("--rungs", toy_models["llama"], "--tasks", "atlas-landlocked", "--epochs", 1)
    flags += ("--seeds", 2, "--rates", 1e-3, "--head-rates", 1e-3)
    out = run("finetuning_rates", *flags, ProcessPoolExecutor=OneThread, make_splits=small_splits)
    assert "trunk 0.001, head 0.001" in out


def test_a_rule_of_stopping_is_chosen(run, toy_models, tmp_path):
    flags = ("--out", tmp_path, "--tasks", "atlas-landlocked", "--seeds", 2)
    for role in ("weak", "strong"):
        flags += (f"--{role}", toy_models["llama"], f"--{role}-rates", 1e-3, 1e-3)
    quick = {"make_splits": small_splits}
    quick |= {"Training": lambda **settings: Training(epochs=1, evaluations=3, **settings)}
    out = run("stopping", *flags, ProcessPoolExecutor=OneThread, **quick)
    assert "chosen: " in out


def test_temperatures_of_labels_are_compared(run, quick, small_task, tmp_path):
    flags = ("--tasks", small_task, "--store", tmp_path, "--temperatures", 3.0)
    out = run("label_temperature", *flags, StudyConfig=quick)
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["as", "3.0"]


def test_the_luck_of_a_split_is_told(run, quick_study, small_task, tmp_path):
    flags = ("--task", small_task, "--splits", 2, "--seeds", 2, "--store", tmp_path)
    out = run("split_luck", *flags, StudyConfig=lambda: quick_study)
    told = [row.split("|")[1].strip() for row in out.splitlines() if row.startswith("|")]
    scores = ["floor", "naive", "confidence", "ceiling"]
    assert told == ["split", "0", "1", "all", "standard deviation of", *scores]


TINY = ("--device", "cpu", "--tiny", "--slower", "9")


def of_parts(run, folder, *names):
    """What the script for a GPU writes of some parts, whose tables hold every row."""
    out = run("gpu", *TINY, "--parts", *names, "--out", folder / "g")
    assert f"written: {folder / 'g'}.json" in out
    parts = json.loads((folder / "g.json").read_text())["parts"]
    assert {name: part["ended"] for name, part in parts.items()} == dict.fromkeys(names, "done")
    assert len(lines((folder / "g.md").read_text())) == sum(len(p["rows"]) for p in parts.values())
    return parts


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")
def test_the_script_for_a_gpu_runs_on_a_cpu(run, tmp_path):
    parts = of_parts(run, tmp_path, "tests", "speed")
    assert parts["tests"]["rows"] == [{"note": "left out: these tests need CUDA"}]
    trained = {"full", "lora", "lora 4bit", "head"}
    for row in parts["speed"]["rows"]:
        if row["job"] == "lora 4bit" and not find_spec("bitsandbytes"):
            assert row["note"] == "left out, as this Python has no bitsandbytes"
            continue
        assert row["tokens/s"] > 0
        assert row["job"] == "generation" or row["of peak"] > 0
    jobs = {row["job"] for row in parts["speed"]["rows"]}
    assert jobs == trained | {"inference", "activations", "generation"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")
def test_the_script_for_a_gpu_compares_loops_and_settings(run, tmp_path):
    parts = of_parts(run, tmp_path, "loops", "grid")
    assert len(parts["loops"]["rows"]) == 2 * 4
    assert all(row["examples/s"] > 0 for row in parts["loops"]["rows"])
    for note in ("the quickest", "what the package takes"):
        said = [row for row in parts["grid"]["rows"] if row.get("note") == note]
        assert [row["job"] for row in said] == ["full", "lora", "inference"]


@pytest.mark.parametrize(
    ("last", "ended"),
    [("time", "its 0.05 s were up"), ("error", "ended by an error: ValueError: it broke")],
)
def test_a_part_that_does_not_end_keeps_its_rows(run, tmp_path, last, ended):
    module = importlib.import_module("gpu")

    def part(bench):
        """A part."""
        yield {"a": 1}
        while last == "time":
            pass
        raise ValueError("it broke")

    report, bench = module.Report(tmp_path / "g", {}), SimpleNamespace(held={})
    assert module.do(part, bench, report, "part", 0.05) is (last == "time")
    kept = json.loads((tmp_path / "g.json").read_text())["parts"]["part"]
    assert (kept["rows"], kept["ended"]) == ([{"a": 1}], ended)


def test_settings_without_their_checks_are_the_same(run):
    """What stands in Pydantic's place fills fields as Pydantic does."""
    unchecked = importlib.import_module("unchecked")

    @unchecked._dataclass(frozen=True, config=None)
    class Plain:
        first: int
        second: tuple[int, ...] = ()
        third: list = field(default_factory=list)

    filled = Plain.__pydantic_validator__.validate_python(
        ((), {"first": 1, "second": (2,)}), self_instance=object.__new__(Plain)
    )
    assert filled == Plain(1, (2,), [])
    assert not unchecked.without_pydantic()


BARE = """
import runpy, sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
sys.argv = sys.argv[2:]
sys.path.insert(0, str(sys.argv[0].rpartition("/")[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script as if some packages were not installed."""


@pytest.mark.slow
def test_the_script_for_a_gpu_needs_pytorch_and_transformers_alone(tmp_path):
    absent = "pydantic,pydantic_core,polars,pyarrow,peft,accelerate,scipy,sklearn,tyro,pytest"
    script = [BENCHMARKS / "gpu.py", *TINY, "--out", tmp_path / "g"]
    subprocess.run([sys.executable, "-c", BARE, absent, *script], check=True, cwd=tmp_path)
    parts = json.loads((tmp_path / "g.json").read_text())["parts"]
    assert parts["study"]["rows"][0]["note"].startswith("left out, as this Python has no pydantic")
    timed = {row["job"] for row in parts["speed"]["rows"] if "tokens/s" in row}
    assert timed == {"full", "head", "inference", "activations", "generation"}
    ways = {row["by"] for row in parts["loops"]["rows"] if "tokens/s" in row}
    assert ways == {"this package", "literal, 1 at a time", "literal, 8 at a time"}


@pytest.mark.slow
def test_studies_on_two_devices_are_compared(run, tmp_path):
    """Here both are the CPU, which gives the same scores to the bit."""
    run("gpu", *TINY, "--parts", "study", "--out", tmp_path / "g")
    rows = json.loads((tmp_path / "g.json").read_text())["parts"]["study"]["rows"]
    assert [row["score"] for row in rows] == ["floor", "naive", "ceiling"]
    assert all(row["passed"] and row["apart"] == 0 for row in rows)


def test_no_benchmark_is_left_out():
    """Each file of the folder is run above, or is a part of one that is."""
    run = set(re.findall(r'run\(\s*"(\w+)"', Path(__file__).read_text())) | set(SIMULATIONS)
    assert {file.stem for file in BENCHMARKS.glob("*.py")} - PARTS == run


def test_data_of_a_user(run):
    shown = run("data", "--rows", 300, 900).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown[2:]]
    assert [row[:2] for row in cells] == [["300", "300"], ["900", "900"]]
    assert all(0 < float(row[3]) < 60 and 0.01 < float(row[4]) < 4 for row in cells)

"""The parts of `gpu.py`. Each gives rows, which are kept as soon as they are there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import torch

from gpu_loops import by_trainer, literal
from gpu_models import part_of
from gpu_speed import JOBS, Bench, Row, train
from unchecked import installed
from weak2strong.models.batches import encode_items
from weak2strong.training import passes, predict
from weak2strong.training.pace import Pace, pace_of

ROOT = Path(__file__).parents[1]

STUDIES = ("pydantic", "polars", "scipy", "sklearn", "yaml", "rich", "tyro", "jinja2", "filelock")
"""What studies need beside PyTorch and Transformers."""

COMMAND = "import sys; from weak2strong.cli import main; sys.exit(main(sys.argv[1:]))"

CLOSE = 0.01
"""How far mean scores on the device may be from those on the CPU."""


def missing(*names: str) -> str:
    """Which of these packages are not installed, as a note; empty if all are."""
    lacking = ", ".join(name for name in names if not installed(name))
    return f"left out, as this Python has no {lacking}" if lacking else ""


def tests(bench: Bench) -> Iterator[Row]:
    """The tests marked `gpu`."""
    note = missing("pytest", "hypothesis", "peft", *STUDIES)
    if bench.device.type != "cuda":
        note = "left out: these tests need CUDA"
    if note:
        yield {"note": note}
        return
    marked = [f for f in sorted((ROOT / "tests").rglob("test_*.py")) if "mark.gpu" in f.read_text()]
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", *marked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = (done.stdout.strip() or done.stderr.strip() or "nothing was said").splitlines()
    for line in said:
        if line.startswith(("FAILED", "ERROR")):
            yield {"result": line, "passed": False}
    yield {"result": said[-1], "passed": done.returncode == 0}


def study(bench: Bench) -> Iterator[Row]:
    """The default study on the embedded ladder, on the device and on the CPU at the same time."""
    if note := missing(*STUDIES):
        yield {"note": note}
        return
    smallest = ("--seeds", "1", "--methods", "naive", "--epochs", "1") if bench.tiny else ()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as files:
        at = {on: Path(folder, on) for on in (bench.device.type, "the CPU")}
        running = {}
        for on, place in at.items():
            flags = ("--out", str(place / "run"), "--store", str(place / "store"), "--quiet")
            running[on] = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "run", *flags, *smallest],
                env=os.environ | ({"CUDA_VISIBLE_DEVICES": ""} if on == "the CPU" else {}),
                stdout=subprocess.DEVNULL,
                stderr=files.enter_context(place.with_suffix(".log").open("w")),
            )
        try:
            for on, process in running.items():
                if process.wait():
                    said = at[on].with_suffix(".log").read_text().strip().splitlines()
                    yield {"score": "", "passed": False, "note": f"{on}: {(said or [''])[-1]}"}
                    return
        finally:
            for process in running.values():
                process.kill()
                process.wait()
        there, here = (scores(place / "run") for place in at.values())
    for name, score in there.items():
        apart = score - here[name]
        row = {"score": name, bench.device.type: score, "the CPU": here[name], "apart": apart}
        yield row | {"passed": abs(apart) <= CLOSE}


def scores(folder: Path) -> dict[str, float]:
    """The mean scores of a run: floor, ceiling, and the students of each method."""
    from weak2strong.engine.recorded import read_run

    _, table, _ = read_run(folder)
    found: dict[str, list[float]] = {}
    for row in table.to_dicts():
        if row["metric"] == table["metric"][0]:
            for name in ("floor", "student", "ceiling"):
                of = row["method"] if name == "student" else name
                found.setdefault(of, []).append(row[name])
    return {name: float(np.mean(of)) for name, of in found.items()}


def speed(bench: Bench) -> Iterator[Row]:
    """Tokens a second, share of the peak, and memory beside its estimate; of generation, tokens
    that are written."""
    for name, job in product(bench.folders, (*JOBS, "generation")):
        about = {"model": name, "job": job}
        needed = {"lora": ("peft",), "lora 4bit": ("peft", "accelerate", "bitsandbytes")}
        if note := missing(*needed.get(job, ())):
            yield about | {"note": note}
            continue
        yield from bench.guarded(about, lambda name=name, job=job: bench.timed(name, job))


WAYS = ("this package", "literal, 1 at a time", "literal, 8 at a time", "Transformers' Trainer")


def loops(bench: Bench) -> Iterator[Row]:
    """The same finetunings by this package, a literal loop, and Transformers' Trainer."""
    for name, job, by in product(bench.folders, ("full", "lora"), WAYS):
        needed = ("peft",) if job == "lora" else ()
        note = missing(*needed, *(("accelerate",) if by == WAYS[-1] else ()))
        about = {"model": name, "job": job, "by": by}
        if note:
            yield about | {"note": note}
            continue
        run = lambda name=name, job=job, by=by: finetuned(bench, name, job, by)  # noqa: E731
        yield from bench.guarded(about, run)


def finetuned(bench: Bench, name: str, job: str, by: str) -> Row:
    """How fast a model is finetuned in one of the ways."""
    if by == WAYS[-1]:
        bench.held.clear()
        bench.check_room(name, job)
        rows = encode_items(bench.model(name, "head").tokenizer, bench.data.items)
        bench.held.clear()
        trainer = by_trainer(bench.folders[name], job, bench.device)
        classes = bench.data.targets.argmax(axis=1).tolist()
        return bench.rate(lambda n: trainer(rows[:n], classes[:n]))
    model = bench.model(name, job)
    if by == WAYS[0]:
        return bench.rate(lambda n: train(model, part_of(bench.data, n)))
    rows = encode_items(model.tokenizer, bench.data.items)
    targets = torch.tensor(bench.data.targets, dtype=torch.float32, device=bench.device)
    size = int(by.split()[1])
    return bench.rate(lambda n: literal(model, rows[:n], targets[:n], size))


EXTRAS = (0.0, 256.0, 4096.0)
"""What a micro-batch is taken to cost beside its tokens, in tokens."""


def grid(bench: Bench) -> Iterator[Row]:
    """How fast a finetuning is packed and padded, by the tokens of a micro-batch, and where it is
    padded by what one more micro-batch is taken to cost; how fast answers are by the tokens of a
    batch; then what is quickest, and what the package takes itself."""
    name = next(iter(bench.folders))
    for job in ("full", "lora") if installed("peft") else ("full",):
        ways = [("auto", budget, None) for budget in bench.budgets]
        ways += [("off", *way) for way in product(bench.budgets, EXTRAS)]
        found = list[Row]()
        for packing, budget, extra in ways:
            about = {"model": name, "job": job, "packing": packing, "budget": budget}
            about |= {} if extra is None else {"extra": extra}
            with patch.object(
                passes, "pace_of", lambda model, extra=extra: Pace(0.0, extra or 0.0)
            ):
                run = partial(packed, bench, name, job, packing, budget)
                for row in bench.guarded(about, run):
                    found.append(row)
                    yield row
        yield from quickest(found)
        yield from bench.guarded({"model": name, "job": job}, partial(own, bench, name, job))
    found = []
    for budget in bench.budgets:
        about = {"model": name, "job": "inference", "budget": budget}
        enough = SimpleNamespace(enough=budget)
        with (
            patch.object(predict, "INFERENCE_BUDGET", budget),
            patch.object(predict, "pace_of", lambda model, enough=enough, **of: enough),
        ):
            for row in bench.guarded(about, lambda: bench.timed(name, "inference")):
                found.append(row)
                yield row
    yield from quickest(found)
    yield from bench.guarded({"model": name, "job": "inference"}, partial(own, bench, name, "head"))


def packed(bench: Bench, name: str, job: str, packing: str, budget: int) -> Row:
    """How fast a finetuning is with micro-batches of so many tokens, packed or padded."""
    model = bench.model(name, job, packing)
    row = bench.rate(lambda n: train(model, part_of(bench.data, n), budget), share=0.25)
    return row | {"packed": model.packing}


def own(bench: Bench, name: str, job: str) -> Row:
    """What the package takes for this model on this device."""
    pace = pace_of(bench.model(name, job), gradients=job != "head")
    taken = {"floor": pace.floor, "extra": pace.extra, "note": "what the package takes"}
    # A CPU's budgets follow a rule of their own.
    return taken | ({} if bench.device.type == "cpu" else {"budget": pace.enough})


CHOSEN = ("model", "job", "packing", "budget", "extra")
"""What the grid chooses."""


def quickest(rows: Sequence[Row]) -> Iterator[Row]:
    """The settings of the quickest of some measurements."""
    measured = [row for row in rows if "tokens/s" in row]
    if measured:
        best = max(measured, key=lambda row: row["tokens/s"])
        of = {k: v for k, v in best.items() if k in CHOSEN}
        yield of | {"tokens/s": best["tokens/s"], "note": "the quickest"}


PARTS = {"tests": tests, "study": study, "speed": speed, "loops": loops, "grid": grid}
"""In the order in which they are done."""

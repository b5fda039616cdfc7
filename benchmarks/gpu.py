"""The package on a GPU, in one command of about eight minutes, offline.

    make gpu                                     (python benchmarks/gpu.py)
    python benchmarks/gpu.py --device cpu --tiny (only to see that all runs)

It has five parts:

    tests   the tests marked `gpu`
    study   the default study on the embedded ladder: scores on the GPU beside the CPU's
    speed   tokens a second, share of the rate of a large product, and memory beside its estimate,
            of all that is done with a model: finetuning (full, LoRA, head), answers, activations,
            and generation
    loops   the same finetunings by a literal loop and by Transformers' Trainer
    grid    finetunings packed and padded, and answers, by the size of a micro-batch and by what one
            more is taken to cost; what is quickest, and what the package takes by itself

Models have the shapes of Qwen2.5-0.5B and Llama-3-8B, and random weights that are drawn on the
device. Texts have 128 to 512 tokens. Everything is written into one JSON file and one Markdown file
of tables, anew after every row; a part whose time is up keeps its rows, and the next one begins.

It needs PyTorch and Transformers alone. A part that needs more says which package is missing.
"""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from process import parser_of
from unchecked import installed, without_pydantic

try:
    import weak2strong  # noqa: F401
except ModuleNotFoundError:
    # It need not be installed.
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

LIMITS = {"tests": 70, "study": 100, "speed": 130, "loops": 110, "grid": 80}
"""Seconds of each part."""


class TimeIsUp(BaseException):
    """Raised in a part whose time is up; nothing but this script catches it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """A context that `TimeIsUp` leaves when its time is up."""

    def stop(number: int, frame: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Report:
    """What was found so far, in two files."""

    def __init__(self, out: Path, facts: Mapping[str, Any]):
        self.out, self.facts, self.parts = out, facts, dict[str, dict[str, Any]]()

    def write(self) -> None:
        """Write both files, each whole or not at all."""
        content = {"facts": self.facts, "parts": self.parts}
        self._put(".json", json.dumps(content, indent=1) + "\n")
        self._put(".md", markdown(self.facts, self.parts))

    def _put(self, ending: str, text: str) -> None:
        beside = self.out.with_name(f"{self.out.name}{ending}.part")
        beside.write_text(text)
        beside.replace(self.out.with_name(self.out.name + ending))


def markdown(facts: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """All tables."""
    lines = [", ".join(f"{name} {value}" for name, value in facts.items() if value), ""]
    for name, part in parts.items():
        lines += [f"## {name}", "", f"{part['about']} ({part['seconds']:.0f} s, {part['ended']})"]
        titles = list(dict.fromkeys(title for row in part["rows"] for title in row))
        lines += ["", f"| {' | '.join(titles)} |", "|" + " --- |" * len(titles)] if titles else []
        for row in part["rows"]:
            lines.append(f"| {' | '.join(cell(title, row.get(title)) for title in titles)} |")
        lines.append("")
    return "\n".join(lines)


def cell(title: str, value: Any) -> str:
    """A value of a table, for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if title == "of peak":
        return f"{value:.0%}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "/")


def facts_of(device: Any, rate: float) -> dict[str, Any]:
    """The machine and its libraries."""
    import torch
    import transformers

    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name() if cuda else device.type,
        "driver": driver() if cuda else "",
        "GiB": round(torch.cuda.get_device_properties(0).total_memory / 2**30) if cuda else "",
        "Python": platform.python_version(),
        "PyTorch": torch.__version__,
        "Transformers": transformers.__version__,
        "TFLOP/s of a large product": round(rate / 1e12, 2),
        "without Pydantic": "" if installed("pydantic") else "(settings unchecked)",
    }


def driver() -> str:
    """The version of the GPU's driver; empty where nothing tells it."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]
    except OSError:
        return ""


def do(part: Any, bench: Any, report: Report, name: str, limit: float) -> bool:
    """Do a part; returns whether nothing of it went wrong."""
    kept = {"about": " ".join(part.__doc__.split()), "seconds": 0.0, "ended": "", "rows": []}
    report.parts[name], begun = kept, time.perf_counter()
    print(f"\n{name}: {kept['about']}", flush=True)
    kept["ended"] = "done"
    try:
        with at_most(limit):
            for row in part(bench):
                kept["rows"].append(row)
                kept["seconds"] = time.perf_counter() - begun
                report.write()
                print("  " + ", ".join(f"{k} {cell(k, v)}" for k, v in row.items()), flush=True)
    except TimeIsUp:
        kept["ended"] = f"its {limit:g} s were up"
    except Exception as e:
        kept["ended"] = f"ended by an error: {type(e).__name__}: {e}"
    bench.held.clear()
    kept["seconds"] = time.perf_counter() - begun
    report.write()
    print(f"  {kept['ended']}", flush=True)
    return "error" not in kept["ended"] and all(row.get("passed", True) for row in kept["rows"])


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--device", default="cuda", choices=("cuda", "mps", "cpu"))
    parser.add_argument("--tiny", action="store_true", help="smallest models; no figures of use")
    parser.add_argument("--parts", nargs="+", choices=LIMITS, default=list(LIMITS))
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--slower", type=float, default=1.0, help="multiplies all limits of time")
    parser.add_argument("--out", type=Path, default=Path("gpu"), help="without .json and .md")
    options = parser.parse_args()
    if absent := [name for name in ("torch", "transformers", "numpy") if not installed(name)]:
        parser.error(f"this Python has no {', '.join(absent)}: run it by one that has")
    without_pydantic()
    import torch

    from gpu_models import SHAPES, TINY, write_folders
    from gpu_parts import PARTS
    from gpu_speed import Bench

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(options.device, True):
        parser.error(f"this PyTorch sees no {options.device}: add --device cpu --tiny to try it")
    if options.device == "cpu" and not options.tiny:
        parser.error("these models are too large for a CPU: add --tiny")
    with tempfile.TemporaryDirectory() as folder:
        folders = write_folders(Path(folder), TINY if options.tiny else SHAPES)
        size = (
            {"lengths": (4, 24), "seconds": 0.0, "most": 32, "budgets": (64, 512)}
            if options.tiny
            else {
                "lengths": (128, 512),
                "seconds": options.seconds,
                "most": 4096,
                "budgets": (2048, 8192, 32768),
            }
        )
        bench = Bench(torch.device(options.device), folders, tiny=options.tiny, **size)
        report = Report(options.out, facts_of(bench.device, bench.product_rate))
        well = [
            do(PARTS[name], bench, report, name, options.slower * LIMITS[name])
            for name in LIMITS
            if name in options.parts
        ]
    print(f"\nwritten: {options.out}.json and {options.out}.md")
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())

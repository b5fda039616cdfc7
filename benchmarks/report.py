"""How long the page of a large run takes, and how large it is.

The run is the synthetic one of the tests: models that answer at random, the better the higher
their role. The page is written in a process that has done nothing else, so that imports count.

    python benchmarks/report.py
"""

import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from process import parser_of

ROOT = Path(__file__).parents[1]

WRITE = "import sys; from weak2strong.cli import main; sys.exit(main(['report', sys.argv[1]]))"


def make(folder: Path, tasks: int, methods: int, seeds: int, examples: int) -> None:
    """Write the run."""
    sys.path.insert(0, str(ROOT))
    from tests.report.conftest import _made_run

    from weak2strong.methods import every_method

    names = [f"task-{i:02}" for i in range(tasks)]
    _made_run(folder, names, every_method()[:methods], seeds, examples)


def processor_seconds() -> float:
    """Of all processes that this one has started and that have ended."""
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--tasks", type=int, default=25)
    parser.add_argument("--methods", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        make(run, **vars(options))
        begun, used = time.perf_counter(), processor_seconds()
        subprocess.run([sys.executable, "-c", WRITE, str(run)], check=True, capture_output=True)
        seconds, used = time.perf_counter() - begun, processor_seconds() - used
        size = (run / "report.html").stat().st_size
    print(
        f"report of {options.tasks} tasks x {options.methods} methods x {options.seeds} seeds, "
        f"{options.examples:,} test examples each, Python {platform.python_version()}: "
        f"{seconds:.1f} s ({used:.1f} s of one processor), {size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()

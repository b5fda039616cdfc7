"""What an engine costs a step, and what a second worker gains.

First steps that do nothing, in studies of a supervisor, a ceiling and two students a seed: by the
schedule alone in this process, by worker processes of this machine, and by Ray, where it is
installed. The cost of a step is the time from the first to the last one that is done, over their
number, so that the start of workers does not count; the median of some runs. The driver is the
process that schedules, and its cost is the time of a processor. Then one run of many steps, its
start included; not by Ray, which would take minutes. Then real finetunings of the embedded ladder,
by one and by two workers.

    python benchmarks/engines.py
"""

import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from nothing import nothing
from process import parser_of
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.on_ray.connect import connected
from weak2strong.engine.on_ray.places import Needs
from weak2strong.engine.on_ray.workers import RayWorkers
from weak2strong.engine.parallel import in_parallel
from weak2strong.engine.places import Plan
from weak2strong.engine.run import run_study
from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.workers import Work, Workers
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stops
from weak2strong.protocol.steps import Step

WORKERS = 2

Engine = Callable[[Schedule], Iterator[object]]
"""Does the steps of a schedule, and yields something for each that is done."""


def studies(count: int) -> list[Step]:
    """So many steps, with needs as in a study."""
    steps = list[Step]()
    for seed in range(-(-count // 4)):
        supervisor = Step("supervisor", "task", seed)
        students = [Step("student", "task", seed, m, (supervisor.name,)) for m in ("a", "b")]
        steps += [supervisor, Step("ceiling", "task", seed), *students]
    return steps[:count]


def work_of(step: Step) -> Work:
    return nothing, ()


def serial(schedule: Schedule) -> Iterator[object]:
    """In this process, one after another."""
    place = Place("here")
    while step := schedule.next(place):
        yield nothing(lambda done, total: None)
        schedule.done(step)


def local(schedule: Schedule) -> Iterator[object]:
    """By worker processes."""
    places = [Place(f"process {i}") for i in range(WORKERS)]
    yield from in_parallel(schedule, places, work_of, Workers(), Progress(quiet=True), Stops())


def on_ray(schedule: Schedule) -> Iterator[object]:
    """By actors of a cluster that is started on this machine."""
    # So that they find what they do.
    paths = (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    with connected(None) as ray, RayWorkers(ray, Needs({"CPU": 1}, 1), lambda *a: None) as workers:
        places = workers.joined()[:WORKERS]
        yield from in_parallel(schedule, places, work_of, workers, Progress(quiet=True), Stops())


ENGINES: dict[str, Engine] = {"serial": serial, "local": local}
if find_spec("ray"):
    ENGINES["ray"] = on_ray


def times(engine: Engine, count: int) -> tuple[float, float, float]:
    """Seconds of a run of so many steps, and those of each: on the clock, and of the driver."""
    begun, steps = time.perf_counter(), Schedule(studies(count), models=lambda step: step.kind)
    moments = [(time.perf_counter(), time.process_time()) for _ in engine(steps)]
    (first, used), (last, all_used) = moments[0], moments[-1]
    return last - begun, (last - first) / (count - 1), (all_used - used) / (count - 1)


def finetunings(workers: int, seeds: int) -> tuple[float, float]:
    """A study of the embedded ladder, with a store of its own: seconds, and those of processors."""
    once = Training(epochs=1)
    config = StudyConfig(seeds=seeds, methods=("naive",), weak_training=once, strong_training=once)
    with tempfile.TemporaryDirectory() as folder:
        begun, used = time.perf_counter(), processor_seconds()
        run_study(config, Path(folder, "run"), Path(folder, "store"), plan=Plan(workers, 1))
        return time.perf_counter() - begun, processor_seconds() - used


def processor_seconds() -> float:
    """Of this process and of all that it has started and that have ended."""
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in of)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, default=2_000, help="of a run whose median counts")
    parser.add_argument("--runs", type=int, default=5, help="whose median counts")
    parser.add_argument("--many", type=int, default=100_000, help="steps of the long run")
    parser.add_argument("--seeds", type=int, default=4, help="of the study; 0 for none")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {WORKERS} workers on {os.cpu_count()} processors, "
        f"for which {os.getloadavg()[0]:.1f} other processes wait\n"
    )
    print(f"| engine | a step | of the driver | {options.many:,} steps |")
    print("| --- | ---: | ---: | ---: |")
    for name, engine in ENGINES.items():
        runs = [times(engine, options.steps) for _ in range(options.runs)]
        clock, driver = (1e6 * median(run[i] for run in runs) for i in (1, 2))
        whole = "" if name == "ray" else f"{times(engine, options.many)[0]:.1f} s"
        print(f"| {name} | {clock:,.0f} µs | {driver:,.0f} µs | {whole} |", flush=True)
    if options.seeds:
        finetunings(1, 1)
        (one, of_one), (two, of_two) = (finetunings(n, options.seeds) for n in (1, 2))
        print(
            f"\n{options.seeds} seeds of the default study with one method and one epoch: "
            f"{one:.1f} s by one worker ({of_one:.1f} s of processors), {two:.1f} s by two "
            f"({of_two:.1f} s), {one / two:.2f} times as fast"
        )


if __name__ == "__main__":
    main()

"""A simulated run as tables."""

from __future__ import annotations

from collections.abc import Callable

from weak2strong.engine.forecast import Forecast
from weak2strong.engine.simulated import Simulated
from weak2strong.ground.table import Column, Document, Row, Table, count, counted, number, words
from weak2strong.report.units import duration


def forecast_document(forecast: Forecast) -> Document:
    """The run on the workers that were asked for, on 1 to 1,024, and the longest chain of steps."""
    run, length = forecast.simulated, sum(forecast.times)
    time = _time(forecast)
    head = [
        f"Simulated on {_workers(forecast)}: {time(run.makespan)}, {run.speedup:.1f} times as fast "
        f"as one worker ({time(run.work)}); {'workers' if forecast.together == 1 else 'GPUs'} are "
        f"idle {run.idle:.0%} of the time.",
        f"The critical path, {counted(len(forecast.times), 'step')}, takes {time(length)}: no "
        "number of workers is quicker.",
    ]
    facts = {
        "simulated": {
            "unit": forecast.unit,
            "gpus_per_fit": forecast.together,
            **_facts(run),
            "critical_path": length,
        },
        "left_out": list(forecast.left_out),
    }
    return Document([_curve(forecast), _path(forecast)], facts, head, _notes(forecast))


def _workers(forecast: Forecast) -> str:
    """How many workers there are; GPUs are counted apart where a worker has several."""
    run, each = forecast.simulated, forecast.together
    workers = counted(run.workers, "worker")
    if each == 1:
        return workers
    over = run.gpus - each * run.workers
    left = f", {counted(over, 'GPU')} left over" if over else ""
    return f"{workers} with {each} GPUs each{left}"


def _facts(run: Simulated) -> dict[str, float]:
    names = ("gpus", "workers", "makespan", "work", "speedup", "idle", "loads")
    return {name: getattr(run, name) for name in names}


def _time(forecast: Forecast) -> Callable[[float], str]:
    """A time as text, in the unit of the forecast."""
    return duration if forecast.unit == "seconds" else lambda value: f"{value:.1e} FLOPs"


def _curve(forecast: Forecast) -> Table:
    time = _time(forecast)
    columns = [
        count("gpus", "GPUs", detail=forecast.together == 1),
        count("workers"),
        Column("makespan", "time", lambda row: time(row["makespan"])),
        number("speedup", "times one worker", digits=1),
        Column("idle", "idle", lambda row: f"{row['idle']:.0%}"),
        count("loads", "models loaded", detail=True),
    ]
    rows = [_facts(run) for run in forecast.curve]
    return Table("curve", "More workers", columns, rows)


def _path(forecast: Forecast) -> Table:
    time = _time(forecast)

    def text(row: Row) -> str:
        return time(row["time"])

    rows = [
        {"step": step.name, "time": taken}
        for step, taken in zip(forecast.critical_path, forecast.times, strict=True)
    ]
    columns = [words("step", wraps=True), Column("time", "time", text)]
    return Table("critical_path", "The critical path", columns, rows)


def _notes(forecast: Forecast) -> list[str]:
    notes = [
        "Each worker does one step at a time and is as fast as this device; steps begin as in a "
        "run, those with the longest way to the end first. Nothing is taken from the store.",
    ]
    if forecast.unit == "operations":
        notes.append(
            "Times are operations of a GPU, since some stages were not measured on this device "
            "yet; steps without a model count as nothing."
        )
        if forecast.together > 1:
            notes.append(
                "A fit on several GPUs is taken to share its operations evenly; what the GPUs "
                "exchange is not counted, since nothing tells how long it takes."
            )
    if forecast.left_out:
        notes.append(
            f"Left out, since their sizes are not known here: {', '.join(forecast.left_out)}."
        )
    return notes

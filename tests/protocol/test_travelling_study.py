"""A study on machines without a common folder gives the same bytes, and makes nothing twice."""

from dataclasses import replace

from weak2strong.engine.record import results_files
from weak2strong.ground.store import Store
from weak2strong.ground.store.travelling import Hub, TravellingStore
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import perform, steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits

TASK = "atlas-landlocked"


def test_steps_that_are_dealt_out_to_two_machines_are_those_of_one(quick_study, tmp_path):
    whole, task = make_splits(TASKS.get(TASK)), TASKS.get(TASK)
    names = ("weak_train", "strong_train", "validation", "test")
    splits = Splits(*(tuple(whole.examples(s)[:48]) for s in names))
    # The second one reads the activations that the probe learns.
    methods = ("naive", "probe-predict:logistic")
    config = resolved(replace(quick_study, methods=methods))
    todo = steps(config, {TASK: task.kind})

    def task_run(store: Store) -> TaskRun:
        return TaskRun(config, store, TASK, task, splits)

    alone = task_run(Store(tmp_path / "alone"))
    for step in todo:
        perform(step, alone)
    first = Store(tmp_path / "first")
    hub = Hub(first)
    machines = [task_run(TravellingStore(tmp_path / n, hub, n)) for n in ("one", "two")]
    for number, step in enumerate(todo):
        perform(step, machines[number % 2])
    made = [[(u.stage, u.key) for u in m.used if not u.reused] for m in machines]
    assert all(made)
    assert not set(made[0]) & set(made[1])
    assert sorted(made[0] + made[1]) == [(e.stage, e.key) for e in alone.store.entries()]
    reader = replace(task_run(first), compute=False)
    assert results_files(config, {TASK: reader}) == results_files(config, {TASK: alone})

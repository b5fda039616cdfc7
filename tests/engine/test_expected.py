"""Steps are put in order by what they take, as a plan tells it."""

import pytest

from weak2strong.config.study import StudyConfig
from weak2strong.engine.expected import expected
from weak2strong.engine.plan import plan_study
from weak2strong.engine.schedule import Schedule
from weak2strong.ground.store import Store
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import Step, steps
from weak2strong.protocol.task_run import TaskRun


def test_expected_operations_are_those_of_the_plan_but_for_the_length_of_a_text(tmp_path):
    config = StudyConfig(tasks=("atlas-asia", "atlas-generation"), seeds=1)
    for task in config.tasks:
        study = StudyConfig(tasks=(task,), seeds=1, rates="search", methods=("naive",))
        plan = plan_study(study)
        task_runs = TaskRun.all_of(resolved(study), Store(tmp_path))
        of = expected(task_runs)
        told = {e.step: e.flops for e in plan.steps}
        # The two models of the ladder have one tokenizer.
        ratios = [of(step) / flops for step, flops in told.items() if flops]
        assert len(ratios) >= 5
        assert ratios == pytest.approx([ratios[0]] * len(ratios))
        assert {of(step) for step, flops in told.items() if not flops} == {0.0}


def test_larger_tasks_and_steps_that_others_wait_for_come_first(tmp_path):
    config = resolved(StudyConfig(tasks=("atlas-asia", "atlas-europe"), seeds=1))
    task_runs = TaskRun.all_of(config, Store(tmp_path))
    of = expected(task_runs)
    small, large = sorted(task_runs, key=lambda name: of(Step("ceiling", name, 0)))
    assert of(Step("ceiling", small, 0)) < of(Step("ceiling", large, 0))
    kinds = {name: run.task.kind for name, run in task_runs.items()}
    schedule = Schedule(steps(config, kinds), of)
    ways = {
        (task, kind): schedule.way(Step(kind, task, seed))
        for task in task_runs
        for kind, seed in (("ngrams", None), ("supervisor", 0), ("ceiling", 0), ("probe", None))
    }
    for task in task_runs:
        assert ways[task, "ngrams"] == ways[task, "supervisor"] > ways[task, "ceiling"]
        assert ways[task, "ceiling"] > ways[task, "probe"]
    assert ways[large, "supervisor"] > ways[small, "supervisor"]
    traced = Step("traced", small, 0, "naive", evaluations=3)
    assert of(traced) == of(Step("student", small, 0, "naive"))

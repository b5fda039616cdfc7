"""Students of a run with several tasks against their supervisors: each task by itself."""

import polars as pl

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.trusted import verify_students


def test_a_task_is_verified_by_its_own_answers(small_run):
    run = FinishedRun(small_run)
    lines = verify_students(run.config, run.predictions, None, 30)
    tasks = run.predictions["task"].unique(maintain_order=True).to_list()
    assert [line.task for line in lines] == [t for t in tasks for _ in run.config.methods]
    for task in tasks:
        alone = run.predictions.filter(pl.col("task") == task)
        of_task = [line for line in lines if line.task == task]
        assert verify_students(run.config, alone, None, 30) == of_task

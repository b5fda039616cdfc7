"""Who does the steps of a study: this process, or several on this machine."""

from weak2strong.study.engine.engine import Done, Plan, run_steps

__all__ = ["Done", "Plan", "run_steps"]

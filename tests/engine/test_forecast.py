"""What a plan says of many workers: its steps are those of a run, and take what its stages take."""

import json
from collections import defaultdict
from dataclasses import replace

import pytest

from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine import plan as plan_module
from weak2strong.engine.forecast import forecast
from weak2strong.engine.measured import Measured
from weak2strong.engine.plan import plan_study
from weak2strong.ground.errors import UserError
from weak2strong.models.devices import FAKE
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import steps

STUDIES = {
    "default": StudyConfig(),
    "searched": StudyConfig(rates="search", seeds=2),
    "read first": StudyConfig(methods=("naive", "generative+confidence"), seeds=2),
    "in words": StudyConfig(tasks=("atlas-generation",), seeds=1),
    "split by seed": StudyConfig(vary="split", seeds=2, methods=("naive", "probe-predict")),
}


class Everything(dict):
    """Seconds of whatever is asked for."""

    def get(self, kind, default=None):
        return 2.0


@pytest.fixture
def all_measured(monkeypatch):
    """A device on which an optimiser step and every other stage took 2 seconds."""
    seconds = Measured(Everything(a=0.0), Everything(a=0.0), 1)
    monkeypatch.setattr(plan_module, "measured", lambda *a: seconds)


@pytest.mark.parametrize("name", STUDIES)
def test_steps_are_those_of_a_run_and_take_what_the_stages_take(name, all_measured):
    config = STUDIES[name]
    plan = plan_study(config)
    kinds = {task.name: task.kind for task in plan.tasks}
    assert [e.step for e in plan.steps] == list(steps(resolved(config), kinds))
    for unit in ("flops", "seconds"):
        of_steps, of_stages = defaultdict(float), defaultdict(float)
        for e in plan.steps:
            of_steps[e.step.kind] += getattr(e, unit) or 0.0
        for stage in plan.stages:
            kind = "probe" if stage.name == "activations" else stage.name.split()[0]
            of_stages[kind] += getattr(stage, unit) or 0.0
        assert of_steps == pytest.approx(dict(of_stages)), unit
    models = {e.step.kind: e.model for e in plan.steps}
    assert models["ngrams"] is None
    assert models["student"] == models["ceiling"] == "atlas-l"
    assert models["supervisor"] == "atlas-s"


def test_a_forecast_is_bounded_by_its_critical_path_and_its_work():
    plan = plan_study(StudyConfig(seeds=4))
    found = forecast(plan, 3)
    assert found.unit == "operations"
    work = sum(e.flops for e in plan.steps)
    length = sum(found.times)
    assert [step.kind for step in found.critical_path] == ["ngrams", "supervisor", "student"]
    assert found.simulated.workers == 3
    assert [run.workers for run in found.curve] == [2**n for n in range(11)]
    for run in (found.simulated, *found.curve):
        assert run.work == pytest.approx(work)
        assert run.makespan >= max(length, work / run.workers) * (1 - 1e-9)
        assert run.idle == pytest.approx(1 - work / run.workers / run.makespan, abs=1e-9)
    assert found.curve[0].makespan == pytest.approx(work)
    assert found.curve[-1].makespan == pytest.approx(length)


def on_two_gpus(**settings):
    """A study whose students and ceilings take two GPUs each, and whose supervisors take one."""
    return StudyConfig(strong=ModelSpec("atlas-l", gpus_per_fit=2), **settings)


def test_a_fit_on_two_gpus_has_a_worker_of_two_and_half_of_the_operations_on_each():
    one, two = (forecast(plan_study(c), 4) for c in (StudyConfig(seeds=2), on_two_gpus(seeds=2)))
    assert (one.together, two.together) == (1, 2)
    assert (two.simulated.gpus, two.simulated.workers) == (4, 2)
    assert [(run.gpus, run.workers) for run in two.curve] == [(2 * 2**n, 2**n) for n in range(10)]
    plan = plan_study(on_two_gpus(seeds=2))
    assert {e.step.kind: e.gpus for e in plan.steps} == {
        **dict.fromkeys(("supervisor", "ngrams"), 1),
        **dict.fromkeys(("student", "ceiling", "probe"), 2),
    }
    flops = {e.step.name: e.flops for e in plan.steps}
    # What is done on one GPU of a worker leaves its other GPU idle.
    for run in (two.simulated, *two.curve):
        assert run.work == pytest.approx(sum(e.flops / e.gpus for e in plan.steps))
        assert run.idle == pytest.approx(1 - sum(flops.values()) / run.gpus / run.makespan)
    # A GPU that is left over helps nobody.
    assert replace(forecast(plan, 5).simulated, gpus=4) == two.simulated
    with pytest.raises(UserError, match="at least 2, not 1, since a fit of this study is on so"):
        forecast(plan, 1)


def test_more_gpus_for_a_fit_than_this_machine_has_are_simulated(monkeypatch):
    monkeypatch.setenv(FAKE, "cuda:1")
    assert forecast(plan_study(on_two_gpus(seeds=1)), 64).simulated.workers == 32


def test_times_are_seconds_only_where_all_steps_were_measured(all_measured, monkeypatch):
    plan = plan_study(StudyConfig(seeds=1))
    found = forecast(plan, 8)
    assert found.unit == "seconds"
    assert found.simulated.work == sum(s.seconds for s in plan.stages)
    monkeypatch.setattr(plan_module, "measured", lambda *a: Measured(Everything(a=0.0), {}))
    plan = plan_study(StudyConfig(seeds=1))
    assert {s.seconds for s in plan.stages if s.fits} > {None} or plan.stages[0].seconds
    assert forecast(plan, 8).unit == "operations"


def test_tasks_of_unknown_size_are_left_out_and_without_sizes_there_is_no_forecast():
    mixed = plan_study(StudyConfig(tasks=("atlas-asia", "owner/name"), seeds=1))
    found = forecast(mixed, 2)
    assert found.left_out == ("owner/name",)
    alone = forecast(plan_study(StudyConfig(seeds=1)), 2)
    assert found.simulated == alone.simulated
    in_words = plan_study(StudyConfig(tasks=("atlas-generation", "owner/name"), seeds=1))
    assert forecast(in_words, 2).left_out == ("owner/name",)
    for config in (
        StudyConfig(tasks=("owner/name",)),
        StudyConfig(strong=ModelSpec("owner/unheard-of")),
    ):
        with pytest.raises(UserError, match="cannot be simulated"):
            forecast(plan_study(config), 2)
    with pytest.raises(UserError, match="at least 1, not 0"):
        forecast(mixed, 0)


def test_a_forecast_is_printed_and_has_a_form_in_json(capsys, all_measured):
    asked = ["run", "--seeds", "2", "--dry-run", "--gpus", "4"]
    assert main([*asked, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    found = forecast(plan_study(replace(StudyConfig(), seeds=2)), 4)
    assert facts["simulated"] == {
        "unit": "seconds",
        "gpus_per_fit": 1,
        "gpus": 4,
        "workers": 4,
        "makespan": found.simulated.makespan,
        "work": found.simulated.work,
        "speedup": found.simulated.speedup,
        "idle": found.simulated.idle,
        "loads": found.simulated.loads,
        "critical_path": sum(found.times),
    }
    assert [row["workers"] for row in facts["curve"]][-1] == 1024
    assert [row["step"] for row in facts["critical_path"]] == [s.name for s in found.critical_path]
    assert facts["cells"] == 4
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert "Simulated on 4 workers" in printed
    assert "FLOPs of" not in printed
    capsys.readouterr()
    assert main([*asked[:-1], "5", "--gpus-per-fit", "2"]) == 0
    printed = capsys.readouterr().out
    assert "Simulated on 2 workers with 2 GPUs each, 1 GPU left over: " in printed
    assert "GPUs are idle" in printed
    assert main(["run", "--gpus", "4"]) == 2
    assert "give both of them" in capsys.readouterr().err

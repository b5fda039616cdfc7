"""Power: components by hand, SciPy's special cases, and a simulation of the whole model."""

import numpy as np
import pytest
from scipy import stats

from weak2strong.analysis.paired import paired_t
from weak2strong.analysis.power import Components, components, power, smallest_design
from weak2strong.ground.errors import UserError


def test_components_by_hand():
    """Tasks at 0 and 4, seeds one off each: within 2, between 8 - 2/2."""
    found = components(np.array([[-1.0, 1.0], [3.0, 5.0]]))
    assert found == Components(7.0, 2.0, 2.0, 2, 2)
    assert components(np.array([[-1.0, 1.0], [-1.0, 1.0]])).between == 0
    assert components(np.array([[-1.0, 1.0]])).between is None
    with pytest.raises(UserError, match="run at least 2"):
        components(np.array([[1.0], [2.0]]))


def test_components_are_unbiased():
    rng = np.random.default_rng(0)
    found = [components(rng.normal(0, 2, (6, 1)) + rng.normal(0, 1, (6, 3))) for _ in range(2000)]
    assert np.mean([c.within for c in found]) == pytest.approx(1, rel=0.05)
    assert np.mean([c.between for c in found]) == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize(("tasks", "seeds"), [(5, 2), (12, 3)])
def test_power_is_what_a_simulation_of_tasks_and_seeds_finds(tasks, seeds, two_sided):
    variance = Components(0.8, 1.5)
    rng = np.random.default_rng(tasks)
    trials = 3000
    d = 0.9 + rng.normal(0, 0.8**0.5, (trials, tasks, 1))
    d = (d + rng.normal(0, 1.5**0.5, (trials, tasks, seeds))).mean(axis=2)
    found = [paired_t(row) for row in d]
    p = np.array([f.two_sided if two_sided else f.one_sided for f in found])
    expected = power(0.9, tasks, seeds, variance, 0.05, two_sided)
    assert (p <= 0.05).mean() == pytest.approx(expected, abs=4 * 0.5 / trials**0.5)


def test_no_difference_is_found_as_often_as_the_level_says():
    variance = Components(1.0, 1.0)
    assert power(1e-12, 8, 3, variance, 0.05) == pytest.approx(0.05)
    assert power(1e-12, 8, 3, variance, 0.05, two_sided=True) == pytest.approx(0.05)


def test_one_task_has_its_seeds_for_units():
    critical = stats.t.isf(0.05, 4)
    expected = stats.nct.sf(critical, 4, 1.0 / (2.0 / 5**0.5))
    assert power(1.0, 1, 5, Components(None, 4.0)) == pytest.approx(expected)


def test_the_smallest_design_reaches_the_power_and_a_smaller_one_does_not():
    variance = Components(0.01, 0.04)
    best = smallest_design(0.1, variance)
    assert best is not None
    assert best.power == power(0.1, best.tasks, best.seeds, variance) >= 0.8
    cells = best.tasks * best.seeds
    for seeds in range(1, 21):
        tasks = (cells - 1) // seeds
        assert tasks < 2 or power(0.1, tasks, seeds, variance) < 0.8
    one = smallest_design(0.1, Components(None, 0.04))
    assert one is not None
    assert one.tasks == 1
    assert power(0.1, 1, one.seeds - 1, Components(None, 0.04)) < 0.8 <= one.power


def test_what_no_study_can_see_has_no_design():
    assert smallest_design(1e-6, Components(1.0, 1.0)) is None


@pytest.mark.parametrize(("tasks", "level"), [(2, 0.001), (3, 0.0005)])
def test_far_out_power_goes_on_where_the_noncentral_t_ends(tasks, level):
    """On both sides of the change, and as drawn."""
    near, far = (
        power(s / tasks**0.5, tasks, 1, Components(1.0, 0.0), level) for s in (29.999, 30.001)
    )
    assert near == pytest.approx(far, abs=2e-3)
    rng = np.random.default_rng(0)
    d = rng.normal(40 / tasks**0.5, 1, (4000, tasks))
    t = d.mean(axis=1) / d.std(axis=1, ddof=1) * tasks**0.5
    found = (t > stats.t.isf(level, tasks - 1)).mean()
    expected = power(40 / tasks**0.5, tasks, 1, Components(1.0, 0.0), level)
    assert found == pytest.approx(expected, abs=0.03)


def test_without_variance_two_tasks_see_everything():
    assert power(0.1, 2, 1, Components(0.0, 0.0)) == 1
    assert power(0.1, 1, 1, Components(0.0, 0.0)) == 0
    assert power(100.0, 30, 1, Components(0.01, 0.0)) == 1

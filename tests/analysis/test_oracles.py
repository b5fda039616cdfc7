"""Which methods see ground truth is what the run says, or else what their names say."""

import polars as pl

from weak2strong.analysis.oracles import oracles

ROLES = ["student", "student", "student", "ceiling"]
METHODS = ["naive", "oracle-stopping", "of-a-plugin", "generative"]
OLD = pl.DataFrame({"role": ROLES, "method": METHODS})


def test_a_run_says_which_of_its_methods_see_ground_truth():
    told = OLD.with_columns(oracle=pl.Series([False, True, True, False]))
    assert oracles(told) == {"oracle-stopping", "of-a-plugin"}
    # What a name stands for today does not matter.
    assert oracles(told.with_columns(oracle=pl.lit(False))) == set()


def test_an_older_run_is_read_by_the_names_of_its_methods():
    assert oracles(OLD) == {"oracle-stopping"}

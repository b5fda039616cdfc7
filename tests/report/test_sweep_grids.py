"""What is printed of a sweep: three grids, the two marked cells, and what they say."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from weak2strong.analysis.swept import Swept
from weak2strong.experiments.sweep import sweep_document
from weak2strong.report.terminal import print_document


def printed(one: Swept) -> str:
    stream = io.StringIO()
    print_document(sweep_document([one], "atlas-s", "atlas-l"), Console(file=stream, width=100))
    return stream.getvalue()


@pytest.fixture
def swept() -> Swept:
    return Swept(
        task="atlas-asia",
        probe="knn",
        metric="accuracy",
        layers=(0, 3),
        settings=(5, 50),
        seeds=2,
        score=np.array([[0.5, 0.51], [0.9, 0.95]]),
        agreement=np.array([[0.55, 0.56], [0.85, 0.84]]),
        truth=np.array([[0.6, 0.61], [0.97, 0.98]]),
        floor=0.8,
        ceiling=0.99,
    )


def test_rows_are_layers_and_the_choices_are_marked(swept):
    text = printed(swept)
    assert "on layers of atlas-l, labels of atlas-s: accuracy, mean of 2 seeds" in text
    assert "atlas-asia, knn: test, weak labels learned" in text
    assert len(re.findall(r"layer \\ k +5 +50\b", text)) == 3
    rows = [line.split() for line in text.splitlines() if re.match(r" +[03] ", line)]
    assert rows == [
        ["0", "0.500", "0.510"],
        ["3", "0.900*", "0.950+"],
        ["0", "0.550", "0.560"],
        ["3", "0.850*", "0.840+"],
        ["0", "0.600", "0.610"],
        ["3", "0.970*", "0.980+"],
    ]
    assert "the fair choice: layer 3, k 5: 0.900 (0.970 with ground truth)." in text
    assert "(oracle): layer 3, k 50: 0.950 (0.980 with ground truth)." in text
    assert "floor 0.800, ceiling 0.990." in text


def test_one_cell_may_be_both(swept):
    both = Swept(**{**vars(swept), "score": swept.agreement, "ceiling": None})
    text = printed(both)
    assert text.count("0.850*+") == 2
    assert "floor 0.800." in text

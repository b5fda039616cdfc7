"""The notebook of the documentation: what stands in it is what its cells give."""

import json
import re
import runpy
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
KEPT = json.loads((FOLDER / "first_result.ipynb").read_text())
COLUMNS = ("floor", "student", "ceiling")


def html(cells):
    """The outputs of cells that a notebook shows as HTML."""
    outputs = (o for cell in cells if cell["cell_type"] == "code" for o in cell["outputs"])
    return ["".join(o["data"]["text/html"]) for o in outputs if "text/html" in o.get("data", {})]


def scores(cells):
    """Floor, student and ceiling by method, from the table of results."""
    (table,) = (x for x in html(cells) if "ceiling</th>" in x and 'class="w2s"' in x)
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", table)
    found = {}
    for row in rows:
        texts = re.findall(r"<td[^>]*>(.*?)</td>", row)
        found[texts[0]] = [float(x) for x in texts[1:4]]
    return found


def test_the_kept_notebook_was_executed_without_an_error_and_is_small():
    codes = [cell for cell in KEPT["cells"] if cell["cell_type"] == "code"]
    assert len(codes) >= 5
    assert all(cell["execution_count"] for cell in codes)
    outputs = [o for cell in codes for o in cell["outputs"]]
    assert {o["output_type"] for o in outputs} <= {"execute_result", "display_data"}
    assert sum("image/png" in o["data"] for o in outputs) == 2
    assert (FOLDER / "first_result.ipynb").stat().st_size < 250_000


def test_its_numbers_are_those_of_a_study_that_worked():
    found = scores(KEPT["cells"])
    assert set(found) == {"naive", "confidence", "linear-probe"}
    for floor, student, ceiling in found.values():
        assert floor < student < ceiling


def test_nothing_of_the_machine_stands_in_it():
    text = json.dumps(KEPT)
    assert not re.search(r"/tmp|/home|/root|/work/", text)


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(find_spec, ("nbclient", "ipykernel"))), reason="`make docs` installs Jupyter's"
)
# What Jupyter's own packages warn of is no concern of ours.
@pytest.mark.filterwarnings("ignore")
def test_executed_again_it_has_the_same_cells_and_numbers(tmp_path):
    again = runpy.run_path(str(FOLDER / "write.py"))["executed"](tmp_path)
    sources = [[cell["source"] for cell in of["cells"]] for of in (again, _joined(KEPT))]
    assert sources[0] == sources[1]
    kept, new = scores(KEPT["cells"]), scores(again["cells"])
    assert kept.keys() == new.keys()
    for method, numbers in kept.items():
        # Another machine may round another way now and then.
        assert new[method] == pytest.approx(numbers, abs=0.05)


def _joined(notebook):
    """A notebook as it is on the disk, whose texts are lists of lines, with whole texts."""
    cells = [cell | {"source": "".join(cell["source"])} for cell in notebook["cells"]]
    return {**notebook, "cells": cells}

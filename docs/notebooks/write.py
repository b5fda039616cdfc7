"""Write `first_result.ipynb`: its cells stand here, and Jupyter executes them.

`make notebook` calls it, in half a minute on 2 cores.
"""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from weak2strong.ground.whole import write_whole

HERE = Path(__file__).parent
FILE = HERE / "first_result.ipynb"

CELLS = (
    """# A first result, as a notebook

A small model, `atlas-s`, is finetuned on ground truth: is this city south of the equator? It
labels other cities, and a larger model, `atlas-l`, learns from these labels alone. How much of the
gap to the same large model with ground truth does it recover? No GPU and no network are needed.""",
    """>import weak2strong as w2s

study = w2s.Study(
    tasks="atlas-southern",
    weak="atlas-s",
    strong="atlas-l",
    methods=["naive", "confidence", "linear-probe"],
    seeds=2,
)
study""",
    """A study runs when it is told to. What is finished is kept in a store, so that a second call
trains nothing.""",
    """>results = study.run(quiet=True)
results""",
    """**floor**: the supervisor. **student** learned from the supervisor's labels. **ceiling**: the
same model with ground truth. **PGR** is (student - floor) / (ceiling - floor), with an interval
over seeds and test examples.

The table is a frame, of polars or of pandas:""",
    """>results.table().select("method", "floor", "student", "ceiling", "pgr")""",
    """Every figure of `w2s figures` can be had by its name and is one of Matplotlib, to be styled
further:""",
    """>figure = results.figure("scores")
figure.axes[0].set_title("South of the equator?")
figure""",
    """Where does the student follow its supervisor's errors?""",
    """>results.figure("agreement")""",
    """`results.report()` writes all of it as one HTML file. Next: [your own
data](../tutorial/own-data.md), [your own method](../tutorial/own-method.md).""",
)
"""The cells; those of code begin with a `>`."""


def notebook() -> nbformat.NotebookNode:
    """The notebook without outputs."""
    make = nbformat.v4
    cells = [
        make.new_code_cell(text[1:]) if text[0] == ">" else make.new_markdown_cell(text)
        for text in CELLS
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return make.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def executed(folder: Path) -> nbformat.NotebookNode:
    """The notebook with outputs, executed in a folder."""
    found = notebook()
    NotebookClient(found, timeout=None, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in found.cells:
        # When a cell ran is of no use to readers, and differs each time.
        cell.metadata.clear()
        # Warnings of libraries name folders of this machine.
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.output_type != "stream"]
    found.metadata.pop("language_info", None)
    return found


def main() -> None:
    """Write the notebook."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("W2S_STORE", str(Path(folder) / "store"))
        text = nbformat.writes(executed(Path(folder)))
    write_whole(FILE, text + "\n")


if __name__ == "__main__":
    main()

"""The borders of docs/architecture.md: libraries that read files are called behind them alone."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from weak2strong.analysis.scores import read_scores
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import read_study
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.schema import columns
from weak2strong.ground.weak_labels import read_weak_labels
from weak2strong.models.vectors import vectors_of
from weak2strong.tasks.find import find_tasks
from weak2strong.tasks.image_files import opened

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "weak2strong"

OF_LIBRARIES = {
    "polars": r"pl\.(read|scan)_\w+",
    "pyarrow": r"(parquet|pq)\.(ParquetFile|read_\w+)|pa\.ipc\.open_\w+|pa\.csv\.\w+|pa\.json\.\w+",
    "safetensors": r"safe_open|load_file",
    "Transformers, PEFT and tokenizers": r"\w+\.(from_pretrained|from_file)",
    "YAML": r"yaml\.(safe_)?(load|compose)\w*|_Loader",
    "NumPy": r"np\.(load|memmap|fromfile)",
    "PyTorch": r"torch\.load",
    "Pillow": r"Image\.open",
    "packed files": r"(gzip|bz2|lzma|zipfile)\.open|(zipfile\.)?ZipFile",
}
"""What reads a file, by library; a call is one where its whole name is such."""

BORDERS = {
    "tables": (
        *("tasks.card", "tasks.columnar", "tasks.opening", "tasks.zipped"),
        "subjects.chess.records",
    ),
    "images": ("tasks.image_files", "tasks.image_index"),
    "vectors": ("models.vectors",),
    "weak labels": ("ground.weak_labels",),
    "scores": ("analysis.scores",),
    "study files": ("config.text", "report.provenance"),
    "models": (
        *(
            "models.configuration",
            "models.counts",
            "models.file_faults",
            "models.image_reader",
            "models.merged",
        ),
        *("models.merged", "models.own_head", "models.pickled", "models.saved", "models.weights"),
        "models.alexnet",
    ),
    "run folders": ("ground.schema",),
    "the store": (
        *("engine.curves", "ground.activations", "ground.predictions", "protocol.stages.finetune"),
        *("protocol.stages.sweeps", "training.checkpoint"),
    ),
    "shipped files": (
        *("subjects.atlas.facts", "subjects.atlas.ladder.build", "subjects.atlas.ladder.knowledge"),
        *("subjects.atlas.ladder.tokens", "subjects.chess.positions"),
    ),
}
"""The modules that call such a library, by border: a new one belongs to one of these, or is one."""


CALLED = re.compile("|".join(OF_LIBRARIES.values()))


def calls_a_library(path: Path) -> bool:
    """Whether a module calls one of them; its text is looked through first, which is quick."""
    text = path.read_text(encoding="utf-8")
    return bool(CALLED.search(text)) and any(
        CALLED.fullmatch(ast.unparse(node.func))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    )


def test_libraries_that_read_files_are_called_behind_a_border():
    found = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in SOURCE.rglob("*.py")
        if calls_a_library(path)
    }
    listed = {module for modules in BORDERS.values() for module in modules}
    assert found - listed == set(), "let a module behind a border read the file"
    assert listed - found == set(), "these call no library any more"


def test_the_docs_name_every_border_and_where_it_is():
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.partition("\n## Borders\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    named = {row[0].strip() for row in rows}
    assert named >= {*BORDERS, "plugins", "disks"}
    for row in rows:
        places = re.findall(r"`([\w/]+)\.py(?:: (\w+(?:, \w+)*))?`", row[2])
        assert places, row
        for module, names in places:
            there = import_module("weak2strong." + module.replace("/", "."))
            for name in filter(None, names.split(", ")):
                assert hasattr(there, name), (module, name)


GARBAGE = b"PAR1\x00\xff{[\x93NUMPY: &a *b\n\x00\xfe" * 9


def in_a_run(path: Path) -> object:
    """A table of a run folder."""
    return FolderFiles(path.parent, "run").table(path.name, columns(text="task"))


VECTORS = ("safetensors", "npy", "parquet")

READERS = [
    ("table.parquet", lambda path: find_tasks((str(path),), DataOptions())),
    ("table.arrow", lambda path: find_tasks((str(path),), DataOptions())),
    ("table.csv.gz", lambda path: find_tasks((str(path),), DataOptions())),
    ("table.jsonl.zip", lambda path: find_tasks((str(path),), DataOptions())),
    ("image.png", lambda path: opened(str(path))),
    *((f"weak.{end}", lambda path: vectors_of(ModelSpec(str(path)))) for end in VECTORS),
    *((f"labels.{end}", lambda path: read_weak_labels(path, 2)) for end in ("parquet", "csv")),
    ("scores.csv", read_scores),
    ("study.yaml", read_study),
    ("results.parquet", in_a_run),
]


@pytest.mark.parametrize(("name", "read"), READERS, ids=lambda x: x if isinstance(x, str) else "")
def test_what_a_library_cannot_read_is_a_sentence_with_the_file(name, read, tmp_path):
    """Garbage, nothing, a folder in its place, and a file that may not be there."""
    path = tmp_path / name
    for make in (lambda: path.write_bytes(GARBAGE), lambda: path.write_bytes(b""), path.mkdir):
        path.unlink(missing_ok=True)
        make()
        with pytest.raises(UserError) as told:
            read(path)
        assert name in str(told.value)
        assert "\n" not in str(told.value)

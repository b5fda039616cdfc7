"""How long a head on features takes, and how much memory: vectors of a file that is mapped.

So many float32 vectors of ten classes are written to a folder with their labels (4.9 GB at the
default sizes, deleted afterwards). In a process of its own the labels are read, split and joined
with the vectors, a linear head learns all of them for five epochs in batches of 128, and answers
some; then the nearest neighbours of so many vectors are looked for among as many others.

    python benchmarks/features.py --rows 1200000 --width 1024 --neighbours 40000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from process import parser_of, peak_bytes

CLASSES = 10

CHUNK = 50_000
"""Vectors that are written together."""


def write(folder: Path, rows: int, width: int) -> None:
    """Write vectors around a mean of their class, and labels."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(CLASSES, width)).astype("f4") / 8
    file = np.lib.format.open_memmap(folder / "strong.npy", "w+", "f4", (rows, width))
    for start in range(0, rows, CHUNK):
        labels = np.arange(start, min(start + CHUNK, rows)) % CLASSES
        noise = rng.standard_normal((len(labels), width), "f4")
        file[start : start + CHUNK] = noise + means[labels]
    file.flush()
    with open(folder / "labels.csv", "w") as table:
        table.write("id,label\n")
        table.writelines(f"i{i},class {i % CLASSES}\n" for i in range(rows))


def measure(folder: Path, neighbours: int, epochs: int) -> dict[str, dict[str, float]]:
    """Seconds and CPU seconds of each part, and bytes at the peak, in this process."""
    from weak2strong.config.data import DataOptions
    from weak2strong.config.model import ModelSpec
    from weak2strong.config.training import Training
    from weak2strong.losses import loss
    from weak2strong.models.load import load_model
    from weak2strong.models.vectors import vectors_of
    from weak2strong.probes.knn import knn_labels
    from weak2strong.tasks.find import find_task
    from weak2strong.tasks.kinds import true_labels, true_targets
    from weak2strong.tasks.splits import make_splits
    from weak2strong.training.fit import fit
    from weak2strong.training.predict import predict
    from weak2strong.training.training_set import TrainingSet

    found: dict[str, dict[str, float]] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        began, busy = time.perf_counter(), time.process_time()
        yield
        seconds, cpu = time.perf_counter() - began, time.process_time() - busy
        found[name] = {"seconds": seconds, "cpu": cpu, "bytes": peak_bytes()}

    spec = ModelSpec(str(folder / "strong.npy"), adaptation="head")
    with timed("labels read and split"):
        task = find_task(str(folder), DataOptions())
        make_splits(task)
    examples = task.load()
    with timed("vectors joined and checked"):
        vectors_of(spec).check([e.item.id for e in examples])
    items, targets = [e.item for e in examples], true_targets(task.kind, examples, CLASSES)
    model = load_model(spec, task.kind, CLASSES, 0)
    training = Training(epochs=epochs, batch_size=128, learning_rate=1e-3, head_rate=1e-3)
    with timed(f"head, {epochs} epochs"):
        fit(model, TrainingSet(items, targets), loss("cross-entropy"), training, seed=0)
    some = slice(0, 2 * neighbours)
    with timed(f"{len(items[some]):,} answers"):
        answers = predict(model, items[some]).values
    right = answers.argmax(axis=1) == true_labels(task.kind, examples[some])
    found["accuracy"] = {"share": float(right.mean())}
    points = vectors_of(spec).activations([item.id for item in items[some]]).values
    with timed(f"neighbours of {neighbours:,}"):
        knn_labels(points[:neighbours], targets[:neighbours], points[neighbours:], k=10)
    return found


def _flags() -> argparse.ArgumentParser:
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=1_200_000, help="vectors")
    parser.add_argument("--width", type=int, default=1024, help="numbers of a vector")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument(
        "--neighbours", type=int, default=40_000, help="points, and as many queries"
    )
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    """Print a row a part, as Markdown; or, in a process of its own, what the parts take."""
    flags = _flags().parse_args()
    if flags.folder:
        return print(json.dumps(measure(flags.folder, flags.neighbours, flags.epochs)))
    with TemporaryDirectory() as name:
        write(Path(name), flags.rows, flags.width)
        sizes = ["--neighbours", str(flags.neighbours), "--epochs", str(flags.epochs)]
        command = [sys.executable, __file__, "--folder", name, *sizes]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    print(f"{flags.rows:,} x {flags.width:,}, accuracy {found.pop('accuracy')['share']:.3f}\n")
    print("| part | seconds | CPU seconds | peak GiB so far |\n|---|---|---|---|")
    for part, m in found.items():
        print(f"| {part} | {m['seconds']:.1f} | {m['cpu']:.1f} | {m['bytes'] / 2**30:.2f} |")
    return None


if __name__ == "__main__":
    main()

"""How long probes of many activations take, beside scikit-learn.

Activations are drawn with an uneven spectrum and far from zero, as those of language models are.

*Neighbours*: every activation is asked for the 50 nearest among all, itself included. The same
for fewer queries, by `weak2strong.probes.nearest` and by ``NearestNeighbors(algorithm="brute")``.

*Logistic regression* on correlated features and soft labels, of five penalties: by
`weak2strong.probes.fit_penalties`, and by ``LogisticRegression`` (L-BFGS, from the solution of the
penalty before) on a row a class with the label for its weight, which is how scikit-learn takes
soft labels.

Both run in turn, with the same number of threads. A time is the median of the repeats, in
seconds of the processors, which other work on the machine lengthens least.

    python benchmarks/probes.py
"""

import time
from collections.abc import Callable

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from process import parser_of, peak_bytes
from weak2strong.ground.processes import set_threads
from weak2strong.probes import fit_penalties, nearest

K = 50
PENALTIES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)

NEIGHBOURS = ((5_000, 5_000), (20_000, 10_000), (100_000, 4_000))
"""Points and queries of the comparison, of width 1,024."""

REGRESSIONS = ((600, 128, 2), (600, 128, 4), (2_000, 768, 2))
"""Examples, width and classes."""


def activations(examples: int, width: int) -> np.ndarray:
    """Float32 ``(examples, width)``: variances that fall as 1/rank, around a mean of length 100."""
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((examples, width), dtype=np.float32)
    normal *= np.arange(1, width + 1, dtype=np.float32) ** -0.5
    normal += np.float32(100 / width**0.5)
    return normal


def correlated(features: np.ndarray) -> np.ndarray:
    """The same, turned by a random rotation: distances stay, and all features hang together."""
    rng = np.random.default_rng(2)
    return features @ np.linalg.qr(rng.standard_normal((features.shape[1],) * 2))[0]


def soft_labels(features: np.ndarray, classes: int) -> np.ndarray:
    """Rows of probabilities ``(examples, classes)`` that follow the features, with noise."""
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((features.shape[1], classes))
    logits = (features - features.mean(axis=0)) @ weights
    hard = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return 0.7 * np.eye(classes)[hard] + 0.3 * rng.dirichlet(np.ones(classes), len(features))


def sklearn_nearest(points: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Indices of the `K` nearest, ``(queries, K)``, of centred features, so that less cancels."""
    centre = points.mean(axis=0)
    search = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(points - centre)
    return search.kneighbors(queries - centre, return_distance=False)


def sklearn_probes(features: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Probabilities ``(n, classes)`` for each penalty."""
    n, classes = labels.shape
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    rows, targets = np.repeat(features, classes, axis=0), np.tile(np.arange(classes), n)
    # With ten times this tolerance, probabilities are off by up to 6e-4.
    model = LogisticRegression(tol=1e-6, max_iter=10_000, warm_start=True)
    found = []
    for penalty in PENALTIES:
        model.set_params(C=1 / ((1 if classes == 2 else 2) * n * penalty))
        model.fit(rows, targets, sample_weight=labels.ravel())
        found.append(model.predict_proba(features))
    return found


def medians(repeats: int, *work: Callable[[], object]) -> list[float]:
    """Processor seconds of each piece of work; they run in turn."""
    seconds: list[list[float]] = [[] for _ in work]
    for _ in range(repeats):
        for times, run in zip(seconds, work, strict=True):
            begun = time.process_time()
            run()
            times.append(time.process_time() - begun)
    return [float(np.median(times)) for times in seconds]


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def compare(repeats: int) -> None:
    """Print both tables."""
    head = ("s", "scikit-learn, s", "ratio")
    print(row("points", "queries", "width", *head), "\n|" + " ---: |" * 6, sep="")
    for examples, queries in NEIGHBOURS:
        points = activations(examples, 1_024)
        some = points[:queries]
        ours, theirs = medians(
            repeats,
            lambda points=points, some=some: nearest(points, some, k=K),
            lambda points=points, some=some: sklearn_nearest(points, some),
        )
        cells = (f"{examples:,}", f"{queries:,}", "1,024", f"{ours:.2f}", f"{theirs:.2f}")
        print(row(*cells, f"{theirs / ours:.1f}"), flush=True)
    print("\n" + row("examples", "width", "classes", *head), "\n|" + " ---: |" * 6, sep="")
    for examples, width, classes in REGRESSIONS:
        features = correlated(activations(examples, width))
        labels = soft_labels(features, classes)
        ours, theirs = medians(
            repeats,
            lambda features=features, labels=labels: fit_penalties(features, labels, PENALTIES),
            lambda features=features, labels=labels: sklearn_probes(features, labels),
        )
        cells = (f"{examples:,}", f"{width:,}", str(classes), f"{ours:.2f}", f"{theirs:.2f}")
        print(row(*cells, f"{theirs / ours:.1f}"), flush=True)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--examples", type=int, default=100_000, help="of all neighbours")
    parser.add_argument("--width", type=int, default=1_024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="of the comparison; 0: none")
    options = parser.parse_args()
    set_threads(options.threads)
    if options.examples:
        points = activations(options.examples, options.width)
        begun = time.perf_counter()
        nearest(points, k=K)
        seconds = time.perf_counter() - begun
        rate = 2 * options.examples**2 * options.width / seconds
        print(
            f"{K} nearest of {options.examples:,} x {options.width:,} activations, "
            f"{options.threads} threads, NumPy {np.__version__}: {seconds:.0f} s, "
            f"{rate / 1e9:.0f} GFLOP/s, peak {peak_bytes() / 2**20:,.0f} MiB\n"
        )
    if options.repeats:
        print(f"Beside scikit-learn {sklearn.__version__}, {options.threads} threads:\n")
        compare(options.repeats)


if __name__ == "__main__":
    main()

"""How long the exact nearest neighbours of many activations take, and how much memory.

Activations are drawn with an uneven spectrum and far from zero, as those of language
models are; every one is asked for the 50 nearest among all, itself included.

    python benchmarks/knn.py
"""

import argparse
import platform
import resource
import time

import numpy as np

from weak2strong.ground.processes import set_threads
from weak2strong.probes.knn import nearest


def activations(examples: int, width: int) -> np.ndarray:
    """Float32 ``(examples, width)``: variances that fall as 1/rank, around a mean of length 100."""
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((examples, width), dtype=np.float32)
    drawn *= np.arange(1, width + 1, dtype=np.float32) ** -0.5
    drawn += np.float32(100 / width**0.5)
    return drawn


def peak() -> int:
    """The most memory in bytes that this process has taken."""
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=1_024)
    parser.add_argument("--k", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    set_threads(options.threads)
    drawn = activations(options.examples, options.width)
    begun = time.perf_counter()
    nearest(drawn, k=options.k)
    seconds = time.perf_counter() - begun
    rate = 2 * options.examples**2 * options.width / seconds
    print(
        f"{options.k} nearest of {options.examples:,} x {options.width:,} activations, "
        f"{options.threads} threads, NumPy {np.__version__}: {seconds:.0f} s, "
        f"{rate / 1e9:.0f} GFLOP/s, peak {peak() / 2**20:,.0f} MiB"
    )


if __name__ == "__main__":
    main()

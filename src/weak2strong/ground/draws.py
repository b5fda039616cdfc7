"""Seeds of random numbers that are drawn for different purposes."""

import hashlib


def draw_seed(seed: int, *purpose: str) -> int:
    """A seed of its own for each purpose: equal for equal words, and unrelated for others.

    Two generators that begin at one seed draw the same numbers, so that the heads of a supervisor
    and of its student would begin alike, and their errors could agree for that reason.

    Args:
        seed: of the study's cell.
        purpose: words that say what is drawn, and for whom.

    Returns:
        A number from 0 to 2**63 - 1, which every generator takes.
    """
    text = "\0".join((str(seed), *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

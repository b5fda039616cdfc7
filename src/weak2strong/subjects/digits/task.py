"""Which digit is it? 1,797 pictures of 8 x 8, which come with scikit-learn.

They are the part of *Optical Recognition of Handwritten Digits* (Alpaydin and Kaynak 1998, UCI
Machine Learning Repository) that was kept for tests: by 13 people who wrote none of the others. Who
wrote what is not published, so every picture is a group of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from weak2strong.tasks.image_files import key_of, uri_of
from weak2strong.tasks.task import Example, Item, Task, stable_id

DARKEST = 16
"""The largest number of a picture."""


def picture(numbers: Sequence[int]) -> bytes:
    """A picture as a file in the form PGM, dark on white: the numbers are how dark a point is."""
    return b"P5 8 8 %d\n" % DARKEST + bytes(DARKEST - number for number in numbers)


@cache
def examples() -> tuple[Example, ...]:
    """All pictures with their digits, sorted by id."""
    from sklearn.datasets import load_digits

    numbers, digits = load_digits(return_X_y=True)
    rows = zip(numbers.astype(int).tolist(), digits.tolist(), strict=True)
    made = [_example(picture(of_one), digit) for of_one, digit in rows]
    return tuple(sorted(made, key=lambda e: e.item.id))


def _example(content: bytes, digit: int) -> Example:
    key = key_of(content)
    id = stable_id("digits", key)
    file = uri_of(content, "x-portable-graymap")
    return Example(Item(id, f"picture:{id}", key, file=file), digit)


DIGITS = Task(
    name="digits",
    kind="classification",
    inputs="images",
    classes=tuple("0123456789"),
    summary="Which digit is on this small picture of handwriting?",
    source="Optical Recognition of Handwritten Digits, as scikit-learn ships it",
    licence="CC BY 4.0",
    load=examples,
    pair=("digits-s", "digits-l"),
)
"""The task."""

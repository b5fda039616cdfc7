"""Studies of the literature that come with the package, found by name wherever it is installed.

In a wheel they lie inside of the package, in the repository beside ``src``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
FOLDERS = (_PACKAGE / "recipes", _PACKAGE.parents[1] / "recipes")
"""Where they are, in a wheel and in the repository."""


@cache
def recipes() -> dict[str, Path]:
    """The files of all recipes by name, such as ``eleuther_2024`` or ``embedded/eleuther_2024``."""
    found = dict[str, Path]()
    for folder in FOLDERS:
        for file in sorted(folder.rglob("*.yaml")):
            found.setdefault(file.relative_to(folder).with_suffix("").as_posix(), file)
    return found


def recipe_at(path: Path) -> Path:
    """The file of a study: the path itself where it is there, else a recipe of that name.

    Args:
        path: as the user wrote it: a file, or a recipe as ``NAME``, ``embedded/NAME``, or
            ``recipes/NAME.yaml`` outside of the repository.
    """
    if path.exists():
        return path
    name = path.with_suffix("") if path.suffix in (".yaml", ".yml") else path
    return recipes().get(name.as_posix().removeprefix("recipes/"), path)

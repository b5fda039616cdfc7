"""The source of a package, module by module, and the rules for what of it does not count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from weak2strong.ground.code.pieces import ModulePieces, Piece, Reader


@dataclass(frozen=True)
class Rules:
    """What does not count.

    Attributes:
        beside: modules, packages, and names as ``module:name``, whose code cannot change a number
            of what it is used for.
        settings: packages whose classes hold settings, which stand in keys by value.
        registering: ``module:name`` of decorators that only put something into a registry.
        texts: names of members of classes that hold texts for lists.
    """

    beside: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    registering: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class Source:
    """The source of one package, as it is when this is made.

    It is read at once: while a process runs, files may change, and its code does not.

    Args:
        package: its name.
        root: its folder.
        rules: what does not count.
    """

    def __init__(self, package: str, root: Path, rules: Rules):
        self.package, self.root, self.rules = package, root, rules
        self._reader = Reader(package, rules.registering)
        self._texts: dict[str, str | bytes] = {
            file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*.py")
        }
        self._read: dict[str, ModulePieces | None] = {}
        self._beside: dict[str, bool] = {}
        self._roots: dict[tuple[str, str], Piece] = {}
        self._foreign: dict[tuple[str, str], Piece] = {}

    def edited(self, edits: Mapping[str, str]) -> Source:
        """The same source with other texts in some files, by their paths below the root."""
        other = copy(self)
        other._texts = {**self._texts, **edits}
        files = {path.removesuffix(".py").removesuffix("/__init__") for path in edits}

        def is_kept(module: str) -> bool:
            return "/".join(module.split(".")[1:]) not in files

        other._read = {name: read for name, read in self._read.items() if is_kept(name)}
        other._roots = {root: piece for root, piece in self._roots.items() if is_kept(root[0])}
        return other

    def module(self, name: str) -> ModulePieces | None:
        """The pieces of a module, read once; None where the package has none of that name."""
        if name not in self._read:
            found = self._text(name)
            self._read[name] = self._reader.module(name, found[0], found[1]) if found else None
        return self._read[name]

    def _text(self, name: str) -> tuple[str | bytes, bool] | None:
        """The source of a module, and whether it is that of a package."""
        *folders, last = name.split(".")[1:] or [""]
        for path, is_package in (
            ("/".join(filter(None, [*folders, last, "__init__.py"])), True),
            ("/".join([*folders, f"{last}.py"]), False),
        ):
            if path in self._texts:
                return self._texts[path], is_package
        return None

    def is_ours(self, module: str) -> bool:
        """Whether a module is of this package."""
        return module.partition(".")[0] == self.package

    def is_beside(self, name: str) -> bool:
        """Whether a module, or a ``module:name``, stands beside what counts."""
        if name not in self._beside:
            self._beside[name] = _within(name, self.rules.beside)
        return self._beside[name]

    def holds_settings(self, module: str) -> bool:
        """Whether the classes of a module hold settings."""
        return _within(module, self.rules.settings)

    def root_piece(self, module: str, path: str) -> Piece:
        """A function that stands in others, such as ``finetune.<locals>.make``.

        A function without a name counts as the one that it stands in.
        """
        if (module, path) not in self._roots:
            found = self._text(module)
            if found is None:
                raise KeyError(f"There is no module {module}.")
            names = path.partition("<lambda>")[0].replace("<locals>.", "").strip(".").split(".")
            self._roots[module, path] = self._reader.nested(found[0], names, module)
        return self._roots[module, path]

    def foreign(self, name: str, text: str) -> Piece:
        """All of a source that is not ours, as one piece, read once."""
        if (name, text) not in self._foreign:
            self._foreign[name, text] = self._reader.whole(name, text)
        return self._foreign[name, text]


def _within(name: str, those: Iterable[str]) -> bool:
    return any(name == one or name.startswith((f"{one}.", f"{one}:")) for one in those)

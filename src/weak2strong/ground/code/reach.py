"""What a function can reach: the pieces of our source that decide what it computes.

From a function one follows the names in it: functions, classes and constants of its module, and of
the modules of ours that it imports from. Of a class that is reached, the members count whose name
is an attribute anywhere in what is reached (all of them where a base of the class is from
elsewhere, whose code may call them). Of a registry that is reached, the entries count whose names
stand as words in what is reached, or in the settings at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weak2strong.ground.code.pieces import ClassPieces, ModulePieces, Piece, Reader

Registered = Callable[[str, str, str], "Roots | None"]
"""From the module and the name of a registry, and the name of an entry, to where this begins; None
where the registry has no such entry."""


@dataclass(frozen=True)
class Roots:
    """Where following begins.

    Attributes:
        functions: module and qualified name of functions and classes of ours.
        sources: texts of others, such as plugins, by name: what they use of ours counts, and they
            do not count themselves.
        values: settings that are part of the code, by what they are settings of.
    """

    functions: frozenset[tuple[str, str]] = frozenset()
    sources: frozenset[tuple[str, str]] = frozenset()
    values: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: Roots) -> Roots:
        return Roots(
            self.functions | other.functions,
            self.sources | other.sources,
            self.values | other.values,
        )


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
    """The source of one package.

    Args:
        package: its name.
        root: its folder.
        rules: what does not count.
    """

    def __init__(self, package: str, root: Path, rules: Rules):
        self.package, self.root, self.rules = package, root, rules
        self._reader = Reader(package, rules.registering)
        self._edits: Mapping[str, str] = {}
        self._read: dict[str, ModulePieces | None] = {}
        self._beside: dict[str, bool] = {}
        self._roots: dict[tuple[str, str], Piece] = {}

    def edited(self, edits: Mapping[str, str]) -> Source:
        """The same source with other texts in some files, by their paths below the root."""
        other = Source(self.package, self.root, self.rules)
        other._edits = edits
        files = {path.removesuffix(".py").removesuffix("/__init__") for path in edits}
        other._read = {
            name: read
            for name, read in self._read.items()
            if "/".join(name.split(".")[1:]) not in files
        }
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
            if path in self._edits:
                return self._edits[path], is_package
            file = self.root / path
            if file.is_file():
                return file.read_bytes(), is_package
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
        """All of a source that is not ours, as one piece."""
        return self._reader.whole(name, text)


def _within(name: str, those: Iterable[str]) -> bool:
    return any(name == one or name.startswith((f"{one}.", f"{one}:")) for one in those)


def reach(
    source: Source, roots: Roots, words: Iterable[str], registered: Registered
) -> dict[str, str]:
    """Digests, by a readable name, of all that the roots can reach, the roots included.

    Args:
        source: of the package.
        roots: where to begin.
        words: in the settings at hand.
        registered: finds the entries of registries.

    Raises:
        KeyError: for a root that the source does not have.
    """
    walk = _Walk(source, registered, words=set(words))
    walk.begin(roots)
    walk.go_on()
    return walk.digests


@dataclass
class _Walk:
    source: Source
    registered: Registered
    words: set[str] = field(default_factory=set)
    digests: dict[str, str] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    todo: list[tuple[str, Piece, bool]] = field(default_factory=list)
    classes: dict[tuple[str, str], ClassPieces] = field(default_factory=dict)
    registries: set[tuple[str, str]] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def begin(self, roots: Roots) -> None:
        """Add roots."""
        for name, text in roots.values:
            self.digests[f"settings of {name}: {text}"] = text
            self.words.update(words_in(text))
        for name, text in roots.sources:
            if ("", name) not in self.seen:
                self.seen.add(("", name))
                self.todo.append(("", self.source.foreign(name, text), False))
        for module, path in roots.functions:
            if "." not in path:
                self.reach(module, (path,))
            elif not self.source.is_beside(module) and (module, path) not in self.seen:
                self.seen.add((module, path))
                self.todo.append((module, self.source.root_piece(module, path), True))

    def go_on(self) -> None:
        """Follow until nothing new is reached."""
        while self.todo:
            while self.todo:
                self._follow(*self.todo.pop())
            for (module, _), of_class in self.classes.items():
                self._members(module, of_class)
            for module, name in sorted(self.registries):
                self._entries(module, name)

    def _follow(self, module: str, piece: Piece, counts: bool) -> None:
        if counts:
            below = module.partition(".")[2] or module
            self.digests[f"{below}: {piece.name}"] = piece.digest
        self.attributes |= piece.attributes
        self.words |= piece.words
        for chain in piece.names:
            if chain[0] in piece.imports:
                self._imported(*piece.imports[chain[0]], chain[1:])
            elif module:
                self.reach(module, chain)

    def reach(self, module: str, chain: tuple[str, ...]) -> None:
        """Reach what a chain of names stands for in a module, if it is ours."""
        read, name = self.source.module(module), chain[0]
        if read is None or self.source.is_beside(f"{module}:{name}"):
            return
        if name in read.registries:
            self.registries.add((module, name))
        elif name in read.imports and name not in read.bound and name not in read.classes:
            self._imported(*read.imports[name], chain[1:])
        elif (module, name) not in self.seen:
            self.seen.add((module, name))
            found = read.bound.get(name, [])
            self.todo += [(module, piece, True) for piece in found]
            if name in read.classes:
                self.classes[module, name] = read.classes[name]
                self.todo.append((module, read.classes[name].shell, True))
            if found or name in read.classes:
                self._effects(read)

    def _effects(self, read: ModulePieces) -> None:
        """What a module does when it is imported counts for all of it."""
        if (read.name, "") not in self.seen:
            self.seen.add((read.name, ""))
            self.todo += [(read.name, piece, True) for piece in read.effects]

    def _imported(self, module: str, name: str | None, rest: tuple[str, ...]) -> None:
        """Reach what an import statement binds, and the names after it."""
        if not self.source.is_ours(module):
            return
        if name is not None:
            read = self.source.module(module)
            if read and read.has(name):
                self.reach(module, (name, *rest))
            elif self.source.module(f"{module}.{name}"):
                self._imported(f"{module}.{name}", None, rest)
            elif read:
                self._lazily(read, name, rest)
            return
        if rest:
            self._imported(module, rest[0], rest[1:])
        elif (read := self.source.module(module)) and not self.source.is_beside(module):
            # The module itself is handed on: any of it may be used.
            for each in (*read.bound, *read.classes, *read.registries):
                self.reach(module, (each,))

    def _lazily(self, read: ModulePieces, name: str, rest: tuple[str, ...]) -> None:
        """A name that a package finds in a table of names and modules when it is asked for it."""
        tables = [piece for pieces in read.bound.values() for piece in pieces]
        modules = {m for piece in tables if name in piece.words for m in piece.words}
        for module in sorted(m for m in modules if self.source.is_ours(m)):
            below = self.source.module(module)
            if below and below.has(name):
                self.reach(module, (name, *rest))

    def _members(self, module: str, of_class: ClassPieces) -> None:
        by_value = self.source.holds_settings(module)
        for name, pieces in of_class.members.items():
            if (module, pieces[0].name) in self.seen or name in self.source.rules.texts:
                continue
            is_field = name in of_class.fields and not by_value
            special = name.startswith("__") and name.endswith("__")
            if of_class.called_elsewhere or special or is_field or name in self.attributes:
                self.seen.add((module, pieces[0].name))
                self.todo += [(module, piece, True) for piece in pieces]

    def _entries(self, module: str, name: str) -> None:
        for word in sorted(self.words):
            if (f"{module}:{name}", word) not in self.seen:
                self.seen.add((f"{module}:{name}", word))
                if roots := self.registered(module, name, word):
                    self.begin(roots)


def words_in(value: Any) -> Iterator[str]:
    """The words in all texts of a value of plain types: names of registries are such words."""
    if isinstance(value, str):
        yield from re.findall(r"[a-z0-9-]+", value)
    elif isinstance(value, Mapping):
        for each in (*value.keys(), *value.values()):
            yield from words_in(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from words_in(each)

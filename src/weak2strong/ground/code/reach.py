"""What a function can reach: the pieces of our source that decide what it computes.

From a function one follows the names in it: functions, classes and constants of its module, and of
the modules of ours that it imports from. Of a class that is reached, the members count whose name
is an attribute anywhere in what is reached (all of them where a base of the class is from
elsewhere, whose code may call them). Of a registry that is reached, the entries count whose names
stand as words in what is reached, or in the settings at hand. Names in annotations lead to classes,
whose objects are then at hand, and count for nothing else.

Pieces count wherever they stand, so that a definition may move. Where a name alone does not tell
which definition is meant (two have it, or an import gives it another), what it stands for counts.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from weak2strong.ground.code.pieces import ClassPieces, ModulePieces, Piece
from weak2strong.ground.code.source import Source

Registered = Callable[[str, str, str], "Roots | None"]
"""From the module and the name of a registry, and the name of an entry, to where this begins; None
where the registry has no such entry."""

Place = tuple[str, str]
"""A module, and the name of a definition in it."""

Use = Literal["code", "text of another", "type"]
"""How a piece is followed: as our code, which counts; as a source that is not ours, which does not
count itself; or for the classes in it alone, since it stands in an annotation."""


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
class Reached:
    """What can be reached.

    Attributes:
        digests: by a readable name.
        registries: their places; a word counts only where one of them has an entry of that name.
        words: those of the settings, and of all that is reached.
    """

    digests: Mapping[str, str]
    registries: frozenset[Place]
    words: frozenset[str]


def reached(source: Source, roots: Roots, words: Iterable[str], registered: Registered) -> Reached:
    """All that the roots can reach, the roots included, and what that depends on besides these two.

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
    walk.note_ambiguous()
    return Reached(walk.digests, frozenset(walk.registries), frozenset(walk.words))


@dataclass(frozen=True)
class _Used:
    """A chain of names in a piece, and the definition that it stands for."""

    where: str
    piece: str
    place: Place
    chain: str
    meant: Place


@dataclass
class _Walk:
    source: Source
    registered: Registered
    words: set[str] = field(default_factory=set)
    digests: dict[str, str] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    todo: list[tuple[Place, Piece, Use]] = field(default_factory=list)
    classes: dict[Place, ClassPieces] = field(default_factory=dict)
    registries: set[Place] = field(default_factory=set)
    asked: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))
    seen: set[tuple[str, ...]] = field(default_factory=set)
    of_place: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    uses: list[_Used] = field(default_factory=list)

    def begin(self, roots: Roots) -> None:
        """Add roots."""
        for name, text in roots.values:
            self.digests[f"settings of {name}: {text}"] = text
            self.words.update(words_in(text))
        for name, text in roots.sources:
            if self._is_new("", name):
                foreign = self.source.foreign(name, text)
                self.todo.append((("", name), foreign, "text of another"))
        for module, path in roots.functions:
            if "." not in path:
                self.reach(module, (path,))
            elif not self.source.is_beside(module) and self._is_new(module, path):
                self.todo.append(((module, path), self.source.root_piece(module, path), "code"))

    def go_on(self) -> None:
        """Follow until nothing new is reached."""
        while self.todo:
            while self.todo:
                self._follow(*self.todo.pop())
            for place, of_class in list(self.classes.items()):
                self._members(place, of_class)
            for module, name in sorted(self.registries):
                self._entries(module, name)

    def note_ambiguous(self) -> None:
        """Let count what a name stands for, where it is not the only definition of that name."""
        homes = Counter(name for _, name in self.of_place)
        ambiguous = [
            use
            for use in self.uses
            if homes[use.meant[1]] > 1 or (homes[use.meant[1]] and not _is_named(use))
        ]
        told_apart = self._told_apart() if ambiguous else {}
        meant = defaultdict[str, set[str]](set)
        for use in ambiguous:
            of = told_apart.get(use.meant, "")
            meant[f"{use.where}, its {use.chain}"].add(_together((use.piece, use.chain, of)))
        self.digests |= {name: _together(sorted(found)) for name, found in meant.items()}

    def _told_apart(self) -> dict[Place, str]:
        """A digest of each definition that is another where what it uses, at any depth, is another.

        In rounds, each of which looks one step further, until none tells more of them apart.
        """
        own = {place: _together(sorted(pieces)) for place, pieces in self.of_place.items()}
        uses = defaultdict[Place, set[tuple[str, Place]]](set)
        for use in self.uses:
            if use.meant in own:
                uses[use.place].add((use.chain, use.meant))
        found, before = own, 0
        while len(set(found.values())) > before:
            before = len(set(found.values()))
            found = {
                place: _together((of, *sorted(f"{c} {found[to]}" for c, to in uses[place])))
                for place, of in own.items()
            }
        return found

    def _is_new(self, *names: str) -> bool:
        new = names not in self.seen
        self.seen.add(names)
        return new

    def _follow(self, place: Place, piece: Piece, use: Use) -> None:
        module, where = place[0], f"{place[0].partition('.')[2] or place[0]}: {piece.name}"
        if use == "code":
            self.digests[where] = piece.digest
            self.of_place[place].append(piece.digest)
        if use == "type":
            for chain in self._bound(module, piece, piece.names | piece.types):
                self._named(module, piece, chain, as_type=True)
            return
        self.attributes |= piece.attributes
        self.words |= piece.words
        for chain in self._bound(module, piece, piece.types - piece.names):
            self._named(module, piece, chain, as_type=True)
        digest = piece.digest if use == "code" else ""
        for chain in self._bound(module, piece, piece.names):
            for meant in self._named(module, piece, chain):
                self.uses.append(_Used(where, digest, place, ".".join(chain), meant))

    def _bound(
        self, module: str, piece: Piece, chains: Iterable[tuple[str, ...]]
    ) -> Iterable[tuple[str, ...]]:
        """The chains that can stand for something: most are of arguments and of builtins."""
        if any(name == "*" for _, name in piece.imports.values()):
            return chains
        read = self.source.module(module) if module else None
        names = read.names if read else frozenset[str]()
        return [chain for chain in chains if chain[0] in names or chain[0] in piece.imports]

    def _named(
        self, module: str, piece: Piece, chain: tuple[str, ...], as_type: bool = False
    ) -> list[Place]:
        """Reach what a chain of names stands for in a piece, and say where that is defined."""
        if chain[0] in piece.imports:
            return self._imported(*piece.imports[chain[0]], chain[1:], as_type)
        found = self.reach(module, chain, as_type) if module else []
        for of, name in piece.imports.values():
            if name == "*" and not found:
                found = self._imported(of, chain[0], chain[1:], as_type)
        return found

    def reach(self, module: str, chain: tuple[str, ...], as_type: bool = False) -> list[Place]:
        """Reach what a chain of names stands for in a module, if it is ours.

        Returns:
            The places of the definitions.
        """
        read, name = self.source.module(module), chain[0]
        if read is None or not read.has(name) or self.source.is_beside(f"{module}:{name}"):
            return []
        if name in read.registries:
            self.registries.add((module, name))
            return []
        found, place = list[Place](), (module, name)
        if name in read.imports and name not in read.classes:
            found = self._imported(*read.imports[name], chain[1:], as_type)
        if name in read.classes:
            self._class(place, read.classes[name])
        pieces = read.bound.get(name, [])
        if pieces and self._is_new(*place, "type" if as_type else ""):
            self.todo.extend((place, piece, "type" if as_type else "code") for piece in pieces)
        if name in read.classes or pieces:
            self._effects(read)
            return [*found, place]
        return found

    def _class(self, place: Place, of_class: ClassPieces) -> None:
        if place not in self.classes:
            self.classes[place] = of_class
            self.todo.append((place, of_class.shell, "code"))
            if of_class.fields and not self.source.holds_settings(place[0]):
                self.todo.append((place, of_class.order, "code"))

    def _effects(self, read: ModulePieces) -> None:
        """What a module does when it is imported counts for all of it."""
        if self._is_new(read.name, "", ""):
            self.todo.extend(((read.name, ""), piece, "code") for piece in read.effects)

    def _imported(
        self, module: str, name: str | None, rest: tuple[str, ...], as_type: bool
    ) -> list[Place]:
        """Reach what an import statement binds, and the names after it."""
        if not self.source.is_ours(module):
            return []
        if name is not None:
            read = self.source.module(module)
            if read and read.has(name):
                return self.reach(module, (name, *rest), as_type)
            if self.source.module(f"{module}.{name}"):
                return self._imported(f"{module}.{name}", None, rest, as_type)
            return self._lazily(read, name, rest, as_type) if read else []
        if rest:
            return self._imported(module, rest[0], rest[1:], as_type)
        if (read := self.source.module(module)) and not self.source.is_beside(module):
            # The module itself is handed on: any of it may be used.
            for each in (*read.bound, *read.classes, *read.registries):
                self.reach(module, (each,))
        return []

    def _lazily(
        self, read: ModulePieces, name: str, rest: tuple[str, ...], as_type: bool
    ) -> list[Place]:
        """A name that a package finds in a table of names and modules when it is asked for it."""
        tables = [piece for pieces in read.bound.values() for piece in pieces]
        modules = {m for piece in tables if name in piece.words for m in piece.words}
        found = list[Place]()
        for module in sorted(m for m in modules if self.source.is_ours(m)):
            below = self.source.module(module)
            if below and below.has(name):
                found += self.reach(module, (name, *rest), as_type)
        return found

    def _members(self, place: Place, of_class: ClassPieces) -> None:
        module, name_of_class = place
        by_value = self.source.holds_settings(module)
        called_elsewhere = self._is_called_elsewhere(place)
        for name, pieces in of_class.members.items():
            is_field = name in of_class.fields
            if name in self.source.rules.texts or (is_field and by_value):
                continue
            special = name.startswith("__") and name.endswith("__")
            used = called_elsewhere or special or is_field or name in self.attributes
            if used and self._is_new(module, f"{name_of_class}.{name}"):
                self.todo.extend((place, piece, "code") for piece in pieces)

    def _is_called_elsewhere(self, place: Place) -> bool:
        """Whether a class, or one above it, has a base that is not ours."""
        of_class = self.classes.get(place)
        if of_class is None or of_class.called_elsewhere:
            return of_class is not None
        above = (base for chain in of_class.bases for base in self.reach(place[0], chain))
        return any(base != place and self._is_called_elsewhere(base) for base in above)

    def _entries(self, module: str, name: str) -> None:
        new = sorted(self.words - self.asked[module, name])
        self.asked[module, name].update(new)
        for word in new:
            if roots := self.registered(module, name, word):
                self.begin(roots)
                # Which object has the name, wherever it stands.
                meant = (path for _, path in roots.functions)
                settings = (text for _, text in roots.values)
                entry = f"{module.partition('.')[2]}: {name}, its {word}"
                self.digests[entry] = _together((word, *sorted(meant), *sorted(settings)))


def _is_named(use: _Used) -> bool:
    """Whether a definition is used under its own name."""
    return use.meant[1] in use.chain.split(".")


def _together(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


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

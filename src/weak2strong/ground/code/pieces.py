"""A module's source as pieces: what can be reached by a name, its digest, and what it names itself.

A piece is a function, a class without its members, a member of a class, or what a name of the
module is bound to. Its digest is that of its syntax tree, without what cannot change a result:
comments and docstrings, annotations, messages of errors and warnings, where our own modules lie
that a function imports, and decorators that only put the function into a registry.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from weak2strong.ground.code.tree import Tree, chain_of, is_text

Import = tuple[str, str | None]
"""A module, and the name that is taken from it, ``*`` for all; None for the module itself."""

_PLAIN_BASES = frozenset({"Protocol", "Generic"})
"""Bases from elsewhere that call none of a class's members."""


@dataclass(frozen=True)
class Piece:
    """A part of a module's source.

    Attributes:
        name: in its module, such as ``Network.forward``.
        digest: of its syntax tree, without what cannot change a result.
        names: chains of names that it uses, such as ``("np", "linalg", "norm")``.
        types: those in its annotations.
        attributes: names of attributes that it uses, of whatever object.
        words: texts in it.
        imports: what its own import statements bind, by name.
    """

    name: str
    digest: str
    names: frozenset[tuple[str, ...]] = frozenset()
    types: frozenset[tuple[str, ...]] = frozenset()
    attributes: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    imports: Mapping[str, Import] = field(default_factory=dict)


@dataclass
class ClassPieces:
    """A class: what stands outside of its members, and these by name.

    Attributes:
        shell: decorators, bases, and statements that bind no name.
        members: pieces by the name that they bind.
        fields: names of annotated members, which are a dataclass's fields, in their order.
        bases: of ours, as chains of names.
        called_elsewhere: whether a base is from elsewhere, so that its members may be called by
            code that is not ours.
    """

    shell: Piece
    members: dict[str, list[Piece]] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    bases: list[tuple[str, ...]] = field(default_factory=list)
    called_elsewhere: bool = False

    @property
    def order(self) -> Piece:
        """The order of the fields, in which values may be given."""
        text = f"{self.shell.name}: {', '.join(self.fields)}"
        return Piece(f"{self.shell.name}, order of fields", _digest(text))


@dataclass
class ModulePieces:
    """A module, parsed once.

    Attributes:
        name: its full name.
        bound: pieces by the name that they bind.
        classes: by name.
        imports: what import statements of the module bind, by name.
        registries: names that are bound to a `weak2strong.ground.registry.Registry`.
        effects: statements that bind no name, and may do something when the module is imported.
    """

    name: str
    bound: dict[str, list[Piece]] = field(default_factory=dict)
    classes: dict[str, ClassPieces] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    registries: set[str] = field(default_factory=set)
    effects: list[Piece] = field(default_factory=list)

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that the module binds; asked for when it is read to its end."""
        return frozenset().union(self.bound, self.classes, self.imports, self.registries)

    def has(self, name: str) -> bool:
        """Whether the module binds a name."""
        return name in self.names


class Reader:
    """Reads modules of one package into pieces.

    Args:
        package: its name.
        registering: ``module:name`` of decorators that only put something into a registry.
    """

    def __init__(self, package: str, registering: Iterable[str]):
        self._package, self._registering = package, frozenset(registering)

    def module(self, name: str, source: str | bytes, is_package: bool = False) -> ModulePieces:
        """The pieces of a module."""
        tree, read = ast.parse(source), ModulePieces(name)
        parent = name if is_package else name.rpartition(".")[0]
        self._statements(tree.body, read, parent)
        return read

    def whole(self, name: str, source: str | bytes) -> Piece:
        """All of a source as one piece, such as a plugin's."""
        return self._piece(name, [ast.parse(source)], {}, "")

    def nested(self, source: str | bytes, path: list[str], module: str) -> Piece:
        """A function inside others, such as ``["finetune", "make"]``.

        Raises:
            KeyError: the source has no such function.
        """
        body, imports = ast.parse(source).body, dict[str, Import]()
        found: ast.AST | None = None
        for name in path:
            found = next((n for n in _defined(body) if n.name == name), None)
            if found is None:
                raise KeyError(f"{module} has no {'.'.join(path)}.")
            body = found.body
            if name != path[-1]:
                imports |= self._imports(found, module.rpartition(".")[0])
        assert found is not None
        return self._piece(".".join(path), [found], imports, module.rpartition(".")[0])

    def _statements(self, body: list[ast.stmt], read: ModulePieces, parent: str) -> None:
        for statement in body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                read.imports |= self._imports(statement, parent)
            elif isinstance(statement, ast.ClassDef):
                self._class(statement, read, parent)
            elif isinstance(statement, ast.If) and _is_type_checking(statement.test):
                self._statements([*statement.body, *statement.orelse], read, parent)
            elif not is_text(statement):
                self._binding(statement, read, parent)

    def _binding(self, statement: ast.stmt, read: ModulePieces, parent: str) -> None:
        names = list(_bound(statement))
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_registry(statement.value):
            read.registries.update(names)
            return
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            statement.decorator_list = self._kept(statement.decorator_list, read)
        else:
            read.imports |= self._imports(statement, parent)
        if not names:
            name = f"statement {len(read.effects) + 1}"
            read.effects.append(self._piece(name, [statement], {}, parent, within=name))
        for name in dict.fromkeys(names):
            there = read.bound.setdefault(name, [])
            full = _numbered(name, len(there) + (name in read.classes))
            within = full if full != name else ""  # what is bound last holds, so the order counts
            there.append(self._piece(full, [statement], {}, parent, within))

    def _class(self, node: ast.ClassDef, read: ModulePieces, parent: str) -> None:
        shell: list[ast.AST] = [*self._kept(node.decorator_list, read), *node.bases, *node.keywords]
        made = ClassPieces(Piece(node.name, ""))
        body = [statement for statement in node.body if not is_text(statement)]
        own = {name for statement in body for name in _bound(statement)}
        for statement in body:
            names = list(_bound(statement))
            if not names:
                shell.append(statement)
            for name in dict.fromkeys(names):
                there = made.members.setdefault(name, [])
                full = _numbered(f"{node.name}.{name}", len(there))
                piece = self._piece(full, [statement], {}, parent, full, in_class=True)
                # What the body of the class reads of itself is read by no attribute.
                read_here = own & set(_read_in_class(statement)) - {name}
                there.append(replace(piece, attributes=piece.attributes | read_here))
                if isinstance(statement, ast.AnnAssign):
                    made.fields.append(name)
        made.shell = self._piece(node.name, shell, {}, parent, node.name)
        bases = [chain for base in node.bases if (chain := chain_of(_generic(base)))]
        made.bases = [chain for chain in bases if self._is_ours(chain[0], read)]
        other = {chain[-1] for chain in bases if chain not in made.bases}
        made.called_elsewhere = bool(other - _PLAIN_BASES)
        read.classes[node.name] = made

    def _is_ours(self, name: str, read: ModulePieces) -> bool:
        module, _ = read.imports.get(name, ("", None))
        return name in read.classes or module.partition(".")[0] == self._package

    def _kept(self, decorators: list[ast.expr], read: ModulePieces) -> list[ast.expr]:
        """Decorators that do more than to register."""
        kept = []
        for decorator in decorators:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = (chain_of(called) or ("",))[0]
            module, attribute = read.imports.get(name, ("", None))
            if f"{module}:{attribute}" not in self._registering:
                kept.append(decorator)
        return kept

    def _imports(self, node: ast.AST, parent: str) -> dict[str, Import]:
        """What the import statements in a node bind; imports of other packages are kept, too."""
        found: dict[str, Import] = {}
        for each in ast.walk(node):
            if isinstance(each, ast.Import):
                for alias in each.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = (alias.name if alias.asname else top, None)
            elif isinstance(each, ast.ImportFrom):
                above = parent.split(".")[: len(parent.split(".")) - each.level + 1]
                module = ".".join([*above, each.module or ""]) if each.level else each.module or ""
                module = module.rstrip(".")
                for alias in each.names:
                    name = f"* of {module}" if alias.name == "*" else alias.asname or alias.name
                    found[name] = (module, alias.name)
        return found

    def _piece(
        self,
        name: str,
        nodes: list[ast.AST],
        imports: Mapping[str, Import],
        parent: str,
        within: str = "",
        in_class: bool = False,
    ) -> Piece:
        """The piece of some nodes; ``within`` counts, too, such as the name of their class."""
        tree = Tree(self._package, in_class)
        text = "\n".join([*filter(None, [within]), *(tree.text(node) for node in nodes)])
        # Most have no import statement, and looking for them is a walk through all nodes.
        within_it = nodes if tree.imports else ()
        own = {k: v for node in within_it for k, v in self._imports(node, parent).items()}
        return Piece(
            name,
            _digest(text),
            frozenset(tree.names),
            frozenset(tree.types),
            frozenset(tree.attributes),
            frozenset(tree.words),
            {**imports, **own},
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _numbered(name: str, before: int) -> str:
    """A name of its own for each statement that binds the same one, after so many others."""
    return f"{name} ({before + 1})" if before else name


def _read_in_class(statement: ast.stmt) -> Iterator[str]:
    """The names in what runs with the body of a class: all but the bodies of its functions."""
    runs: list[ast.AST | None] = [statement]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        given = statement.args
        runs = [*statement.decorator_list, *given.defaults, *given.kw_defaults]
    for node in filter(None, runs):
        yield from (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _defined(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions and classes of a body, those in its branches included, not those inside others."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement
        else:
            for block in ("body", "orelse", "finalbody"):
                yield from _defined(getattr(statement, block, []))


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    targets = {
        ast.Assign: lambda s: s.targets,
        ast.AnnAssign: lambda s: [s.target],
        ast.AugAssign: lambda s: [s.target],
    }.get(type(statement))
    if targets is None:
        # A branch, a loop or the like: whatever is bound anywhere inside.
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name
        return
    for target in targets(statement):
        for node in ast.walk(target):
            # `table["a"] = 1` changes what the name `table` is bound to.
            if isinstance(node, ast.Name) and node.id != "_":
                yield node.id


def _generic(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def _is_registry(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and (chain_of(value.func) or ("",))[-1] == "Registry"


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"

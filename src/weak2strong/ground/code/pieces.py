"""A module's source as pieces: what can be reached by a name, its digest, and what it names itself.

A piece is a function, a class without its members, a member of a class, or what a name of the
module is bound to. Its digest is that of its syntax tree, without what cannot change a result:
comments and docstrings, annotations of functions, messages of errors and warnings, where our own
modules lie that a function imports, and decorators that only put the function into a registry.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Import = tuple[str, str | None]
"""A module, and the name that is taken from it; None for the module itself."""

_NO_RESULT = ("Error", "Warning", "Exit")
"""How the names of classes end whose arguments are messages."""

_PLAIN_BASES = frozenset({"Protocol", "Generic"})
"""Bases from elsewhere that call none of a class's members."""


@dataclass(frozen=True)
class Piece:
    """A part of a module's source.

    Attributes:
        name: in its module, such as ``Network.forward``.
        digest: of its syntax tree, without what cannot change a result.
        names: chains of names that it uses, such as ``("np", "linalg", "norm")``.
        attributes: names of attributes that it uses, of whatever object.
        words: texts in it.
        imports: what its own import statements bind, by name.
    """

    name: str
    digest: str
    names: frozenset[tuple[str, ...]]
    attributes: frozenset[str]
    words: frozenset[str]
    imports: Mapping[str, Import]


@dataclass
class ClassPieces:
    """A class: what stands outside of its members, and these by name.

    Attributes:
        shell: decorators, bases, and statements that bind no name.
        members: pieces by the name that they bind.
        fields: names of annotated members, which are a dataclass's fields.
        called_elsewhere: whether a base is from elsewhere, so that its members may be called by
            code that is not ours.
    """

    shell: Piece
    members: dict[str, list[Piece]] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    called_elsewhere: bool = False


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

    def has(self, name: str) -> bool:
        """Whether the module binds a name."""
        return any(
            name in names for names in (self.bound, self.classes, self.imports, self.registries)
        )


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
                self._statements(statement.body, read, parent)
            elif not _is_text(statement):
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
            read.effects.append(self._piece(name, [statement], {}, parent))
        for name in dict.fromkeys(names):
            there = read.bound.setdefault(name, [])
            there.append(self._piece(_numbered(name, there), [statement], {}, parent))

    def _class(self, node: ast.ClassDef, read: ModulePieces, parent: str) -> None:
        shell: list[ast.AST] = [*self._kept(node.decorator_list, read), *node.bases, *node.keywords]
        made = ClassPieces(Piece(node.name, "", frozenset(), frozenset(), frozenset(), {}))
        for statement in node.body:
            names = list(_bound(statement))
            if _is_text(statement):
                continue
            if not names:
                shell.append(statement)
            for name in dict.fromkeys(names):
                there = made.members.setdefault(name, [])
                full = _numbered(f"{node.name}.{name}", there)
                there.append(self._piece(full, [statement], {}, parent, member=True))
                if isinstance(statement, ast.AnnAssign):
                    made.fields.add(name)
        made.shell = self._piece(node.name, shell, {}, parent)
        bases = {chain[-1] for base in node.bases if (chain := _chain(_generic(base)))}
        ours = {n for n in bases if self._is_ours(n, read)}
        made.called_elsewhere = bool(bases - ours - _PLAIN_BASES)
        read.classes[node.name] = made

    def _is_ours(self, name: str, read: ModulePieces) -> bool:
        module, _ = read.imports.get(name, (read.name, None))
        ours = module.partition(".")[0] == self._package
        return name in read.classes or (ours and name in read.imports)

    def _kept(self, decorators: list[ast.expr], read: ModulePieces) -> list[ast.expr]:
        """Decorators that do more than to register."""
        kept = []
        for decorator in decorators:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = (_chain(called) or ("",))[0]
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
                for alias in each.names:
                    found[alias.asname or alias.name] = (module.rstrip("."), alias.name)
        return found

    def _piece(
        self,
        name: str,
        nodes: list[ast.AST],
        imports: Mapping[str, Import],
        parent: str,
        member: bool = False,
    ) -> Piece:
        tree = _Tree(self._package, member)
        text = "\n".join(tree.text(node) for node in nodes)
        own = {k: v for node in nodes for k, v in self._imports(node, parent).items()}
        return Piece(
            name,
            hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16],
            frozenset(tree.names),
            frozenset(tree.attributes),
            frozenset(tree.words),
            {**imports, **own},
        )


class _Tree:
    """Writes a syntax tree as text, and notes the names in it, annotations included."""

    def __init__(self, package: str, in_class: bool):
        self.names: set[tuple[str, ...]] = set()
        self.attributes: set[str] = set()
        self.words: set[str] = set()
        self._package, self._in_class = package, in_class

    def text(self, node: ast.AST) -> str:
        """The text of a node: of any Python version, the same."""
        match node:
            case ast.Attribute() if chain := _chain(node):
                # The whole chain: a module whose function is called is not handed on itself.
                self.names.add(chain)
                self.attributes.update(chain[1:])
                return f"Attribute({'.'.join(chain)})"
            case ast.Constant(value=str() as word):
                self.words.add(word)
                return f"Constant({word!r})"
            case ast.Constant():
                return f"Constant({type(node.value).__name__} {node.value!r})"
            case ast.Raise(exc=ast.expr() as raised):
                return f"Raise({self.text(_called(raised))})"
            case ast.Call() if _is_message(node.func):
                return f"Call({self.text(node.func)})"
            case ast.Assert():
                return f"Assert({self.text(node.test)})"
            case ast.ImportFrom(module=str() as module) if self._is_ours(module):
                return ""
            case ast.Import() if all(self._is_ours(alias.name) for alias in node.names):
                return ""
            case ast.arg():
                self._note(node.annotation)
                return f"arg({node.arg})"
            case ast.AnnAssign() if not self._in_class:
                self._note(node.annotation)
                value = self.text(node.value) if node.value else ""
                return f"AnnAssign({self.text(node.target)},{value})"
            case ast.Expr() if _is_text(node):
                return ""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._note(node.returns)
            before, self._in_class = self._in_class, False
            text = self._fields(node, leave_out=("returns", "type_comment"))
            self._in_class = before
            return text
        self._names_of(node)
        return self._fields(node)

    def _fields(self, node: ast.AST, leave_out: tuple[str, ...] = ()) -> str:
        parts = []
        for name, value in ast.iter_fields(node):
            if name in ("ctx", "kind", "type_comment", *leave_out) or value is None:
                continue
            if isinstance(value, ast.AST):
                parts.append(f"{name}={self.text(value)}")
            elif isinstance(value, list):
                texts = [self.text(v) if isinstance(v, ast.AST) else repr(v) for v in value]
                if texts := [text for text in texts if text]:
                    parts.append(f"{name}=[{','.join(texts)}]")
            else:
                parts.append(f"{name}={value!r}")
        return f"{type(node).__name__}({','.join(parts)})"

    def _names_of(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self.names.add((node.id,))
        elif isinstance(node, ast.Attribute):
            self.attributes.add(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("getattr", "hasattr", "setattr") and len(node.args) > 1:
                named = node.args[1]
                if isinstance(named, ast.Constant) and isinstance(named.value, str):
                    self.attributes.add(named.value)
        elif isinstance(node, ast.keyword) and node.arg:
            self.attributes.add(node.arg)

    def _note(self, annotation: ast.AST | None) -> None:
        """Note the names of an annotation, which is no part of the text."""
        if annotation:
            noted = _Tree(self._package, self._in_class)
            noted.text(annotation)
            self.names |= noted.names

    def _is_ours(self, module: str) -> bool:
        return module.partition(".")[0] == self._package


def _numbered(name: str, there: list[Piece]) -> str:
    """A name of its own for each statement that binds the same one."""
    return f"{name} ({len(there) + 1})" if there else name


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


def _chain(node: ast.AST) -> tuple[str, ...] | None:
    """``a.b.c`` as a chain of names; None for an attribute of anything but a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _called(raised: ast.expr) -> ast.expr:
    """The class, or the function that makes the exception, of what is raised."""
    return raised.func if isinstance(raised, ast.Call) else raised


def _generic(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def _is_message(function: ast.expr) -> bool:
    """Whether the arguments of a call are a message: those of an exception, and of a warning."""
    chain = _chain(function) or ("",)
    return chain[-1].endswith(_NO_RESULT) or chain[-2:] == ("warnings", "warn")


def _is_registry(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and (_chain(value.func) or ("",))[-1] == "Registry"


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is only a text: the one below a field is a docstring, too."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )

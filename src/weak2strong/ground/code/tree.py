"""A syntax tree as text, without what cannot change a result, and the names in it."""

from __future__ import annotations

import ast

NO_RESULT = ("Error", "Warning", "Exit")
"""How the names of classes end whose arguments are messages."""

BY_TEXT = ("getattr", "hasattr", "setattr", "attrgetter", "methodcaller")
"""Functions that take the name of an attribute as a text."""

DECLARED = ("ClassVar", "InitVar", "KW_ONLY")
"""What an annotation of a member says that decides what the member is."""


class Tree:
    """Writes a syntax tree as text, and notes the names in it.

    Attributes:
        names: chains of names that are read.
        types: those in annotations, which are no part of the text.
        attributes: names of attributes.
        words: texts.
        imports: whether there is an import statement.
    """

    def __init__(self, package: str, in_class: bool = False):
        self.names: set[tuple[str, ...]] = set()
        self.types: set[tuple[str, ...]] = set()
        self.attributes: set[str] = set()
        self.words: set[str] = set()
        self.imports = False
        self._package, self._in_class = package, in_class

    def text(self, node: ast.AST) -> str:
        """The text of a node: of any Python version, the same."""
        self.imports |= isinstance(node, ast.Import | ast.ImportFrom)
        match node:
            case ast.Attribute() if chain := chain_of(node):
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
            case ast.AnnAssign():
                self._note(node.annotation)
                said = ast.unparse(node.annotation) if self._in_class else ""
                declared = " ".join(word for word in DECLARED if word in said)
                value = self.text(node.value) if node.value else ""
                return f"AnnAssign({self.text(node.target)},{declared},{value})"
            case ast.Expr() if is_text(node):
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
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self.names.add((node.id,))
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.names.add((node.target.id,))
        elif isinstance(node, ast.Attribute):
            self.attributes.add(node.attr)
        elif isinstance(node, ast.MatchClass):
            self.attributes.update(node.kwd_attrs)
        elif isinstance(node, ast.Call) and (chain_of(node.func) or ("",))[-1] in BY_TEXT:
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            self.attributes.update(
                part for text in texts if isinstance(text, str) for part in text.split(".")
            )
        elif isinstance(node, ast.keyword) and node.arg:
            self.attributes.add(node.arg)

    def _note(self, annotation: ast.AST | None) -> None:
        """Note the names of an annotation, which is no part of the text."""
        if annotation:
            noted = Tree(self._package)
            noted.text(annotation)
            self.types |= noted.names

    def _is_ours(self, module: str) -> bool:
        return module.partition(".")[0] == self._package


def chain_of(node: ast.AST) -> tuple[str, ...] | None:
    """``a.b.c`` as a chain of names; None for an attribute of anything but a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _called(raised: ast.expr) -> ast.expr:
    """The class, or the function that makes the exception, of what is raised."""
    return raised.func if isinstance(raised, ast.Call) else raised


def _is_message(function: ast.expr) -> bool:
    """Whether the arguments of a call are a message: those of an exception, and of a warning."""
    chain = chain_of(function) or ("",)
    return chain[-1].endswith(NO_RESULT) or chain[-2:] == ("warnings", "warn")


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is only a text: the one below a field is a docstring, too."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )

"""Where a module may be changed: not in texts, types, imports, nor messages of errors."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from operators import GUARDS, REMOVED, is_text

WORDED = ("analysis/", "ground/metrics.py")
"""Modules with functions that make sentences and titles, which are not numbers."""

TABLE = "weak2strong.ground.table"
"""What is imported from there shows numbers; it computes none. Rows and tables hold them."""

DATA = ("Table", "Document", "Row")

SAYING = ("wrong", "warn", "fault")
"""Functions besides ``...Error`` whose arguments are messages."""


@dataclass(frozen=True)
class Place:
    """A node, and where it hangs in the tree."""

    parent: ast.AST
    part: str
    index: int | None
    node: ast.AST
    statement: ast.stmt
    names: tuple[str, ...]
    function: ast.AST | None
    at_import: bool

    def replace(self, new: ast.AST | None) -> None:
        if new is not REMOVED:
            ast.copy_location(new, self.node)
        if self.index is None:
            setattr(self.parent, self.part, new)
        elif new is REMOVED:
            del getattr(self.parent, self.part)[self.index]
        else:
            getattr(self.parent, self.part)[self.index] = new


def places(tree: ast.Module, file: str) -> Iterator[Place]:
    worded = file.startswith(WORDED)
    shown = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == TABLE
        for alias in node.names
        if alias.name not in DATA
    }
    walker = _Walker(worded, shown if worded else set())
    for i, statement in enumerate(tree.body):
        yield from walker.walk(tree, "body", i, statement, statement, (), None, True)


@dataclass(frozen=True)
class _Walker:
    """Visits all that may be changed: no texts, no types, no imports, no messages of errors."""

    worded: bool
    shown: set[str]

    def walk(self, parent, part, index, node, statement, names, function, at_import):
        if self._left_out(parent, part, node):
            return
        if isinstance(node, ast.stmt):
            statement = node
        if self._may_change(parent, part, node):
            yield Place(parent, part, index, node, statement, names, function, at_import)
        if isinstance(node, ast.Raise):
            return
        inside, of_body = names, function
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inside = (*names, node.name)
        if isinstance(node, ast.FunctionDef):
            of_body = node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
                continue
            at_call = isinstance(node, ast.FunctionDef) and name == "body"
            within = (name, node, statement, inside, of_body, at_import and not at_call)
            yield from self._children(value, *within)
        for decorator in getattr(node, "decorator_list", ()):
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("loss",):
                for i, keyword in enumerate(decorator.keywords):
                    yield from self.walk(
                        decorator, "keywords", i, keyword, statement, inside, None, True
                    )

    def _children(self, value, name, node, statement, names, function, at_import):
        children = value if isinstance(value, list) else [value]
        for i, child in enumerate(children):
            if isinstance(child, ast.AST):
                index = i if isinstance(value, list) else None
                yield from self.walk(
                    node, name, index, child, statement, names, function, at_import
                )

    def _left_out(self, parent: ast.AST, part: str, node: ast.AST) -> bool:
        """What is left out with all that is in it."""
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.JoinedStr():
                return True
            case ast.Expr(value=ast.Constant()):
                return True
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                return True
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return True
            case ast.FunctionDef(returns=ast.expr() as returns) if self.worded:
                return ast.unparse(returns) in ("str", "list[str]", "str | None", "Sequence[str]")
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name.endswith("Error") or name in SAYING or name in self.shown
            case ast.keyword(arg=str(name)):
                return name in GUARDS
            case ast.Subscript() if part == "func" or _is_type(node):
                return True
        return is_text(node) and not isinstance(node, ast.IfExp)

    @staticmethod
    def _may_change(parent: ast.AST, part: str, node: ast.AST) -> bool:
        if isinstance(node, ast.Tuple | ast.List):
            # Not where as many names are waiting for the values, and no dimensions of an array.
            unpacked = isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Tuple)
            loaded = isinstance(node.ctx, ast.Load)
            return loaded and not unpacked and not isinstance(parent, ast.Return | ast.Subscript)
        if isinstance(node, ast.UnaryOp) and _of_axis(parent):
            return False
        # Its condition is changed as that of the statement.
        return not (part == "test" and isinstance(parent, ast.If | ast.While) and _simple(node))


def _simple(test: ast.AST) -> bool:
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _of_axis(parent: ast.AST) -> bool:
    """Whether -1 is the number of an axis: in two dimensions it is the same as 1."""
    match parent:
        case ast.keyword(arg="dim" | "axis"):
            return True
        case ast.Call(func=ast.Attribute(attr="gather" | "squeeze" | "unsqueeze")):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return True
    return False


def _is_type(node: ast.Subscript) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in (
        "Callable", "Literal", "Mapping", "Sequence", "dict", "list", "tuple", "set", "Counter",
        "defaultdict", "Iterator",
    )  # fmt: skip

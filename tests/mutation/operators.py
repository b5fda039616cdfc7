"""What a mutation may do to one node of a syntax tree: small changes that alter its meaning."""

import ast
import copy
from collections.abc import Iterator

REMOVED = None
"""In place of a new node: the node is taken out of the list that it stands in."""

Change = tuple[str, ast.AST | None]
"""The name of an operator, and what stands in the node's place."""

COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
COMPUTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
OPPOSITES = {
    a: b
    for pair in (
        ("min", "max"),
        ("any", "all"),
        ("argmin", "argmax"),
        ("minimum", "maximum"),
        ("ceil", "floor"),
        ("first", "last"),
    )
    for a, b in (pair, pair[::-1])
}
TRANSPARENT = {"abs", "sorted", "set", "reversed", "round"}
"""Functions of one value that a mutation may leave out; `float` and its like give the same value
in another type."""

GUARDS = {"strict", "encoding"}
"""Keywords without which a call does the same, but for inputs that are wrong."""


def changes(node: ast.AST, of_function: ast.AST | None) -> Iterator[Change]:
    """All changes of a node; ``of_function`` is what a ``return`` returns from."""
    same = ast.unparse(node)
    for name, new in _changes(node, of_function):
        if new is REMOVED or ast.unparse(new) != same:
            yield name, new


def _changes(node: ast.AST, of_function: ast.AST | None) -> Iterator[Change]:
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BinOp() | ast.AugAssign() if type(node.op) in COMPUTED and not _texts(node):
            yield "arithmetic", _with(node, op=COMPUTED[type(node.op)]())
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield "operator dropped", node.operand
        case ast.BoolOp():
            yield "and, or", _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
            for i in range(len(node.values)):
                rest = node.values[:i] + node.values[i + 1 :]
                yield "operand dropped", rest[0] if len(rest) == 1 else _with(node, values=rest)
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            for other in dict.fromkeys((value + 1, value - 1, type(value)(0))):
                if other != value:
                    yield "constant", _number(other)
        case ast.Call():
            yield from _called(node)
        case ast.Dict():
            for i in range(len(node.keys)):
                keys, values = ([*x[:i], *x[i + 1 :]] for x in (node.keys, node.values))
                yield "entry dropped", ast.Dict(keys, values)
        case ast.List() | ast.Set() | ast.Tuple() if len(node.elts) > 1:
            for i in range(len(node.elts)):
                yield "element dropped", _with(node, elts=node.elts[:i] + node.elts[i + 1 :])
        case ast.IfExp():
            yield "branches swapped", _with(node, body=node.orelse, orelse=node.body)
        case ast.If() | ast.While():
            yield "condition", _with(node, test=ast.UnaryOp(ast.Not(), node.test))
            yield "condition", _with(node, test=ast.Constant(False))
            if isinstance(node, ast.If):
                yield "condition", _with(node, test=ast.Constant(True))
        case ast.comprehension() if node.ifs:
            yield "filter dropped", _with(node, ifs=node.ifs[:-1])
        case ast.Slice():
            for part in ("lower", "upper", "step"):
                if getattr(node, part) is not None:
                    yield "slice", _with(node, **{part: None})
        case ast.Return() if node.value is not None:
            yield from _returned(node, of_function)
        case ast.Expr() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield "statement dropped", ast.Pass()
        case ast.AugAssign():
            yield "statement dropped", ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield "statement dropped", ast.Pass()
        case ast.Assign(targets=[ast.Name(id=name)]) if _uses(node.value, name):
            yield "statement dropped", ast.Pass()


def _with(node: ast.AST, **parts) -> ast.AST:
    other = copy.copy(node)
    for name, part in parts.items():
        setattr(other, name, part)
    return other


def _number(value: float) -> ast.expr:
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def _compared(node: ast.Compare) -> Iterator[Change]:
    for i, op in enumerate(node.ops):
        for other in COMPARED[type(op)]:
            yield "comparison", _with(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])


def _called(node: ast.Call) -> Iterator[Change]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    name = node.func.id if isinstance(node.func, ast.Name) else name
    if name in OPPOSITES:
        part = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield "opposite", _with(node, func=_with(node.func, **{part: OPPOSITES[name]}))
    if name in TRANSPARENT and isinstance(node.func, ast.Name) and len(node.args) == 1:
        yield "call dropped", node.args[0]
    for i, keyword in enumerate(node.keywords):
        if keyword.arg not in GUARDS and not is_text(keyword.value):
            keywords = node.keywords[:i] + node.keywords[i + 1 :]
            yield "keyword dropped", _with(node, keywords=keywords)
    for i in range(len(node.args) - 1):
        a, b = node.args[i : i + 2]
        if not any(isinstance(x, ast.Starred) or is_text(x) for x in (a, b)):
            yield "argument replaced", _with(node, args=[*node.args[:i], b, *node.args[i + 1 :]])


def _returned(node: ast.Return, of_function: ast.AST | None) -> Iterator[Change]:
    returns = getattr(of_function, "returns", None)
    kind = ast.unparse(returns) if returns else ""
    neutral = {
        "bool": ast.UnaryOp(ast.Not(), node.value),
        "int": ast.Constant(0),
        "float": ast.Constant(0.0),
        "list": ast.List([], ast.Load()),
        "Sequence": ast.List([], ast.Load()),
        "Iterator": ast.List([], ast.Load()),
        "tuple": ast.Tuple([], ast.Load()),
        "dict": ast.Dict([], []),
        "Mapping": ast.Dict([], []),
        "np": ast.BinOp(node.value, ast.Mult(), ast.Constant(0)),
        "Tensor": ast.BinOp(node.value, ast.Mult(), ast.Constant(0)),
    }
    for name, value in neutral.items():
        if kind.split("[")[0].split(".")[0] == name:
            yield "return value", ast.Return(value)
            return
    if kind != "None" and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield "return value", ast.Return(ast.Constant(None))


def is_text(node: ast.AST) -> bool:
    """Whether it is a text that people read, or a name: no operator changes one."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, right=right):
            return is_text(left) or is_text(right)
        case ast.IfExp(body=body, orelse=orelse):
            return is_text(body) or is_text(orelse)
    return False


def _texts(node: ast.BinOp | ast.AugAssign) -> bool:
    parts = (node.value,) if isinstance(node, ast.AugAssign) else (node.left, node.right)
    return any(is_text(part) for part in parts)


def _uses(value: ast.AST, name: str) -> bool:
    return any(isinstance(x, ast.Name) and x.id == name for x in ast.walk(value))

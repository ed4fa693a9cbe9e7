"""What somebody might write in the place of one expression of a formula: `semantic_mutants` puts it there."""

import ast
import copy
from collections.abc import Iterator

COUNTS = {"length", "LENGTH", "L", "count", "keys"}
SHARES = {"share", "shares", "mask_rate", "predicted", "priors", "hidden", "rate"}
SWAPPED = {
    "max": "min",
    "min": "max",
    "mean": "sum",
    "sum": "mean",
    "maximum": "minimum",
    "minimum": "maximum",
}
FUNCTIONS = {"log1p": "log", "expm1": "exp", "cos": "sin", "sin": "cos", "cumsum": "cumprod"}
IDENTITIES = {"sqrt", "abs", "exp", "log", "square", "tanh"}
TWINS = {"query": "key", "key": "query", "key_bias": "doubly_centred", "doubly_centred": "key_bias"}
NO_FORMULA = {
    "Claim", "range", "isinstance", "zip", "broadcast_to", "full", "reshape", "vmap", "split", "symbols", "normal",
    "uniform", "fori_loop", "while_loop", "scan", "map", "partial", "replace", "symbolic", "autodiff", "simulation",
    "counterexample", "finite_difference", "full_like", "concatenate", "random", "fold_in", "jvp", "grad", "where",
    "maximum", "minimum", "vdot", "dot", "relative_gap", "len", "float", "int", "list", "tuple", "bool", "sum", "set",
    "max", "min", "sorted", "Decomposition", "difference", "multiply", "any", "all", "enumerate", "divmod", "vjp",
}  # fmt: skip
Rewrite = tuple[str, ast.AST]


def number(value: float | int) -> ast.Constant:
    """A number in the tree."""
    return ast.Constant(value)


def binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.BinOp:
    """left op right."""
    return ast.BinOp(copy.deepcopy(left), op, copy.deepcopy(right))


def negative(node: ast.expr) -> ast.expr:
    """-node."""
    return ast.UnaryOp(ast.USub(), copy.deepcopy(node))


def of_operations(node: ast.BinOp) -> Iterator[Rewrite]:
    """Terms, factors, powers and products of matrices."""
    kind = {
        ast.Add: "term dropped",
        ast.Sub: "term dropped",
        ast.Mult: "factor dropped",
        ast.Div: "factor dropped",
    }
    if type(node.op) in kind:
        yield kind[type(node.op)], node.left
    if isinstance(node.op, ast.Add | ast.Mult):
        yield kind[type(node.op)], node.right
    if isinstance(node.op, ast.Sub):
        yield "term dropped", negative(node.right)
    if isinstance(node.op, ast.Mult | ast.Div):
        yield from (("wrong factor", binary(node, ast.Mult(), number(factor))) for factor in (2, 1.1))
    if isinstance(node.op, ast.Div):
        yield from (("n for n - 1", binary(node.left, ast.Div(), less)) for less in shortened(node.right))
    if isinstance(node.op, ast.Pow):
        yield "power", node.left
        yield "power", binary(node, ast.Mult(), node.left)
    if isinstance(node.op, ast.MatMult):
        yield "transpose", binary(turned(node.left), ast.MatMult(), node.right)
        yield "transpose", binary(node.left, ast.MatMult(), turned(node.right))


def turned(node: ast.expr) -> ast.expr:
    """The transpose; raises for a vector, which has none."""
    return ast.parse(f"({ast.unparse(node)}).swapaxes(-1, -2)", mode="eval").body


def shortened(node: ast.expr) -> Iterator[ast.expr]:
    """A denominator with n - 1 for its n, or n for its n - 1."""
    for inner in ast.walk(node):
        called = isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "len"
        if called or (isinstance(inner, ast.Name) and inner.id in COUNTS):
            text = ast.unparse(node).replace(ast.unparse(inner), f"({ast.unparse(inner)} - 1)")
            yield ast.parse(text, mode="eval").body
            return


def of_calls(node: ast.Call) -> Iterator[Rewrite]:
    """Arguments, reductions and functions."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    for renamed, kind in ((SWAPPED, "reduction"), (FUNCTIONS, "function")):
        if name in renamed and isinstance(node.func, ast.Attribute):
            changed = copy.deepcopy(node)
            changed.func.attr = renamed[name]
            yield kind, changed
    if name in IDENTITIES and len(node.args) == 1:
        yield "function", node.args[0]
    if (
        len(node.args) == 1
        and not node.keywords
        and isinstance(node.func, ast.Name)
        and name not in NO_FORMULA
    ):
        yield "call dropped", node.args[0]
    if (
        len(node.args) > 1
        and name not in NO_FORMULA | {"einsum"}
        and not isinstance(node.args[0], ast.Starred)
    ):
        changed = copy.deepcopy(node)
        changed.args[:2] = changed.args[1::-1]
        yield "arguments swapped", changed
    if name == "einsum" and isinstance(node.args[0], ast.Constant):
        yield from of_subscripts(node)
    if name == "where" and len(node.args) == 3:
        changed = copy.deepcopy(node)
        changed.args[1:] = changed.args[:0:-1]
        yield "condition inverted", changed
    if name == "roll" and len(node.args) > 1:
        changed = copy.deepcopy(node)
        changed.args[1] = binary(node.args[1], ast.Add(), number(1))
        yield "lag", changed
    yield from of_keywords(node)


def of_keywords(node: ast.Call) -> Iterator[Rewrite]:
    """Axes, biased variances and flags."""
    for index, keyword in enumerate(node.keywords):
        values = {"axis": {0: 1, 1: 0, 2: 1}, "ddof": {1: 0}, "causal": {True: False, False: True}}
        value = getattr(keyword.value, "value", None)
        if keyword.arg in values and value in values[keyword.arg]:
            changed = copy.deepcopy(node)
            changed.keywords[index].value = number(values[keyword.arg][value])
            yield {"axis": "axis", "ddof": "biased", "causal": "flag"}[keyword.arg], changed


def of_subscripts(node: ast.Call) -> Iterator[Rewrite]:
    """A matrix read transposed by einsum."""
    terms, _, out = node.args[0].value.partition("->")
    parts = terms.split(",")
    for index, part in enumerate(parts):
        if len(part) == 2 and part[0] != part[1] and len(parts) > 1:
            changed = copy.deepcopy(node)
            turned = [*parts[:index], part[::-1], *parts[index + 1 :]]
            changed.args[0] = number(",".join(turned) + "->" + out)
            yield "transpose", changed


def of_others(node: ast.AST) -> Iterator[Rewrite]:
    """Transposes, shares, twins, bounds and lags."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", node.value
    if isinstance(node, ast.Attribute) and node.attr in TWINS and not isinstance(node.value, ast.Call):
        yield "query for key", ast.Attribute(node.value, TWINS[node.attr], ast.Load())
    if isinstance(node, ast.Name) and node.id in SHARES and isinstance(node.ctx, ast.Load):
        yield "constant for a share", number(0.5)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        bounds = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}
        if type(node.ops[0]) in bounds:
            yield "lag", ast.Compare(node.left, [bounds[type(node.ops[0])]()], node.comparators)
    if (
        isinstance(node, ast.Slice)
        and isinstance(node.lower, ast.Constant)
        and isinstance(node.lower.value, int)
    ):
        yield "lag", ast.Slice(number(node.lower.value + 1), node.upper, node.step)
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in (0, 1)
    ):
        yield "lag", ast.Subscript(node.value, number(1 - node.slice.value), node.ctx)


def rewrites(node: ast.AST) -> Iterator[Rewrite]:
    """What may stand in the place of this node, and the kind of each mutation."""
    if isinstance(node, ast.BinOp):
        yield from of_operations(node)
    elif isinstance(node, ast.Call):
        yield from of_calls(node)
    else:
        yield from of_others(node)

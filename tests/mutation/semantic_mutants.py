"""Semantic mutations: what somebody might change in a formula, beside its signs.

A term or factor dropped, n for n - 1, 1/2 for a share, a transpose, a lag beside the right one, a wrong factor or
power, biased for unbiased, query for key, an argument ignored, a mean for a sum. Made in the syntax tree of the
closed forms and of the claims' own code, from which `sampled` draws fairly.
"""

import ast
import copy
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from tests.mutation.mutants import FILES, MODULES, Mutant, compiled, functions, place, source

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
MEASURES = {"max", "min", "maximum", "minimum", "abs", "resolve", "resolved", "expand", "relative_gap"}
Rewrite = tuple[str, ast.AST]
Setter = Callable[[ast.AST], None]


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
        yield "wrong factor", binary(node, ast.Mult(), number(2))
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


def ignored(node: ast.FunctionDef) -> Iterator[tuple[ast.stmt, str]]:
    """A first line that makes an argument 0 or 1, for each argument that is an array or a number."""
    for argument in (*node.args.args, *node.args.kwonlyargs):
        text = ast.unparse(argument.annotation) if argument.annotation else ""
        if text.startswith(("Scalar", "Float[Array")):
            for value in ("0 * {}", "0 * {} + 1"):
                line = f"{argument.arg} = {value.format(argument.arg)}"
                yield ast.parse(line).body[0], line


def spots(node: ast.AST) -> Iterator[tuple[ast.AST, Setter]]:
    """Every expression of a formula and how to put another in its place; no annotation, refusal or random draw."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "defaults", "kw_defaults", "type_params"):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or outside(child):
                continue
            if isinstance(value, list):
                yield child, lambda new, to=value, at=index: to.__setitem__(at, new)
            else:
                yield child, lambda new, to=node, at=field: setattr(to, at, new)
            yield from spots(child)


def outside(node: ast.AST) -> bool:
    """Whether this is no formula: a refusal, a random draw, a requirement, an import."""
    text = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    drawn = text.startswith(("jax.random.", "require_", "Claim", "isinstance", "jax.lax.stop_gradient"))
    refusal = isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise)
    return drawn or refusal or isinstance(node, ast.Raise | ast.Import | ast.ImportFrom)


def edits(tree: ast.Module) -> Iterator[tuple[str, int, str, str]]:
    """Make each mutation in turn, and take it back when asked for the next: kind, line, before, after."""
    for node, put in list(spots(tree)):
        before = ast.unparse(node)
        for kind, new in list(rewrites(node)):
            put(ast.fix_missing_locations(ast.copy_location(copy.deepcopy(new), node)))
            yield kind, getattr(node, "lineno", 0), before, ast.unparse(new)
            put(node)
    for node in [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]:
        for statement, line in list(ignored(node)):
            node.body.insert(1, ast.fix_missing_locations(ast.copy_location(statement, node.body[0])))
            yield "argument ignored", node.lineno, node.name, line
            del node.body[1]


def kinds(module: str) -> list[tuple[str, str]]:
    """Kind and function of every mutation of a module, in order."""
    tree = ast.parse(source(module).read_text())
    spans = [
        (each.lineno, each.end_lineno, each.name) for each in tree.body if isinstance(each, ast.FunctionDef)
    ]
    spans += [
        (each.lineno, each.end_lineno, f"{owner.name}.{each.name}")
        for owner in tree.body
        if isinstance(owner, ast.ClassDef)
        for each in owner.body
        if isinstance(each, ast.FunctionDef)
    ]
    name = lambda line: next((name for first, last, name in spans if first <= line <= last), "")
    measuring = lambda before: module not in MODULES and "(" in before and is_measure(before)
    return [("" if measuring(before) else kind, name(line)) for kind, line, before, _ in edits(tree)]


def is_measure(text: str) -> bool:
    """Whether the expression is how a claim's code sums up an error, or brings symbols to one form: no formula."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:  # a slice or a keyword
        return False
    func = getattr(node, "func", None)
    return getattr(func, "attr", getattr(func, "id", "")) in MEASURES


def semantic_mutants(module: str, chosen: Sequence[int] | None = None) -> list[Mutant]:
    """The semantic mutations of a module with these numbers, or all that compile, in order."""
    tree, made = ast.parse(source(module).read_text()), []
    written = functions(compiled(tree, module))
    for count, (kind, line, before, after) in enumerate(edits(tree)):
        if chosen is not None and count not in chosen:
            continue
        try:
            changed = functions(compiled(tree, module))
        except (SyntaxError, TypeError, ValueError):
            continue
        if len(changed) != len(written):
            continue
        pairs = [(old, new) for old, new in zip(written, changed, strict=True) if old != new]
        if pairs:
            code = tuple((place(old), new) for old, new in pairs)
            made.append(Mutant(module, pairs[0][0].co_qualname, line, before, after, code, kind))
    return made


def sampled(module: str, budget: int, seed: int, known: Callable[[str], bool] = bool) -> list[Mutant]:
    """So many mutations of a module's known functions, kind by kind in turn, drawn with this seed."""
    by_kind, draw = defaultdict(list), random.Random(f"{seed} {module}")
    for number_of, (kind, function) in enumerate(kinds(module)):
        if kind and known(function):
            by_kind[kind].append(number_of)
    orders = [draw.sample(each, len(each)) for _, each in sorted(by_kind.items())]
    draw.shuffle(orders)
    turns = [
        each[turn] for turn in range(max(map(len, orders), default=0)) for each in orders if turn < len(each)
    ]
    return semantic_mutants(module, sorted(turns[:budget]))


CLAIM_MODULES: Sequence[str] = tuple(module for module in FILES if module not in MODULES)
"""The claims' own code, named by folder and file."""

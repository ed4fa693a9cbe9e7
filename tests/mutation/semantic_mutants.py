"""Semantic mutations: what somebody might change in a formula, beside its signs.

A term or factor dropped, n for n - 1, 1/2 for a share, a transpose, a lag beside the right one, a wrong factor or
power, a tenth too much, a condition inverted, biased for unbiased, query for key, an argument ignored, a mean for a
sum. Made in the syntax tree of the closed forms and of the claims' own code, from which `sampled` draws fairly.
"""

import ast
import copy
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from tests.mutation.mutants import FILES, MODULES, Mutant, compiled, functions, place, source
from tests.mutation.rewrites import rewrites

MEASURES = {"max", "min", "maximum", "minimum", "abs", "resolve", "resolved", "expand", "relative_gap"}
Setter = Callable[[ast.AST], None]


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

"""Sign flips of the closed forms: one + or - turned, one minus sign dropped, or one answer negated.

The flip is made in the syntax tree and its code put into the live function, so that every module that
imported the function, and every jax transformation of it, computes with the flip.
"""

import ast
import contextlib
import dataclasses
import gc
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import jax

FOLDER = Path(__file__).resolve().parents[2] / "theory"
WITHOUT_FORMULAS = {"__init__", "shapes"}
CHAPTERS = ("minimal_model", "label_blindness", "reconstruction", "positions", "dynamics", "statistics")
FILES = {
    path.stem: path
    for chapter in CHAPTERS
    for path in (FOLDER / chapter).glob("*.py")
    if path.stem not in WITHOUT_FORMULAS
}
MODULES = tuple(sorted(FILES))
FILES |= {
    f"{path.parent.name}.{path.stem}": path
    for path in sorted((FOLDER / "claims").glob("c[0-9]*/*.py"))
    if path.stem not in ("__init__", "derivation")
}
SIGNS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.USub: ast.UAdd}
Place = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One sign flipped in one function of a module of closed forms."""

    module: str
    function: str
    line: int
    before: str
    after: str
    code: tuple[tuple[Place, CodeType], ...]
    kind: str = "sign"

    def __str__(self) -> str:
        path = FILES[self.module].relative_to(FOLDER.parent)
        return f"{path}:{self.line} {self.function}: {self.before} -> {self.after}"


def mutants(module: str) -> list[Mutant]:
    """Every sign flip of a module, in order; flips outside functions and in error messages are none."""
    tree = ast.parse(source(module).read_text())
    written = functions(compiled(tree, module))
    return [
        Mutant(module, changed[0].co_qualname, node.lineno, before, after, tuple(map(placed, changed)))
        for node, before, after, code in flips(tree, module)
        if (changed := [new for old, new in zip(written, functions(code), strict=True) if old != new])
    ]


def source(module: str) -> Path:
    """The file of a module of closed forms."""
    return FILES[module]


def compiled(tree: ast.Module, module: str) -> CodeType:
    """The module's code."""
    return compile(tree, str(source(module)), "exec")


def flips(tree: ast.Module, module: str) -> Iterator[tuple[ast.AST, str, str, CodeType]]:
    """Each sign, its expression before and after the flip, and the module's code with it."""
    for node in signs(tree):
        field = "value" if isinstance(node, ast.Return) else "op"
        kept, before = getattr(node, field), ast.unparse(node)
        setattr(node, field, flipped(kept))
        try:
            yield node, before, ast.unparse(node), compiled(tree, module)
        finally:
            setattr(node, field, kept)


def flipped(sign: ast.operator | ast.unaryop | ast.expr) -> ast.AST:
    """The other sign; of an answer, its negative."""
    if type(sign) in SIGNS:
        return SIGNS[type(sign)]()
    return ast.copy_location(ast.UnaryOp(ast.USub(), sign), sign)


def signs(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes with a sign, and answers; the number of an axis has no sign, and refusals are not formulas."""
    refusal = isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise)
    if refusal or (isinstance(node, ast.keyword) and node.arg == "axis"):
        return
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.UnaryOp) and type(node.op) in SIGNS:
        yield node
    if isinstance(node, ast.Return) and not isinstance(node.value, ast.Tuple):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from signs(child)


def functions(code: CodeType) -> list[CodeType]:
    """The functions, methods and lambdas that the running of this code makes, not those inside them."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    made = [[part] if part.co_flags & inspect.CO_OPTIMIZED else functions(part) for part in inner]
    return [part for parts in made for part in parts]


def place(code: CodeType) -> Place:
    """Which function this is the code of; a lambda is told by where it stands."""
    nameless = code.co_name == "<lambda>"
    return (code.co_filename, code.co_qualname, str(tuple(code.co_positions())) if nameless else "")


def placed(code: CodeType) -> tuple[Place, CodeType]:
    """The code with its place."""
    return place(code), code


def live() -> dict[Place, list[FunctionType]]:
    """Every function of the closed forms that exists now."""
    files, found = set(map(str, FILES.values())), {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename in files:
            found.setdefault(place(thing.__code__), []).append(thing)
    return found


@contextlib.contextmanager
def in_place(
    code: Sequence[tuple[Place, CodeType]], known: dict[Place, list[FunctionType]]
) -> Iterator[None]:
    """The functions compute with this code; what jax has traced before is forgotten, before and after."""
    originals = [(function, function.__code__, new) for where, new in code for function in known[where]]
    for function, _, new in originals:
        function.__code__ = new
    forget()
    try:
        yield
    finally:
        for function, old, _ in originals:
            function.__code__ = old
        forget()


def forget() -> None:
    """Forget what jax has traced, and what a closed form keeps of earlier calls."""
    jax.clear_caches()
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) in set(map(str, FILES.values())):
            for cached in vars(module).values():
                getattr(cached, "cache_clear", lambda: None)()

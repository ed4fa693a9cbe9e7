"""Which files of this project decide what a function computes: its module, what that imports, and so on.

They are read from the imports, within functions too, and never listed: a file that moves or gets another name
still counts. A module that only passes a name on does not count, the one that defines it does; a file that
imports modules by computed names counts all of its folder. Other packages' files do not count.
"""

import ast
import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from sims.runs.provenance import REPOSITORY

Code = Callable | str
"""A function that computes, or the name of its module."""
Use = tuple[str, str | None]
"""A module and the name that is used of it; None stands for all of it."""
_DISCOVERY = "import_module"  # what a file calls that imports modules by computed names


def sources_hash(*code: Code, root: Path = REPOSITORY) -> str:
    """Hash of the files' code: comments, docstrings and layout do not count."""
    files = sorted(sources(*code, root=root).items())
    text = "".join(f"{module} {parsed(path.read_bytes()).digest}\n" for module, path in files)
    return hashlib.sha256(text.encode()).hexdigest()


def sources(*code: Code, root: Path = REPOSITORY) -> dict[str, Path]:
    """The deciding files by the name of their module. Raises ValueError for code that lies elsewhere."""
    modules = [each if isinstance(each, str) else each.__module__ for each in code]
    if elsewhere := [module for module in modules if file_of(module, root) is None]:
        raise ValueError(
            f"expected modules below {root}: got {', '.join(elsewhere)}; import the code from there"
        )
    files: dict[str, Path] = {}
    visited, waiting = set[Use](), [(module, None) for module in modules]
    while waiting:
        use = waiting.pop()
        if use not in visited:
            visited.add(use)
            waiting += followed(*use, root, files)
    return files


def followed(module: str, name: str | None, root: Path, files: dict[str, Path]) -> list[Use]:
    """What one use leads to; the module that defines what is used is added to `files`."""
    path = file_of(module, root)
    if path is None:
        return []
    file = parsed(path.read_bytes())
    if name in file.passed_on:
        return [absolute(file.passed_on[name], module, path)]
    if name and file_of(f"{module}.{name}", root):
        return [(f"{module}.{name}", None)]
    files[module] = path
    below = path.parent.rglob("*.py") if file.discovers else ()
    return [absolute(use, module, path) for use in file.uses] + [
        (_module_of(each, root), None) for each in below
    ]


def file_of(module: str, root: Path = REPOSITORY) -> Path | None:
    """Where a module of this project lies; None for other names."""
    if module.split(".")[0] in installed_beside():
        return None
    path = root.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _module_of(path: Path, root: Path) -> str:
    """The name under which a file is imported."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def absolute(use: Use, module: str, path: Path) -> Use:
    """The use with its module's name in full, where dots stand for folders above the importing file."""
    target = use[0].lstrip(".")
    dots = len(use[0]) - len(target)
    if not dots:
        return use
    parts = module.split(".")
    above = parts[: len(parts) - dots + (path.name == "__init__.py")]
    return ".".join([*above, *filter(None, [target])]), use[1]


@functools.cache
def installed_beside() -> frozenset[str]:
    """Names that other distributions have installed in this project's folder, once it is installed itself."""
    distributions = metadata.distributions(path=[str(REPOSITORY)])
    tops = [{file.parts[0].removesuffix(".py") for file in each.files or ()} for each in distributions]
    return frozenset().union(*(names for names in tops if __name__.split(".")[0] not in names))


@dataclasses.dataclass(frozen=True)
class Parsed:
    """What is read from one file."""

    digest: str
    """Hash of its code."""
    uses: frozenset[Use]
    """What it imports; the modules of relative imports begin with dots."""
    passed_on: dict[str, Use]
    """Names that it only passes on, and where from."""
    discovers: bool
    """Whether it imports modules by computed names."""


@functools.cache
def parsed(content: bytes) -> Parsed:
    """What is read from a file of this content."""
    tree = ast.parse(content)
    nodes = list(ast.walk(tree))
    calls = {node.func for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [each for each in node.body if not _is_text(each)]
    return Parsed(
        digest=hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
        uses=frozenset(uses(nodes)),
        passed_on=passed_on(tree, nodes),
        discovers=any(getattr(each, "attr", getattr(each, "id", "")) == _DISCOVERY for each in calls),
    )


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is only a string, as docstrings are."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def uses(nodes: list[ast.AST]) -> Iterator[Use]:
    """Every import, wherever it stands; of `import theory` what is used as `theory.name`."""
    names = attributes(nodes)
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from ((origin(node), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                module, bound = (alias.name, alias.asname) if alias.asname else (top, top)
                yield from ((module, name) for name in names.get(bound, ()))
                if module != alias.name:
                    yield alias.name, None


def attributes(nodes: list[ast.AST]) -> dict[str, set[str | None]]:
    """What is used of each name, as in name.attribute; None among it where the name stands alone."""
    values = {node.value: node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used: dict[str, set[str | None]] = {}
    for node in nodes:
        if isinstance(node, ast.Name):
            used.setdefault(node.id, set()).add(values.get(node))
    return used


def origin(node: ast.ImportFrom) -> str:
    """The module after `from`, with its dots."""
    return "." * node.level + (node.module or "")


def passed_on(tree: ast.Module, nodes: list[ast.AST]) -> dict[str, Use]:
    """The names that a module imports at its top and binds nowhere else, and where they come from."""
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    taken = {
        alias.asname or alias.name: (origin(node), alias.name) for node in imports for alias in node.names
    }
    return {name: use for name, use in taken.items() if name not in bound}

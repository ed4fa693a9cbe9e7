"""What registries and settings declare, read from their source: to import them would load JAX, for seconds.

Mistyped names, flags and values are answered, and help is shown, from what is read here; what runs is the
module itself. A test holds the two equal. Where a declaration is `Unreadable`, the module answers later.
"""

import ast
import builtins
import contextlib
import dataclasses
import functools
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import tyro

from sims.runs.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[2]
SIMULATIONS, STUDIES, TASKS, FIGURES = (
    "sims.experiments",
    "full_scale.studies",
    "full_scale.tasks",
    "paper_figs.figures",
)
_CLAIM = re.compile(r'^CLAIM = Claim\(\s*label="(C\d+)",\s*title="([^"]*)"', re.MULTILINE)
_LIGHT = (
    "sims.runs.errors",
    "sims.runs.config_validation",
)  # modules of this project that import neither JAX nor NumPy
Defined = ast.stmt | ast.alias


class Unreadable(Exception):
    """A declaration that only its module can give."""


@dataclasses.dataclass(frozen=True)
class Declared:
    """What can be run, as its source declares it."""

    where: tuple[str, str]
    """Module and class of its settings."""
    description: str
    seconds: float | int
    stored: str = ""
    """Name of the result, where it is not the experiment's."""

    @property
    def Config(self) -> type:
        """Its settings: a class like the one that runs. Raises Unreadable."""
        return settings(*self.where)


class Source:
    """A module of this project whose names are read from its source."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return value(self._module, name)


def file_of(module: str) -> Path | None:
    """Where a module of this project lies; None for other names."""
    base = REPOSITORY.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@functools.cache
def statements(module: str) -> dict[str, tuple[str, ast.AST]]:
    """What a module's source binds at its top: name -> (module that it is imported from or "", node)."""
    path = file_of(module)
    if path is None:
        raise Unreadable(module)
    bound: dict[str, tuple[str, ast.AST]] = {}
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            bound |= {alias.asname or alias.name: (node.module, alias) for alias in node.names}
        elif isinstance(node, ast.Import):
            bound |= {alias.asname or alias.name: (alias.name, node) for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            bound[node.name] = ("", node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound |= {target.id: ("", node.value) for target in targets if isinstance(target, ast.Name)}
    return bound


def first_line(module: str) -> str:
    """The first line of a module's docstring."""
    path = file_of(module)
    return (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n")[0] if path else ""


def definition(module: str, name: str) -> tuple[str, ast.AST]:
    """(module, node) that defines a name of a module, re-exports followed; a submodule has an empty tree."""
    if name not in statements(module):
        if file_of(f"{module}.{name}"):
            return f"{module}.{name}", ast.Module([], [])
        raise Unreadable(f"{module}.{name}")
    source, node = statements(module)[name]
    if not source:
        return module, node
    if isinstance(node, ast.alias) and file_of(source):
        return definition(source, node.name)
    raise Unreadable(f"{module}.{name}")


@functools.cache
def value(module: str, name: str) -> Any:
    """What a name of a module stands for: a constant, a class of settings, or something of a light module."""
    source, node = statements(module).get(name, ("", None))
    if node is None:
        if hasattr(builtins, name):
            return getattr(builtins, name)
        raise Unreadable(f"{module}.{name}")
    if source and source.split(".")[0] in sys.stdlib_module_names:
        imported = importlib.import_module(source)
        return getattr(imported, node.name) if isinstance(node, ast.alias) else imported
    where, node = definition(module, name)
    if where in _LIGHT:
        return getattr(importlib.import_module(where), name)
    if isinstance(node, ast.Module):
        return Source(where)
    if isinstance(node, ast.ClassDef):
        return settings(where, node.name)
    if isinstance(node, ast.expr):
        return evaluated(where, node)
    raise Unreadable(f"{module}.{name}")


def evaluated(module: str, node: ast.expr) -> Any:
    """An expression of a module, its names read from the source."""
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    known = {name: value(module, name) for name in names}
    try:
        return eval(compile(ast.Expression(node), module, "eval"), known)
    except (TypeError, AttributeError, NameError) as error:
        raise Unreadable(f"{module}: {ast.unparse(node)}") from error


@functools.cache
def settings(module: str, name: str) -> type:
    """A frozen dataclass with the fields, defaults, help and checks of one that a module defines."""
    module, node = definition(module, name)
    if isinstance(node, ast.Name):  # Config = GridConfig
        return settings(module, node.id)
    if not isinstance(node, ast.ClassDef):
        raise Unreadable(f"{module}.{name}")
    bases = tuple(value(module, base.id) for base in node.bases if isinstance(base, ast.Name))
    body = {"__doc__": ast.get_docstring(node) or "", "__module__": __name__}
    if check := checked(module, node):
        body["__post_init__"] = check
    return dataclasses.make_dataclass(
        node.name, list(fields(module, node)), bases=bases, frozen=True, namespace=body
    )


def fields(module: str, node: ast.ClassDef) -> Iterator[tuple]:
    """(name, type with its help, default) of each field."""
    for each, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(each, ast.AnnAssign) or not isinstance(each.target, ast.Name):
            continue
        kind = evaluated(module, each.annotation)
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = " ".join(str(following.value.value).split())
            kind = Annotated[kind, tyro.conf.arg(help=text)]
        default = dataclasses.MISSING if each.value is None else evaluated(module, each.value)
        given = default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default)
        yield each.target.id, kind, given


def checked(module: str, node: ast.ClassDef) -> Any:
    """The class's own check of its values, as far as it can be run without its module; None without one."""
    checks = [
        each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__post_init__"
    ]
    if not checks:
        return None
    known: dict[str, Any] = {}
    for name in {each.id for each in ast.walk(checks[0]) if isinstance(each, ast.Name)}:
        with contextlib.suppress(Unreadable):
            known[name] = value(module, name)
    exec(compile(ast.Module([checks[0]], []), module, "exec"), known)

    def check(self: Any) -> None:
        try:
            known["__post_init__"](self)
        except UserError:
            raise
        except Exception:  # it needs what only the module has, which checks again
            return

    return check


def experiments(registry: str, name: str = "EXPERIMENTS") -> dict[str, Declared]:
    """What a registry's dictionary offers to run, in its order. Raises Unreadable."""
    node = statements(registry)[name][1]
    if not isinstance(node, ast.Dict):
        raise Unreadable(registry)
    pairs = zip(node.keys, node.values, strict=True)
    return {ast.literal_eval(key): declared(registry, each) for key, each in pairs if key is not None}


def simulations() -> dict[str, Declared]:
    """The experiments of `sptlab simulate`: one module or package of the folder each."""
    modules = {name: f"{SIMULATIONS}.{name}" for name in _modules_in(SIMULATIONS)}
    return {
        name: Declared((module, "Config"), value(module, "DESCRIPTION"), value(module, "SECONDS"))
        for name, module in modules.items()
    }


def studies() -> dict[str, Declared]:
    """The studies of `sptlab study`: the modules and packages of the folder that name a stored result."""
    modules = {name: f"{STUDIES}.{name}" for name in _modules_in(STUDIES)}
    return {
        name: Declared(
            (module, "Config"),
            value(module, "description"),
            value(module, "seconds"),
            value(module, "stored"),
        )
        for name, module in modules.items()
        if "stored" in statements(module)
    }


def _modules_in(package: str) -> list[str]:
    """The modules and packages of a package, in the order of their names."""
    path = file_of(package)
    if path is None:
        raise Unreadable(package)
    return [name for _, name, _ in pkgutil.iter_modules([str(path.parent)])]


def declared(registry: str, node: ast.expr) -> Declared:
    """One entry: a call with config, function, description and seconds, or a module that defines them."""
    if isinstance(node, ast.Name):
        module, _ = definition(registry, node.id)
        stored = value(module, "stored") if "stored" in statements(module) else ""
        texts = (value(module, "description"), value(module, "seconds"))
        return Declared((module, "Config"), *texts, stored)
    if not isinstance(node, ast.Call):
        raise Unreadable(ast.unparse(node))
    config, _, description, seconds = node.args
    if isinstance(config, ast.Attribute) and isinstance(config.value, ast.Name):
        where = definition(registry, config.value.id)[0], config.attr
    else:
        where = registry, ast.unparse(config)
    return Declared(where, ast.literal_eval(description), ast.literal_eval(seconds))


@functools.cache
def claims() -> dict[str, str]:
    """Title of each claim by its label, in the order of the labels."""
    sources = sorted((REPOSITORY / "theory" / "claims").glob("c[0-9][0-9]_*/claim.py"))
    calls = [_CLAIM.search(path.read_text()) for path in sources]
    return {call[1]: call[2] for call in calls if call}


@functools.cache
def tasks() -> list[str]:
    """Names of the tasks, sorted."""
    modules = [f"{TASKS}.{name}" for name in _modules_in(TASKS)]
    nodes = [node for module in modules for source, node in statements(module).values() if not source]
    return sorted(name for node in nodes if isinstance(node, ast.ClassDef) and (name := _task_name(node)))


def _task_name(node: ast.ClassDef) -> str:
    """What a task's class says it is called; empty for a class that is none."""
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and ast.unparse(each.target) == "name" and each.value is not None:
            return ast.literal_eval(each.value)
    return ""


@functools.cache
def figures() -> list[str]:
    """Names of the figures: those of the page in its order, then the others."""
    ranks = {
        name: value(f"{FIGURES}.{name}", "PAGE_ORDER")
        for name in _modules_in(FIGURES)
        if "PAGE_ORDER" in statements(f"{FIGURES}.{name}")
    }
    others = [name for name in _modules_in(FIGURES) if name not in ranks]
    return [*sorted(ranks, key=lambda name: ranks[name]), *others]

"""What a trial's numbers depend on besides its config: the code it runs, and the versions of packages.

Only the files that an experiment imports count, so that work on another experiment does not make the
stored trials of a long sweep worthless.
"""

import ast
import functools
import hashlib
from pathlib import Path

from sims.provenance import REPOSITORY, versions

Identity = dict[str, str]
REGISTRY = "sims"  # its __init__ imports every experiment


@functools.cache
def identity(module: str) -> Identity:
    """Hash of the files that `module` imports, itself included, and the version of each package."""
    digest = hashlib.sha256()
    for name, path in sorted(sources(module).items()):
        digest.update(f"{name}\n".encode() + path.read_bytes())
    return {"sources": digest.hexdigest(), **versions()}


def sources(module: str) -> dict[str, Path]:
    """The files of this project by module name: those that `module` and the worker import, and so on."""
    found: dict[str, Path] = {}
    waiting = [module, "sims.sweeps.trial"]
    while waiting:
        name = waiting.pop()
        path = file_of(name) if name not in found and name != REGISTRY else None
        if path:
            found[name] = path
            waiting += imported(path)
    return found


def file_of(module: str) -> Path | None:
    """Where a module of this project lies; None for other names."""
    place = REPOSITORY.joinpath(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def imported(path: Path) -> set[str]:
    """Names that a file imports and that may be modules."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def difference(expected: Identity, found: Identity) -> str:
    """The first thing in which they differ, in words."""
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            if name == "sources":
                return "other code"
            return f"{name} {found.get(name, 'absent')} where the driver has {expected.get(name, 'none')}"
    return "no difference"

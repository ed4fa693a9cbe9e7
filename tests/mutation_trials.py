"""The checks of the claims as the mutation test knows them: green, how long each takes, what it calls."""

import ast
import dataclasses
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import jax

from tests.mutants import FOLDER
from theory.claims import CLAIMS, claim_key
from theory.claims.check import Procedure

SEED = 0


@dataclasses.dataclass(frozen=True)
class Trial:
    """A check with its key, the seconds it took without a flip, and the closed forms that it called."""

    check: Procedure
    key: jax.Array
    seconds: float
    called: frozenset[tuple[str, str]]

    def outcome(self) -> str:
        """green, red, or raised."""
        try:
            return "green" if self.check(self.key).passed else "red"
        except Exception:
            return "raised"


def trials(labels: Iterable[str], names: Sequence[str] = ()) -> Iterator[Trial]:
    """The checks of these claims, or those of these names, all green, and what each calls."""
    for label in labels:
        claim = CLAIMS[label]
        keys = jax.random.split(claim_key(claim, jax.random.key(SEED)), len(claim.checks))
        for check, key in zip(claim.checks, keys, strict=True):
            if not names or check.name in names:
                yield tried(check, key, label)


def tried(check: Procedure, key: jax.Array, label: str) -> Trial:
    """The check run once without a flip, watched by the profiler."""
    seen: set[CodeType] = set()

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            seen.add(frame.f_code)

    jax.clear_caches()  # a cached program calls nothing
    begun = time.perf_counter()
    sys.setprofile(watch)
    try:
        passed = check(key).passed
    finally:
        sys.setprofile(None)
    if not passed:
        raise SystemExit(
            f"checks must be green before a sign is flipped: {label} {check.name!r} is red; mend it"
        )
    return Trial(check, key, time.perf_counter() - begun, forms(seen))


def forms(codes: Iterable[CodeType]) -> frozenset[tuple[str, str]]:
    """(module, function) of the closed forms among these."""
    places = ((Path(code.co_filename), code.co_qualname) for code in codes)
    return frozenset((path.stem, name) for path, name in places if path.parent == FOLDER)


def claims_using(modules: Sequence[str]) -> list[str]:
    """The claims whose modules import one of these, directly or through others."""
    reached = {path: imports(path) for path in [*FOLDER.glob("*.py"), *FOLDER.glob("claims/*.py")]}
    wanted = {FOLDER / f"{module}.py" for module in modules}
    while more := {path for path, inside in reached.items() if inside & wanted} - wanted:
        wanted |= more
    return [label for label in CLAIMS if FOLDER / f"claims/c{int(label[1:]):02d}.py" in wanted]


def imports(path: Path) -> set[Path]:
    """The files of the theory that a module imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    dotted = [f"{node.module}.{name.name}" for node in nodes for name in node.names]
    named = [*dotted, *(str(node.module) for node in nodes)]
    inside = [name.split(".")[1:] for name in named if name.startswith("theory.")]
    files = {FOLDER.joinpath(*parts).with_suffix(".py") for parts in inside}
    return {file for file in files if file.name != "claims.py"}

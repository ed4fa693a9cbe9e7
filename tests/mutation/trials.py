"""The checks of the claims as the mutation test knows them: green, how long each takes, what it calls."""

import dataclasses
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import jax

from sims.runs.closure import sources
from tests.mutation.mutants import FILES, FOLDER
from theory.claims import CLAIMS, claim_key
from theory.claims.checks.check import Procedure

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
    modules = {path: module for module, path in FILES.items()}
    called = ((modules.get(Path(code.co_filename)), code.co_qualname) for code in codes)
    return frozenset((module, name) for module, name in called if module)


def claims_using(modules: Iterable[str]) -> list[str]:
    """The claims whose checks import one of these, directly or through others."""
    wanted = {FILES[module] for module in modules}
    return [label for label in CLAIMS if wanted & set(sources(checked_in(label)).values())]


def checked_in(label: str) -> str:
    """The module that holds a claim's checks."""
    (path,) = FOLDER.glob(f"claims/c{int(label[1:]):02d}_*/claim.py")
    return f"theory.claims.{path.parent.name}.claim"

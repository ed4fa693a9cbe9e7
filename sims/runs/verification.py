"""The claims as a stage: which are checked, what each check found, and its lines on the screen."""

import dataclasses
import textwrap
from collections.abc import Callable, Sequence

from jaxtyping import PRNGKeyArray

from sims.cli import declarations
from sims.cli.names import require, split
from sims.runs.provenance import plain
from sims.runs.typed import Stored

WIDTH = 100  # columns of a terminal
SECONDS = 83.0  # of all claims on the reference machine


@dataclasses.dataclass(frozen=True)
class CheckResult(Stored):
    """One residual against its tolerance."""

    kind: str
    name: str
    passed: bool
    residual: float | int | None
    """None where it is not finite."""
    tolerance: float | int
    failed_at: tuple[int, ...] | None = None
    """Of several seeds, the places of those at which it failed."""


@dataclasses.dataclass(frozen=True)
class ClaimResult(Stored):
    """A claim's text and its checks."""

    claim: str
    title: str
    statement: str
    details: str
    """The statement in full, where it is said shortly."""
    regime: str
    formula: str
    passed: bool
    checks: tuple[CheckResult, ...]


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Every claim's checks, and its derivation as `theory.symbolic.record` writes it."""

    claims: tuple[ClaimResult, ...]
    derivations: dict[str, object]


@dataclasses.dataclass(frozen=True)
class ClaimsConfig:
    """The claims that are checked."""

    labels: tuple[str, ...]


def claims_config(labels: tuple[str, ...] = ()) -> ClaimsConfig:
    """The chosen claims, or all."""
    known = declarations.claims()
    return ClaimsConfig(tuple(require(label, known, "claim") for label in split(labels)) or tuple(known))


def seconds(config: ClaimsConfig) -> float:
    """What these claims take on the reference machine, about."""
    return SECONDS * len(config.labels) / len(declarations.claims())


def verified(
    config: ClaimsConfig,
    *,
    key: PRNGKeyArray | Sequence[PRNGKeyArray],
    report: Callable | None = None,
    derive: bool = True,
) -> tuple[Values, dict]:
    """The verdicts of the chosen claims and their derivations, as values and arrays of a stage."""
    from theory.claims import verify

    if report:
        report(0, 1)
    claims = [verdict.as_json() for verdict in verify(config.labels, key=key, report=report)]
    derived = derivations(config.labels) if derive else {}
    return Values.from_json(plain({"claims": claims, "derivations": derived})), {}


def derivations(labels: tuple[str, ...]) -> dict[str, object]:
    """The derivation of each claim, every step checked, as JSON holds it."""
    from theory.claims.derivations import DERIVATIONS
    from theory.symbolic import record

    return {label: record.as_json(DERIVATIONS[label], DERIVATIONS[label].check()) for label in labels}


def lines(
    verdicts: Sequence[ClaimResult], seeds: Sequence[int] = (0,), statements: bool = False
) -> list[str]:
    """A line per check, one per claim, and how many hold; of several seeds, the worst of each check.

    With `statements`, what each claim says and where it holds stands above its checks.
    """
    rows = []
    for verdict in verdicts:
        if statements:
            parts = (f"{verdict.claim}   {verdict.title}. {verdict.statement}", f"Holds: {verdict.regime}")
            rows += [line for part in parts for line in textwrap.wrap(part, WIDTH, subsequent_indent=5 * " ")]
        for check in verdict.checks:
            sign = ">" if check.kind == "counterexample" else "<="
            mark = "ok  " if check.passed else "FAIL"
            residual = float("nan") if check.residual is None else check.residual
            numbers = f"{residual:.2e} {sign:2} {check.tolerance:.2e} {unit(check)}"
            rows.append(f"{verdict.claim:4} {mark} {check.kind:17} {numbers:39}  {check.name}")
            rows[-1] += failures(check, seeds)
        rows.append(f"{verdict.claim:4} {'holds' if verdict.passed else 'FAILS'}: {verdict.title}")
    passed = sum(verdict.passed for verdict in verdicts)
    at = f", each check at the worst of seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else ""
    if any(check.kind == "counterexample" for verdict in verdicts for check in verdict.checks):
        rows += ["A counterexample leaves what the claim needs, so its number must exceed the bound."]
    return [*rows, f"{passed} of {len(verdicts)} claims hold{at}"]


def failures(check: CheckResult, seeds: Sequence[int]) -> str:
    """The seeds that a check failed at, where there are several."""
    if len(seeds) == 1 or not check.failed_at:
        return ""
    return f" (fails at seeds {', '.join(str(seeds[index]) for index in check.failed_at)})"


def unit(check: CheckResult) -> str:
    """What the two numbers of a check count."""
    from theory.claims.checks.tolerances import STANDARD_ERRORS

    if check.kind == "symbolic":
        return "terms not 0"
    if check.tolerance == 0:
        return "difference"
    return "standard errors" if check.tolerance == STANDARD_ERRORS else "relative error"

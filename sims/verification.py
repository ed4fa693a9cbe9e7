"""The claims as a stage: which are checked, what each check found, and its lines on the screen."""

import dataclasses
from collections.abc import Callable

from jaxtyping import PRNGKeyArray

from sims.commands.names import require, split
from theory.claims import CLAIMS, verify
from theory.derivations import DERIVATIONS, record


@dataclasses.dataclass(frozen=True)
class ClaimsConfig:
    """The claims that are checked."""

    labels: tuple[str, ...]


def claims_config(labels: tuple[str, ...] = ()) -> ClaimsConfig:
    """The chosen claims, or all."""
    return ClaimsConfig(tuple(require(label, CLAIMS, "claim") for label in split(labels)) or tuple(CLAIMS))


def verified(
    config: ClaimsConfig, *, key: PRNGKeyArray, report: Callable | None = None
) -> tuple[dict[str, list | dict], dict]:
    """The verdicts of the chosen claims and their derivations, as values and arrays of a stage."""
    claims = [verdict.as_json() for verdict in verify(config.labels, key=key, report=report)]
    derived = {
        label: record.as_json(DERIVATIONS[label], DERIVATIONS[label].check()) for label in config.labels
    }
    return {"claims": claims, "derivations": derived}, {}


def lines(verdicts: list[dict]) -> list[str]:
    """A line per check, one per claim, and how many hold."""
    shown = []
    for verdict in verdicts:
        for check in verdict["checks"]:
            sign = ">" if check["kind"] == "counterexample" else "<="
            mark = "ok  " if check["passed"] else "FAIL"
            numbers = f"{check['residual']:.2e} {sign:2} {check['tolerance']:.2e}"
            shown.append(f"{verdict['claim']:4} {mark} {check['kind']:17} {numbers}  {check['name']}")
        shown.append(f"{verdict['claim']:4} {'holds' if verdict['passed'] else 'FAILS'}: {verdict['title']}")
    passed = sum(verdict["passed"] for verdict in verdicts)
    return [*shown, f"{passed} of {len(verdicts)} claims hold"]

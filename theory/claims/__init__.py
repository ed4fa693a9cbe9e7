"""One folder per claim: statement, regime, formula and checks in `claim`, the argument in `derivation`.

`CLAIMS` reads these folders; the command line, the tests, the report and the figures read `CLAIMS`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from theory.claims.checks.check import KINDS, Check, Claim, ClaimVerdict
from theory.claims.folders import Folders

THREADS = 2  # nearly all the time goes to compiling, which threads share well

CLAIMS: Folders[Claim] = Folders("claim", "CLAIM")
"""The claims by label, in the order of the labels; each is imported when it is first asked for."""


def verify(
    labels: Sequence[str] | None = None,
    *,
    key: PRNGKeyArray | Sequence[PRNGKeyArray],
    report: Callable[[int, int, str], None] | None = None,
) -> list[ClaimVerdict]:
    """Run the checks of the claims named, or of all; a claim's checks see the same key either way.

    Parameters
    ----------
    labels
        Such as `["C1", "C9"]`; all claims when None.
    key
        Feeds every random draw; each claim folds its number in. Of several keys in a list, each check is told
        at the one where it does worst; its program is compiled once.
    report
        Called with (done, total, label) as each claim is finished.

    Raises
    ------
    ValueError
        If a label is not in the registry, or jax computes in float32.
    """
    chosen = list(CLAIMS) if labels is None else list(labels)
    if unknown := [label for label in chosen if label not in CLAIMS]:
        raise ValueError(f"claims must be among {', '.join(CLAIMS)}: got {', '.join(unknown)}; drop them")
    if jnp.zeros(()).dtype != jnp.float64:
        raise ValueError(
            "claims are checked to 1e-12 and need float64: got float32; "
            'call jax.config.update("jax_enable_x64", True) first'
        )
    keys = list(key) if isinstance(key, Sequence) else [key]
    pool = ThreadPoolExecutor(THREADS)
    try:
        claims = [CLAIMS[label] for label in chosen]
        running = [
            claim.outcomes(keys=[claim_key(claim, each) for each in keys], each=pool.map) for claim in claims
        ]
        verdicts = []
        for claim, outcomes in zip(claims, running, strict=True):
            verdicts.append(ClaimVerdict(claim, tuple(outcomes)))
            if report is not None:
                report(len(verdicts), len(claims), claim.label)
    finally:
        pool.shutdown(cancel_futures=True)
    return verdicts


def claim_key(claim: Claim, key: PRNGKeyArray) -> PRNGKeyArray:
    """The claim's own key: its number folded in, whichever claims run beside it."""
    return jax.random.fold_in(key, int(claim.label.removeprefix("C")))


__all__ = ["CLAIMS", "KINDS", "Check", "Claim", "ClaimVerdict", "verify"]

"""The claims: each with its statement, its regime, its formula, and checks of every kind.

`CLAIMS` is read by the command line, the tests, the report and the figures.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from theory.claims import c01, c02, c03, c04, c08, c09, c10, c12, c19
from theory.claims.check import KINDS, Check, Claim, Verdict

MODULES = (c01, c02, c03, c04, c08, c09, c10, c12, c19)

CLAIMS: dict[str, Claim] = {module.CLAIM.label: module.CLAIM for module in MODULES}
"""The registry, in the order of the labels."""


def verify(
    labels: Sequence[str] | None = None,
    *,
    key: PRNGKeyArray,
    report: Callable[[int, int, str], None] | None = None,
) -> list[Verdict]:
    """Run the checks of the claims named, or of all; a claim's checks see the same key either way.

    Parameters
    ----------
    labels
        Such as `["C1", "C9"]`; all claims when None.
    key
        Feeds every random draw; each claim folds its number in.
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
    verdicts = []
    for done, label in enumerate(chosen, start=1):
        verdicts.append(CLAIMS[label].verify(key=jax.random.fold_in(key, int(label[1:]))))
        if report is not None:
            report(done, len(chosen), label)
    return verdicts


__all__ = ["CLAIMS", "KINDS", "Check", "Claim", "Verdict", "verify"]

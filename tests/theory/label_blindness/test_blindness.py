"""What a simulation cannot see: the smallest error, common to all entries, at which it turns red."""

import sys

import jax
import jax.numpy as jnp
import pytest

from theory.claims import CLAIMS, claim_key
from theory.claims.checks.tolerances import STANDARD_ERRORS

LARGEST = 0.1
ZERO_LAWS = {"C1", "C3", "C9", "C19", "C22", "C23"}
"""Claims whose simulations expect 0 everywhere, where no relative error is defined."""

SIMULATIONS = [
    (label, place)
    for label, claim in CLAIMS.items()
    for place, check in enumerate(claim.checks)
    if check.kind == "simulation"
]


def blindness(samples, expected):
    """STANDARD_ERRORS x the smallest standard error / |expected|, of entries and along all; nan if all are 0."""
    rows = samples.reshape(len(samples), -1)
    law, variance = jnp.broadcast_to(expected, samples.shape[1:]).ravel(), rows.var(axis=0, ddof=1)
    along = rows @ (law / variance)
    error = jnp.sqrt(jnp.append(variance, along.var(ddof=1)) / len(rows))
    size = jnp.abs(jnp.append(law, law @ (law / variance)))
    smallest = jnp.where(size == 0, jnp.inf, error / size).min()
    return STANDARD_ERRORS * jnp.where(jnp.isfinite(smallest), smallest, jnp.nan)


@pytest.mark.slow
@pytest.mark.parametrize(("label", "place"), SIMULATIONS)
def test_a_simulation_sees_an_error_of_a_tenth(label, place, monkeypatch):
    for name, module in list(sys.modules.items()):
        if name.startswith("theory.claims.") and hasattr(module, "standard_errors_off"):
            monkeypatch.setattr(module, "standard_errors_off", blindness)
    check = CLAIMS[label].checks[place]
    seen = check.residual(claim_key(CLAIMS[label], jax.random.key(0)))
    assert seen <= LARGEST or (seen != seen and label in ZERO_LAWS), f"{check.name}: {seen:.3f}"

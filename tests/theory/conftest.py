"""Verdicts run once, and how many lengths to draw."""

from collections.abc import Callable

import jax
import pytest
from hypothesis import HealthCheck, settings

from theory.claims import CLAIMS, ClaimVerdict

# each new length is compiled anew, so an example takes as long as the machine is busy
settings.register_profile("lengths", max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("lengths")


@pytest.fixture(autouse=True, scope="module")
def compile_quickly():
    """Each program runs once or twice: optimising it costs more than it saves."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def verdict() -> Callable[[str], ClaimVerdict]:
    """The verdict on a claim; its checks run once for all tests that ask."""
    known: dict[str, ClaimVerdict] = {}

    def of(label: str) -> ClaimVerdict:
        if label not in known:
            known[label] = CLAIMS[label].verify(key=jax.random.key(20260511))
        return known[label]

    return of

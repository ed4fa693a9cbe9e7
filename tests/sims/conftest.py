"""Programs of these tests run once or twice: optimising them costs more than it saves."""

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def compile_quickly():
    """No optimisation while the module runs."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)

"""Policy for every test: float64, no silent promotion of types or ranks, no display."""

import os
from importlib.metadata import version

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "agg")
if version("jaxlib").startswith("0.10."):  # halves the time to compile; XLA aborts at a flag it does not know
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import jax
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """What a module compiled goes with it: two thousand tests would hold gigabytes."""
    yield
    jax.clear_caches()

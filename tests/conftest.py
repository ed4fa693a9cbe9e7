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


@pytest.fixture
def front_door(capsys, monkeypatch):
    """Run one command line in this process: exit code, stdout, stderr."""
    import sptlab

    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)  # it would outlast the test

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = sptlab.main(list(map(str, arguments)))
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return run

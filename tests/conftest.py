"""Policy for every test: float64, no silent promotion of types or ranks, no display, programs kept."""

import hashlib
import os
import runpy
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "agg")
# Tests compile far more than they compute. On two slow cores XLA's older emitters compile a training step in
# 7.7 s of CPU, the fusion emitters in 10.8; its steps run a tenth slower, and agree to rounding. Versions of
# jaxlib other than 0.10 may not know the flag, and abort.
if version("jaxlib").startswith("0.10."):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import jax
import pytest

pytest_plugins = ["tests.tiers"]
ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".pytest_cache" / "cache"

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


def keep_programs(folder: Path) -> None:
    """Compiled programs outlive the session and serve its workers and the processes that tests start.

    A program's key is its code, JAX's version and the flags: a changed line never meets an old program.
    """
    os.environ["XDG_CACHE_HOME"] = str(folder)  # where `sptlab` keeps those of its own processes
    # read as a file: a room that is imported before the tests are collected has no types checked
    processor = runpy.run_path(str(ROOT / "sims" / "runs" / "compilation_cache.py"))["processor"]()
    here = folder / "tests" / hashlib.sha256(processor.encode()).hexdigest()[:12]
    settings = {"jax_compilation_cache_dir": str(here), "jax_persistent_cache_min_compile_time_secs": 0.1}
    for name, value in settings.items():
        os.environ[name.upper()] = str(value)
        jax.config.update(name, value)


keep_programs(CACHE)


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

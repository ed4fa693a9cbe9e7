"""Float64, and compiled programs that outlive a run: kept per user, jax version and processor."""

import contextlib
import hashlib
import os
import platform
import warnings
from pathlib import Path


def prepare_jax() -> None:
    """Float64, and compiled programs kept per user, jax version and processor."""
    import jax

    from sims.sweeps.devices import gpus

    jax.config.update("jax_enable_x64", True)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    machine = hashlib.sha256(processor().encode()).hexdigest()[:12]
    folder = Path(home) / "sptlab" / f"jax-{jax.__version__}-{machine}"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    if len(gpus()) > 1:  # each worker takes one; this process, which only asks, must leave them room
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    warnings.filterwarnings(
        "ignore", "Error (reading|writing) persistent compilation cache"
    )  # it compiles anew


def processor() -> str:
    """The processor's abilities: code compiled for one may crash on another that shares the home folder."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return platform.processor() + platform.machine()

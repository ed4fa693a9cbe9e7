"""Cores and GPUs of this machine, found without JAX, which would take a GPU's memory by looking."""

import itertools
import os
import shutil
import subprocess
from importlib.util import find_spec

_PLUGINS = ("jax_cuda12_plugin", "jax_cuda13_plugin")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> tuple[str, ...]:
    """The GPUs that JAX could use here, as CUDA_VISIBLE_DEVICES names them; CUDA stops reading it at a -1."""
    wanted = os.environ.get("JAX_PLATFORMS") or "cuda"
    if not any(name in wanted for name in ("cuda", "gpu")) or not any(map(find_spec, _PLUGINS)):
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = (name.strip() for name in visible.split(","))
        return tuple(filter(None, itertools.takewhile(lambda name: name != "-1", names)))
    return listed()


def listed() -> tuple[str, ...]:
    """The GPUs that the driver's own tool lists, by index."""
    if not shutil.which("nvidia-smi"):
        return ()
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(done.stdout.split())

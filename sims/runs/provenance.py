"""What a stored number came from: command, config, seed, versions, commit, device.

Deterministic: no clock, no host name, no machine path. A path inside a config is recorded as the
file's name and the hash of its content.
"""

import dataclasses
import hashlib
import json
import math
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import jax
import numpy as np

from sims.runs.typed import absent

_PACKAGES = (
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "equinox",
    "optax",
    "orbax-checkpoint",
    "sympy",
    "scikit-learn",
)
REPOSITORY = Path(__file__).resolve().parents[__name__.count(".")]


def plain(value: object) -> object:
    """The value as what JSON holds; dataclasses become dicts, numbers that are not finite become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field for field in dataclasses.fields(value) if not absent(value, field)]
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return plain(np.asarray(value).tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return file_identity(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(
        f"cannot store a {type(value).__name__}; use numbers, strings, lists, dicts or dataclasses"
    )


def file_identity(path: Path) -> dict[str, str | None]:
    """Name and SHA-256 of a file (None when there is no such file): the same wherever the file lies."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return {"name": path.name, "sha256": digest}


def canonical(value: object) -> str:
    """One text per value: sorted keys, no NaN, indent 1, a newline at the end."""
    return json.dumps(plain(value), sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def config_hash(config: object, seed: int) -> str:
    """SHA-256 over class name, fields and seed: what a stored result must agree with to be reused."""
    identity = {"class": type(config).__qualname__, "config": config, "seed": seed}
    return hashlib.sha256(canonical(identity).encode()).hexdigest()


def provenance(config: object, *, command: str, seed: int) -> dict[str, object]:
    """The record kept with every stored result."""
    return {
        "command": command,
        "config": plain(config),
        "config_hash": config_hash(config, seed),
        "seed": seed,
        "versions": versions(),
        "commit": commit(),
        "device": device(),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages a number can depend on."""
    installed = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def commit() -> dict[str, object]:
    """{"revision", "dirty"} of this repository; both None when the code is not in its own git checkout."""
    if _git("rev-parse", "--show-prefix") != "":
        return {"revision": None, "dirty": None}
    return {
        "revision": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def device() -> str:
    """Platform and kind of the first device, for example "cpu"."""
    first = jax.devices()[0]
    return first.platform if first.platform == first.device_kind else f"{first.platform}: {first.device_kind}"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

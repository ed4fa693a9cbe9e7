"""Results on disk: whole or absent, the same bytes for the same numbers, one writer at a time.

A result NAME is NAME.json (values and provenance) and, when it has arrays, NAME.npz, whose hash the
JSON holds. Both are written beside their place and renamed, the JSON last, so a run killed at any
moment leaves the old result, the new one, or a pair whose hash disagrees and is computed again.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from sims.runs.errors import UserError
from sims.runs.provenance import canonical, config_hash, plain, provenance
from sims.runs.validity import Code, Identity, agrees, identity

__all__ = [
    "Result", "StoreError", "UserError", "config_hash", "finished", "load", "load_all", "lock", "plain",
    "provenance", "save", "stage", "write_atomic",
]  # fmt: skip

_PARTIAL = ".partial"
_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class StoreError(UserError):
    """A result cannot be written or read; one line."""


@dataclasses.dataclass(frozen=True)
class Result:
    """One stored result: `values` go to JSON, `arrays` to npz, `record` is its provenance."""

    name: str
    values: dict[str, object]
    arrays: dict[str, np.ndarray]
    record: dict[str, object]


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data` entirely or not at all. Raises StoreError (disk full, no permission, ...)."""
    _write_together({Path(path): data})


def save(folder: Path, result: Result) -> None:
    """Store a result. Raises StoreError; then the folder holds what it held before."""
    files, digest = {}, None
    if result.arrays:
        archive = _archive(result.arrays)
        files[Path(folder) / f"{result.name}.npz"] = archive
        digest = hashlib.sha256(archive).hexdigest()
    content = {"name": result.name, "values": result.values, "record": result.record, "arrays_sha256": digest}
    files[Path(folder) / f"{result.name}.json"] = canonical(content).encode()
    _write_together(files)


def load(folder: Path, name: str) -> Result:
    """Read a result. Raises StoreError naming the file when it is absent or damaged."""
    path = Path(folder) / f"{name}.json"
    try:
        content = json.loads(_read(path))
        values, record, digest = content["values"], content["record"], content["arrays_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    return Result(name, values, _load_arrays(path.with_suffix(".npz"), digest) if digest else {}, record)


def stored_record(folder: Path, name: str) -> dict[str, object]:
    """The record of a stored result; empty where there is none that can be read."""
    try:
        return load(folder, name).record
    except StoreError:
        return {}


def load_all(folder: Path) -> dict[str, Result]:
    """Every result in the folder by name, in alphabetical order."""
    return {path.stem: load(folder, path.stem) for path in sorted(Path(folder).glob("*.json"))}


def finished(folder: Path, name: str, expected: Identity) -> Result | None:
    """The stored result, or None where it is not whole, not complete or no longer good (`sims.runs.validity`)."""
    try:
        result = load(folder, name)
    except StoreError:
        return None
    return result if agrees(result.record, expected) and result.values.get("complete", True) else None


def stage(
    folder: Path,
    name: str,
    config: object,
    compute: Callable[[], tuple[object, dict[str, np.ndarray]]],
    *,
    command: str,
    seed: int,
    code: tuple[Code, ...],
) -> Result:
    """The stored result where it is `finished`; otherwise compute, store, return it.

    `code` holds the functions that compute; of none, a result of this config and seed holds for good.
    """
    expected = identity(config, seed, *code)
    if known := finished(folder, name, expected):
        return known
    values, arrays = compute()
    record = provenance(config, command=command, seed=seed) | expected
    save(folder, Result(name, plain(values), arrays, record))  # type: ignore[arg-type]
    return load(folder, name)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder for one run, creating it; sweeps what a killed run left half-written.

    Raises StoreError when another run holds it or it cannot be written."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = FileLock(folder / ".lock", timeout=0)
        held.acquire()
    except Timeout as error:
        raise StoreError(
            f"expected {folder} to be free, another run is writing there; wait for it or choose another --out"
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        for leftover in folder.rglob(f".*{_PARTIAL}"):
            leftover.unlink(missing_ok=True)
        yield
    finally:
        held.release()


def _write_together(files: dict[Path, bytes]) -> None:
    partials = {path: path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}") for path in files}
    path = next(iter(files))
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(partials[path], "wb") as sink:
                sink.write(data)
                sink.flush()
                os.fsync(sink.fileno())
        for path, partial in partials.items():
            os.replace(partial, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        for partial in partials.values():
            with contextlib.suppress(OSError):
                partial.unlink()


def _archive(arrays: dict[str, np.ndarray]) -> bytes:
    """An npz whose bytes depend on names and numbers only: sorted members, one fixed date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _FIRST_ZIP_DATE)
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _load_arrays(path: Path, digest: str) -> dict[str, np.ndarray]:
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(path)
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"expected a stored result at {path}, found: {error.strerror}; run the command again"
        ) from error


def _damaged(path: Path) -> StoreError:
    return StoreError(
        f"expected a whole result in {path}, found a damaged one; delete it and run the command again"
    )


def _unwritable(path: Path, error: OSError) -> StoreError:
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return StoreError(f"expected a folder on the way to {path}, found a file; choose another --out")
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None)
    remedy = "free the space or choose another --out" if full else "choose another --out"
    return StoreError(f"cannot write {path}: {error.strerror or error}; {remedy}")

"""A made set on disk: shards NAME-00000.npz and a manifest with what made them and their hashes.

Every shard is whole or absent, the manifest names only shards that stand, and a shard's bytes depend on the
plan alone: a run that was killed is finished by the same command, byte for byte.
"""

import dataclasses
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from full_scale.data.generators.processes import in_processes
from sims.runs import store
from sims.runs.store import UserError

MANIFEST = "manifest.json"
SHARD = 1000
"""Samples in each shard."""
_FORMAT = 1

Arrays = dict[str, np.ndarray]
Make = Callable[[Any, int, int, int], Arrays]
"""(settings, seed, start, count) -> arrays with the samples in their first axis; a module's function."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What makes a set."""

    name: str
    settings: Any
    seed: int
    count: int
    shard: int
    """Samples in each shard; the last one may hold fewer."""

    def record(self) -> dict[str, Any]:
        """As the manifest holds it, without the hashes."""
        return json.loads(json.dumps({"format": _FORMAT, **dataclasses.asdict(self)}))

    def starts(self) -> range:
        """The first sample of every shard."""
        return range(0, self.count, self.shard)

    def file(self, start: int) -> str:
        """The shard's name."""
        return f"{self.name}-{start // self.shard:05d}.npz"


def prepare(
    folder: Path,
    plan: Plan,
    make: Make,
    *,
    processes: int | None = None,
    report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Make the shards that are missing or damaged; returns the manifest."""
    if plan.count < 1 or (processes is not None and processes < 1):
        raise UserError(
            f"expected a count and processes of at least 1, got {plan.count} and {processes}; give more"
        )
    with store.lock(folder):
        hashes = _standing(folder, plan)
        missing = [start for start in plan.starts() if plan.file(start) not in hashes]
        for start, data in _made(plan, make, missing, processes or os.cpu_count() or 1):
            store.write_atomic(folder / plan.file(start), data)
            hashes[plan.file(start)] = hashlib.sha256(data).hexdigest()
            _write_manifest(folder, plan, hashes)
            if report:
                report(f"{plan.name}: {len(hashes)} of {len(plan.starts())} shards")
        return _write_manifest(folder, plan, hashes)


def load(folder: Path, name: str) -> Arrays:
    """The arrays of a finished set, joined. Raises UserError when a shard is missing or changed."""
    manifest = read_manifest(folder, name)
    plan = Plan(name, None, manifest["seed"], manifest["count"], manifest["shard"])
    again = "run the command that made it again"
    if missing := [plan.file(start) for start in plan.starts() if plan.file(start) not in manifest["sha256"]]:
        raise UserError(f"expected a finished set in {folder}, {len(missing)} shards are not made; {again}")
    parts = []
    for start in plan.starts():
        path = folder / plan.file(start)
        if (data := _bytes(path)) is None or hashlib.sha256(data).hexdigest() != manifest["sha256"][
            path.name
        ]:
            raise UserError(f"expected the shard {path} as it was made, found it missing or changed; {again}")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            parts.append({key: archive[key] for key in archive.files})
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def read_manifest(folder: Path, name: str) -> dict[str, Any]:
    """The manifest of a set of this name. Raises UserError when there is none."""
    path = folder / MANIFEST
    data = _bytes(path)
    if data is None:
        raise UserError(
            f"expected a prepared {name} set, found no {path}; make it with: sptlab data prepare {name}"
        )
    try:
        manifest = json.loads(data)
        whole = (
            manifest["format"] == _FORMAT
            and manifest["name"] == name
            and isinstance(manifest["sha256"], dict)
        )
        whole = whole and min(int(manifest["count"]), int(manifest["shard"])) >= 1
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise UserError(
            f"expected {path} to describe a {name} set, found something else; choose another folder"
        )
    return manifest


def _standing(folder: Path, plan: Plan) -> dict[str, str]:
    """Hashes of the shards that stand as the manifest says; raises UserError when it is another set's."""
    if not (folder / MANIFEST).exists():
        return {}
    manifest = read_manifest(folder, plan.name)
    hashes = manifest.pop("sha256")
    if manifest != plan.record():
        raise UserError(
            f"expected {folder} to be empty or hold this set, found other settings; choose another folder"
        )
    digest = lambda name: hashlib.sha256(_bytes(folder / name) or b"").hexdigest()
    return {name: known for name, known in hashes.items() if digest(name) == known}


def _made(plan: Plan, make: Make, starts: list[int], processes: int) -> Iterator[tuple[int, bytes]]:
    """Each missing shard's bytes, as they come. A process more than the shards would only wait."""
    tasks = [(make, plan.settings, plan.seed, start, min(plan.shard, plan.count - start)) for start in starts]
    if min(processes, len(tasks)) <= 1:
        yield from ((task[3], _archive(*task)) for task in tasks)
        return
    for index, data in in_processes(_archive, tasks, processes):
        yield starts[index], data


def _archive(make: Make, settings: Any, seed: int, start: int, count: int) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **make(settings, seed, start, count))
    return buffer.getvalue()


def _write_manifest(folder: Path, plan: Plan, hashes: dict[str, str]) -> dict[str, Any]:
    manifest = plan.record() | {"sha256": dict(sorted(hashes.items()))}
    store.write_atomic(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    return manifest


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


@dataclasses.dataclass(frozen=True)
class ShardedGenerator:
    """A generator as shards on disk."""

    name: str
    make: Make

    def prepare(
        self,
        folder: Path,
        settings: Any,
        *,
        count: int,
        seed: int,
        processes: int | None = None,
        report: Callable[[str], None] | None = None,
    ) -> dict[str, Any]:
        """Make `count` samples in a folder, in as many processes as cores; goes on where it was cut.

        Returns the manifest. Raises UserError when the folder holds another set or cannot be written.
        """
        plan = Plan(self.name, settings, seed, count, SHARD)
        return prepare(Path(folder), plan, self.make, processes=processes, report=report)

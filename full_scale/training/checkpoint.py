"""Where a training run stands, kept with orbax so that a killed run goes on from there.

The newest whole checkpoint wins; orbax writes beside it and renames, so a kill while writing leaves
the one before.
"""

import logging
import shutil
import time
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from full_scale.devices import hosts
from sims.runs.store import StoreError

logging.getLogger("absl").setLevel(logging.CRITICAL)  # orbax logs the traceback of what it then raises
SECONDS_BETWEEN = 5.0  # a small save costs about 0.05 s; its moment does not touch the result
MAX_SAVING_SHARE = 0.02  # of the time, at most, goes into saving large ones


class Checkpoints:
    """Saves a pytree of arrays every few seconds and restores the newest.

    Parameters
    ----------
    folder
        Created when first needed; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else folder.resolve()
        self.saved_at, self.wait = time.monotonic(), SECONDS_BETWEEN

    def manager(self) -> ocp.CheckpointManager:
        """An orbax manager that keeps the newest checkpoint and writes before it returns."""
        assert self.folder is not None
        several: dict[str, Any] = {}
        if hosts.is_multiprocess():  # this process writes alone; orbax would wait for the others
            self.folder.mkdir(parents=True, exist_ok=True)
            alone = ocp.options.MultiprocessingOptions(
                active_processes={jax.process_index()}, barrier_sync_key_prefix="alone"
            )
            several = dict(multiprocessing_options=alone, create=False)
        options = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False, **several)
        return ocp.CheckpointManager(self.folder, options=options)

    def newest(self) -> int | None:
        """Steps done at the newest checkpoint; None when there is none."""
        if self.folder is None or not self.folder.is_dir():
            return None
        with self.manager() as manager:
            return manager.latest_step()

    def restore(self, step: int, like: PyTree) -> PyTree:
        """The tree kept at a step, of the structure of `like`."""
        with self.manager() as manager:
            try:
                return manager.restore(step, args=ocp.args.StandardRestore(like))
            except (ValueError, KeyError, OSError) as error:
                raise StoreError(
                    f"expected a whole checkpoint in {self.folder}, found a damaged one; delete that folder "
                    "and run the command again"
                ) from error

    def due(self) -> bool:
        """Whether the last save is long enough ago."""
        return self.folder is not None and time.monotonic() - self.saved_at >= self.wait

    def save(self, done: int, tree: PyTree) -> None:
        """Keep the state after `done` steps."""
        if self.folder is None:
            return
        started = time.monotonic()
        try:
            with self.manager() as manager:
                manager.save(done, args=ocp.args.StandardSave(tree))
        except (OSError, ValueError) as error:  # tensorstore raises ValueError for a full disk
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise StoreError(
                f"cannot write the checkpoint in {self.folder}: {reason}; "
                "free the space or choose another --out"
            ) from error
        self.saved_at = time.monotonic()
        self.wait = max(SECONDS_BETWEEN, (self.saved_at - started) / MAX_SAVING_SHARE)

    def described(self) -> str:
        """Where the last good state lies, in words."""
        newest = self.newest()
        if newest is None:
            return "no checkpoint had been due before"
        return f"the last good checkpoint, of step {newest}, is kept in {self.folder}"

    def discard(self) -> None:
        """Remove the folder once the result is stored."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def as_numpy(tree: PyTree) -> PyTree:
    """The tree's arrays on the host, the same bytes."""
    return jax.tree.map(lambda leaf: np.asarray(leaf) if eqx.is_array(leaf) else leaf, tree)

"""Where a training run stands, kept with orbax so that a killed run goes on from there.

The newest whole checkpoint wins; orbax writes beside it and renames, so a kill while writing leaves
the one before.
"""

import logging
import shutil
import time
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from sims.store import StoreError

logging.getLogger("absl").setLevel(logging.CRITICAL)  # orbax logs the traceback of what it then raises
SECONDS_BETWEEN = 5.0  # a save costs about 0.05 s; its moment does not touch the result


class Checkpoints:
    """Saves a pytree of arrays every few seconds and restores the newest.

    Parameters
    ----------
    folder
        Created when first needed; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else folder.resolve()
        self.saved_at = time.monotonic()

    def manager(self) -> ocp.CheckpointManager:
        """An orbax manager that keeps the newest checkpoint and writes before it returns."""
        options = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False)
        return ocp.CheckpointManager(self.folder, options=options)

    def restore(self, like: PyTree) -> tuple[int, PyTree]:
        """(chunks done, tree) from the newest checkpoint, or (0, like) when there is none."""
        if self.folder is None or not self.folder.is_dir():
            return 0, like
        with self.manager() as manager:
            newest = manager.latest_step()
            if newest is None:
                return 0, like
            try:
                return newest, manager.restore(newest, args=ocp.args.StandardRestore(like))
            except (ValueError, KeyError, OSError) as error:
                raise StoreError(
                    f"expected a whole checkpoint in {self.folder}, found a damaged one; delete that folder "
                    "and run the command again"
                ) from error

    def save(self, done: int, tree: PyTree) -> None:
        """Keep the state after `done` chunks, when the last save is long enough ago."""
        if self.folder is None or time.monotonic() - self.saved_at < SECONDS_BETWEEN:
            return
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

    def discard(self) -> None:
        """Remove the folder once the result is stored."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def as_numpy(tree: PyTree) -> PyTree:
    """The tree's arrays on the host, the same bytes."""
    return jax.tree.map(lambda leaf: np.asarray(leaf) if eqx.is_array(leaf) else leaf, tree)

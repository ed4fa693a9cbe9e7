"""What makes one kind of set: `prepare` in the modules of the generators."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from full_scale.generators import shards

SHARD = 1000
"""Samples in each shard."""


@dataclasses.dataclass(frozen=True)
class Maker:
    """A generator as shards on disk."""

    name: str
    make: shards.Make

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
        plan = shards.Plan(self.name, settings, seed, count, SHARD)
        return shards.prepare(Path(folder), plan, self.make, processes=processes, report=report)

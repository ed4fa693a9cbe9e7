"""Tasks whose files `sptlab data prepare` can make: shards with a manifest, in a folder of their own."""

import abc
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from full_scale.data.generators import shards
from full_scale.data.generators.shards import ShardedGenerator
from full_scale.tasks.file_task import FOLDER, FileTask


@dataclasses.dataclass(frozen=True)
class GeneratedTask(FileTask):
    """A task with a generator; the user's own files of it serve as well."""

    number: ClassVar[int]
    """Sequences in the canonical set."""

    sharded_generator: ClassVar[ShardedGenerator]

    @abc.abstractmethod
    def settings(self) -> Any:
        """What the generator is told."""

    def generate(
        self, folder: Path, number: int, seed: int, processes: int | None, report: Callable[[str], None]
    ) -> dict:
        """Make the set in this folder, or go on making it; returns its manifest."""
        options = dict(count=number, seed=seed, processes=processes, report=report)
        return self.sharded_generator.prepare(folder, self.settings(), **options)  # type: ignore[arg-type]

    def generated(self, folder: Path = FOLDER) -> Path:
        """The folder of the generated set."""
        return self.file(folder).with_suffix("")

    def installed(self) -> Path | None:
        """The generated set, if it is there."""
        return self.generated() if is_generated(self.generated()) else None

    @classmethod
    def remedy(cls) -> str:
        """Make it; or the user's own files."""
        make = f"make it with `sptlab data prepare {cls.name}`"
        return f"{make}, or train with --data PATH of {cls.expects}"


def is_generated(path: Path) -> bool:
    """Whether this is the folder of a generated set, finished or not."""
    return (path / shards.MANIFEST).is_file()

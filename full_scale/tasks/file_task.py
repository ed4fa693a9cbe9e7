"""Tasks whose data are files of the user: where they lie, and what to say when they are missing."""

import abc
import dataclasses
from pathlib import Path
from typing import ClassVar

from full_scale.data import prepared
from full_scale.data.dataset import Dataset
from full_scale.data.prepared import Parts
from full_scale.data.readers.facts import Fact
from full_scale.data.splits import capped, with_fewer_labels
from full_scale.tasks.task import Task
from sims.runs.config_validation import at_least
from sims.runs.store import UserError

FOLDER = Path("data")
"""Where `sptlab data prepare` stores unless told otherwise, below the folder one works in."""


@dataclasses.dataclass(frozen=True)
class FileTask(Task):
    """A task on files: `read` knows their formats, `build` the task's own rules."""

    data: Path | None = None
    """Your files or their prepared form; by default data/TASK.npz, made by `sptlab data prepare TASK`."""
    train_most: int | None = None
    """At most this many training sequences, drawn by the split seed."""
    labelled_most: int | None = None
    """About this many training sequences, of every class its share, keep their label; pretraining reads all."""
    held_out_most: int | None = None
    """At most this many validation and test sequences each."""
    split_seed: int = 0
    """Draws what is random in the split; kept apart from the training seeds."""
    expects: ClassVar[str]
    """The files, in words, with a package and version that holds them."""

    def __post_init__(self) -> None:
        if self.data is not None:
            object.__setattr__(self, "data", Path(self.data))
        at_least(2, **{k: v for k, v in vars(self).items() if k.endswith("_most") and v is not None})

    @abc.abstractmethod
    def read(self, path: Path) -> Parts:
        """The examples in files of any accepted form, by part. Raises UserError."""

    @abc.abstractmethod
    def build(self, parts: Parts, source: str) -> Dataset:
        """The data set of these examples."""

    @classmethod
    def facts(cls, parts: Parts) -> list[Fact]:
        """Known facts of the real files, and what these show."""
        return []

    def installed(self) -> Path | None:
        """The files in a package that happens to be installed, if any."""
        return None

    def file(self, folder: Path = FOLDER) -> Path:
        """The prepared file."""
        return folder / f"{self.name}.npz"

    def load(self) -> Dataset:
        """Read, build, and keep at most what was asked for."""
        dataset = self.build(*self.parts())
        dataset = capped(dataset, self.train_most, self.held_out_most, self.split_seed)
        most = self.labelled_most
        return dataset if most is None else with_fewer_labels(dataset, min(1.0, most / len(dataset.train)))

    def parts(self) -> tuple[Parts, str]:
        """The examples and their source in words."""
        path = self.located()
        if prepared.is_prepared(path):
            return prepared.read(path)
        return self.read(path), f"{self.licence}; read from {path.name}"

    def located(self) -> Path:
        """The path given, the prepared file, or what an installed package holds; else a UserError."""
        if self.data is not None:
            if not self.data.exists():
                raise UserError(f"expected data at {self.data}, found nothing; {self.remedy()}")
            return self.data
        path = self.file() if self.file().is_file() else self.installed()
        if path is None:
            raise UserError(f"task {self.name}: expected {self.file()}, found nothing; {self.remedy()}")
        return path

    @classmethod
    def remedy(cls) -> str:
        """How to get the files and say where they are."""
        get = f"get {cls.expects}"
        return f"{get}, then `sptlab data prepare {cls.name} --source PATH`, or train with --data PATH"

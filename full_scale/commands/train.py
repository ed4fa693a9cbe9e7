"""`sptlab train` and `sptlab study`: experiments that train, on one device or on several together."""

import contextlib
import dataclasses
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sims.commands.command import Experiment
from sims.commands.progress import Report
from sims.errors import UserError
from sims.sweeps.command import Simulation

if TYPE_CHECKING:
    import sims.store


@dataclasses.dataclass(frozen=True)
class Study(Experiment):
    """One experiment that trains."""

    def stage(self, report: Report) -> "sims.store.Result":
        """Its result, computed unless it is stored."""
        return trained(self, report)


@dataclasses.dataclass(frozen=True)
class Training(Simulation):
    """One experiment that trains, on one device or on several together, or a sweep of it."""

    devices: int | Literal["all"] = 1
    """Devices of each process that train every run together, each on its share of the batch."""
    fsdp: Literal["auto", "on", "off"] = "auto"
    """Each device holds a share of parameters and moments; auto: where they are large."""
    coordinator: str | None = None
    """Several processes train together: HOST:PORT of the first; auto: as Slurm or Open MPI tell."""
    processes: int | None = None
    """How many they are, unless the coordinator is auto."""
    process_id: int | None = None
    """This one's number, from 0; the first writes the results."""

    def __call__(self) -> int:
        from full_scale.training import hosts, mesh

        together = hosts.Hosts(self.coordinator, self.processes, self.process_id)
        if self.sweep and (self.devices != 1 or self.coordinator):
            raise UserError("--devices and --coordinator are for runs that share devices: leave out --sweep")
        with hosts.joined(together), contextlib.ExitStack() as stack:
            sharded = {"auto": "auto", "on": True, "off": False}[self.fsdp]
            stack.enter_context(mesh.using(mesh.over(self.devices, sharded)))  # type: ignore[arg-type]
            if hosts.first():
                return self.told()
            out = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            return dataclasses.replace(self, out=out, quiet=True).told()

    def told(self) -> int:
        """Do it, after the first process has told the others what is stored."""
        from full_scale.training import hosts

        name = getattr(self.config, "stored_as", self.name)  # type: ignore[attr-defined]
        hosts.share(self.results, [f"{name}.npz", f"{name}.json"])
        return super().__call__()

    def stage(self, report: Report) -> "sims.store.Result":
        """Its result, computed unless it is stored."""
        return trained(self, report)


def trained(command: Any, report: Report) -> "sims.store.Result":
    """The result of a command that trains."""
    from full_scale.studies import stage

    return stage.trained(command.session, command.name, command.core, command.config, report)

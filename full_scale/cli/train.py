"""`sptlab train`: experiments that train, on one device or on several together."""

import contextlib
import dataclasses
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sims.cli import declarations
from sims.cli.names import require
from sims.cli.progress import Report
from sims.cli.simulate import Simulation
from sims.runs.errors import UserError

if TYPE_CHECKING:
    import sims.runs.store


@dataclasses.dataclass(frozen=True)
class TrainingCommand(Simulation):
    """One experiment that trains, on one device or on several together, or a sweep of it."""

    side_by_side: ClassVar[int] = 6
    devices: int | Literal["all"] = 1
    """Devices per process that train each run together, each on its share of the batch; all: every one."""
    fsdp: Literal["auto", "on", "off"] = "auto"
    """Fully sharded data parallelism: each device holds a share of parameters and moments; auto: if large."""
    coordinator: str | None = None
    """Train on several machines: HOST:PORT of process 0; auto: from Slurm or Open MPI."""
    processes: int | None = None
    """Number of processes that train together; not needed with --coordinator auto."""
    process_id: int | None = None
    """Number of this process, from 0; process 0 writes the results."""

    def refuse(self) -> None:
        """Raise UserError for a task that is none, before the cost is announced."""
        super().refuse()
        if task := getattr(self.config, "task", None):  # type: ignore[attr-defined]
            require(task, declarations.tasks(), "task")

    def __call__(self) -> int:
        from full_scale.devices import hosts, mesh

        together = hosts.Hosts(self.coordinator, self.processes, self.process_id)
        if self.sweep and (self.devices != 1 or self.coordinator):
            raise UserError("--devices and --coordinator are for runs that share devices: leave out --sweep")
        with hosts.joined(together), contextlib.ExitStack() as stack:
            sharded = {"auto": "auto", "on": True, "off": False}[self.fsdp]
            stack.enter_context(mesh.using(mesh.over(self.devices, sharded)))  # type: ignore[arg-type]
            if hosts.is_main_process():
                return self.synchronised_run()
            out = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            return dataclasses.replace(self, out=out, quiet=True).synchronised_run()

    def synchronised_run(self) -> int:
        """Do it, after the first process has told the others what is stored."""
        from full_scale.devices import hosts

        name = getattr(self.config, "stored_as", self.name)  # type: ignore[attr-defined]
        hosts.share(self.results, [f"{name}.npz", f"{name}.json"])
        return super().__call__()

    def stage(self, report: Report) -> "sims.runs.store.Result":
        """Its result, computed unless it is stored."""
        return trained(self, report)


def trained(command: Any, report: Report) -> "sims.runs.store.Result":
    """The result of a command that trains."""
    from full_scale.studies import cached_training

    return cached_training.trained(command.session, command.name, command.core, command.config, report)

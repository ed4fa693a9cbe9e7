"""`sptlab export`."""

import dataclasses
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro

from sims.cli.command import Command, require_folder
from sims.runs.errors import UserError


@dataclasses.dataclass(frozen=True)
class Export(Command):
    """Write a trained encoder as safetensors with its config, for PyTorch or to begin on other data with.

    RUN is the --out of `sptlab train run` or of a study: of its runs the one with the best validation accuracy is
    taken. Or one file of its checkpoints/trials: then that run.

    In PyTorch: full_scale.export.pytorch.load(FOLDER). On other data: sptlab train run --start-from FOLDER.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")] = ""
    """Folder of results, or one stored run."""
    out: Path = Path("encoder")
    """Folder to write to."""
    at: Literal["pretraining", "end"] = "pretraining"
    """The model at the end of pretraining, before it saw labels, or at the end of all phases."""
    task: str | None = None
    """Only runs on this task."""
    data: str | None = None
    """Only runs on data whose hash begins so."""
    list: bool = False
    """Only say which runs there are."""
    line: ClassVar[str] = "export"

    def refuse(self) -> None:
        """Raise UserError where there is nothing to read or no folder to write to."""
        super().refuse()
        require_folder(self.out)
        if not self.run:
            raise UserError("name a run, for example `sptlab export report`, the --out of sptlab train run")
        if not Path(self.run).exists():
            raise UserError(
                f"expected results in {self.run}, found nothing; name the --out of a study or run"
            )

    def __call__(self) -> int:
        from full_scale.export.stored_runs import best, listed, on_one_data_set, stored_runs

        runs = stored_runs(Path(self.run))
        if self.list:
            print("\n".join(listed(runs)))
            return 0
        chosen = best(on_one_data_set(runs, self.task, self.data), self.at)
        chosen.weights(self.at).write(self.out)
        print(f"{chosen.described()}\nwritten to {self.out}: model.safetensors, config.json (at the end of "
              f"{'pretraining' if self.at == 'pretraining' else 'all phases'})")  # fmt: skip
        if not self.quiet:
            print(
                f"in PyTorch:    full_scale.export.pytorch.load({str(self.out)!r})\n"
                f"on other data: sptlab train run --task TASK --start-from {self.out}"
            )
        return 0

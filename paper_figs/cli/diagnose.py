"""`sptlab diagnose`: should self-pretraining come first on the user's data?"""

import dataclasses
import itertools
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import tyro

from sims.cli import declarations
from sims.cli.command import Storing
from sims.cli.names import nearest
from sims.cli.progress import progress
from sims.runs.errors import UserError

_SECONDS = 70.0  # of four fits of one layer of width 32 on docs-order, on the reference machine
_READ_TWICE = 1 << 26  # bytes of a file that is read before JAX is loaded, so that mistakes are told at once
_FILES_READ_TWICE = 5_000
_PILOT_SECONDS = 60.0  # of a pilot of two initialisations there


@dataclasses.dataclass(frozen=True)
class Diagnose(Storing):
    """Should self-pretraining come first on your data? Answers: pretrain first, no need, neither, undecided.

    Trains both arms small and short: a few minutes, which it says before it begins. Mistakes in a file are told at
    once. Nothing of yours is executed, sent or changed.
    """

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")] = ""
    """A file (npz, npy, csv, jsonl, parquet, FASTA, ARFF, ts, zip), a folder of texts by class, or a task."""
    label: str | None = None
    """Column or array of the labels; default: label, y, target or class."""
    text: str | None = None
    """Column or array of the texts or sequences; default: text, x, sequence, or all columns of numbers."""
    group: str | None = None
    """Column or array of what stays in one part: a subject, a recording, a document."""
    encoding: str = "utf-8"
    """Encoding of text files, such as latin-1, cp1252 or utf-16."""
    fill: Literal["no", "linear", "mean", "zero"] = "no"
    """How missing numbers are filled; no: they are an error."""
    unlabelled: Literal["refuse", "pretrain"] = "refuse"
    """Rows whose label is missing are an error, or only pretraining reads them."""
    trained: Path | None = None
    """Trains nothing: explains the gain that runs measured on DATA; the --out of their sptlab train run."""
    axes: Literal["auto", "steps", "channels"] = "auto"
    """Order of a float array: steps is (n, steps, channels), channels is (n, channels, steps); auto: steps, and an
    error where it looks like channels."""
    line: ClassVar[str] = "diagnose"

    @property
    def columns(self) -> Any:
        """What is said about the file's columns."""
        from full_scale.data.readers.own.columns import Columns

        names = [field.name for field in dataclasses.fields(Columns)]
        return Columns(**{name: getattr(self, name) for name in names})

    def refuse(self) -> None:
        """Raise UserError for data that are not there, or for a file that is not read as it is."""
        super().refuse()
        if not self.data:
            raise UserError("name your data, for example `sptlab diagnose series.npz`, or a task: docs-order")
        known = declarations.tasks()
        if not Path(self.data).exists() and self.data not in known:
            meant = nearest(self.data, known) or f"; give a path or one of {', '.join(known)}"
            raise UserError(f"expected a file, a folder or a task: got {self.data}, which is none{meant}")
        path = Path(self.data)
        if self.data not in known and _bytes(path) < _READ_TWICE:
            from full_scale.data.readers.own import read_own

            read_own(path, self.columns)
        if self.trained is not None and not self.trained.exists():
            raise UserError(
                f"expected trained runs in {self.trained}, found nothing; name the --out of their training"
            )

    def __call__(self) -> int:
        return _run(self) if self.trained is None else _explain(self)


def _bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder; of a folder of many files more than is read twice."""
    if not path.is_dir():
        return path.stat().st_size
    files = list(itertools.islice(path.rglob("*"), _FILES_READ_TWICE + 1))
    if len(files) > _FILES_READ_TWICE:
        return _READ_TWICE
    return sum(each.stat().st_size for each in files if each.is_file())


def diagnose_command(kinds: dict[str, type] | None = None) -> type:
    """The command with the model's and the diagnosis's settings as flags."""
    if kinds is None:
        from full_scale.diagnosis import DiagnosisConfig
        from full_scale.model import ModelConfig

        kinds = {"model": ModelConfig, "config": DiagnosisConfig}
    flat: Any = Annotated[kinds["config"], tyro.conf.arg(name="")]  # type: ignore[valid-type]
    made = [
        ("model", kinds["model"], dataclasses.field(default_factory=kinds["model"])),
        ("config", flat, dataclasses.field(default_factory=kinds["config"])),
    ]
    return dataclasses.make_dataclass(
        "Diagnose", made, bases=(Diagnose,), frozen=True, namespace={"__doc__": Diagnose.__doc__}
    )


def _run(command: Any) -> int:
    """Load and check the data, compute, store, show; 1 where the data cannot give an answer."""
    from full_scale.data.dataset import read_in_words
    from full_scale.diagnosis import data, report
    from full_scale.diagnosis.diagnose import diagnosed
    from full_scale.diagnosis.pilot.text import announced
    from full_scale.diagnosis.result import read
    from paper_figs.report import diagnosis_page as page
    from sims.runs import store
    from sims.runs.cache import begin

    columns = command.columns
    dataset = data.dataset_of(command.data, command.config, columns)
    print(read_in_words(dataset), flush=True)
    print(announced(command.config, command.model, dataset.length), flush=True)
    folder = command.out / "diagnosis"
    with store.lock(folder):
        seconds = lambda: _seconds(command.model, command.config)
        with progress(
            "diagnose", command.quiet, seconds, side_by_side=max(1, command.config.fits)
        ) as progress_report:
            begin(progress_report)
            result = diagnosed(
                dataset, command.data, command.model, command.config, folder,
                seed=command.seed, command=command.provenance, report=progress_report, columns=columns,
            )  # fmt: skip
        page.write(result, folder / f"{result.name}.html")
    values = read(result.values)
    print(f"{report.summary(result.name, values)}\n\nopen {folder / result.name}.html")
    return 1 if values.quality.status == "fail" else 0


def _explain(command: Any) -> int:
    """Say why trained runs gained what they did."""
    from full_scale.diagnosis import data
    from full_scale.diagnosis.trained import report, stage
    from sims.runs import store

    columns = command.columns
    dataset, folder = data.whole_dataset(command.data, columns), command.out / "diagnosis"
    with store.lock(folder):
        values = stage.explain(
            dataset, command.data, command.trained, command.config.thresholds, folder,
            seed=command.seed, command=command.provenance, columns=columns,
        )  # fmt: skip
    print(report.summary(data.name_of(command.data), values))
    return 0


def _seconds(model: Any, config: Any) -> float:
    """What a diagnosis takes on the reference machine, about."""
    size = model.layers * max(1.0, model.width / 32)
    fits = _SECONDS * config.fits / 4 * (config.steps or 800) / 800
    return size * (fits + _PILOT_SECONDS * (2 if config.pilot.seeds is None else config.pilot.seeds) / 2)

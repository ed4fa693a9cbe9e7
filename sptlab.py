"""The front door: each command is a frozen dataclass; its fields are its flags, its docstring its help.

Cores compute and know no files; commands read, show progress and store. The commands of one room lie in its
folder `commands` (those of sweeps and simulations in `sims/sweeps/command.py`); here are those that also
write figures and pages. Rooms are imported inside the commands, so that `--help` does not wait for jax.
"""

import contextlib
import dataclasses
import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import tyro

from full_scale.commands.compare import Compare
from full_scale.commands.data import Data
from full_scale.commands.train import Study, Training
from sims.commands.command import Command, Experiment, Storing
from sims.commands.flags import understood
from sims.commands.interrupts import hear_interrupts
from sims.commands.listing import listing
from sims.commands.names import require, shown, split
from sims.commands.progress import progress
from sims.commands.verify import Verify
from sims.compiled import prepare_jax
from sims.errors import UserError
from sims.sweeps.command import Simulation

COMMANDS = {
    "reproduce": "run everything and write one self-contained page",
    "verify": "check the claims, one line per check",
    "derive": "show how a claim is derived, every step checked",
    "simulate": "run one simulation of the minimal model",
    "diagnose": "ask your own data: can labels see the pattern, or should pretraining come first?",
    "train": "train and probe Transformers on one task",
    "data": "list, prepare and check the data of the tasks",
    "compare": "set each prediction beside the toy and the Transformer",
    "figures": "draw figures from stored results",
    "study": "the learning-rate and warm-up sweep behind both arms' settings (hours)",
}
WELCOME = """\
sptlab: why self-pretraining teaches a Transformer what labels cannot.

Start here:
  sptlab reproduce    a few minutes: claims, toys and a Transformer, shown in report/index.html

All commands:
{commands}

Each explains itself: sptlab COMMAND --help"""
INTERRUPT_CODE = 130  # as shells have it


@dataclasses.dataclass(frozen=True)
class Reproduce(Storing):
    """Run everything and write one self-contained page. Interrupted, it goes on where it stopped."""

    preset: Literal["full", "smoke"] = "full"
    """smoke: every stage at toy size, to see in seconds that all runs; its numbers mean nothing."""
    line: ClassVar[str] = "reproduce"

    @property
    def provenance(self) -> str:
        """The command as the record of its results keeps it."""
        return f"{super().provenance} --preset {self.preset}"

    def __call__(self) -> int:
        from full_scale import reproduction
        from full_scale.comparison.shipped import with_shipped
        from paper_figs import page, write_figures, write_numbers
        from sims import store

        drawn: dict[str, Any] = {}
        with store.lock(self.out):
            with progress("reproduce", self.quiet) as report:
                results = reproduction.reproduced(self.session, self.preset, report)
            with progress("figures", self.quiet) as report:
                write_figures(results, self.out / "figures", report=report, drawn=drawn)
            shown_results = {**reproduction.simulations_beside(self.session), **results}
            write_numbers(with_shipped(shown_results, self.out), self.out / "figures")
            page.write(shown_results, self.out, drawn)
        print(f"open {self.out / 'index.html'}")
        return 0


@dataclasses.dataclass(frozen=True)
class Derive(Command):
    """Show how claims are derived, each step checked by sympy. Exit 1 when a step does not hold."""

    claims: tyro.conf.Positional[tuple[str, ...]] = ()
    """Labels, for example C8."""
    all: bool = False
    """Every claim; as LaTeX a whole article, with notation, statements and lists of checks."""
    format: Literal["text", "latex", "html"] = "text"
    """text to read here; latex for a paper that loads amsmath; html for a browser."""
    out: Path | None = None
    """Write to this file instead."""
    figure: Path | None = None
    """Also draw the figure of the claim to this file: .pdf, .png or .svg."""
    report: Path = Path("report")
    """Folder of the results that the figure is drawn from."""
    line: ClassVar[str] = "derive"

    def __call__(self) -> int:
        from sims import store
        from theory.derivations import document

        labels = derivation_labels(self.claims, self.all)
        if self.figure:
            write_claim_figure(labels, self.figure, self.report)
        with progress("derive", self.quiet or len(labels) == 1) as report:
            sections = document.sections(labels, report=report)
        shown = document.rendered(sections, self.format, whole=self.all)
        if self.out:
            store.write_atomic(self.out, shown.encode())
        print(f"written to {self.out}" if self.out else shown)
        return 0 if document.holds(sections) else 1


@dataclasses.dataclass(frozen=True)
class Figures(Storing):
    """Draw figures from the results in --out and those shipped, each as PDF and PNG with its caption.

    numbers.tex beside them has a macro for every stored number with its interval, for a paper to quote.
    """

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Figures to draw; none means all whose results are stored."""
    style: Literal["icml", "neurips", "slides"] = "icml"
    """Widths, fonts and sizes: icml has columns; slides are 16:9, in a folder of their own, as neurips."""
    line: ClassVar[str] = "figures"

    def __call__(self) -> int:
        from full_scale.comparison.shipped import with_shipped
        from paper_figs import EXPERIMENT_FIGURES, FIGURES, drawable, write_figures, write_numbers
        from paper_figs.style import VENUES
        from sims import stages, store

        names = [require(name, FIGURES | EXPERIMENT_FIGURES, "figure") for name in split(self.names)]
        own = store.load_all(self.results) if names else stages.stored(self.results)
        results = with_shipped(own, self.out)
        folder = self.out / "figures" / ("" if self.style == "icml" else self.style)
        with store.lock(self.out), progress("figures", self.quiet) as report:
            wanted = names or drawable(results)
            write_figures(results, folder, wanted, report=report, venue=VENUES[self.style])
            write_numbers(results, self.out / "figures")
        print(f"written to {folder}")
        return 0


@dataclasses.dataclass(frozen=True)
class Diagnose(Storing):
    """Can labels see the attention pattern that your data offer, or should self-pretraining come first?"""

    data: tyro.conf.Positional[str] = ""
    """An npz, a csv, a UCR .ts, a folder of texts by class, or the name of a task."""
    validate: Literal["no", "smoke", "full"] = "no"
    """In place of one data set: does the verdict hold on the validation tasks? (half an hour)"""
    line: ClassVar[str] = "diagnose"

    def __call__(self) -> int:
        if self.validate != "no":
            return validate_diagnosis(self)
        if not self.data:
            raise UserError("name your data, for example `sptlab diagnose series.npz`, or a task: docs-order")
        return run_diagnosis(self)


EXPERIMENT_COMMANDS: dict[str, type[Experiment]] = {"simulate": Simulation, "train": Training, "study": Study}
PLAIN_COMMANDS: dict[str, type[Command]] = {
    "reproduce": Reproduce,
    "verify": Verify,
    "derive": Derive,
    "compare": Compare,
    "figures": Figures,
    "data": Data,
}


def experiments(command: str) -> dict[str, Any]:
    """What `simulate`, `train` or `study` can run, by name: Config, run, description, seconds."""
    if command == "simulate":
        import sims

        return dict(sims.EXPERIMENTS)
    if command == "train":
        import full_scale.studies.experiments

        return dict(full_scale.studies.experiments.EXPERIMENTS)
    import full_scale.studies.study

    return {"study": full_scale.studies.study}


def experiment_command(command: str, name: str) -> type:
    """The command of one experiment: its Config's fields become flags beside --out, --seed, --quiet."""
    core = experiments(command)[name]
    config = Annotated[core.Config, tyro.conf.arg(name="")]  # type: ignore[name-defined]
    line = command if command == name else f"{command} {shown(name)}"
    own = {"shown": staticmethod(core.shown)} if hasattr(core, "shown") else {}
    return dataclasses.make_dataclass(
        name,
        [("config", config, dataclasses.field(default=core.Config()))],
        bases=(EXPERIMENT_COMMANDS[command],),
        frozen=True,
        namespace={"__doc__": core.description, "name": name, "line": line, "core": core, **own},
    )


def diagnose_command() -> type:
    """The command with the model's and the diagnosis's settings as flags."""
    from full_scale.diagnosis import DiagnosisConfig
    from full_scale.diagnosis.validation import ValidationConfig
    from full_scale.model import ModelConfig

    fields = {"model": ModelConfig, "config": DiagnosisConfig, "validation": ValidationConfig}
    made = [(name, kind, dataclasses.field(default_factory=kind)) for name, kind in fields.items()]
    return dataclasses.make_dataclass(
        "Diagnose", made, bases=(Diagnose,), frozen=True, namespace={"__doc__": Diagnose.__doc__}
    )


def run_diagnosis(command: Any) -> int:
    """Load and check the data, compute, store, show."""
    from full_scale.diagnosis import data, report, stage
    from paper_figs import diagnosis as page
    from sims import store

    dataset = data.dataset_of(command.data, command.config)
    folder = command.out / "diagnosis"
    with store.lock(folder):
        with progress("diagnose", command.quiet) as tell:
            result = stage.diagnosed(
                dataset, command.data, command.model, command.config, folder,
                seed=command.seed, command=command.provenance, report=tell,
            )  # fmt: skip
        page.write(result, folder / f"{result.name}.html")
    print(f"{report.summary(result.name, result.values)}\n\nopen {folder / result.name}.html")
    return 0


def validate_diagnosis(command: Any) -> int:
    """Run the validation study and show its table."""
    from full_scale.diagnosis import validation
    from sims import store

    smoke = command.validate == "smoke"
    config = validation.ValidationConfig.smoke() if smoke else command.validation
    folder = command.out / "validation"
    with store.lock(folder), progress("validation", command.quiet) as tell:
        line = f"{command.provenance} --validate {command.validate}"
        result = validation.run(config, folder, seed=command.seed, command=line, report=tell)
    print(validation.table(result.values))
    return 0


def derivation_labels(chosen: tuple[str, ...], every: bool) -> list[str]:
    """The derivations asked for, or a UserError that says how to ask."""
    from theory.derivations import DERIVATIONS

    if not chosen and not every:
        raise UserError(f"name a claim, for example `sptlab derive C8`, or --all ({', '.join(DERIVATIONS)})")
    named = [require(label, DERIVATIONS, "claim") for label in split(chosen)]
    return list(DERIVATIONS) if every else named


def write_claim_figure(labels: list[str], path: Path, report: Path) -> None:
    """Draw the one claim's figure from what is stored, or a UserError that says how to ask."""
    from paper_figs import figure_of, write_figure
    from sims import store

    if len(labels) != 1:
        raise UserError(f"--figure draws one claim: got {', '.join(labels)}; name one")
    write_figure(store.load_all(report / "results"), figure_of(labels[0]), path)


def parse(arguments: list[str]) -> Command:
    """The command that the arguments describe. Raises UserError; --help prints and exits."""
    if arguments[0] in ("-h", "--help"):
        print(welcome())
        raise SystemExit(0)
    name, rest = require(arguments[0], COMMANDS, "command"), arguments[1:]
    if name in ("simulate", "train"):
        return experiment(name, rest)
    if name == "diagnose":
        return understood(diagnose_command(), "sptlab diagnose", rest)
    if name == "study":
        return understood(experiment_command(name, name), f"sptlab {name}", rest)
    return understood(PLAIN_COMMANDS[name], f"sptlab {name}", rest)


def experiment(command: str, rest: list[str]) -> Command:
    """The simulation or training that the arguments after `simulate` or `train` describe."""
    known = experiments(command)
    if not rest or rest[0] in ("-h", "--help", "--list"):
        print(listing(command, known))
        raise SystemExit(0)
    if command == "train" and rest[0].startswith("--"):  # sptlab train --grid transfer
        rest = ["run", *rest]
    chosen = require(rest[0], [*known, "--list"], "simulation" if command == "simulate" else "task")
    return understood(experiment_command(command, chosen), f"sptlab {command} {shown(chosen)}", rest[1:])


def welcome() -> str:
    """What to do first, and every command."""
    return WELCOME.format(commands="\n".join(f"  sptlab {name:12} {does}" for name, does in COMMANDS.items()))


def main(arguments: list[str] | None = None) -> int:
    """Run one command line, by default this process's own, which an interrupt then ends at once."""
    code = exit_code(sys.argv[1:] if arguments is None else arguments)
    if code == INTERRUPT_CODE and arguments is None:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)  # Python's clean-up crashes where jax was interrupted at some moments
    return code


def exit_code(arguments: list[str]) -> int:
    """Run a command line: 0, 1 (a claim failed), 2 (an error, in one line) or 130 (interrupted)."""
    if not arguments:
        print(welcome())
        return 0
    try:
        hear_interrupts()
        command = parse(arguments)
        prepare_jax()
        return command()  # type: ignore[operator]
    except KeyboardInterrupt:
        print("sptlab: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return INTERRUPT_CODE
    except BrokenPipeError:  # the reader, `head` for example, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        print(f"sptlab: {line}", file=sys.stderr)
        return 2


def one_line(error: Exception) -> str | None:
    """What a user can act on, or None for a fault of ours, whose traceback is then the message."""
    if isinstance(error, UserError):
        return str(error)
    where = f"{getattr(error, 'filename', None) or 'input or output'}: "
    if os.strerror(errno.ENOSPC) in str(error):  # checkpoints raise it as a ValueError
        return f"{where}{os.strerror(errno.ENOSPC)}; free the space or choose another --out"
    return f"{where}{error.strerror or error}" if isinstance(error, OSError) else None


if __name__ == "__main__":
    sys.exit(main())

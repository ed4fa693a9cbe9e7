"""The front door: each command is a frozen dataclass; its fields are its flags, its docstring its help.

Cores compute and know no files; commands read, show progress and store. Each lies in the folder `cli` of the last
room that it uses; here is which there are, and what happens to a command line. Rooms are imported inside the
commands: help, lists and mistakes do not wait for JAX.
"""

import contextlib
import dataclasses
import errno
import importlib
import os
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Annotated, Any

import tyro

from full_scale.cli import study
from full_scale.cli.compare import Compare
from full_scale.cli.data import Data
from full_scale.cli.export import Export
from full_scale.cli.train import TrainingCommand
from paper_figs.cli.derive import Derive
from paper_figs.cli.diagnose import diagnose_command
from paper_figs.cli.figures import Figures
from paper_figs.cli.reproduce import Reproduce
from paper_figs.cli.summary import summary
from sims.cli import declarations
from sims.cli.command import Command, ExperimentCommand, listing
from sims.cli.declarations import Unreadable
from sims.cli.flags import parse_command
from sims.cli.interrupts import end_workers, install_signal_handlers, interrupt_code
from sims.cli.names import dashed_name, require
from sims.cli.simulate import Simulation
from sims.cli.verify import Verify
from sims.runs.compilation_cache import prepare_jax
from sims.runs.errors import UserError

COMMANDS = {
    "reproduce": "run everything and write one self-contained page",
    "verify": "check claims of the theory, one line per check",
    "derive": "print how a claim is derived, every step checked",
    "simulate": "run one simulation of the minimal model",
    "diagnose": "would self-pretraining help on your own data?",
    "train": "train and probe Transformers on one task",
    "export": "write a trained encoder as safetensors, for PyTorch",
    "data": "list, prepare and check the data of the tasks",
    "compare": "compare each prediction with simulation and Transformer",
    "figures": "draw figures from stored results",
    "study": "run a long study again; its result is in the repository",
}
WELCOME = """\
usage: sptlab COMMAND ...

sptlab: why self-pretraining teaches a Transformer what labels cannot.

Start here:
  sptlab reproduce    some minutes: claims, toys and a Transformer, on one page
  sptlab diagnose X   some minutes: would self-pretraining help on your data X?

In seconds:
  sptlab verify C3    check a claim; sptlab derive C3 shows its proof
  sptlab compare      predictions beside what was measured
  sptlab figures      draw what comes with the repository
  sptlab study --list the long studies behind it

All commands:
{commands}

Help on one: sptlab help COMMAND, or sptlab COMMAND --help. Version: sptlab --version"""
INTERRUPT_CODES = (130, 143)  # Ctrl-C and SIGTERM, as shells have them


EXPERIMENT_COMMANDS: dict[str, type[ExperimentCommand]] = {
    "simulate": Simulation,
    "train": TrainingCommand,
    "study": study.Study,
}
REGISTRIES = {
    "simulate": ("sims.experiments", "EXPERIMENTS"),
    "train": ("full_scale.studies.experiments", "EXPERIMENTS"),
    "study": ("full_scale.studies.experiments", "STUDIES"),
}
KINDS = {"simulate": "simulation", "train": "task"}
PLAIN_COMMANDS: dict[str, type[Command]] = {
    "reproduce": Reproduce,
    "verify": Verify,
    "derive": Derive,
    "compare": Compare,
    "figures": Figures,
    "data": Data,
    "export": Export,
}


def experiments(command: str) -> dict[str, Any]:
    """What `simulate`, `train` or `study` can run, by name: Config, run, description, seconds."""
    module, name = REGISTRIES[command]
    return dict(getattr(importlib.import_module(module), name))


def declared(command: str) -> dict[str, Any]:
    """The same as `experiments`, but to look at only: read from the source while JAX is not loaded."""
    if REGISTRIES[command][0] not in sys.modules:
        with contextlib.suppress(Unreadable):
            return dict(read_from_source(command))
    return experiments(command)


def read_from_source(command: str) -> dict[str, declarations.Declared]:
    """What the sources declare that `simulate`, `train` or `study` can run. Raises Unreadable."""
    folders = {"simulate": declarations.simulations, "study": declarations.studies}
    return folders[command]() if command in folders else declarations.experiments(*REGISTRIES[command])


def experiment_command(command: str, name: str, core: Any = None) -> type:
    """The command of one experiment: its Config's fields become flags beside --out, --seed, --quiet."""
    core = core or experiments(command)[name]
    config = Annotated[core.Config, tyro.conf.arg(name="")]  # type: ignore[name-defined]
    return dataclasses.make_dataclass(
        name,
        [("config", config, dataclasses.field(default=core.Config()))],
        bases=(EXPERIMENT_COMMANDS[command],),
        frozen=True,
        namespace={
            "__doc__": core.description, "name": name, "line": f"{command} {dashed_name(name)}", "core": core,
            "summary": summary,
        },
    )  # fmt: skip


def parse(arguments: list[str]) -> Command:
    """The command that the arguments describe. Raises UserError; --help prints and exits."""
    return understand(arguments, experiments)


def look(arguments: list[str]) -> None:
    """Raise UserError for every mistake that shows without JAX; --help prints and exits."""
    understand(arguments, declared).refuse()


def understand(arguments: list[str], known: Callable[[str], dict[str, Any]]) -> Command:
    """The command that the arguments describe, of the experiments that are known. Raises UserError."""
    if arguments[0] == "help":
        arguments = [*arguments[1:], "--help"]
    if arguments[0] in ("-h", "--help", "--version"):
        print(welcome() if arguments[0] != "--version" else f"sptlab {metadata.version('sptlab')}")
        raise SystemExit(0)
    if arguments[0].startswith("-"):
        raise UserError(
            f"expected a command first: got {arguments[0]}; options follow it: sptlab COMMAND --help"
        )
    name, rest = require(arguments[0], COMMANDS, "command"), arguments[1:]
    study.refuse_former(name, rest)
    if name in REGISTRIES:
        return experiment(name, rest, known(name))
    if name == "diagnose":
        return diagnosis(rest, known is experiments)
    return parse_command(PLAIN_COMMANDS[name], f"sptlab {name}", rest)


def experiment(command: str, rest: list[str], known: dict[str, Any]) -> Command:
    """The simulation, training or study that the arguments after the command describe."""
    if (rest and rest[0] in ("-h", "--help", "--list")) or (not rest and command != "study"):
        print(study.listing(known) if command == "study" else listing(command, known))
        raise SystemExit(0)
    if command == "train" and rest[0].startswith("--"):  # sptlab train --grid transfer
        rest = ["run", *rest]
    choose = lambda: require(rest[0], [*known, "--list"], KINDS[command])
    chosen = study.chosen(rest, known) if command == "study" else choose()
    program = f"sptlab {command} {dashed_name(chosen)}"
    try:
        made = experiment_command(command, chosen, known[chosen])
    except Unreadable:
        made = experiment_command(command, chosen)
    return parse_command(made, program, rest[1:])


def diagnosis(rest: list[str], loaded: bool) -> Command:
    """The diagnosis that the arguments describe; `--config.fits` is how `--fits` was spelled once."""
    rest = [f"--{word.removeprefix('--config.')}" if word.startswith("--config.") else word for word in rest]
    kinds = None
    if not loaded:
        with contextlib.suppress(Unreadable):
            kinds = {
                "model": declarations.settings("full_scale.model", "ModelConfig"),
                "config": declarations.settings("full_scale.diagnosis", "DiagnosisConfig"),
            }
    return parse_command(diagnose_command(kinds), "sptlab diagnose", rest)


def welcome() -> str:
    """What to do first, and every command."""
    return WELCOME.format(commands="\n".join(f"  sptlab {name:12} {does}" for name, does in COMMANDS.items()))


def main(arguments: list[str] | None = None) -> int:
    """Run one command line, by default this process's own, which an interrupt then ends at once."""
    code = exit_code(sys.argv[1:] if arguments is None else arguments)
    if code in INTERRUPT_CODES and arguments is None:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        end_workers()
        os._exit(code)  # Python's clean-up crashes where jax was interrupted at some moments
    return code


def exit_code(arguments: list[str]) -> int:
    """Run a command line: 0, 1 (a claim failed), 2 (an error, in one line), 130 or 143 (interrupted)."""
    if not arguments:
        print(welcome())
        return 0
    try:
        install_signal_handlers()
        look(arguments)
        command = parse(arguments)
        if command.computes:
            prepare_jax()
        return command()  # type: ignore[operator]
    except KeyboardInterrupt:
        print("sptlab: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return interrupt_code()
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

"""The front door: each command is a frozen dataclass; its fields are its flags, its docstring its help.

Cores compute and know no files; the commands here read, show progress and store. Rooms are imported
inside the commands, so that `--help` does not wait for jax.
"""

import contextlib
import dataclasses
import difflib
import errno
import functools
import hashlib
import io
import json
import os
import platform
import re
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, ClassVar, Literal

import tyro

Report = Callable[..., None]

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

TOYS = ("blindness", "reduced_flow", "adiabatic_toy", "score_slider")
TRAININGS = ("docs_order", "docs_order_probes", "digits")
CLAIMS_SECONDS = 40.0
INTERRUPTED = threading.Event()


class UsageError(Exception):
    """A command line that cannot be understood; one line."""


@dataclasses.dataclass(frozen=True)
class Command:
    """What every command takes."""

    seed: int = 0
    """Every random number follows from it."""
    quiet: bool = False
    """No progress; results and errors only."""
    line: ClassVar[str] = ""

    @property
    def provenance(self) -> str:
        """The command as the record of its results keeps it."""
        return f"sptlab {self.line} --seed {self.seed}"


@dataclasses.dataclass(frozen=True)
class Storing(Command):
    """What every command takes that works in a folder of results."""

    out: Path = Path("report")
    """Folder of results, figures and page."""

    @property
    def results(self) -> Path:
        """Where the stored results lie."""
        return self.out / "results"


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
        from paper_figs import page, write_figures
        from sims import store

        with store.lock(self.out):
            with progress("reproduce", self.quiet) as report:
                results = reproduce_stages(self, report)
            with progress("figures", self.quiet) as report:
                write_figures(results, self.out / "figures", report=report)
            page.write({**simulated(self), **results}, self.out)
        print(f"open {self.out / 'index.html'}")
        return 0


@dataclasses.dataclass(frozen=True)
class Verify(Command):
    """Check the claims: one line per check (kind, residual, tolerance). Exit 1 when a claim fails."""

    claims: tuple[str, ...] = ()
    """Labels, for example C1 C3 or C1,C3; none means all."""
    json: Path | None = None
    """Also write the verdicts to this file."""
    out: Path | None = None
    """Also store the verdicts in this folder, as `reproduce` does."""
    line: ClassVar[str] = "verify"

    def __call__(self) -> int:
        from sims import store

        config = claims_config(self.claims)
        with progress("verify", self.quiet) as report:
            values, _ = verified(config, key=stage_key("claims", self.seed), report=report)
        if self.json:
            store.write_atomic(self.json, (json.dumps(values["claims"], indent=1) + "\n").encode())
        if self.out:
            record = store.provenance(config, command=self.provenance, seed=self.seed)
            with store.lock(self.out):
                store.save(self.out / "results", store.Result("claims", values, {}, record))
        return show_verdicts(values["claims"])


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
class Experiment(Storing):
    """One experiment; `experiment_command` adds its settings as flags."""

    name: ClassVar[str] = ""

    @staticmethod
    def shown(values: dict) -> str:
        """Its values as text."""
        return json.dumps(values, indent=1)

    def __call__(self) -> int:
        from sims import store

        with store.lock(self.out), progress(self.name, self.quiet) as report:
            result = run_stage(self, self.name, self.config, report)  # type: ignore[attr-defined]
        print(self.shown(result.values))
        return 0


@dataclasses.dataclass(frozen=True)
class Simulation(Experiment):
    """One simulation, or a sweep of it."""

    sweep: Path | None = None
    """TOML file of settings and seeds: each combination is a trial, and all trials land in one table."""
    engine: Literal["local", "dask"] = "local"
    """What computes a sweep: processes of this machine, or Dask distributed (the extra `cluster`)."""
    scheduler: str | None = None
    """Address of a running Dask scheduler, tls://node:8786; by default Dask's workers start here."""
    workers: int | None = None
    """Processes of a sweep on this machine; by default one per GPU, or else one per core."""
    kind: ClassVar[str] = "simulate"

    def __call__(self) -> int:
        self.require_consistent()
        return run_sweep(self) if self.sweep else super().__call__()

    def require_consistent(self) -> None:
        """Raise UsageError for options of a sweep that would have no effect."""
        given = {
            "--engine dask": self.engine == "dask",
            "--scheduler": self.scheduler,
            "--workers": self.workers,
        }
        for option, used in given.items():
            if used and not self.sweep:
                raise UsageError(f"{option} is for sweeps: add --sweep FILE (see README, Sweeps)")
        if self.scheduler and self.engine != "dask":
            raise UsageError("--scheduler is for --engine dask: add it")
        if self.scheduler and self.workers is not None:
            raise UsageError(
                "expected --scheduler or --workers, got both; a running scheduler has its workers"
            )
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"--workers must be at least 1: got {self.workers}; try 2")


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
    kind: ClassVar[str] = "train"

    def __call__(self) -> int:
        from full_scale.training import hosts, mesh

        together = hosts.Hosts(self.coordinator, self.processes, self.process_id)
        if self.sweep and (self.devices != 1 or self.coordinator):
            raise UsageError("--devices and --coordinator are for runs that share devices: leave out --sweep")
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


@dataclasses.dataclass(frozen=True)
class Data(Command):
    """List, prepare and check the data of the tasks.

    list: every task, its sizes and source, and whether its files are there.

    prepare TASK: generate pathfinder or listops, or read your files (--source) and store them in one compact
    file with a manifest of hashes. Generating goes on where it was interrupted.

    check TASK: hashes, and what is known of the real files; a line per fact, exit 1 when one does not hold.
    """

    action: tyro.conf.Positional[Literal["list", "prepare", "check"]] = "list"
    """What to do."""
    task: tyro.conf.Positional[str] = ""
    """A task of the list, for prepare and check."""
    out: Annotated[Path, tyro.conf.arg(aliases=("--data",))] = Path("data")
    """Folder of prepared data; `sptlab train` looks into the one named data."""
    source: Path | None = None
    """Your files: a file, folder or archive as the list and the errors name them; nothing is executed."""
    number: int | None = None
    """Sequences to generate; by default Long Range Arena's: 200,000 for pathfinder, 100,000 for listops."""
    window: Literal[32, 64, 128, 256] = 32
    """pathfinder: pixels on a side; 128 is Path-X."""
    contour_length: Literal[6, 9, 14] = 14
    """pathfinder: paddles of the long contours, 6 easy, 14 hard."""
    variant: Literal["lra", "small"] = "lra"
    """listops: small has 30 to 128 symbols instead of 501 to 1,999."""
    processes: int | None = None
    """That generate side by side; by default one per core."""
    line: ClassVar[str] = "data"

    def __call__(self) -> int:
        from full_scale import data_command

        if self.action == "list":
            lines, holds = data_command.listing(self.out), True
        else:
            place = data_command.Place(self.out, self.source)
            if self.action == "check":
                lines, holds = data_command.check(self.chosen(), place)
            else:
                with progress("data", self.quiet) as report:
                    settings = dict(number=self.number, seed=self.seed, processes=self.processes)
                    lines, holds = data_command.prepare(self.chosen(), place, report=report, **settings), True
        print("\n".join(lines))
        return 0 if holds else 1

    def chosen(self) -> Any:
        """The task with its settings, or a UsageError that names the tasks."""
        from full_scale.tasks import TASKS

        if not self.task:
            raise UsageError(
                f"name a task, for example `sptlab data {self.action} text` (see sptlab data list)"
            )
        kind = TASKS[require(self.task, TASKS, "task")]
        fields = {field.name for field in dataclasses.fields(kind)}
        given = {name: getattr(self, name) for name in ("window", "contour_length", "variant")}
        return kind(**{name: value for name, value in given.items() if name in fields})


@dataclasses.dataclass(frozen=True)
class Compare(Storing):
    """Set each prediction beside the toy and the Transformer, from the results in --out and those shipped."""

    task: str | None = None
    """Only this task, for example docs-order."""
    layer: int | None = None
    """By layer and head, only this layer; counted from 0."""
    head: int | None = None
    """By layer and head, only this head."""
    format: Literal["text", "csv", "json", "latex"] = "text"
    """text to read here; csv; json; latex for a paper that loads booktabs."""
    line: ClassVar[str] = "compare"

    def __call__(self) -> int:
        from full_scale.comparison import tables
        from sims import store

        results = store.load_all(self.results)
        with store.lock(self.out):
            values = run_comparison(self, results).values
        if self.task:
            require(self.task, sorted({row["task"] for row in values["by_task"]}), "task")
        print(tables.rendered(values, self.format, tables.Filter(self.task, self.layer, self.head)))
        return 0


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
        from sims import store

        names = [require(name, FIGURES | EXPERIMENT_FIGURES, "figure") for name in split(self.names)]
        own = store.load_all(self.results) if names else stored(self.results)
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
            raise UsageError(
                "name your data, for example `sptlab diagnose series.npz`, or a task: docs-order"
            )
        return run_diagnosis(self)


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
    from full_scale.diagnosis import data, diagnose, report
    from paper_figs import diagnosis as page
    from sims import store

    dataset = data.dataset_of(command.data, command.config, command.model)
    name, folder = data.name_of(command.data), command.out / "diagnosis"
    with store.lock(folder):
        with progress("diagnose", command.quiet) as tell:
            found = diagnose(
                dataset, command.model, command.config, key=stage_key("diagnose", command.seed),
                folder=folder / "fits", report=tell, jobs=None, command=data.training_command(command.data),
            )  # fmt: skip
        record = store.provenance(command.config, command=f"{command.provenance} {name}", seed=command.seed)
        result = store.Result(name, store.plain(found.values), found.arrays, record)
        store.save(folder, result)
        page.write(result, folder / f"{name}.html")
    print(f"{report.summary(name, result.values)}\n\nopen {folder / name}.html")
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
        bases=({"simulate": Simulation, "train": Training}.get(command, Experiment),),
        frozen=True,
        namespace={"__doc__": core.description, "name": name, "line": line, **own},
    )


def run_sweep(command: Simulation) -> int:
    """Compute a sweep's trials and table; 1 when a trial failed."""
    from sims import store
    from sims.sweeps import grid, sweep
    from sims.sweeps.trial import Trial

    core, file = experiments(command.kind)[command.name], Path(command.sweep or "")
    base = command.config  # type: ignore[attr-defined]
    if hasattr(base, "jobs"):  # the sweep's workers take the cores; within one, runs take turns
        base = dataclasses.replace(base, jobs=1)
    configs = grid.configurations(file, base, command.seed)
    trials = [Trial(command.name, core.run, config, seed) for config, seed in configs]
    place = sweep.Place(
        command.out / "trials" / command.name, command.out / "sweeps" / command.name / file.stem
    )
    with store.lock(command.out), progress(command.name, command.quiet) as report:
        done = sweep.run(
            trials, sweep_engine(command), place, command=f"sptlab {command.line} --sweep", report=report
        )
    for key, reason in done.failed.items():
        print(f"failed: {key}: {reason}", file=sys.stderr)
    again = f", {len(done.failed)} failed (the same command tries them again)" if done.failed else ""
    print(f"{done.trials} trials, {done.stored_before} of them stored before{again}")
    print(f"written to {place.table / 'sweep.csv'}")
    return 1 if done.failed else 0


def sweep_engine(command: Simulation) -> Callable:
    """What computes the trials."""
    from sims.sweeps import cluster, local

    if command.engine == "local":
        return functools.partial(local.outcomes, workers=command.workers)
    say = lambda line: None if command.quiet else print(f"{command.name}: {line}", file=sys.stderr)
    return functools.partial(cluster.outcomes, scheduler=command.scheduler, workers=command.workers, say=say)


@dataclasses.dataclass(frozen=True)
class ClaimsConfig:
    """The claims that are checked."""

    labels: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ComparisonConfig:
    """What is compared: the hash of each stored result."""

    inputs: dict[str, str]


def claims_config(labels: tuple[str, ...] = ()) -> ClaimsConfig:
    """The chosen claims, or all."""
    from theory.claims import CLAIMS

    return ClaimsConfig(tuple(require(label, CLAIMS, "claim") for label in split(labels)) or tuple(CLAIMS))


def split(names: Collection[str]) -> list[str]:
    """The names, also where commas join them: "C1,C3" is C1 and C3."""
    return [name for joined in names for name in joined.split(",") if name]


def derivation_labels(chosen: tuple[str, ...], every: bool) -> list[str]:
    """The derivations asked for, or a UsageError that says how to ask."""
    from theory.derivations import DERIVATIONS

    if not chosen and not every:
        raise UsageError(f"name a claim, for example `sptlab derive C8`, or --all ({', '.join(DERIVATIONS)})")
    named = [require(label, DERIVATIONS, "claim") for label in split(chosen)]
    return list(DERIVATIONS) if every else named


def write_claim_figure(labels: list[str], path: Path, report: Path) -> None:
    """Draw the one claim's figure from what is stored, or a UsageError that says how to ask."""
    from paper_figs import figure_of, write_figure
    from sims import store

    if len(labels) != 1:
        raise UsageError(f"--figure draws one claim: got {', '.join(labels)}; name one")
    write_figure(store.load_all(report / "results"), figure_of(labels[0]), path)


def verified(config: ClaimsConfig, *, key: Any, report: Report | None = None) -> tuple[dict, dict]:
    """The verdicts of the chosen claims and their derivations, as values and arrays of a stage."""
    from theory.claims import verify
    from theory.derivations import DERIVATIONS, record

    claims = [verdict.as_json() for verdict in verify(config.labels, key=key, report=report)]
    derived = {
        label: record.as_json(DERIVATIONS[label], DERIVATIONS[label].check()) for label in config.labels
    }
    return {"claims": claims, "derivations": derived}, {}


def stage_key(name: str, seed: int) -> Any:
    """The random key of a stage: whichever stages ran before it, and the same for a task and its probes."""
    from sims import keys

    return keys.stage_key(name, seed)


def run_stage(command: Storing, name: str, config: Any, report: Report | None) -> Any:
    """The result of a stage, computed unless it is stored."""
    key = stage_key(name, command.seed)
    if name == "claims":
        return kept(command, name, config, lambda _: verified(config, key=key, report=report))
    if name in experiments("simulate"):
        core = experiments("simulate")[name]
        return kept(command, name, config, lambda _: core.run(config, key=key, report=report))
    core = experiments("study" if name == "study" else "train")[name]
    key = stage_key("training", command.seed)  # one for all, so that they share their training runs
    name = getattr(config, "stored_as", name)  # grids differ by preset and task
    return kept(
        command, name, config, lambda folder: core.run(config, key=key, report=report, checkpoint=folder)
    )


def run_comparison(command: Storing, results: dict[str, Any]) -> Any:
    """The comparison stage, of these results and those shipped; computed again when one of them changed."""
    from full_scale import compare
    from full_scale.comparison.shipped import with_shipped

    inputs = {name: each for name, each in with_shipped(results, command.out).items() if name != "comparison"}
    config = ComparisonConfig({name: digest(each) for name, each in inputs.items()})
    return kept(command, "comparison", config, lambda _: compare.run(inputs))


def digest(result: Any) -> str:
    """Hash of a result's values and record; these hold the hash of its arrays' making."""
    text = json.dumps([result.values, result.record], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def kept(command: Storing, name: str, config: Any, compute: Callable[[Path], tuple[dict, dict]]) -> Any:
    """The stored result if it is whole and of this config, code and versions; else compute and store it.

    `compute` gets a path for what a killed run wants to find again; wall times go to timings.json."""
    from sims import store

    record = store.provenance(config, command=command.provenance, seed=command.seed) | {"sources": sources()}
    code = {part: record[part] for part in ("sources", "versions", "device")}
    if store.finished(command.results, name, str(record["config_hash"])):
        result = store.load(command.results, name)
        if code.items() <= result.record.items() and result.values.get("complete", True):
            return result
    started, digest = time.perf_counter(), hashlib.sha256(json.dumps(code).encode()).hexdigest()
    values, arrays = compute(command.out / "checkpoints" / digest[:12] / name)
    store.save(command.results, store.Result(name, values, arrays, record))
    clock = command.out / "timings.json"
    timings = json.loads(clock.read_text()) if clock.exists() else {}
    timings[name] = round(time.perf_counter() - started, 1)
    store.write_atomic(clock, (json.dumps(timings, indent=1) + "\n").encode())
    return store.load(command.results, name)


@functools.cache
def sources() -> str:
    """Hash of the code that computes: a result of other code is not taken for this code's."""
    digest = hashlib.sha256()
    for room in ("theory", "sims", "full_scale"):
        for path in sorted((Path(__file__).parent / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def stage_configs(preset: str) -> dict[str, Any]:
    """The stages of `reproduce` in order, each with its config."""
    cores = {**experiments("simulate"), **experiments("train")}
    small = preset == "smoke"
    configure = lambda kind: kind.smoke() if small else kind()
    experiment_configs = {name: configure(cores[name].Config) for name in TOYS + TRAININGS}
    return {"claims": claims_config(("C3",) if small else ()), **experiment_configs}


def reproduce_stages(command: Reproduce, report: Report) -> dict[str, Any]:
    """Every stage's result, in order."""
    configs = stage_configs(command.preset)
    seconds = expected_seconds(configs)
    total, before, results = sum(seconds.values()), 0.0, {}
    for name, config in configs.items():
        within = share_of(report, name, before, seconds[name], total)
        within(0, 1)
        results[name] = run_stage(command, name, config, within)
        before += seconds[name]
    report(total, total, "comparison")
    return {**results, "comparison": run_comparison(command, results)}


def simulated(command: Reproduce) -> dict[str, Any]:
    """Simulations that lie beside the stages and are of this code: the page shows their figures, too."""
    from sims import store

    found = store.load_all(command.results).items()
    return {
        name: result
        for name, result in found
        if name in experiments("simulate") and result.record.get("sources") == sources()
    }


def expected_seconds(configs: dict[str, Any]) -> dict[str, float]:
    """Rough seconds of each stage on two cores, for the time left."""
    cores = {**experiments("simulate"), **experiments("train")}
    return {name: cores[name].seconds if name in cores else CLAIMS_SECONDS for name in configs}


def share_of(report: Report, label: str, before: float, seconds: float, total: float) -> Report:
    """A stage's hook inside the whole run's."""
    return lambda done, of, *_, **__: report(before + seconds * done / max(of, 1), total, label)


def stored(folder: Path) -> dict[str, Any]:
    """All stored results, or a UserError that says how to make some."""
    from sims import store

    results = store.load_all(folder)
    if not results:
        raise store.UserError(
            f"expected results in {folder}, found none; run `sptlab reproduce` first, or name --out"
        )
    return results


def show_verdicts(verdicts: list[dict]) -> int:
    """Print every check and verdict; 1 when a claim failed."""
    for verdict in verdicts:
        for check in verdict["checks"]:
            sign = ">" if check["kind"] == "counterexample" else "<="
            mark = "ok  " if check["passed"] else "FAIL"
            numbers = f"{check['residual']:.2e} {sign:2} {check['tolerance']:.2e}"
            print(f"{verdict['claim']:4} {mark} {check['kind']:17} {numbers}  {check['name']}")
        print(f"{verdict['claim']:4} {'holds' if verdict['passed'] else 'FAILS'}: {verdict['title']}")
    failed = [verdict["claim"] for verdict in verdicts if not verdict["passed"]]
    print(f"{len(verdicts) - len(failed)} of {len(verdicts)} claims hold")
    return 1 if failed else 0


@contextlib.contextmanager
def progress(title: str, quiet: bool) -> Iterator[Report]:
    """A hook (done, total, label) on stderr: a bar with the time left; off a terminal, a line per step."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    lines = not quiet and not console.is_terminal
    bar = Progress(*columns, console=console, disable=quiet or lines, transient=True)
    task, started, said, reached = bar.add_task(title, total=1.0), time.perf_counter(), set(), 0.0

    def report(done: float, total: float, label: str = "", note: str = "") -> None:
        nonlocal reached
        if INTERRUPTED.is_set():  # a library that was being imported has swallowed it
            raise KeyboardInterrupt
        reached = max(reached, done / max(total, 1))  # a stage in two parts may start again at 0
        bar.update(task, completed=reached, description=f"{title} {label} {note}".strip())
        if lines and (label, int(10 * reached)) not in said:
            said.add((label, int(10 * reached)))
            left = (time.perf_counter() - started) * (1 - reached) / reached if reached else 0
            about = f", about {left:.0f} s left" if left else ""
            told = f", {note}" if note else ""
            print(f"{title} {label} {100 * reached:3.0f}%{told}{about}", file=sys.stderr, flush=True)

    with bar:
        yield report


def shown(name: str) -> str:
    """A name as the command line writes it."""
    return name.replace("_", "-")


def require(name: str, known: Collection[str], kind: str) -> str:
    """The known name that was meant, hyphens as underscores, or a UsageError with the nearest one."""
    for candidate in (name, name.replace("-", "_")):
        if candidate in known:
            return candidate
    names = [shown(item) for item in known]
    near = difflib.get_close_matches(name, names, 1, 0.5)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"unknown {kind} {name}{meant} (expected one of {', '.join(names)})")


def parse(arguments: list[str]) -> Command:
    """The command that the arguments describe. Raises UsageError; --help prints and exits."""
    if arguments[0] in ("-h", "--help"):
        print(welcome())
        raise SystemExit(0)
    name, rest = require(arguments[0], COMMANDS, "command"), arguments[1:]
    if name in ("simulate", "train"):
        known = experiments(name)
        if not rest or rest[0] in ("-h", "--help", "--list"):
            print(listing(name, known))
            raise SystemExit(0)
        if name == "train" and rest[0].startswith("--"):  # sptlab train --grid transfer
            rest = ["run", *rest]
        chosen = require(rest[0], [*known, "--list"], "simulation" if name == "simulate" else "task")
        return understood(experiment_command(name, chosen), f"sptlab {name} {shown(chosen)}", rest[1:])
    if name == "diagnose":
        return understood(diagnose_command(), "sptlab diagnose", rest)
    if name == "study":
        return understood(experiment_command(name, name), f"sptlab {name}", rest)
    kinds = {
        "reproduce": Reproduce,
        "verify": Verify,
        "derive": Derive,
        "compare": Compare,
        "figures": Figures,
        "data": Data,
    }
    return understood(kinds[name], f"sptlab {name}", rest)


def listing(command: str, known: dict[str, Any]) -> str:
    """What `simulate` or `train` can run."""
    width = max(map(len, known)) + 2
    rows = "\n".join(
        f"  {shown(name):{width}} {duration(core.seconds):>6}  {core.description}"
        for name, core in known.items()
    )
    flags = "[--out FOLDER] [--seed N] [--quiet] [settings of its own]"
    usage = f"usage: sptlab {command} NAME {flags}\n       sptlab {command} --list"
    if command == "train":
        usage += "\n       sptlab train [run] --preset PRESET --grid arms|transfer|priors|depth|core|all"
    if command == "simulate":
        usage += "\n       sptlab simulate NAME --sweep FILE [--engine local|dask]"
    times = "Times are for the default settings on two cores; what was interrupted goes on."
    return f"{usage}\n\n{rows}\n\n{times}\nIts settings: sptlab {command} NAME --help"


def duration(seconds: float) -> str:
    """About how long, in few characters."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def welcome() -> str:
    """What to do first, and every command."""
    return WELCOME.format(commands="\n".join(f"  sptlab {name:12} {does}" for name, does in COMMANDS.items()))


def understood(command: type, program: str, arguments: list[str]) -> Command:
    """The command with its flags. Raises UsageError in one line where tyro would draw a box."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(command, prog=program, args=arguments, config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as stop:
        if not stop.code:
            raise
    text = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(text):
        tyro.cli(command, prog=program, args=["--help"], config=(tyro.conf.FlagCreatePairsOff,))
    flags = dict.fromkeys(re.findall(r"--[a-z][\w.-]*", text.getvalue()))
    for argument in arguments:
        flag = argument.split("=")[0].replace("_", "-")
        if flag.startswith("--") and flag not in flags:
            require(flag, flags, "option")
    raise UsageError(f"{unboxed(complaint.getvalue())} (see {program} --help)")


def unboxed(box: str) -> str:
    """The message inside tyro's box, in one line: the part after the title and before the next rule."""
    parts = re.split(r"^[\s│╭]*[─-]{3}.*$|^╭.*$", box, flags=re.MULTILINE)
    return " ".join(re.sub("[│╰╯─]", " ", parts[1] if len(parts) > 1 else box).split())


def prepare_jax() -> None:
    """Float64, and compiled programs kept per user, jax version and processor."""
    import jax

    from sims.sweeps.devices import gpus

    jax.config.update("jax_enable_x64", True)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    machine = hashlib.sha256(processor().encode()).hexdigest()[:12]
    folder = Path(home) / "sptlab" / f"jax-{jax.__version__}-{machine}"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    if len(gpus()) > 1:  # each worker takes one; this process, which only asks, must leave them room
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    warnings.filterwarnings(
        "ignore", "Error (reading|writing) persistent compilation cache"
    )  # it compiles anew


def processor() -> str:
    """The processor's abilities: code compiled for one may crash on another that shares the home folder."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return platform.processor() + platform.machine()


def hear_interrupts() -> None:
    """End the run at Ctrl-C, also where Python or a library would swallow the exception.

    In a callback of the garbage collector it would be printed and ignored: it is sent again a moment later. A
    bare `except`, as some libraries have around their imports, eats it: the next report raises it again.
    """

    def handle(_: int, frame: FrameType | None) -> None:
        INTERRUPTED.set()
        if ignored_in(frame):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            raise KeyboardInterrupt

    INTERRUPTED.clear()
    untouched = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not so under nohup
    if untouched and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handle)


def ignored_in(frame: FrameType | None) -> bool:
    """Is this code called by the garbage collector, where Python ignores exceptions?"""
    while frame is not None:
        if frame.f_code.co_name in ("_xla_gc_callback", "__del__"):
            return True
        frame = frame.f_back
    return False


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code: 0, 1 (a claim failed), 2 (an error, in one line), 130."""
    arguments = sys.argv[1:] if arguments is None else arguments
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
        return 130
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
    from sims.store import UserError

    if isinstance(error, (UsageError, UserError)):
        return str(error)
    where = f"{getattr(error, 'filename', None) or 'input or output'}: "
    if os.strerror(errno.ENOSPC) in str(error):  # checkpoints raise it as a ValueError
        return f"{where}{os.strerror(errno.ENOSPC)}; free the space or choose another --out"
    return f"{where}{error.strerror or error}" if isinstance(error, OSError) else None


if __name__ == "__main__":
    sys.exit(main())

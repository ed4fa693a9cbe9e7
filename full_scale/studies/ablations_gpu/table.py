"""The study's tables: accuracies, floors, cost, MFU, beside Amos et al.'s; and what a call will do."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from full_scale.data.dataset import Description
from full_scale.studies.ablations_gpu import budget as gpu_budget
from full_scale.studies.ablations_gpu.budget import Budget, FinishedRun, RunStore
from full_scale.studies.ablations_gpu.tasks import DIFFERS, STUDIED, reported
from full_scale.studies.ablations_gpu.units import Rows, RunValues, TaskUnits
from full_scale.studies.grids import head_probes
from full_scale.studies.grids.head_probes import ArmProbes
from full_scale.studies.grids.shares import Shares, shares
from full_scale.tasks.attention_free import attention_free_accuracies
from full_scale.tasks.task import load
from full_scale.training import runner
from sims.runs import store
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval

ACCURACIES = ("test_accuracy", "train_accuracy", "validation_accuracy")
_ORIGIN = ("commit", "device", "versions", "config_hash")


@dataclasses.dataclass(frozen=True)
class ReportedRun(RunValues):
    """A run as the stored table keeps it, with where it came from."""

    commit: dict[str, str | bool | None] = dataclasses.field(kw_only=True)
    device: str = dataclasses.field(kw_only=True)
    versions: dict[str, str] = dataclasses.field(kw_only=True)
    config_hash: str = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class ArmOverSeeds(Stored):
    """One arm over its seeds; speed and MFU are those of its last phase."""

    test_accuracy: Interval
    train_accuracy: Interval
    validation_accuracy: Interval
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    parameters: int
    steps: int
    sequences: int
    forward_flops: float
    backward_flops: float
    flops: float
    seconds_per_step: float | None
    seconds: float | None
    mfu: float | None


@dataclasses.dataclass(frozen=True)
class TaskData(Stored):
    """A task's data and what its attention-free baselines reach."""

    data: Description
    floor: dict[str, float]


@dataclasses.dataclass(frozen=True)
class TaskTable(TaskData):
    """One task's arms over the seeds that are finished."""

    seeds: tuple[int, ...]
    order: tuple[str, ...]
    arms: dict[str, ArmOverSeeds]
    runs: tuple[ReportedRun, ...]
    tuning: tuple[ReportedRun, ...]
    shares: Shares
    probes: dict[str, ArmProbes]
    amos: dict[str, str]
    """What Amos et al. report."""
    differs: str
    left: int
    """Runs that are to be done."""
    failed: dict[str, str]
    """Reasons by run."""


@dataclasses.dataclass(frozen=True)
class PlannedRun(Stored):
    """One run with its estimate, and whether a call would do it."""

    task: str
    run: str
    seed: int
    layers: int
    steps: int
    sequences: int
    flops: float
    seconds: float
    state: str


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Every task's table, or with --plan what a call would do."""

    complete: bool
    """Whether nothing is left."""
    tasks: dict[str, TaskTable] | None = None
    seconds_left: float | None = None
    """Of the call."""
    plan: tuple[PlannedRun, ...] | None = None


def values(
    tasks: Sequence[TaskUnits], run_store: RunStore, budget: Budget, failed: Mapping[str, dict[str, str]]
) -> Values:
    """Every task's table; `complete` once nothing is left."""
    by_task = {task.name: table(task, run_store, failed[task.name]) for task in tasks}
    complete = all(each.left == 0 for each in by_task.values())
    return Values(complete, by_task, round(budget.left(), 1))


def table(task: TaskUnits, run_store: RunStore, failed: dict[str, str]) -> TaskTable:
    """One task's arms over the seeds that are finished."""
    rows, device = run_store.rows(task), gpu_budget.peak()
    units = task.units(rows, guess=True)
    arms: dict[str, list[FinishedRun]] = {}
    for unit in units:
        if unit.kind == "arm" and unit.trial in rows:
            arms.setdefault(unit.arm, []).append(rows[unit.trial])
    return TaskTable(
        **vars(described(task, run_store)),
        seeds=task.seeds,
        order=tuple(arms),
        arms={name: summary(arm_rows, device) for name, arm_rows in arms.items()},
        runs=tuple(shortened(row) for arm_rows in arms.values() for row in arm_rows),
        tuning=tuple(shortened(rows[unit.trial]) for unit in task.tuning() if unit.trial in rows),
        shares=shared(arms),
        probes=head_probes.summary({arm: [r.probes for r in rs] for arm, rs in arms.items()}),
        amos=reported(task.name),
        differs=DIFFERS[task.name],
        left=sum(unit.trial not in rows for unit in units),
        failed=failed,
    )


def described(task: TaskUnits, run_store: RunStore) -> TaskData:
    """The data and their floors, computed once."""
    config = STUDIED[task.name].preset.data()
    name = f"{task.name}-{runner.data(config)[:8]}"

    def compute() -> tuple[TaskData, dict]:
        dataset = load(config)
        return TaskData(dataset.describe(), attention_free_accuracies(dataset)), {}

    how: dict[str, Any] = dict(
        command="sptlab study ablations-gpu", seed=0, code=(attention_free_accuracies,)
    )
    return TaskData.from_json(store.stage(run_store.folder / "data", name, config, compute, **how).values)


def summary(rows: list[FinishedRun], device: float | None) -> ArmOverSeeds:
    """One arm over its seeds."""
    speeds = [row.seconds_per_step for row in rows if row.seconds_per_step]
    step = statistics.median(speeds) if speeds else None
    first = rows[0]
    return ArmOverSeeds(
        **{name: mean_interval(np.array([getattr(row, name) for row in rows])) for name in ACCURACIES},
        seeds=tuple(row.seed for row in rows),
        learning_rates=first.learning_rates,
        parameters=first.parameters,
        **first.whole,
        seconds_per_step=step,
        seconds=None if step is None else round(step * first.whole["steps"], 1),
        mfu=None if step is None or device is None else first.flops / first.steps / step / device,
    )


def shortened(row: FinishedRun) -> ReportedRun:
    """A run as the stored table keeps it."""
    values = {name: value for name, value in vars(row).items() if name not in ("record", "probes")}
    return ReportedRun(**values, **{name: row.record[name] for name in _ORIGIN})


def shared(arms: Mapping[str, list[FinishedRun]]) -> Shares:
    """The shares, over the seeds that labels alone and SPT both have, of the arms that have them all."""
    scores = {arm: {row.seed: row for row in rows} for arm, rows in arms.items()}
    if not {"label_only", "spt"} <= set(scores):
        return Shares()
    seeds = [seed for seed in scores["spt"] if seed in scores["label_only"]]
    whole = {arm: rows for arm, rows in scores.items() if all(seed in rows for seed in seeds)}
    of = lambda name: {a: np.array([getattr(rows[s], name) for s in seeds]) for a, rows in whole.items()}
    return shares(of("test_accuracy"), of("train_accuracy")) if seeds else Shares()


def planned(tasks: Sequence[TaskUnits], run_store: RunStore, budget: Budget) -> Values:
    """Every run in order with its estimate, and whether this call would do it."""
    lines, left = [], budget.left()
    for task in tasks:
        rows, known = done_before(task, run_store), gpu_budget.inputs(task.name)
        for unit in task.units(rows, guess=True):
            took = budget.estimate(task.name, unit, unit.steps, rows)
            begun = unit.trial not in rows and took <= left
            left -= took * begun
            budget.compiled.add(gpu_budget.program(unit))
            state = "done" if unit.trial in rows else "this call" if begun else "later"
            lines.append(
                PlannedRun(
                    task.name,
                    f"{unit.arm} {unit.kind}",
                    unit.trial.seed,
                    unit.trial.model.layers,
                    unit.steps,
                    sequences=unit.steps * (unit.trial.phases[-1].batch or unit.trial.batch),
                    flops=gpu_budget.flops(unit, known),
                    seconds=round(took, 1),
                    state=state,
                )
            )
    return Values(complete=False, plan=tuple(lines))


def done_before(task: TaskUnits, run_store: RunStore) -> Rows:
    """The finished runs; none where the data are not there to tell."""
    try:
        return run_store.rows(task)
    except UserError:
        return {}


def result_text(values: Values) -> str:
    """The tables, or the plan."""
    if values.plan is not None:
        return _plan_lines(values.plan)
    return "\n\n".join(_task_lines(name, each) for name, each in (values.tasks or {}).items())


def _plan_lines(lines: Sequence[PlannedRun]) -> str:
    """The plan as a table, with the sum by task."""
    head = (
        f"{'task':11}{'run':26}{'seed':>11} {'layers':>6} {'steps':>6} {'sequences':>9} {'FLOPs':>8} {'s':>6}"
    )
    text = [head + "  when"]
    for line in lines:
        text.append(
            f"{line.task:11}{line.run:26}{line.seed:11} {line.layers:6} {line.steps:6} "
            f"{line.sequences:9} {line.flops:8.1e} {line.seconds:6.0f}  {line.state}"
        )
    for name in dict.fromkeys(line.task for line in lines):
        each = [line.seconds for line in lines if line.task == name and line.state != "done"]
        text.append(f"{name}: {len(each)} runs left, {sum(each) / 60:.0f} minutes estimated")
    return "\n".join(text)


def _task_lines(name: str, task: TaskTable) -> str:
    """One task: floors, ours, shares, theirs, what differs, what is left."""
    floor = ", ".join(f"{n.replace('_', ' ')} {v:.3f}" for n, v in task.floor.items())
    text = [
        f"{name}: {task.data.source}",
        f"test accuracy of attention-free baselines: {floor}",
        "",
    ]
    text.append(f"{'arm':14}{'seeds':>5} {'test accuracy':24} {'steps':>6} {'sequences':>9} {'FLOPs':>8}"
                f" {'s':>6} {'MFU':>6}")  # fmt: skip
    for arm in task.order:
        one = task.arms[arm]
        number = lambda value, form: "-" if value is None else format(value, form)
        text.append(
            f"{arm:14}{len(one.seeds):5} {one.test_accuracy.text():24} {one.steps:6} "
            f"{one.sequences:9} {one.flops:8.1e} {number(one.seconds, '6.0f'):>6} "
            f"{number(one.mfu, '6.1%'):>6}"
        )
    text += ["", *task.shares.lines()]
    if task.amos:
        theirs = [f"  {row:30} {figure:>7}" for row, figure in task.amos.items()]
        text += ["", "Amos et al. 2024, percent (* from memory, not checked with the paper):", *theirs]
    text += [f"what differs here: {task.differs}", f"{task.left} runs left"]
    text += [f"failed: {name}: {reason}" for name, reason in task.failed.items()]
    return "\n".join(text)

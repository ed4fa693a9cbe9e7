"""The study's tables: accuracies, floors, cost, MFU, beside Amos et al.'s; and what a call will do."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from full_scale.floors import floors
from full_scale.studies import gpu_budget, head_probes, tables
from full_scale.studies.gpu_budget import Budget, Kept
from full_scale.studies.gpu_tasks import DIFFERS, STUDIED, reported
from full_scale.studies.gpu_units import TaskUnits
from full_scale.studies.shares import shares
from full_scale.tasks import load
from full_scale.training import trials
from sims import store
from sims.intervals import mean_interval
from sims.store import Result, UserError

Row = dict[str, Any]
ACCURACIES = ("test_accuracy", "train_accuracy", "validation_accuracy")


def values(
    tasks: Sequence[TaskUnits], kept: Kept, budget: Budget, failed: Mapping[str, dict[str, str]]
) -> dict[str, object]:
    """Every task's table; `complete` once nothing is left."""
    found = {task.name: table(task, kept) | {"failed": failed[task.name]} for task in tasks}
    complete = all(each["left"] == 0 for each in found.values())
    return {"tasks": found, "complete": complete, "seconds_left": round(budget.left(), 1)}


def table(task: TaskUnits, kept: Kept) -> Row:
    """One task's arms over the seeds that are finished."""
    rows, device = kept.rows(task), gpu_budget.peak()
    units = task.units(rows, guess=True)
    arms: dict[str, list[Row]] = {}
    for unit in units:
        if unit.kind == "arm" and unit.trial in rows:
            arms.setdefault(unit.arm, []).append(rows[unit.trial])
    tuning = [shortened(rows[unit.trial]) for unit in task.tuning() if unit.trial in rows]
    return {
        **described(task, kept),
        "seeds": list(task.seeds),
        "order": list(arms),
        "arms": {name: summary(found, device) for name, found in arms.items()},
        "runs": [shortened(row) for found in arms.values() for row in found],
        "tuning": tuning,
        "shares": shared(arms),
        "probes": head_probes.summary({arm: [r["probes"] for r in rs] for arm, rs in arms.items()}),
        "amos": reported(task.name),
        "differs": DIFFERS[task.name],
        "left": sum(unit.trial not in rows for unit in units),
    }


def described(task: TaskUnits, kept: Kept) -> Row:
    """The data and their floors, computed once."""
    config = STUDIED[task.name].preset.data()
    name = f"{task.name}-{trials.data(config)[:8]}"
    try:
        return store.load(kept.folder / "data", name).values
    except UserError:
        dataset = load(config)
        found: Row = {"data": dataset.describe(), "floor": floors(dataset)}
        record = store.provenance(config, command="sptlab train gpu-study", seed=0)
        store.save(kept.folder / "data", Result(name, found, {}, record))
        return found


def summary(rows: list[Row], device: float | None) -> Row:
    """One arm over its seeds; speed and MFU are those of its last phase."""
    speeds = [row["seconds_per_step"] for row in rows if row["seconds_per_step"]]
    step = statistics.median(speeds) if speeds else None
    per_step = rows[0]["flops"] / rows[0]["steps"]
    return {
        **{name: mean_interval(np.array([row[name] for row in rows])).as_json() for name in ACCURACIES},
        "seeds": [row["seed"] for row in rows],
        "learning_rates": rows[0]["learning_rates"],
        "parameters": rows[0]["parameters"],
        **rows[0]["whole"],
        "seconds_per_step": step,
        "seconds": None if step is None else round(step * rows[0]["whole"]["steps"], 1),
        "mfu": None if step is None or device is None else per_step / step / device,
    }


def shortened(row: Row) -> Row:
    """A run as the stored table keeps it, with where it came from."""
    record = row["record"]
    origin = {name: record[name] for name in ("commit", "device", "versions", "config_hash")}
    return {name: value for name, value in row.items() if name not in ("record", "probes")} | origin


def shared(arms: Mapping[str, list[Row]]) -> Row:
    """The shares, over the seeds that labels alone and SPT both have, of the arms that have them all."""
    scores = {arm: {row["seed"]: row for row in rows} for arm, rows in arms.items()}
    if not {"label_only", "spt"} <= set(scores):
        return {}
    seeds = [seed for seed in scores["spt"] if seed in scores["label_only"]]
    whole = {arm: rows for arm, rows in scores.items() if all(seed in rows for seed in seeds)}
    of = lambda name: {a: np.array([rows[s][name] for s in seeds]) for a, rows in whole.items()}
    return shares(of("test_accuracy"), of("train_accuracy")) if seeds else {}


def planned(tasks: Sequence[TaskUnits], kept: Kept, budget: Budget) -> dict[str, object]:
    """Every run in order with its estimate, and whether this call would do it."""
    lines, left = [], budget.left()
    for task in tasks:
        rows, known = done_before(task, kept), gpu_budget.inputs(task.name)
        for unit in task.units(rows, guess=True):
            took = budget.estimate(task.name, unit, unit.steps, rows)
            begun = unit.trial not in rows and took <= left
            left -= took * begun
            budget.compiled.add(gpu_budget.program(unit))
            state = "done" if unit.trial in rows else "this call" if begun else "later"
            lines.append(
                {
                    "task": task.name,
                    "run": f"{unit.arm} {unit.kind}",
                    "seed": unit.trial.seed,
                    "layers": unit.trial.model.layers,
                    "steps": unit.steps,
                    "sequences": unit.steps * (unit.trial.phases[-1].batch or unit.trial.batch),
                    "flops": gpu_budget.flops(unit, known),
                    "seconds": round(took, 1),
                    "state": state,
                }
            )
    return {"plan": lines, "complete": False}


def done_before(task: TaskUnits, kept: Kept) -> dict[Any, Row]:
    """The finished runs; none where the data are not there to tell."""
    try:
        return kept.rows(task)
    except UserError:
        return {}


def shown(values: Mapping[str, Any]) -> str:
    """The tables, or the plan."""
    if "plan" in values:
        return plan_lines(values["plan"])
    return "\n\n".join(task_lines(name, found) for name, found in values["tasks"].items())


def plan_lines(lines: Sequence[Row]) -> str:
    """The plan as a table, with the sum by task."""
    head = (
        f"{'task':11}{'run':26}{'seed':>11} {'layers':>6} {'steps':>6} {'sequences':>9} {'FLOPs':>8} {'s':>6}"
    )
    text = [head + "  when"]
    for line in lines:
        text.append(
            f"{line['task']:11}{line['run']:26}{line['seed']:11} {line['layers']:6} {line['steps']:6} "
            f"{line['sequences']:9} {line['flops']:8.1e} {line['seconds']:6.0f}  {line['state']}"
        )
    for name in dict.fromkeys(line["task"] for line in lines):
        each = [line["seconds"] for line in lines if line["task"] == name and line["state"] != "done"]
        text.append(f"{name}: {len(each)} runs left, {sum(each) / 60:.0f} minutes estimated")
    return "\n".join(text)


def task_lines(name: str, found: Mapping[str, Any]) -> str:
    """One task: floors, ours, shares, theirs, what differs, what is left."""
    floor = ", ".join(f"{n.replace('_', ' ')} {v:.3f}" for n, v in found["floor"].items())
    text = [f"{name}: {found['data']['source']}", f"test accuracy of what needs no attention: {floor}", ""]
    text.append(f"{'arm':14}{'seeds':>5} {'test accuracy':24} {'steps':>6} {'sequences':>9} {'FLOPs':>8}"
                f" {'s':>6} {'MFU':>6}")  # fmt: skip
    for arm in found["order"]:
        one = found["arms"][arm]
        number = lambda value, form: "-" if value is None else format(value, form)
        text.append(
            f"{arm:14}{len(one['seeds']):5} {tables.interval(one['test_accuracy']):24} {one['steps']:6} "
            f"{one['sequences']:9} {one['flops']:8.1e} {number(one['seconds'], '6.0f'):>6} "
            f"{number(one['mfu'], '6.1%'):>6}"
        )
    text += ["", *tables.share_lines(found["shares"])]
    if found["amos"]:
        theirs = [f"  {row:30} {figure:>7}" for row, figure in found["amos"].items()]
        text += ["", "Amos et al. 2024, percent (* from memory, not checked with the paper):", *theirs]
    text += [f"what differs here: {found['differs']}", f"{found['left']} runs left"]
    text += [f"failed: {name}: {reason}" for name, reason in found["failed"].items()]
    return "\n".join(text)

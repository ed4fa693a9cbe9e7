"""Where the stored results hold each measured quantity: by task, by setting, by layer and head."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from full_scale.comparison.predictions import Prediction
from sims.intervals import mean_interval
from sims.store import Result

Results = Mapping[str, Result]
IntervalJson = Mapping[str, Any]
ARMS = ("docs_order", "digits")
SHARED = ("prior_share", "depth_share")
"""Shares with one entry per arm."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """One measured interval, and where it comes from."""

    task: str
    setting: str
    """Layers, or the arm."""
    result: str
    """Name of the stored result."""
    interval: IntervalJson
    layer: int | None = None
    head: int | None = None


@dataclasses.dataclass(frozen=True)
class Probes:
    """The probed states of one task's models."""

    task: str
    setting: str
    result: str
    states: Mapping[str, Mapping[str, IntervalJson]]
    per_head: Mapping[str, Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Grid:
    """The shares of one task's arms."""

    task: str
    setting: str
    result: str
    shares: Mapping[str, Any]


def layers(count: object) -> str:
    """`1 layer`, `2 layers`."""
    return f"{count} layer" + ("" if str(count) == "1" else "s")


def probes(results: Results) -> Iterator[Probes]:
    """Every probed set of models: those of `reproduce`, then the study's."""
    if "docs_order_probes" in results:
        values: Any = results["docs_order_probes"].values
        depth = layers(values.get("layers", 1))
        task = values.get("task", "docs-order")
        yield Probes(task, depth, "docs_order_probes", values.get("states", {}), values.get("per_head", {}))
    if "study" in results:
        values = results["study"].values
        for depth, found in values.get("depths", {}).items():
            yield Probes("docs-order", layers(depth), "study", found.get("probes", {}), {})
        digits = values.get("digits", {})
        yield Probes("digits", layers(digits.get("depth", 1)), "study", digits.get("probes", {}), {})


def grids(results: Results) -> Iterator[Grid]:
    """Every comparison of arms: those of `reproduce`, the study's, grids, the CPU study's tasks."""
    for name in ARMS:
        if name in results:
            values: Any = results[name].values
            yield Grid(
                values.get("task", name.replace("_", "-")), layers(values.get("depth", 1)), name, values
            )
    if "study" in results:
        values = results["study"].values
        for depth, found in values.get("depths", {}).items():
            yield Grid("docs-order", layers(depth), "study", found)
        yield Grid("digits", layers(1), "study", values.get("digits", {}))
    for name, result in results.items():
        values = result.values
        if "shares" in values and "data" in values:
            yield Grid(values["data"]["task"], "grid", name, values["shares"])
    if "cpu_study" in results:
        values = results["cpu_study"].values
        for task, found in values["tasks"].items():
            yield Grid(task, "CPU study", "cpu_study", found["shares"])


def measured(prediction: Prediction, results: Results) -> Iterator[Measured]:
    """Every stored measurement of a quantity in a Transformer, headline first."""
    if prediction.probe:
        state, name = prediction.probe
        for each in probes(results):
            found = each.states.get(state, {}).get(name)
            if is_interval(found):
                yield Measured(each.task, each.setting, each.result, found)
    if prediction.share:
        for grid in grids(results):
            yield from of_share(prediction.share, grid)
    if prediction.curve and "cpu_study" in results:
        yield from of_curve(prediction.curve, results["cpu_study"])


def of_curve(name: str, study: Result) -> Iterator[Measured]:
    """The curve's last point over seeds, for every task of the CPU study."""
    for task in study.values["tasks"]:  # type: ignore[attr-defined]
        curve = study.arrays.get(f"{task}_{name}")
        if curve is not None:
            yield Measured(task, "CPU study", study.name, mean_interval(curve[:, -1]).as_json())


def of_share(name: str, grid: Grid) -> Iterator[Measured]:
    """The share of each arm, or the one number."""
    found = grid.shares.get(name)
    if is_interval(found):
        yield Measured(grid.task, grid.setting, grid.result, found)
    elif name in SHARED and isinstance(found, Mapping):
        for arm, interval in found.items():
            yield Measured(grid.task, arm, grid.result, interval)


def per_head(prediction: Prediction, results: Results) -> Iterator[Measured]:
    """The same by layer and head, where the probes hold it."""
    if prediction.probe is None or prediction.per_head is None:
        return
    for each in probes(results):
        for layer, heads in enumerate(
            each.per_head.get(prediction.probe[0], {}).get(prediction.per_head, ())
        ):
            for head, interval in enumerate(heads):
                if is_interval(interval):
                    yield Measured(each.task, each.setting, each.result, interval, layer, head)


def toy(prediction: Prediction, results: Results) -> IntervalJson | None:
    """The toy's interval, or None where it is not stored."""
    if not prediction.toy or prediction.toy[0] not in results:
        return None
    node: Any = results[prediction.toy[0]].values
    for key in prediction.toy[1:]:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if is_interval(node) else None


def is_interval(node: object) -> bool:
    """Whether a stored value is an interval."""
    return isinstance(node, Mapping) and {"estimate", "low", "high"} <= set(node)

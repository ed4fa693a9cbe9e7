"""Where the stored results hold each measured quantity: by task, by setting, by layer and head."""

import dataclasses
from collections.abc import Iterator, Mapping

from full_scale.comparison.along import grids_in
from full_scale.comparison.predictions import Prediction
from full_scale.studies import ablations, paper, training_states, tuning
from full_scale.studies.arm_comparison import ArmComparison
from full_scale.studies.grids.head_probes import ByHead
from full_scale.studies.grids.shares import Share, Shares
from sims.runs.store import Result
from sims.statistics.intervals import Interval, mean_interval

Results = Mapping[str, Result]
ARMS = ("docs_order", "digits")
_SHARED = ("prior_share", "depth_share")
"""Shares with one entry per arm."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """One measured interval, and where it comes from."""

    task: str
    setting: str
    """Layers, or the arm."""
    result: str
    """Name of the stored result."""
    interval: Share | Interval
    layer: int | None = None
    head: int | None = None


@dataclasses.dataclass(frozen=True)
class Probes:
    """The probed states of one task's models."""

    task: str
    setting: str
    result: str
    states: Mapping[str, Mapping[str, Interval]]
    per_head: Mapping[str, Mapping[str, ByHead]]


@dataclasses.dataclass(frozen=True)
class Grid:
    """The shares of one task's arms."""

    task: str
    setting: str
    result: str
    shares: Shares | ArmComparison


def layers(count: object) -> str:
    """`1 layer`, `2 layers`."""
    return f"{count} layer" + ("" if str(count) == "1" else "s")


def probes(results: Results) -> Iterator[Probes]:
    """Every probed set of models: those of `reproduce`, then the study's."""
    if "docs_order_probes" in results:
        probed = training_states.Values.from_json(results["docs_order_probes"].values)
        yield Probes(probed.task, layers(probed.layers), "docs_order_probes", probed.states, probed.per_head)
    for each in _studied(results):
        yield Probes(each.task, layers(each.depth), "study", each.probes, {})
    if "paper" in results:
        yield from _predicted(paper.Values.from_json(results["paper"].values))


def _predicted(study: paper.Values) -> Iterator[Probes]:
    """What the paper study measured before training; of images along the four neighbours, not along lag 1."""
    for name, each in study.sizes.items():
        numbers = study.predictions[name].numbers
        signals = {f"snr_{loss}": numbers[f"snr_{loss}_nearest"] for loss in ("label", "reconstruction")}
        yield Probes(each.task, each.size, "paper", {"adiabatic": signals}, {})


def _studied(results: Results) -> list[tuning.TunedComparison]:
    """The study's comparisons: docs-order by depth, then the control."""
    if "study" not in results:
        return []
    study = tuning.Values.from_json(results["study"].values)
    return [*study.depths.values(), study.digits]


def grids(results: Results) -> Iterator[Grid]:
    """Every comparison of arms: those of `reproduce`, the studies', grids, the CPU study's and the paper's tasks."""
    for name in ARMS:
        if name in results:
            compared = ArmComparison.from_json(results[name].values)
            yield Grid(compared.task, layers(compared.depth), name, compared)
    for each in _studied(results):
        yield Grid(each.task, layers(each.depth), "study", each)
    for name, result in results.items():
        if "shares" in result.values:
            yield from (Grid(grid.data.task, "grid", name, grid.shares) for grid in grids_in(name, result))
    if "cpu_study" in results:
        study = ablations.Values.from_json(results["cpu_study"].values)
        yield from (Grid(task, "CPU study", "cpu_study", each.shares) for task, each in study.tasks.items())
    if "paper" in results:
        for table in paper.Values.from_json(results["paper"].values).sizes.values():
            yield Grid(table.task, table.size, "paper", table.grid.shares)


def measured(prediction: Prediction, results: Results) -> Iterator[Measured]:
    """Every stored measurement of a quantity in a Transformer, headline first."""
    if prediction.probe:
        state, name = prediction.probe
        for each in probes(results):
            interval = each.states.get(state, {}).get(name)
            if interval is not None:
                yield Measured(each.task, each.setting, each.result, interval)
    if prediction.share:
        for grid in grids(results):
            yield from _of_share(prediction.share, grid)
    if prediction.curve:
        yield from _of_curve(prediction.curve, results)


def _of_curve(name: str, results: Results) -> Iterator[Measured]:
    """The curve's last point over seeds, for every task of the CPU study and every size of the paper's tasks."""
    curves: list[tuple[str, str, str, str]] = []
    if "cpu_study" in results:
        study = ablations.Values.from_json(results["cpu_study"].values)
        curves += [(task, task, "CPU study", "cpu_study") for task in study.tasks]
    if "paper" in results:
        sizes = paper.Values.from_json(results["paper"].values).sizes
        curves += [(each.stored_as, each.task, each.size, "paper") for each in sizes.values()]
    for stored_as, task, setting, result in curves:
        curve = results[result].arrays.get(f"{stored_as}_{name}")
        if curve is not None:
            yield Measured(task, setting, result, mean_interval(curve[:, -1]))


def _of_share(name: str, grid: Grid) -> Iterator[Measured]:
    """The share of each arm, or the one number."""
    share = getattr(grid.shares, name, None)
    if isinstance(share, Interval):
        yield Measured(grid.task, grid.setting, grid.result, share)
    elif name in _SHARED and share:
        where = lambda arm: f"{grid.setting}, {arm}" if grid.result == "paper" else arm
        yield from (Measured(grid.task, where(arm), grid.result, one) for arm, one in share.items())


def per_head(prediction: Prediction, results: Results) -> Iterator[Measured]:
    """The same by layer and head, where the probes hold it."""
    if prediction.probe is None or prediction.per_head is None:
        return
    for each in probes(results):
        for layer, heads in enumerate(
            each.per_head.get(prediction.probe[0], {}).get(prediction.per_head, ())
        ):
            for head, interval in enumerate(heads):
                yield Measured(each.task, each.setting, each.result, interval, layer, head)


def toy(prediction: Prediction, results: Results) -> Interval | None:
    """The toy's interval, or None where it is not stored."""
    if not prediction.toy or prediction.toy[0] not in results:
        return None
    node: object = results[prediction.toy[0]].values
    for key in prediction.toy[1:]:
        node = node.get(key) if isinstance(node, Mapping) else None
    return None if node is None else Interval.from_json(node)

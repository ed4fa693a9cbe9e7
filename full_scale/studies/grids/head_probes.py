"""What the probes along training saw of every arm's layers and heads: intervals over seeds, and curves."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from full_scale.probes.held_out import NAMES
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval

PROBED_QUANTITIES = ("proximity_index", *NAMES)
Arrays = Mapping[str, np.ndarray]
ByHead = tuple[tuple[Interval, ...], ...]
"""The interval over seeds of each layer and head."""


@dataclasses.dataclass(frozen=True)
class ArmProbes(Stored):
    """One arm's measures at the first and at the last probe."""

    steps: tuple[int, int]
    first: dict[str, ByHead]
    last: dict[str, ByHead]


def probed(arrays: Arrays) -> dict[str, np.ndarray]:
    """Of a run's arrays those of its probes: `steps`, and (probe, layer, head) by name; none without any."""
    taken = [np.isfinite(arrays[name]).any(axis=(1, 2)) for name in NAMES if name in arrays]
    rows = np.any(taken, axis=0)
    if not rows.any():
        return {}
    return {
        "steps": arrays["steps"][rows],
        **{name: arrays[name][rows].astype(np.float32) for name in PROBED_QUANTITIES},
    }


def summary(runs: Mapping[str, Sequence[Arrays]]) -> dict[str, ArmProbes]:
    """By arm: the first and the last probed step, and there every name's interval by layer and head."""
    at = lambda seeds, row: {
        name: by_head(np.stack([each[name][row] for each in seeds])) for name in PROBED_QUANTITIES
    }
    ends = lambda steps: (int(steps[0]), int(steps[-1]))
    return {
        arm: ArmProbes(ends(seeds[0]["steps"]), first=at(seeds, 0), last=at(seeds, -1))
        for arm, seeds in runs.items()
        if seeds[0]
    }


def by_head(values: Float[np.ndarray, "seed layer head"]) -> ByHead:
    """The interval over seeds of each layer and head."""
    heads = np.moveaxis(values, 0, -1)
    return tuple(tuple(_over_known(seeds) for seeds in layer) for layer in heads)


def _over_known(values: Float[np.ndarray, " seed"]) -> Interval:
    """Mean over the seeds in which the measure exists; an empty interval where it exists in none."""
    known = values[np.isfinite(values)]
    return mean_interval(known) if len(known) else Interval(None, None, None, method="not defined there")


def curves(runs: Mapping[str, Sequence[Arrays]]) -> dict[str, np.ndarray]:
    """`probed_<arm>_steps` and `probed_<arm>_<name>` of shape (seed, probe, layer, head)."""
    stacked: dict[str, np.ndarray] = {}
    for arm, seeds in runs.items():
        if seeds[0]:
            stacked[f"probed_{arm}_steps"] = seeds[0]["steps"]
            stacked |= {
                f"probed_{arm}_{name}": np.stack([each[name] for each in seeds]) for name in PROBED_QUANTITIES
            }
    return stacked

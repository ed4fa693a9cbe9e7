"""What the probes along training saw of every arm's layers and heads: intervals over seeds, and curves."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from full_scale.training.score_probes import NAMES
from sims.intervals import Interval, mean_interval

PROBED = ("proximity_index", *NAMES)
Arrays = Mapping[str, np.ndarray]


def probed(arrays: Arrays) -> dict[str, np.ndarray]:
    """Of a run's arrays those of its probes: `steps`, and (probe, layer, head) by name; none without any."""
    taken = [np.isfinite(arrays[name]).any(axis=(1, 2)) for name in NAMES if name in arrays]
    rows = np.any(taken, axis=0)
    if not rows.any():
        return {}
    return {
        "steps": arrays["steps"][rows],
        **{name: arrays[name][rows].astype(np.float32) for name in PROBED},
    }


def summary(runs: Mapping[str, Sequence[Arrays]]) -> dict[str, dict[str, object]]:
    """By arm: the first and the last probed step, and there every name's interval by [layer][head]."""
    return {
        arm: {
            "steps": [int(seeds[0]["steps"][row]) for row in (0, -1)],
            **{
                when: {name: by_head(np.stack([each[name][row] for each in seeds])) for name in PROBED}
                for when, row in (("first", 0), ("last", -1))
            },
        }
        for arm, seeds in runs.items()
        if seeds[0]
    }


def by_head(values: Float[np.ndarray, "seed layer head"]) -> list[list[dict[str, object]]]:
    """The interval over seeds of each layer and head."""
    heads = np.moveaxis(values, 0, -1)
    return [[over_known(seeds).as_json() for seeds in layer] for layer in heads]


def over_known(values: Float[np.ndarray, " seed"]) -> Interval:
    """Mean over the seeds in which the measure exists; an empty interval where it exists in none."""
    known = values[np.isfinite(values)]
    return mean_interval(known) if len(known) else Interval(None, None, None, method="not defined there")


def curves(runs: Mapping[str, Sequence[Arrays]]) -> dict[str, np.ndarray]:
    """`probed_<arm>_steps` and `probed_<arm>_<name>` of shape (seed, probe, layer, head)."""
    found: dict[str, np.ndarray] = {}
    for arm, seeds in runs.items():
        if seeds[0]:
            found[f"probed_{arm}_steps"] = seeds[0]["steps"]
            found |= {f"probed_{arm}_{name}": np.stack([each[name] for each in seeds]) for name in PROBED}
    return found

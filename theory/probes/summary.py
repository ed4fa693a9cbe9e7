"""What a probe found, as a table to read: a line for each layer and head. Pure."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from theory.probes.signal import Signal

_QUIET = 1e-6  # of the largest row of a gradient: a row below it is one of rounding
_MAX_NAME = 22  # columns of a direction's name


def queries_with_gradient(mean_gradient: Float[np.ndarray, "*maps query key"]) -> np.ndarray:
    """How many queries' scores the loss moves, per layer and head: all, or one where a CLS token reads.   [C26]"""
    sizes = np.linalg.norm(mean_gradient, axis=-1)
    return np.asarray((sizes > _QUIET * sizes.max(axis=-1, keepdims=True)).sum(axis=-1))


def table(
    samples: int,
    mean_gradient: Float[np.ndarray, "*maps query key"],
    columns: Mapping[str, np.ndarray],
    along: Mapping[str, Signal],
) -> str:
    """A line for each layer and head, and what its numbers mean.

    Parameters
    ----------
    columns
        Key-bias share and rank of each layer and head.
    along
        Signal along each direction that was named.
    """
    maps, length = mean_gradient.shape[:-2], mean_gradient.shape[-1]
    numbers = {"queries": queries_with_gradient(mean_gradient), **columns}
    heads = [f"{name:>16}" for name in numbers]
    heads += [f"{'SNR ' + name[:_MAX_NAME]:>26}" for name in along]
    rows = []
    for at in np.ndindex(*maps):
        label = ".".join(map(str, at)) or "all"
        rows.append(f"{label:10}" + "".join(f"{_short(column[at]):>16}" for column in numbers.values()))
        rows[-1] += "".join(f"{_signal(each, at):>26}" for each in along.values())
    return "\n".join(
        [
            f"what this loss sees of attention scores: {samples} samples, {length} positions",
            f"{'layer.head':10}" + "".join(heads),
            *rows,
            f"queries: rows of scores that it moves at all, of {length}; a CLS head's last layer has one [C26]",
            "key-bias share: of the mean gradient, what is the same for every query; a mean-pooled label loss",
            "  has 1 at uniform attention [C2], reconstruction of stationary data on a ring 0 [C9]",
            "rank: directions that the samples' gradients span; a bound from below where it equals the samples",
            "SNR: (mean / deviation)^2 over samples along a direction, less 1/n, so that noise alone gives 0 on",
            "  average, with a 95% interval; blind: 0 up to rounding, so that no amount of data shows it [C3]",
        ]
    )


def _short(value: float | int | np.number) -> str:
    """A whole number as it is, others with three digits."""
    return f"{value}" if isinstance(value, (int, np.integer)) else f"{float(value):.3g}"


def _signal(signal: Signal, at: tuple[int, ...]) -> str:
    """Estimate and interval, or that it is exactly nothing."""
    if bool(np.asarray(signal.blind)[at]):
        return "blind"
    ends = (float(np.asarray(each)[at]) for each in (signal.snr, signal.low, signal.high))
    return "{:.3g} [{:.2g}, {:.2g}]".format(*ends)

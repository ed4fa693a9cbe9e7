"""Which of an array's last two axes is time: (n, steps, channels) is read, (n, channels, steps) is turned.

PyTorch and the UCR archive put channels first. Read the wrong way, 6 channels of 128 steps are 6 tokens.
"""

from pathlib import Path

import numpy as np

from full_scale.data.readers.files import unusable
from full_scale.data.readers.own.columns import Axes

FEWEST_STEPS = 4  # tokens below which there is nothing to attend to
_SMOOTHER = 0.1  # by how much neighbours along the last axis must correlate more, to count as steps
_LOOKED_AT = 2_000  # sequences


def steps_first(path: Path, name: str, x: np.ndarray, axes: Axes) -> np.ndarray:
    """The array as (n, steps, channels).

    Parameters
    ----------
    axes
        What the user says comes first after the sequences; "auto": steps, and a UserError where the array looks
        otherwise, so that no answer is about the wrong axis.
    """
    if x.ndim != 3 or x.dtype.kind not in "iuf" or axes == "steps":
        return x
    if axes == "channels":
        return np.ascontiguousarray(x.swapaxes(1, 2))
    _, first, last = x.shape
    if first < last and _looks_turned(x):
        raise unusable(
            path,
            f"{name} as (n, steps, channels)",
            f"{x.shape}, which looks like {first} channels of {last} steps",
            f"say --axes channels if so, or --axes steps if these are {first} steps of {last} channels",
        )
    return x


def _looks_turned(x: np.ndarray) -> bool:
    """Whether (n, a, b), a < b, is rather a channels of b steps: one-hot along a, or smoother along b."""
    ones = lambda axis: bool((x[:_LOOKED_AT].sum(axis=axis) == 1).all())
    if ones(2):
        return False
    return x.shape[1] < FEWEST_STEPS or ones(1) or _along(x, 2) > _along(x, 1) + _SMOOTHER


def _along(x: np.ndarray, axis: int) -> float:
    """Correlation of neighbours along an axis, over the mean of each place; 0 where nothing varies."""
    part = np.nan_to_num(x[:_LOOKED_AT].astype(np.float64))
    part -= part.mean(axis=0)
    first = np.take(part, range(part.shape[axis] - 1), axis=axis)
    second = np.take(part, range(1, part.shape[axis]), axis=axis)
    size = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / size) if size > 0 else 0.0

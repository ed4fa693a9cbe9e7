"""Float arrays of three axes: which of them is time is checked, asked about, and can be said."""

from pathlib import Path

import numpy as np
import pytest

from full_scale.data.readers.own import read_own
from full_scale.data.readers.own.columns import Columns
from sims.runs.errors import UserError

DRAW = np.random.default_rng(0)
LABELS = np.arange(60) % 2
SENSORS = DRAW.standard_normal((60, 6, 50)).cumsum(axis=2)
EMBEDDINGS = DRAW.standard_normal((60, 6, 50))


def stored(path: Path, x: np.ndarray) -> Path:
    """An npz of x and its labels."""
    np.savez(path, x=x, y=LABELS)
    return path


@pytest.mark.parametrize("x", [SENSORS, EMBEDDINGS[:, :3]], ids=["smooth along the last axis", "3 tokens"])
def test_channels_first_are_refused_with_both_ways_out(tmp_path: Path, x: np.ndarray) -> None:
    shape = rf"\(60, {x.shape[1]}, 50\), which looks like {x.shape[1]} channels of 50 steps"
    with pytest.raises(UserError, match=rf"{shape}; say --axes channels if so, or --axes steps"):
        read_own(stored(tmp_path / "a.npz", x))


def test_axes_say_which_comes_first(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.npz", SENSORS)
    turned = read_own(path, Columns(axes="channels"))["all"].examples
    np.testing.assert_allclose(turned, SENSORS.swapaxes(1, 2), rtol=1e-6)
    assert read_own(path, Columns(axes="steps"))["all"].examples.shape == (60, 6, 50)


@pytest.mark.parametrize(
    "x", [EMBEDDINGS, SENSORS.swapaxes(1, 2)], ids=["few tokens of many features", "steps first"]
)
def test_other_arrays_are_read_as_they_are(tmp_path: Path, x: np.ndarray) -> None:
    assert read_own(stored(tmp_path / "a.npz", x))["all"].examples.shape == x.shape

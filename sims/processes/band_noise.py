"""Band-limited noise on a ring: Gaussian, of equal power inside a band, none outside. Exact for every L."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from sims.processes.gaussian_ring import gaussian_ring
from sims.processes.process import Process, frequencies
from sims.runs.config_validation import at_least
from sims.runs.store import UserError


def band_noise(length: int, low: int, high: int) -> Process:
    """C(r) = mean of cos(2 pi k r / L) over the modes |k| = low..high.

    Parameters
    ----------
    length
        L >= 3.
    low, high
        Periods per ring, both inclusive, 0 <= low <= high <= L / 2; from low = 1 every sequence sums to 0.

    Raises
    ------
    UserError
        If the band is empty or leaves 0..L/2.
    """
    at_least(3, length=length)
    if not 0 <= low <= high <= length // 2:
        raise UserError(
            f"band must satisfy 0 <= low <= high <= length / 2 = {length // 2}: got low={low}, high={high}; "
            f"try low=1, high={max(1, length // 8)}"
        )
    band = _in_band(length, low, high)
    waves = np.cos(np.outer(np.arange(length), frequencies(length)))
    power = jnp.asarray(band * length / band.sum())
    return Process("band_noise", jnp.asarray(waves @ band / band.sum()), power, gaussian_ring(power))


def _in_band(length: int, low: int, high: int) -> Float[np.ndarray, " frequency"]:
    """1 at the modes k = 0..L-1 whose distance from 0 on the ring of modes is low..high, else 0."""
    modes = np.arange(length)
    distance = np.minimum(modes, length - modes)
    return ((distance >= low) & (distance <= high)).astype(float)

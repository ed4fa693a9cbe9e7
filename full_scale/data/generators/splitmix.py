"""Random numbers by position: draw j of stream k is a function of (k, j), whoever asks and when.

SplitMix64 (Steele, Lea and Flood 2014): output j of a stream is a bijective hash of key + (j + 1) golden.
A stream's outputs serve as keys of further streams. Thousands of streams are drawn from at once.
"""

import numpy as np
from jaxtyping import Float, UInt64

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _hashed(values: UInt64[np.ndarray, "..."]) -> UInt64[np.ndarray, "..."]:
    """SplitMix64's finaliser, a bijection of 64 bits."""
    values = (values ^ (values >> np.uint64(30))) * FIRST
    values = (values ^ (values >> np.uint64(27))) * SECOND
    return values ^ (values >> np.uint64(31))


def outputs(keys: UInt64[np.ndarray, "..."], positions) -> UInt64[np.ndarray, "..."]:
    """The 64 bits at each position of each stream; keys of further streams."""
    steps = np.atleast_1d(positions).astype(np.uint64) + np.uint64(1)
    return _hashed(keys + steps * _GOLDEN)


def uniform(keys: UInt64[np.ndarray, "..."], positions) -> Float[np.ndarray, "..."]:
    """Uniform on [0, 1) from the upper 53 bits."""
    return (outputs(keys, positions) >> np.uint64(11)) * 2.0**-53


def below(bounds, keys: UInt64[np.ndarray, "..."], positions) -> np.ndarray:
    """Uniform integers in 0..bound-1."""
    return (uniform(keys, positions) * bounds).astype(np.int64)


def stream(seed: int) -> UInt64[np.ndarray, " 1"]:
    """The key of a seed's stream of keys, one for each sample."""
    return _hashed(np.array([seed & (2**64 - 1)], np.uint64))

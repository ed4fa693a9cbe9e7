"""Runs of +1 and -1. Exact for every L: Markov runs on a line or a ring, and runs of equal counts.

On a ring with chance (1 - rho) / 2 of a change, C(r) is that of the Gaussian AR(1) with correlation rho:
two laws that no second moment tells apart.
"""

import math
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sims.processes.process import Process, frequencies
from sims.runs.config_validation import at_least, between
from sims.runs.store import UserError
from theory import markov_autocovariance


def markov_runs(length: int, correlation: float) -> Process:
    """On a line, x_{i+1} = -x_i with chance (1 - rho) / 2: C(r) = rho^r.

    Raises UserError when L < 2 or |rho| >= 1.
    """
    at_least(2, length=length)
    between(-1, 1, correlation=correlation)
    power = (1 - correlation**2) / (1 - 2 * correlation * np.cos(frequencies(length)) + correlation**2)
    autocovariance = jnp.asarray(correlation ** np.arange(length))

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        first_key, change_key = jax.random.split(key)
        first = jax.random.rademacher(first_key, (number, 1), autocovariance.dtype)
        changed = jax.random.bernoulli(change_key, (1 - correlation) / 2, (number, length - 1))
        return jnp.cumprod(jnp.concatenate([first, jnp.where(changed, -1.0, 1.0)], axis=1), axis=1)

    return Process("markov_runs", autocovariance, jnp.asarray(power), draw, ring=False)


def ring_runs(length: int, correlation: float) -> Process:
    """The same on a ring (an Ising chain): C(r) = (rho^r + rho^(L-r)) / (1 + rho^L).   [C12]

    Raises UserError when L < 3 or |rho| >= 1.
    """
    at_least(3, length=length)
    between(-1, 1, correlation=correlation)
    autocovariance = markov_autocovariance(length, jnp.asarray(correlation))
    fadings = correlation ** np.arange(length - 1, 0, -1)

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        first_key, change_key = jax.random.split(key)
        first = jax.random.rademacher(first_key, (number,), autocovariance.dtype)
        chances = jax.random.uniform(change_key, (length - 1, number))

        def step(token: Float[Array, " number"], way: tuple[Array, Array]) -> tuple[Array, Array]:
            fading, chance = way  # fading = rho^(steps still to go): what ties this token to the first
            closing = fading * token * first
            unchanged = (1 + correlation) * (1 + closing) / 2
            changed = (1 - correlation) * (1 - closing) / 2
            after = jnp.where(chance < changed / (unchanged + changed), -token, token)
            return after, after

        later = jax.lax.scan(step, first, (jnp.asarray(fadings), chances))[1]
        return jnp.concatenate([first[None], later]).T

    return Process("ring_runs", autocovariance, jnp.fft.fft(autocovariance).real, draw)


def balanced_runs(length: int, runs: int) -> Process:
    """All rings of L/2 tokens +1 and L/2 tokens -1 in exactly `runs` runs, equally likely.

    C(1) = 1 - 2 runs / L; every sequence sums to 0, so sum_r C(r) = 0.

    Raises
    ------
    UserError
        If L is odd or below 4, or `runs` is odd or not within 2..L.
    """
    require_balanced(length, runs)
    exact = np.array(_balanced_autocovariance(length, runs))
    half, pieces = length // 2, runs // 2

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        piece_key, turn_key = jax.random.split(key)
        lengths = _compositions(piece_key, half, pieces, (number, 2)).swapaxes(1, 2)
        ends = jnp.cumsum(lengths.reshape(number, runs), axis=1)
        positions = (
            jnp.arange(length)[None, :] + jax.random.randint(turn_key, (number, 1), 0, length)
        ) % length
        run = jnp.sum(positions[:, :, None] >= ends[:, None, :], axis=-1)
        return jnp.where(run % 2 == 0, 1.0, -1.0)

    return Process("balanced_runs", jnp.asarray(exact), jnp.asarray(np.fft.fft(exact).real), draw)


def mixed_runs(length: int, runs: int, balanced: float) -> Process:
    """`balanced_runs` with chance b, else `ring_runs` of the same C(1): C = b C_balanced + (1 - b) C_Markov.

    sum_{r != 0} C(r) falls from 2 rho/(1 - rho), up to rho^L, at b = 0 to -1 at b = 1; C(0) and C(1) stay.

    Raises UserError unless b lies in [0, 1], and where `balanced_runs` does.
    """
    require_mixed(length, runs, balanced)
    equal = balanced_runs(length, runs)
    free = ring_runs(length, 1 - 2 * runs / length)
    mean = lambda one, other: balanced * one + (1 - balanced) * other

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        which, equal_key, free_key = jax.random.split(key, 3)
        chosen = jax.random.bernoulli(which, balanced, (number, 1))
        return jnp.where(chosen, equal.sample(equal_key, number), free.sample(free_key, number))

    autocovariance = mean(equal.autocovariance, free.autocovariance)
    return Process("mixed_runs", autocovariance, mean(equal.power, free.power), draw)


def _compositions(
    key: PRNGKeyArray, total: int, parts: int, shape: tuple[int, ...]
) -> Int[Array, "*shape parts"]:
    """`total` as ordered sums of `parts` positive integers, all such sums equally likely."""
    cuts = jax.lax.top_k(jax.random.uniform(key, (*shape, total - 1)), parts - 1)[1].astype(int)
    return jnp.diff(jnp.sort(cuts, axis=-1) + 1, prepend=0, append=total, axis=-1)


def balanced_rings(length: int, runs: int) -> int:
    """(L/m) binom(L/2 - 1, m - 1)^2, m = runs / 2: the number of such rings, positions told apart."""
    half, pieces = length // 2, runs // 2
    return length * math.comb(half - 1, pieces - 1) ** 2 // pieces


@lru_cache(maxsize=32)
def _balanced_autocovariance(length: int, runs: int) -> tuple[float, ...]:
    """C(r) = 4 P(x_0 = x_r = +1) - 1 by counting arcs in integers: no rounding before the last division.

    The arc from 0 to r and the one from r back to 0 both begin and end with +1.
    """
    half = length // 2
    values = [1.0]
    for lag in range(1, half + 1):
        both = sum(
            _arcs(plus, lag + 1 - plus, own) * _arcs(half - plus + 2, half - (lag + 1 - plus), runs + 2 - own)
            for plus in range(2, min(lag + 1, half) + 1)
            for own in range(1, runs + 2, 2)
        )
        values.append(4 * both / balanced_rings(length, runs) - 1)
    return tuple(values + values[-2:0:-1])


def _arcs(plus: int, minus: int, runs: int) -> int:
    """Words of so many +1 and -1 in an odd number of runs that begin and end with +1."""
    if min(plus, minus) < 0:
        return 0
    if runs == 1:
        return int(minus == 0)
    if minus == 0:
        return 0
    return math.comb(plus - 1, (runs - 1) // 2) * math.comb(minus - 1, (runs - 3) // 2)


def require_balanced(length: int, runs: int) -> None:
    """Raise `UserError` unless L is even, at least 4, and `runs` even within 2..L."""
    at_least(4, length=length)
    if length % 2:
        raise UserError(f"length must be even for equal counts: got {length}; try {length + 1}")
    if runs % 2 or not 2 <= runs <= length:
        near = min(max(2, runs // 2 * 2), length)
        raise UserError(f"runs must be even, from 2 to length={length}: got {runs}; try {near}")


def require_mixed(length: int, runs: int, balanced: float) -> None:
    """Raise `UserError` where there are no `mixed_runs`."""
    require_balanced(length, runs)
    if not 0 <= balanced <= 1:
        raise UserError(f"balanced must lie within 0..1: got {balanced}; try 1.0")

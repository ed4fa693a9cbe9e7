"""How much of a proximity band labels see through the ends of the sequence: the share over L and w.   [C17]

Label gradients of white labelled sequences at uniform attention, by automatic differentiation. They fill
the visible space evenly, so that (L - 1) sum_n <G_n, D>^2 / (|D|^2 sum_n |G_n|^2), D without its gauge,
estimates the visible share of D. Theory: the exact rational number, for every L and w.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

import theory
from sims.runs.config_validation import at_least
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare, compare_all
from sims.statistics.exponents import Fitted, exponent

DESCRIPTION = "how much of a proximity band labels see through the ends of the sequence"
SECONDS = 10

HEAD = ((-1.0,), (1.0,))


@dataclasses.dataclass(frozen=True)
class Config:
    """The visible share of bands |i - j| <= w over the length."""

    lengths: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Sequence lengths L, at least two."""
    half_widths: tuple[int, ...] = (1, 2, 4, 8)
    """Half-widths w of the proximity band, each at most L - 2."""
    sequences: int = 64
    """Labelled sequences per seed."""
    seeds: int = 64
    """Independent draws of the sequences."""

    def __post_init__(self) -> None:
        at_least(3, shortest_length=min(self.lengths, default=0))
        at_least(2, lengths=len(self.lengths), sequences=self.sequences, seeds=self.seeds)
        at_least(1, smallest_half_width=min(self.half_widths, default=0))
        if max(self.half_widths) > min(self.lengths) - 2:
            raise UserError(
                f"half_widths must be at most the shortest length minus 2: got {max(self.half_widths)} at "
                f"length {min(self.lengths)}; try {min(self.lengths) - 2}"
            )

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(lengths=(8, 16), half_widths=(1, 3), sequences=32, seeds=16)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve, and exponents in L by half-width."""

    inside: dict[str, BandVerdict]
    exponents: dict[str, Fitted]


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Measured and exact shares (half-width, length), verdicts, and exponents in L of each half-width."""
    measured = []
    for index, length in enumerate(reported(config.lengths, report)):
        keys = jax.random.split(jax.random.fold_in(key, index), config.seeds)
        measured.append(np.asarray(_shares(bands(length, config.half_widths), config.sequences, keys)))
    return summary(config, np.stack(measured, axis=-1), exact_shares(config))


def summary(config: Config, measured: np.ndarray, exact: np.ndarray) -> tuple[Values, Arrays]:
    """Verdicts and exponents from shares (seed, half-width, length) and (half-width, length)."""
    lengths, widths = np.array(config.lengths, float), np.array(config.half_widths, float)
    leading = (widths * (widths + 1) / 3)[:, None] / lengths[None, :] ** 2
    verdicts, arrays = compare_all({"share": (measured, exact)})
    verdicts["share_leading"] = compare(measured, leading, exact=False)[0]
    arrays |= {"share_leading": leading, "lengths": np.array(config.lengths), "half_widths": widths}
    exponents = {
        f"half_width_{width}": exponent(lengths, measured[:, i], exact[i], -2.0)
        for i, width in enumerate(config.half_widths)
    }
    return Values(verdicts, exponents), arrays


def exact_shares(config: Config) -> np.ndarray:
    """The claim's rational number for every half-width (rows) and length."""
    share = lambda width, length: float(theory.band_visible_share(length, width))
    return np.array([[share(width, length) for length in config.lengths] for width in config.half_widths])


def bands(length: int, half_widths: tuple[int, ...]) -> Float[Array, "width query key"]:
    """1[|i - j| <= w] for each half-width."""
    positions = np.arange(length)
    distances = np.abs(positions[:, None] - positions[None, :])
    return jnp.asarray([distances <= width for width in half_widths], float)


@functools.partial(jax.jit, static_argnames="sequences")
def _shares(
    directions: Float[Array, "width query key"], sequences: int, keys: Key[Array, " seed"]
) -> Float[Array, "seed width"]:
    length = directions.shape[1]
    gauge_free = directions - jax.vmap(lambda each: theory.decompose(each).gauge)(directions)
    norms = jnp.sum(gauge_free**2, axis=(1, 2))
    loss = lambda scores, tokens, label: theory.label_loss(
        scores, tokens, jnp.ones((1, 1)), jnp.asarray(HEAD), label
    )

    def gradient(key: PRNGKeyArray) -> Float[Array, "query key"]:
        token_key, label_key = jax.random.split(key)
        tokens = jax.random.normal(token_key, (length, 1))
        label = jax.random.bernoulli(label_key).astype(jnp.int32)
        return jax.grad(loss)(jnp.zeros((length, length)), tokens, label)

    def of_sequence(key: PRNGKeyArray) -> tuple[Array, Array]:
        sample_gradient = gradient(key)
        return jnp.tensordot(gauge_free, sample_gradient, axes=2) ** 2, jnp.sum(sample_gradient**2)

    def of_seed(key: PRNGKeyArray) -> Float[Array, " width"]:
        along, whole = jax.lax.map(of_sequence, jax.random.split(key, sequences))
        return (length - 1) * along.sum(axis=0) / (norms * whole.sum())

    return jax.lax.map(of_seed, keys)

"""z = mean_i (x_i + H_i)^2 at circulant scores, from power spectra: L numbers per sequence, no L^2.   [C20]

Exact: with a the kernel of attention, H has the spectrum v a(f) x(f), so z is linear in |x(f)|^2. Rotating a
sequence changes nothing, so training the kernel on a set of rings is training all L^2 scores on
the set with all its rotations. Scores S_{i,i+r} = amplitude_r / sqrt(L): then |S| = |amplitude|, and descent
of one is descent of the other, step for step. Time = learning rate x steps.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.processes import permute_positions, sample


class Rings(NamedTuple):
    """Labelled sequences by their power spectra."""

    powers: Float[Array, "batch frequency"]
    """|x(f)|^2 / L^2 with both signs of f together: they sum to mean_i x_i^2."""
    labels: Float[Array, " batch"]


class Parameters(NamedTuple):
    """Head, intercept and scores; the head reads z minus its mean over the set at uniform attention."""

    weight: Float[Array, ""]
    intercept: Float[Array, ""]
    amplitude: Float[Array, " lag"]


def multiplicity(length: int) -> Float[Array, " frequency"]:
    """How many frequencies of the ring each entry of `rfft` stands for: 1 or 2."""
    frequencies = jnp.arange(length // 2 + 1)
    return jnp.where((frequencies == 0) | (2 * frequencies == length), 1.0, 2.0)


def paired_rings(power: Float[Array, " frequency"], pairs: int, *, key: PRNGKeyArray) -> Rings:
    """Every bag twice: in the process's order (label 0) and permuted (label 1). z cannot tell them apart."""
    tokens_key, order_key = jax.random.split(key)
    ordered = sample(power, pairs, key=tokens_key)
    both = jnp.concatenate([ordered, permute_positions(ordered, key=order_key)])
    return Rings(spectra(both), jnp.repeat(jnp.asarray([0.0, 1.0]), pairs))


def spectra(tokens: Float[Array, "batch length"]) -> Float[Array, "batch frequency"]:
    """|x(f)|^2 / L^2 times `multiplicity`."""
    length = tokens.shape[1]
    return jnp.abs(jnp.fft.rfft(tokens)) ** 2 * multiplicity(length)[None] / length**2


def autocovariance_of(powers: Float[Array, "batch frequency"], length: int) -> Float[Array, " lag"]:
    """The set's mean of (1/L) sum_i x_i x_{i+r}."""
    return length * jnp.fft.irfft(powers.mean(axis=0) / multiplicity(length), n=length)


def pooled_squares(
    amplitude: Float[Array, " lag"], value: Float[Array, ""], powers: Float[Array, "batch frequency"]
) -> Float[Array, " batch"]:
    """z of every sequence: sum_f |1 + v a(f)|^2 |x(f)|^2 / L^2."""
    kernel = jax.nn.softmax(amplitude / jnp.sqrt(1.0 * len(amplitude)))
    return powers @ jnp.abs(1 + value * jnp.fft.rfft(kernel)) ** 2


def label_loss(
    parameters: Parameters, value: Float[Array, ""], rings: Rings, centre: Float[Array, ""]
) -> Float[Array, ""]:
    """Mean cross-entropy of the logit weight (z - centre) + intercept, in nats."""
    pooled = pooled_squares(parameters.amplitude, value, rings.powers)
    logits = parameters.weight * (pooled - centre) + parameters.intercept
    return jnp.mean(jax.nn.softplus(logits) - rings.labels * logits)


class Plateau(NamedTuple):
    """The saddle of a set of rings, by the closed forms of the theory.   [C20]"""

    curvature: Float[Array, ""]
    """k = Var z / 4."""
    contrast: Float[Array, ""]
    """sigma = |M|."""
    direction: Float[Array, " lag"]
    """The unit vector along M: where scores leave."""

    def rate(self) -> Float[Array, ""]:
        """gamma, the rate at which labels leave the saddle."""
        return theory.escape_rate(self.curvature, self.contrast)

    def way_out(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The unit eigenvector of the escape: its entries for the head and along `direction`."""
        length = jnp.sqrt(self.rate() ** 2 + self.contrast**2)
        return self.rate() / length, self.contrast / length


def plateau_of(rings: Rings, value: Float[Array, ""], length: int) -> Plateau:
    """Where this set's label loss has its saddle: exact for the set.   [C20]"""
    pairs = len(rings.labels) // 2
    both = jnp.stack([autocovariance_of(part, length) for part in jnp.split(rings.powers, [pairs])])
    responses = jax.vmap(lambda each: theory.quadratic_response(value, each))(both)
    apart = responses[1] - responses[0]
    at_uniform = pooled_squares(jnp.zeros(length), value, rings.powers)
    return Plateau(
        at_uniform.var() / 4, theory.quadratic_contrast(value, both, 0.5), apart / jnp.linalg.norm(apart)
    )


def _ordered_and_shuffled(autocovariance: Float[Array, " lag"]) -> Float[Array, "classes lag"]:
    """C(r) of a process and of its sequences permuted: the same C(0), all other lags equal."""
    length, everything = len(autocovariance), autocovariance.sum()
    level = (everything - autocovariance[0]) / (length - 1)
    return jnp.stack([autocovariance, jnp.full(length, level).at[0].set(autocovariance[0])])

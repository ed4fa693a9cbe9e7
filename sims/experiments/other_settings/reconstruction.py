"""What reconstruction says in settings beside the paper's, on drawn sequences: seeds first.   [C28, C29, C30]"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.experiments.other_settings.labels import Curve, once, over_seeds
from theory.label_blindness.subspaces import paired_key_bias_share

VALUE, RING = 0.7, 8
LINE_VALUE = 0.2
LAG = 1


def mask_pulls(config: Any, *, key: PRNGKeyArray) -> Curve:
    """C28: the pull along lag 1, sequences and masks both drawn, over the mask rate."""
    pulled = functools.partial(_masked_pulls, config.sequences)
    rates, root = jnp.asarray(config.mask_rates), _root(theory.circulant(_ring(config)))
    law = jax.vmap(lambda rate: theory.masked_proximity_law(VALUE, _ring(config), rate)[LAG])
    return over_seeds(pulled, key, config.seeds, rates, root), once(law, rates)


def _masked_pulls(
    number: int, key: PRNGKeyArray, rates: Float[Array, " point"], root: Float[Array, "key key"]
) -> Float[Array, " point"]:
    """Minus the gradient of the mean error, every position predicted in turn, along both lags of distance 1."""
    noise, masks = jax.random.split(key)
    sequences = _drawn(noise, root, number)
    chances = jax.random.uniform(masks, sequences.shape)
    value_map, positions = jnp.full((1, 1), VALUE), jnp.arange(RING)

    def pull(rate: Float[Array, ""]) -> Float[Array, ""]:
        def error(scores, tokens, chances, position):
            hidden = (chances < rate) | (positions == position)
            return theory.masked_error(scores, value_map, tokens[:, None], position, hidden, jnp.zeros(1))

        each = jax.vmap(jax.vmap(error, (None, None, None, 0)), (None, 0, 0, None))
        mean = lambda scores: each(scores, sequences, chances, positions).mean()
        kernel = theory.circulant_kernel(jax.grad(mean)(jnp.zeros((RING, RING))))
        return -(kernel[LAG] + kernel[-LAG]) / 2

    return jax.vmap(pull)(rates)


def line_shares(config: Any, *, key: PRNGKeyArray) -> Curve:
    """C29: what labels see of reconstruction's gradient on a line, over the length; the law of each length itself."""
    samples, laws = [], []
    for length in config.lengths:
        covariance = _line(config, length)
        share = functools.partial(_line_share, config.sequences)
        samples.append(over_seeds(share, jax.random.fold_in(key, length), config.seeds, _root(covariance)))
        share_of = lambda moments: theory.key_bias_share(_gradient(LINE_VALUE, moments))
        laws.append(float(once(share_of, covariance)))
    return np.stack(samples, axis=-1), np.array(laws)


def leading_line(config: Any) -> np.ndarray:
    """The same to leading order in 1/L."""
    law = lambda length: theory.line_visible_share(LINE_VALUE, config.correlation, length)
    return np.array([float(law(length)) for length in config.lengths])


def _line_share(number: int, key: PRNGKeyArray, root: Float[Array, "key key"]) -> Float[Array, ""]:
    """The share that both halves of the sequences agree on."""
    halves = [_gradient(LINE_VALUE, _moments(_drawn(each, root, number))) for each in jax.random.split(key)]
    return paired_key_bias_share(*halves)


def image_pulls(config: Any, *, key: PRNGKeyArray) -> Curve:
    """C30: the pull on images at each lag of raster order but 0, averaged over pixels."""
    image = _image(config)
    law = once(lambda: theory.raster_kernel(theory.torus_proximity_law(VALUE, _image(config)))[1:])
    pull = functools.partial(_raster_pull, config.sequences // 2)
    return over_seeds(pull, key, config.seeds, _root(theory.torus_circulant(image))), law


def _raster_pull(number: int, key: PRNGKeyArray, root: Float[Array, "key key"]) -> Float[Array, " lag"]:
    """Minus the gradient of drawn images, averaged along raster lags."""
    return -theory.circulant_kernel(_gradient(VALUE, _moments(_drawn(key, root, number))))[1:]


def _gradient(value: float, moments: Float[Array, "key key"]) -> Float[Array, "query key"]:
    """C8's gradient at uniform attention."""
    return theory.reconstruction_score_gradient(jnp.zeros_like(moments), value, moments)


def _moments(sequences: Float[Array, "sample key"]) -> Float[Array, "key key"]:
    """Mean products of tokens."""
    return sequences.T @ sequences / len(sequences)


def _drawn(key: PRNGKeyArray, root: Float[Array, "key key"], number: int) -> Float[Array, "sample key"]:
    """Gaussian sequences of the covariance whose Cholesky factor is given."""
    return jax.random.normal(key, (number, len(root))) @ root.T


def _root(covariance: Float[Array, "key key"]) -> Float[Array, "key key"]:
    """Its Cholesky factor."""
    return jnp.linalg.cholesky(covariance)


def _ring(config: Any) -> Float[Array, " lag"]:
    """AR(1) on a ring."""
    return theory.markov_autocovariance(RING, config.correlation)


def _line(config: Any, length: int) -> Float[Array, "key key"]:
    """AR(1) between two ends."""
    positions = np.arange(length)
    return jnp.asarray(config.correlation ** np.abs(positions[:, None] - positions[None, :]))


def _image(config: Any) -> Float[Array, "row column"]:
    """Two rings at right angles; columns fall twice as fast as rows."""
    right = theory.markov_autocovariance(config.side, config.correlation)
    down = theory.markov_autocovariance(config.side, config.correlation**2)
    return down[:, None] * right[None, :]

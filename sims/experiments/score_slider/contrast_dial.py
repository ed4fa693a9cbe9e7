"""How many sequences each loss needs as two classes approach each other: closed forms only.   [C7, C16]"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import theory

_SIGNIFICANT = 2.0  # standard errors at which a sign counts as known, in n*


def contrast_dial(length: int, middle: float, contrasts: Sequence[float]) -> dict[str, np.ndarray]:
    """kappa and n* of both losses along lag 1, two Gaussian rings of rho = middle -+ contrast.   [C7, C16]"""
    ring = jax.jit(lambda rho: theory.circulant(theory.markov_autocovariance(length, rho)))
    ends = middle + np.outer(contrasts, (-1.0, 1.0))
    rings = np.array([[ring(rho) for rho in pair] for pair in ends])
    names = ("dial_kappa", "dial_label", "dial_reconstruction")
    needed = _needed(theory.contrast_direction(length, 1), jnp.asarray(rings))
    arrays = {name: np.asarray(each) for name, each in zip(names, needed, strict=True)}
    return {"dial_contrast": np.array(contrasts), **arrays}


@jax.jit
@functools.partial(jax.vmap, in_axes=(None, 0))
def _needed(
    direction: Float[Array, "query key"], rings: Float[Array, "classes query key"]
) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    pair = theory.class_contrast(direction, rings)
    signals = theory.label_signal(pair), theory.reconstruction_signal(pair)
    label, reconstruction = (theory.sequences_needed(signal, _SIGNIFICANT) for signal in signals)
    return pair.kappa, label, reconstruction

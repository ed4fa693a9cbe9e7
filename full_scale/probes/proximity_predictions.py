"""What the data alone predict for the first motion of attention scores, per distance between positions.

Leading order in 1/L, at uniform attention, small values, stationary data.   [C10, C11]
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from full_scale.model import Transformer
from theory import vector_proximity_law
from theory.probes.lags import lag_profile


def vector_law(features: Float[np.ndarray, "n length width"]) -> Float[np.ndarray, " lag"]:
    """`theory.vector_proximity_law` with Sigma(r) estimated from centred features, both directions summed.

    Entry 0 is 0: a masked token carries nothing.
    """
    length = features.shape[1]
    centred = features - features.mean(axis=0)
    sums = [np.einsum("nia,nib->ab", centred[:, : length - r], centred[:, r:]) for r in range(1, length)]
    lagged = [s / (len(features) * (length - r)) for r, s in enumerate(sums, start=1)]
    symmetric = np.stack([sigma + sigma.T for sigma in lagged])
    multiplicity = np.arange(length - 1, 0, -1, dtype=symmetric.dtype)
    law = vector_proximity_law(jnp.asarray(symmetric), jnp.asarray(multiplicity))
    return np.concatenate([[0.0], np.asarray(law, np.float64)])


def scalar_law(features: Float[np.ndarray, "n length width"]) -> Float[np.ndarray, " lag"]:
    """tr Sigma(r), the autocovariance of the features: C10 with V a positive multiple of 1."""
    centred = features - features.mean(axis=0)
    covariance = np.einsum("nia,nja->ij", centred, centred) / len(features)
    return np.concatenate([[0.0], lag_profile(covariance)[1:]])


def layer_inputs(model: Transformer, tokens: Array) -> Float[np.ndarray, "n length width"]:
    """What the first attention layer reads: the normalised sum of embedding and position."""
    nothing = jnp.zeros(tokens.shape[1], bool)
    norm = jax.vmap(model.blocks[0].attention_norm)
    return np.asarray(jax.jit(jax.vmap(lambda one: norm(model.embedded(one, nothing))))(tokens))


def token_features(tokens: Array, symbols: int | None) -> Float[np.ndarray, "n length width"]:
    """The data as vectors, whatever the model: indicators of the symbols, or the values themselves."""
    values = np.asarray(tokens)
    return values[..., None] if symbols is None else np.eye(symbols, dtype=np.float32)[values]

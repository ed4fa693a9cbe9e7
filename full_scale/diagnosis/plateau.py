"""How long labels would sit on the plateau along reconstruction's direction: C20's saddle, one score wide.

Time = learning rate x steps of gradient descent, scores dimensionless; a strict saddle at a head that
has found nothing. Other ways out, noise and adaptive steps shorten it: the number bounds nothing.   [C20]
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from full_scale.model import Transformer
from full_scale.model.frozen_attention import frozen
from full_scale.objectives.batch_loss import Data
from full_scale.probes.factored_gradients import FactoredGradients
from theory import escape_rate, escape_time, first_order_time
from theory.probes.signal import snr

START = 0.3  # deviation of a fresh model's scores along a unit direction, order of magnitude
_MOVED = 10.0  # score along the direction that counts as having left


def clocks(
    model: Transformer,
    gradients: dict[str, FactoredGradients],
    data: Data,
    direction: Float[np.ndarray, "layer head query key"],
) -> dict[str, float]:
    """Escape rate of labels, the times of both losses along the direction, and the contrast's standard score.

    Rate 0 and an infinite plateau where the two halves of the sequences do not agree on the contrast.
    """
    features, pulled = responses(model, gradients["label"], data, jnp.asarray(direction))
    one_hot = np.eye(model.inputs.classes)[np.asarray(data.labels)]
    errors = one_hot - one_hot.mean(axis=0)
    pairs = np.einsum("nc,nf->ncf", errors, pulled - pulled.mean(axis=0)).reshape(len(pulled), -1)
    order = np.random.default_rng(0).permutation(len(pairs))  # labels may alternate
    halves = [half.mean(axis=0) for half in np.array_split(pairs[order], 2)]
    squared = float(halves[0] @ halves[1])
    contrast = pairs.mean(axis=0).reshape(one_hot.shape[1], -1)
    logits = np.einsum("cf,nf->nc", contrast / max(np.linalg.norm(contrast), 1e-30), features)
    share = one_hot.mean(axis=0)
    curvature = float(((logits**2) @ share - (logits @ share) ** 2).mean())
    rate = float(escape_rate(curvature, np.sqrt(squared))) if squared > 0 else 0.0
    gradient = np.asarray(gradients["reconstruction"].along_each(jnp.asarray(direction))).mean(axis=0).sum()
    return {
        "escape_rate": rate,
        "plateau_time": float(escape_time(START, _MOVED, rate)) if rate > 0 else float("inf"),
        "reconstruction_time": float(first_order_time(_MOVED, jnp.asarray([gradient]))),
        "contrast_snr": float(snr(np.asarray(squared), pairs.var(axis=0, ddof=1).sum())),
    }


def responses(
    model: Transformer, gradients: FactoredGradients, data: Data, direction: Array
) -> tuple[np.ndarray, np.ndarray]:
    """z and its derivative along the direction, of every sequence, at uniform attention."""
    output_change = gradients.output_jvp(direction)
    features, pulled = _responses(model, output_change, data)
    return np.asarray(features, np.float64), np.asarray(pulled, np.float64)


@eqx.filter_jit
def _responses(model: Transformer, moves: Array, data: Data) -> tuple[Array, Array]:
    def one(item: tuple[Array, Data]) -> tuple[Array, Array]:
        move, row = item
        summary = lambda shifts: frozen(model, shifts=shifts).summary(row.tokens, row.lengths)
        return jax.jvp(summary, (jnp.zeros_like(move),), (move,))

    return jax.lax.map(one, (moves, data), batch_size=16)

"""Score gradients at uniform attention in factored form: what each query wants, and what each key offers.

At A_ij = m_j / n, the gradient of one sequence's loss in its scores is G_ij = A_ij u_i . (v_j - vbar), with
u_i = dloss/dH_i: rank at most d_head per head. Everything below is read off u and v; only the mean
over sequences is ever written out as a length x length matrix. Exact for every length.   [C2, C6, C19]
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from full_scale.diagnosis.frozen import FrozenAttention, counted, frozen, zero_shifts
from full_scale.model import Transformer
from full_scale.training.losses import label_loss, reconstruction_loss
from full_scale.training.masking import draw_mask
from full_scale.training.objectives import Data

CHUNK = 16  # sequences differentiated at once


class Pulls(eqx.Module):
    """G_ij = wants_i . offers_j, per sequence, layer and head; rows of G sum to 0.   [C19]"""

    wants: Float[Array, "n layer head length d_head"]
    """u_i = dloss/dH_i, for every query."""
    offers: Float[Array, "n layer head length d_head"]
    """A_j (v_j - vbar), for every key; 0 at padding."""

    def along(
        self, directions: Float[Array, "direction query key"]
    ) -> Float[Array, "n direction layer head"]:
        """<G, D> of every sequence, for directions shared by layers and heads."""
        one = lambda direction: jnp.einsum("nlhid,ij,nlhjd->nlh", self.wants, direction, self.offers)
        return jax.lax.map(one, directions).swapaxes(0, 1)

    def along_each(self, direction: Float[Array, "layer head query key"]) -> Float[Array, "n layer head"]:
        """<G, D> of every sequence, for a direction of each layer and head."""
        return jnp.einsum("nlhid,lhij,nlhjd->nlh", self.wants, direction, self.offers)

    def along_offsets(
        self, offsets: Int[Array, " offset"], rows: Bool[Array, "offset length"]
    ) -> Float[Array, "n offset layer head"]:
        """sum_i G_{i, i + r} over the chosen rows i, for every offset r: O(length d_head) each."""

        def one(item: tuple[Array, Array]) -> Array:
            offset, chosen = item
            moved = jnp.roll(self.offers, -offset, axis=3)
            return jnp.einsum("nlhid,nlhid,i->nlh", self.wants, moved, chosen.astype(jnp.float32))

        return jax.lax.map(one, (offsets, rows)).swapaxes(0, 1)

    def mean(self) -> Float[Array, "layer head query key"]:
        """The mean gradient over sequences."""
        return jnp.einsum("nlhid,nlhjd->lhij", self.wants, self.offers) / len(self.wants)

    def columns(self) -> Float[Array, "n layer head key"]:
        """sum_i G_ij: what the key-bias part is made of."""
        return jnp.einsum("nlhd,nlhjd->nlhj", self.wants.sum(axis=3), self.offers)

    def energy(self) -> Float[Array, "n layer head"]:
        """|G|^2 = tr((u^T u)(o^T o))."""
        gram = lambda factor: jnp.einsum("nlhid,nlhie->nlhde", factor, factor)
        return (gram(self.wants) * gram(self.offers)).sum(axis=(-2, -1))

    def key_bias_energy(self) -> Float[Array, "n layer head"]:
        """Squared norm of the part that is the same for every query."""
        return (self.columns() ** 2).sum(axis=-1) / self.wants.shape[3]


@eqx.filter_jit
def pulls(model: Transformer, labelled: bool, data: Data, *, key: PRNGKeyArray) -> Pulls:
    """Every sequence's gradient at uniform attention, of the label loss if `labelled`."""
    shifts = zero_shifts(model, data.tokens.shape[1])

    def one(item: tuple[Data, PRNGKeyArray]) -> tuple[Array, Array]:
        row, row_key = item
        masked = jnp.zeros(len(row.tokens), bool)
        if not labelled:
            masked = draw_mask(len(row.tokens), key=row_key, seen=row.lengths)

        def loss(shifts: Array) -> Array:
            moved = frozen(model, shifts=shifts)
            if labelled:
                return label_loss(moved, row.tokens, row.labels, length=row.lengths)
            return reconstruction_loss(moved, row.tokens, masked, length=row.lengths)

        return jax.grad(loss)(shifts), offered(model, row, masked)

    keys = jax.random.split(key, len(data.labels))
    return Pulls(*jax.lax.map(one, (data, keys), batch_size=CHUNK))


def offered(
    model: Transformer, row: Data, masked: Bool[Array, " length"]
) -> Float[Array, "layer head length d_head"]:
    """A_j (v_j - vbar) in every layer."""
    scope = model.scope(row.lengths, frozen_uniform=True)
    state, found = model.embedded(row.tokens, masked), []
    for block in model.blocks:
        values = FrozenAttention(block.attention).values(jax.vmap(block.attention_norm)(state), scope)
        seen = counted(values.shape[1], scope)
        share = (seen / seen.sum())[None, :, None]
        found.append(share * (values - (share * values).sum(axis=1, keepdims=True)))
        state = block(state, None, scope)  # uniform, as the scope says
    return jnp.stack(found)


def snr(samples: Float[np.ndarray, "n ..."]) -> float:
    """sum over layers and heads of mean^2 over that of the variances, without bias; 0 without signal."""
    rows = np.asarray(samples, np.float64).reshape(len(samples), -1)
    variance = rows.var(axis=0, ddof=1)
    signal = rows.mean(axis=0) ** 2 - variance / len(rows)
    return float(signal.sum() / variance.sum()) if variance.sum() > 0 else 0.0

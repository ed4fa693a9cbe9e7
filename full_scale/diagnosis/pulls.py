"""Score gradients at uniform attention in factored form: what each query wants, and what each key offers.

At A_ij = R_ij / n_i, R_ij whether query i reaches key j and n_i how many it reaches, the gradient of one
sequence's loss in its scores is G_ij = A_ij u_i . (v_j - vbar_i), with u_i = dloss/dH_i: rank at most
d_head + 1 per head, but for R. Everything below is read off u and v; only the mean over sequences is ever
written out as a length x length matrix. Exact for every length.   [C2, C6, C18, C19]
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from full_scale.diagnosis.frozen import FrozenAttention, averaged, counted, frozen, zero_shifts
from full_scale.diagnosis.reach import key_bias, row_centred
from full_scale.model import Transformer
from full_scale.training.losses import label_loss, next_token_loss, reconstruction_loss
from full_scale.training.masking import draw_mask
from full_scale.training.objectives import Data

CHUNK = 16  # sequences differentiated at once


class Pulls(eqx.Module):
    """G_ij = wants_i . (offers_j - centre_i) where i reaches j, per sequence, layer and head.   [C18, C19]"""

    wants: Float[Array, "n layer head length d_head"]
    """u_i / n_i: dloss/dH_i over the number of keys that the query reaches."""
    offers: Float[Array, "n layer head length d_head"]
    """v_j, less the mean v that all queries see unless causal; 0 at padding."""
    share: Float[Array, "n length"]
    """1 / n_i."""
    centre: Float[Array, "n layer head length d_head"] | None = None
    """Causal: the mean v that the query sees; None: every query reaches every key, and the mean is 0."""

    def along(
        self, directions: Float[Array, "direction query key"]
    ) -> Float[Array, "n direction layer head"]:
        """<G, D> of every sequence, for directions shared by layers and heads, whose rows sum to 0."""
        one = lambda direction: jnp.einsum("nlhid,ij,nlhjd->nlh", self.wants, direction, self.offers)
        return jax.lax.map(one, directions).swapaxes(0, 1)

    def along_each(self, direction: Float[Array, "layer head query key"]) -> Float[Array, "n layer head"]:
        """<G, D> of every sequence, for a direction of each layer and head, whose rows sum to 0."""
        return jnp.einsum("nlhid,lhij,nlhjd->nlh", self.wants, direction, self.offers)

    def moves(
        self, direction: Float[Array, "layer head query key"]
    ) -> Float[Array, "n layer head length d_head"]:
        """dH_i = sum_j D_ij v_j / n_i: what a step along the direction, whose rows sum to 0, adds to H."""
        return jnp.einsum("ni,lhij,nlhjd->nlhid", self.share, direction, self.offers)

    def along_offsets(
        self, offsets: Int[Array, " offset"], rows: Bool[Array, "offset length"]
    ) -> Float[Array, "n offset layer head"]:
        """sum_i G_{i, i + r} over the chosen rows i, for every offset r: O(length d_head) each."""
        centre = 0 if self.centre is None else self.centre

        def one(item: tuple[Array, Array]) -> Array:
            offset, chosen = item
            moved = jnp.roll(self.offers, -offset, axis=3) - centre
            return jnp.einsum("nlhid,nlhid,i->nlh", self.wants, moved, chosen.astype(jnp.float32))

        return jax.lax.map(one, (offsets, rows)).swapaxes(0, 1)

    def mean(self) -> Float[np.ndarray, "layer head query key"]:
        """The mean gradient over sequences."""
        found = np.asarray(jnp.einsum("nlhid,nlhjd->lhij", self.wants, self.offers) / len(self.wants))
        return found if self.centre is None else row_centred(found, causal=True)

    def columns(self) -> Float[Array, "n layer head key"]:
        """sum_i G_ij: what the key-bias part is made of."""
        if self.centre is None:
            return jnp.einsum("nlhd,nlhjd->nlhj", self.wants.sum(axis=3), self.offers)
        later = lambda terms: jnp.cumsum(terms[:, :, :, ::-1], axis=3)[:, :, :, ::-1]
        return (later(self.wants) * self.offers).sum(axis=-1) - later((self.wants * self.centre).sum(axis=-1))

    def energy(self) -> Float[Array, "n layer head"]:
        """|G|^2 = tr((u^T u)(o^T o)); causal, row by row."""
        if self.centre is None:
            gram = lambda factor: jnp.einsum("nlhid,nlhie->nlhde", factor, factor)
            return (gram(self.wants) * gram(self.offers)).sum(axis=(-2, -1))

        def one(item: tuple[Array, Array, Array]) -> Array:
            wants, offers, centre = item
            each = jnp.einsum("lhid,lhjd->lhij", wants, offers) - (wants * centre).sum(axis=-1)[..., None]
            return jnp.tril(each**2).sum(axis=(-2, -1))

        return jax.lax.map(one, (self.wants, self.offers, self.centre))

    def key_bias_energy(self) -> Float[np.ndarray, "n layer head"]:
        """Squared norm of the part that is the same for every query: t K^+ t with t the column sums."""
        columns = np.asarray(self.columns(), np.float64)
        return (columns * key_bias(columns, self.centre is not None)).sum(axis=-1)


@eqx.filter_jit
def pulls(model: Transformer, labelled: bool, data: Data, *, key: PRNGKeyArray) -> Pulls:
    """Every sequence's gradient at uniform attention, of the label loss if `labelled`."""
    shifts, causal = zero_shifts(model, data.tokens.shape[1]), model.config.causal

    def one(item: tuple[Data, PRNGKeyArray]) -> tuple[Array, Array, Array, Array | None]:
        row, row_key = item
        masked = jnp.zeros(len(row.tokens), bool)
        if not labelled and not causal:
            masked = draw_mask(len(row.tokens), key=row_key, seen=row.lengths)

        def loss(shifts: Array) -> Array:
            moved = frozen(model, shifts=shifts)
            if labelled:
                return label_loss(moved, row.tokens, row.labels, length=row.lengths)
            if causal:
                return next_token_loss(moved, row.tokens, length=row.lengths)
            return reconstruction_loss(moved, row.tokens, masked, length=row.lengths)

        wants, (offers, share, centre) = jax.grad(loss)(shifts), offered(model, row, masked)
        return wants * share[None, None, :, None], offers, share, centre

    keys = jax.random.split(key, len(data.labels))
    return Pulls(*jax.lax.map(one, (data, keys), batch_size=CHUNK))


def offered(
    model: Transformer, row: Data, masked: Bool[Array, " length"]
) -> tuple[
    Float[Array, "layer head length d_head"],
    Float[Array, " length"],
    Float[Array, "layer head length d_head"] | None,
]:
    """In every layer m_j v_j, 1 / n_i and the mean v of what query i reaches; not causal: v less its mean."""
    scope = model.scope(row.lengths, frozen_uniform=True)
    state, found, centres = model.embedded(row.tokens, masked), [], []
    for block in model.blocks:
        values = FrozenAttention(block.attention).values(jax.vmap(block.attention_norm)(state), scope)
        seen = counted(values.shape[1], scope)
        there = seen[None, :, None]
        mean = averaged(values * there, seen, None, scope.causal)
        found.append(there * (values if scope.causal else values - mean))
        centres.append(mean)
        state = block(state, None, scope)  # uniform, as the scope says
    reached = jnp.cumsum(seen) if scope.causal else jnp.broadcast_to(seen.sum(), seen.shape)
    return jnp.stack(found), 1 / reached, jnp.stack(centres) if scope.causal else None


def snr(samples: Float[np.ndarray, "n ..."]) -> float:
    """sum over layers and heads of mean^2 over that of the variances, without bias; 0 without signal."""
    rows = np.asarray(samples, np.float64).reshape(len(samples), -1)
    variance = rows.var(axis=0, ddof=1)
    signal = rows.mean(axis=0) ** 2 - variance / len(rows)
    return float(signal.sum() / variance.sum()) if variance.sum() > 0 else 0.0

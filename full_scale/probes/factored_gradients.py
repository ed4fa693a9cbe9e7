"""Score gradients at uniform attention in factored form: a factor per query and a factor per key.

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

from full_scale.model import Transformer
from full_scale.model.frozen_attention import FrozenAttention, averaged, counted, frozen, zero_shifts
from full_scale.objectives.batch_loss import Data
from full_scale.objectives.losses import label_loss, next_token_loss, reconstruction_loss
from full_scale.objectives.masking import draw_mask
from theory.label_blindness.centring import key_bias, row_centred

CHUNK = 16  # sequences differentiated at once


class FactoredGradients(eqx.Module):
    """G_ij = query_factor_i . (key_factor_j - centre_i) if i reaches j, per layer and head.   [C18, C19]"""

    query_factor: Float[Array, "n layer head length d_head"]
    """u_i / n_i: dloss/dH_i over the number of keys that the query reaches."""
    key_factor: Float[Array, "n layer head length d_head"]
    """v_j, less the mean v that all queries see unless causal; 0 at padding."""
    inverse_key_count: Float[Array, "n length"]
    """1 / n_i."""
    centre: Float[Array, "n layer head length d_head"] | None = None
    """Causal: the mean v that the query sees; None: every query reaches every key, and the mean is 0."""

    def along(
        self, directions: Float[Array, "direction query key"]
    ) -> Float[Array, "n direction layer head"]:
        """<G, D> of every sequence, for directions shared by layers and heads, whose rows sum to 0."""
        one = lambda direction: jnp.einsum(
            "nlhid,ij,nlhjd->nlh", self.query_factor, direction, self.key_factor
        )
        return jax.lax.map(one, directions).swapaxes(0, 1)

    def along_each(self, direction: Float[Array, "layer head query key"]) -> Float[Array, "n layer head"]:
        """<G, D> of every sequence, for a direction of each layer and head, whose rows sum to 0."""
        return jnp.einsum("nlhid,lhij,nlhjd->nlh", self.query_factor, direction, self.key_factor)

    def output_jvp(
        self, direction: Float[Array, "layer head query key"]
    ) -> Float[Array, "n layer head length d_head"]:
        """dH_i = sum_j D_ij v_j / n_i: what a step along the direction, whose rows sum to 0, adds to H."""
        return jnp.einsum("ni,lhij,nlhjd->nlhid", self.inverse_key_count, direction, self.key_factor)

    def along_offsets(
        self, offsets: Int[Array, " offset"], rows: Bool[Array, "offset length"]
    ) -> Float[Array, "n offset layer head"]:
        """sum_i G_{i, i + r} over the chosen rows i, for every offset r: O(length d_head) each."""
        centre = 0 if self.centre is None else self.centre

        def one(item: tuple[Array, Array]) -> Array:
            offset, chosen = item
            moved = jnp.roll(self.key_factor, -offset, axis=3) - centre
            return jnp.einsum("nlhid,nlhid,i->nlh", self.query_factor, moved, chosen.astype(jnp.float32))

        return jax.lax.map(one, (offsets, rows)).swapaxes(0, 1)

    def mean(self) -> Float[np.ndarray, "layer head query key"]:
        """The mean gradient over sequences."""
        average = np.asarray(
            jnp.einsum("nlhid,nlhjd->lhij", self.query_factor, self.key_factor) / len(self.query_factor)
        )
        return average if self.centre is None else row_centred(average, causal=True)

    def columns(self) -> Float[Array, "n layer head key"]:
        """sum_i G_ij: what the key-bias part is made of."""
        if self.centre is None:
            return jnp.einsum("nlhd,nlhjd->nlhj", self.query_factor.sum(axis=3), self.key_factor)
        later = lambda terms: jnp.cumsum(terms[:, :, :, ::-1], axis=3)[:, :, :, ::-1]
        return (later(self.query_factor) * self.key_factor).sum(axis=-1) - later(
            (self.query_factor * self.centre).sum(axis=-1)
        )

    def energy(self) -> Float[Array, "n layer head"]:
        """|G|^2 = tr((u^T u)(o^T o)); causal, row by row."""
        if self.centre is None:
            gram = lambda factor: jnp.einsum("nlhid,nlhie->nlhde", factor, factor)
            return (gram(self.query_factor) * gram(self.key_factor)).sum(axis=(-2, -1))

        def one(item: tuple[Array, Array, Array]) -> Array:
            query_factor, key_factor, centre = item
            each = (
                jnp.einsum("lhid,lhjd->lhij", query_factor, key_factor)
                - (query_factor * centre).sum(axis=-1)[..., None]
            )
            return jnp.tril(each**2).sum(axis=(-2, -1))

        return jax.lax.map(one, (self.query_factor, self.key_factor, self.centre))

    def key_bias_energy(self) -> Float[np.ndarray, "n layer head"]:
        """Squared norm of the part that is the same for every query: t K^+ t with t the column sums."""
        columns = np.asarray(self.columns(), np.float64)
        return (columns * key_bias(columns, self.centre is not None)).sum(axis=-1)


@eqx.filter_jit
def score_gradients(
    model: Transformer, labelled: bool, data: Data, *, key: PRNGKeyArray
) -> FactoredGradients:
    """Every sequence's gradient at uniform attention, of the label loss if `labelled`."""
    shifts, causal = zero_shifts(model, data.tokens.shape[1]), model.config.causal

    def one(item: tuple[Data, PRNGKeyArray]) -> tuple[Array, Array, Array, Array | None]:
        row, row_key = item
        masked = jnp.zeros(len(row.tokens), bool)
        if not labelled and not causal:
            masked = draw_mask(len(row.tokens), key=row_key, real_length=row.lengths)

        def loss(shifts: Array) -> Array:
            moved = frozen(model, shifts=shifts)
            if labelled:
                return label_loss(moved, row.tokens, row.labels, length=row.lengths)
            if causal:
                return next_token_loss(moved, row.tokens, length=row.lengths)
            return reconstruction_loss(moved, row.tokens, masked, length=row.lengths)

        query_factor, (key_factor, share, centre) = jax.grad(loss)(shifts), _offered(model, row, masked)
        return query_factor * share[None, None, :, None], key_factor, share, centre

    keys = jax.random.split(key, len(data.labels))
    return FactoredGradients(*jax.lax.map(one, (data, keys), batch_size=CHUNK))


def _offered(
    model: Transformer, row: Data, masked: Bool[Array, " length"]
) -> tuple[
    Float[Array, "layer head length d_head"],
    Float[Array, " length"],
    Float[Array, "layer head length d_head"] | None,
]:
    """In every layer m_j v_j, 1 / n_i and the mean v of what query i reaches; not causal: v less its mean."""
    scope = model.scope(row.lengths, frozen_uniform=True)
    state, factors, centres = model.embedded(row.tokens, masked), [], []
    for block in model.blocks:
        values = FrozenAttention(block.attention).values(jax.vmap(block.attention_norm)(state), scope)
        mask = counted(values.shape[1], scope)
        there = mask[None, :, None]
        mean = averaged(values * there, mask, scope.causal)
        factors.append(there * (values if scope.causal else values - mean))
        centres.append(mean)
        state = block(state, None, scope)  # uniform, as the scope says
    reached = jnp.cumsum(mask) if scope.causal else jnp.broadcast_to(mask.sum(), mask.shape)
    return jnp.stack(factors), 1 / reached, jnp.stack(centres) if scope.causal else None

"""Inner products of per-sample score gradients. Exact for every L; memory O(n L^2) at worst.

K_nm = <G_n, G_m> over (L, L), one Gram matrix per layer and head: everything that spectra, ranks and
angles need, and n x n instead of L^2 x L^2.   [C1]
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

from theory.minimal_model.attention import attention_weights
from theory.minimal_model.shapes import require_length
from theory.probes.sources import Source, chunks

MEMORY = 1_200_000_000
"""Bytes of gradients held at once."""

CHUNK = 1 / 32
"""Share of that memory that is differentiated at once; reverse mode takes several times as much."""

PANEL = 8
"""Chunks whose products with a tile are taken together: each time the whole tile is read."""

Visit = Callable[[int, Float[Array, "sample *maps query key"]], None]
Report = Callable[[int, int], None]


def label_gram(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "sample key width"],
    value_map: Float[Array, "features width"],
    head_gradients: Float[Array, "sample features"],
) -> Float[Array, "sample sample"]:
    """K_nm = <G_n, G_m> of `label_score_gradient`, without forming any G.   [C1, C2]

    With s_nj = u_n^T V x_nj, B = A o A, h = s A^T:
    L^2 K = s diag(1^T B) s^T - s B^T h^T - h B s^T + h diag(B 1) h^T.

    Parameters
    ----------
    scores, tokens, value_map
        S (L, L), shared by all samples; X (n, L, d); V (features, d).
    head_gradients
        u_n = dl_n/dz, shape (n, features).

    Returns
    -------
    (n, n), of rank at most L - 1 for any S: time O(n L^2 + n^2 L), memory O(L^2 + n L).

    Raises
    ------
    ValueError
        If `scores` is not square, or the numbers of positions or samples differ.
    """
    weights = attention_weights(scores)
    require_length(tokens[0], len(scores), "tokens[0]", "scores", axes=2)
    require_length(head_gradients, len(tokens), "head_gradients", "tokens", axes=2)
    per_key = jnp.einsum("nf,fw,nkw->nk", head_gradients, value_map, tokens)
    squares, per_query = weights**2, per_key @ weights.T
    crossed = (per_key @ squares.T) @ per_query.T
    own = (per_key * squares.sum(axis=0)[None, :]) @ per_key.T
    mean = (per_query * squares.sum(axis=1)[None, :]) @ per_query.T
    return (own - crossed - crossed.T + mean) / len(scores) ** 2


def gram(
    source: Source,
    *,
    visit: Visit | None = None,
    memory: int = MEMORY,
    report: Report | None = None,
) -> Float[np.ndarray, "*maps sample sample"]:
    """K_nm = <G_n, G_m> per layer and head, in tiles that fit into `memory` bytes.

    Samples that do not fit at once are differentiated again, tile by tile: k tiles cost (k+1)/2 times
    the work of one.

    Parameters
    ----------
    source
        Gradients by range of samples.
    visit
        Called with (start, gradients) for every range, once for every sample or, at the end of a
        range that does not divide, twice with the same values.
    report
        Called with (done, total) gradients.
    """
    count, shape = source.samples, source.bias.shape
    each = source.bias.size * source.bias.dtype.itemsize
    rows = int(np.clip(memory // each, 2, count))
    rows = -(-count // -(-count // rows))
    size = chunk_size(source.bias, memory, rows)
    maps = source.bias.size // shape[-1] ** 2
    inner = np.zeros((maps, count, count), source.bias.dtype)
    total = sum(count - first for first in range(0, count, rows))
    done = 0

    def progress(number: int) -> None:
        nonlocal done
        done = min(done + number, total)
        if report is not None:
            report(done, total)

    for first in range(0, count, rows):
        last = min(first + rows, count)
        store = jnp.zeros((maps, last - first, shape[-1] ** 2), source.bias.dtype)
        for start, stop in chunks(first, last, size):
            gradients = source(start, stop)
            if visit is not None:
                visit(start, gradients)
            store = filled(store, gradients, start - first)
            progress(stop - start)
        own = require_finite(np.asarray(products(store, store)), first)
        inner[:, first:last, first:last] = own
        for low, high in chunks(last, count, PANEL * size) if last < count else ():
            panel = jnp.zeros((maps, high - low, shape[-1] ** 2), source.bias.dtype)
            for start, stop in chunks(low, high, size):
                panel = filled(panel, source(start, stop), start - low)
                progress(stop - start)
            cross = np.asarray(products(store, panel))
            inner[:, first:last, low:high] = cross
            inner[:, low:high, first:last] = cross.swapaxes(1, 2)
        del store
    return inner.reshape(*shape[:-2], count, count)


def chunk_size(bias: Float[Array, "*maps query key"], memory: int, most: int) -> int:
    """How many samples to differentiate at once."""
    return int(np.clip(memory * CHUNK // (bias.size * bias.dtype.itemsize), 1, most))


def flat(gradients: Float[Array, "sample *maps query key"]) -> Float[Array, "map sample entry"]:
    """(maps, samples, L^2): layers and heads in front, scores as one axis."""
    samples, length = len(gradients), gradients.shape[-1]
    return gradients.reshape(samples, -1, length**2).swapaxes(0, 1)


@functools.partial(jax.jit, donate_argnums=0)
def filled(
    store: Float[Array, "map row entry"],
    gradients: Float[Array, "sample *maps query key"],
    at: Int[ArrayLike, ""],
) -> Float[Array, "map row entry"]:
    """The store with these gradients in its rows from `at` on; in place."""
    return jax.lax.dynamic_update_slice(store, flat(gradients), (0, at, 0))


@jax.jit
def products(
    rows: Float[Array, "map row entry"], columns: Float[Array, "map column entry"]
) -> Float[Array, "map row column"]:
    """All inner products, map by map: no copy of the rows is made."""
    return jnp.einsum("mre,mce->mrc", rows, columns)


def require_finite(own: Float[np.ndarray, "map row row"], first: int) -> Float[np.ndarray, "map row row"]:
    """The inner products, or `ValueError` that names the first sample whose gradient is not finite."""
    fine = np.isfinite(np.diagonal(own, axis1=1, axis2=2)).all(axis=0)
    if not fine.all():
        raise ValueError(
            f"gradients must be finite: got NaN or infinity at sample {first + int(np.argmin(fine))}; "
            f"check that sample, and masks that forbid every key of a query"
        )
    return own

"""Images as a torus: rows and columns both close, and a lag is a displacement of two numbers. Exact for every size.

Positions are pixels in raster order, row by row: pixel (a, b) of an image of H rows and W columns is position
a W + b of L = H W.   [C30]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from theory.minimal_model.shapes import require_image, require_square
from theory.reconstruction.masked_loss import Scalar, proximity_law


def torus_circulant(kernel: Float[Array, "row column"]) -> Float[Array, "query key"]:
    """M_ij = g(j - i), rows of the image modulo H and columns modulo W: one number per displacement.   [C30]

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point matrix of at least 2 pixels.

    Examples
    --------
    On one row it is `circulant`:

    >>> import jax.numpy as jnp, theory
    >>> kernel = jnp.array([0.0, 1.0, 2.0])
    >>> bool((theory.torus_circulant(kernel[None]) == theory.circulant(kernel)).all())
    True
    """
    require_image(kernel, "kernel")
    rows, columns = _pixels(*kernel.shape)
    between = lambda along, size: (along[None, :] - along[:, None]) % size
    return kernel[between(rows, kernel.shape[0]), between(columns, kernel.shape[1])]


def torus_kernel(matrix: Float[Array, "query key"], height: int, width: int) -> Float[Array, "height width"]:
    """k(r) = mean_i M_{i, i+r}: the mean over queries at each displacement, as an image.   [C30]

    Raises
    ------
    ValueError
        If `matrix` is not a square floating-point matrix of `height` x `width` positions.
    """
    require_square(matrix, "matrix")
    if len(matrix) != height * width:
        raise ValueError(
            f"matrix must have height x width = {height * width} positions: got {len(matrix)}; "
            "give the image's rows and columns"
        )
    rows, columns = _pixels(height, width)
    keys = (rows[:, None] + rows[None, :]) % height * width + (columns[:, None] + columns[None, :]) % width
    return matrix[jnp.arange(len(matrix))[:, None], keys].mean(axis=0).reshape(height, width)


def torus_proximity_law(
    value: Scalar, autocovariance: Float[Array, "row column"]
) -> Float[Array, "row column"]:
    """-dl/dS_{i,i+r} at uniform attention, r a displacement on the torus.   [C30]

    C10's law with the two-dimensional autocovariance: (1/L^2) [v (1 + v/L) (Co(r) - mean Co) -
    (v^2 T/L) (1[r != 0] - (L-1)/L)].

    Parameters
    ----------
    autocovariance
        C(r), shape (H, W), cyclic and even: C(-r) = C(r), rows and columns together.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point matrix of at least 2 pixels.

    Examples
    --------
    Alike along rows more than along columns: the pixel to the right is pulled more than the one below.

    >>> import jax.numpy as jnp, theory
    >>> down, right = theory.markov_autocovariance(6, 0.4), theory.markov_autocovariance(8, 0.7)
    >>> law = theory.torus_proximity_law(0.5, jnp.outer(down, right))
    >>> bool(law[0, 1] > law[1, 0] > law[1, 1])
    True
    """
    require_image(autocovariance, "autocovariance")
    return proximity_law(value, autocovariance.ravel()).reshape(autocovariance.shape)


def raster_kernel(kernel: Float[Array, "row column"]) -> Float[Array, " lag"]:
    """mean_i M_{i,i+n} at each lag n of raster order, M = `torus_circulant(kernel)`.   [C30]

    At n = a W + b it is (1 - b/W) g(a, b) + (b/W) g(a + 1, b): b of W pixels have that partner in the row below
    the one meant.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point matrix of at least 2 pixels.
    """
    require_image(kernel, "kernel")
    wrapped = (jnp.arange(kernel.shape[1]) / kernel.shape[1])[None, :]
    return ((1 - wrapped) * kernel + wrapped * jnp.roll(kernel, -1, axis=0)).ravel()


def raster_share(kernel: Float[Array, "row column"]) -> Float[Array, ""]:
    """Of the squared norm of `torus_circulant(kernel)`, what scores of raster lags alone hold.   [C30]

    sum_n k(n)^2 / sum_r g(r)^2, k = `raster_kernel`; the rest is lost to the ends of rows, of relative size 2 |b|/W
    at b columns to either side.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point matrix of at least 2 pixels.
    """
    return jnp.sum(raster_kernel(kernel) ** 2) / jnp.sum(kernel**2)


def _pixels(height: int, width: int) -> tuple[Int[Array, " pixel"], Int[Array, " pixel"]]:
    """Row and column of each position in raster order."""
    return jnp.divmod(jnp.arange(height * width), width)

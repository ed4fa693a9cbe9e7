"""What every function here asks of its arrays, checked from static shapes alone.

The checks of arrays read shapes and dtypes, never values: they also work under `jax.jit`. Numbers are checked
where they are known, and not while they are traced.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Shaped

SHORTEST = 2  # one token has nobody to attend to but itself


def require_square(matrix: Shaped[Array, "..."], name: str) -> None:
    """Raise `ValueError` unless `matrix` is (L, L), real floating, L >= 2."""
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if square and matrix.shape[0] >= SHORTEST and jnp.issubdtype(matrix.dtype, jnp.floating):
        return
    raise ValueError(
        f"{name} must be a square floating-point matrix of at least {SHORTEST} positions: "
        f"got shape={tuple(matrix.shape)}, dtype={matrix.dtype}; "
        f"pass one row per query and one column per key, as float64 or float32"
    )


def require_kernel(kernel: Shaped[Array, "..."], name: str) -> None:
    """Raise `ValueError` unless `kernel` is (L,), real floating, L >= 2."""
    if kernel.ndim == 1 and len(kernel) >= SHORTEST and jnp.issubdtype(kernel.dtype, jnp.floating):
        return
    raise ValueError(
        f"{name} must be a floating-point vector of at least {SHORTEST} lags: "
        f"got shape={tuple(kernel.shape)}, dtype={kernel.dtype}; "
        f"pass one entry per cyclic lag 0..L-1, as float64 or float32"
    )


def require_image(kernel: Shaped[Array, "..."], name: str) -> None:
    """Raise `ValueError` unless `kernel` is (H, W), real floating, of at least 2 pixels."""
    if kernel.ndim == 2 and kernel.size >= SHORTEST and jnp.issubdtype(kernel.dtype, jnp.floating):
        return
    raise ValueError(
        f"{name} must be a floating-point matrix of at least {SHORTEST} pixels: "
        f"got shape={tuple(kernel.shape)}, dtype={kernel.dtype}; "
        f"pass one entry per displacement, rows first, as float64 or float32"
    )


def require_length(array: Shaped[Array, "..."], length: int, name: str, partner: str, *, axes: int) -> None:
    """Raise `ValueError` unless `array` has `length` rows, as `partner` has, and `axes` axes in all."""
    if array.ndim != axes:
        raise ValueError(
            f"{name} must have {axes} axes, positions first: got shape={tuple(array.shape)}; "
            f"map over a batch with jax.vmap"
        )
    if array.shape[0] == length:
        return
    raise ValueError(
        f"{name} must have as many positions as {partner}: got shape={tuple(array.shape)} "
        f"for {length} positions; cut or pad {name} to {length}"
    )


def require_correlation(correlation: ArrayLike, *, limits: bool = False) -> None:
    """Raise `ValueError` unless -1 < correlation < 1, or -1 and 1 too if `limits`; traced numbers pass."""
    if isinstance(correlation, jax.core.Tracer):
        return
    size = np.abs(np.asarray(correlation)).max()
    if not (size <= 1 if limits else size < 1):
        raise ValueError(
            f"correlation must lie between -1 and 1: got {correlation}; beyond, no stationary process has it"
        )

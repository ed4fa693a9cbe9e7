"""What every function here asks of its arrays, checked from static shapes alone.

The checks read shapes and dtypes, never values: they also work under `jax.jit`.
"""

import jax.numpy as jnp
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


def require_length(array: Shaped[Array, "..."], length: int, name: str, partner: str) -> None:
    """Raise `ValueError` unless `array` has `length` rows, as `partner` has."""
    if array.ndim >= 1 and array.shape[0] == length:
        return
    raise ValueError(
        f"{name} must have as many positions as {partner}: got shape={tuple(array.shape)} "
        f"for {length} positions; cut or pad {name} to {length}"
    )

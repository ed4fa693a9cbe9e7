"""Training and probing run in float32 whatever the caller's default, so that results do not depend on it."""

import contextlib
from collections.abc import Iterator

import jax


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """Within, new arrays are float32 and int32, and types promote by JAX's standard rules.

    Optax's schedules mix integers and floats, which strict promotion refuses.
    """
    with jax.enable_x64(False), jax.numpy_dtype_promotion("standard"):
        yield

"""Where random numbers begin: one key per experiment and seed, whatever else runs and in which order."""

import zlib

import jax
from jaxtyping import PRNGKeyArray


def stage_key(name: str, seed: int) -> PRNGKeyArray:
    """The random key of an experiment: whichever ran before it, and the same for a task and its probes."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(name.removesuffix("_probes").encode()))

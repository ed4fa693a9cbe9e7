"""Windows of English letters: the prose that CPython ships, split by document. Real text, no closed law."""

import functools
import itertools
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from sims.runs.store import UserError
from sims.tasks.prose import cpython_topics, windows, without_repeats

Part = Literal["train", "held_out"]
HELD_OUT_EVERY, FIRST_HELD_OUT = 5, 2  # of the documents from long to short: about a fifth of the letters


@functools.cache
def text(part: Part, length: int) -> tuple[Int[np.ndarray, " letter"], Int[np.ndarray, " start"]]:
    """The part's letters as 0..26, and every place where a window inside one document begins."""
    every = sorted(without_repeats(cpython_topics()[0]).values(), key=len, reverse=True)
    held_out = every[FIRST_HELD_OUT::HELD_OUT_EVERY]
    documents = held_out if part == "held_out" else [each for each in every if each not in held_out]
    long_enough = [each for each in documents if len(each) >= length]
    if not long_enough:
        raise UserError(
            f"length must leave windows within documents: got {length}, the longest has {len(documents[0])} "
            f"letters; try 64"
        )
    begins = np.cumsum([0, *map(len, long_enough)])
    starts = [np.arange(begin, end - length + 1) for begin, end in itertools.pairwise(begins)]
    return np.concatenate([windows(each, 1)[:, 0] for each in long_enough]), np.concatenate(starts)


def letters(key: PRNGKeyArray, number: int, length: int, part: Part) -> Int[Array, "number length"]:
    """`number` windows, every place in the part equally likely."""
    codes, starts = text(part, length)
    begins = jax.random.choice(key, jnp.asarray(starts), (number,))
    return jnp.asarray(codes, jnp.int32)[begins[:, None] + jnp.arange(length)[None, :]]

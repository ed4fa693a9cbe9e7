"""Windows of English letters: the prose that CPython ships, split by document. Real text, no closed law."""

import functools
import itertools
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from sims.prose import cpython_topics, windows, without_repeats
from sims.store import UserError

Part = Literal["train", "held_out"]
HELD_OUT_EVERY = 5  # of the documents, in their own order


@functools.cache
def text(part: Part, length: int) -> tuple[Int[np.ndarray, " letter"], Int[np.ndarray, " start"]]:
    """The part's letters as 0..26, and every place where a window inside one document begins."""
    documents = [each for each in without_repeats(cpython_topics()[0]).values() if len(each) >= length]
    kept = [each for n, each in enumerate(documents) if (n % HELD_OUT_EVERY == 0) == (part == "held_out")]
    if not kept:
        longest = max(map(len, documents), default=0)
        raise UserError(
            f"length must leave windows within documents: got {length}, the longest has {longest} letters; "
            f"try 64"
        )
    begins = np.cumsum([0, *map(len, kept)])
    starts = [np.arange(begin, end - length + 1) for begin, end in itertools.pairwise(begins)]
    return np.concatenate([windows(each, 1)[:, 0] for each in kept]), np.concatenate(starts)


def letters(key: PRNGKeyArray, number: int, length: int, part: Part) -> Int[Array, "number length"]:
    """`number` windows, every place in the part equally likely."""
    codes, starts = text(part, length)
    places = jax.random.choice(key, jnp.asarray(starts), (number,))
    return jnp.asarray(codes, jnp.int32)[places[:, None] + jnp.arange(length)[None, :]]

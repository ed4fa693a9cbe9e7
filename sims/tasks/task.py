"""What every toy task is: a frozen config that draws any number of labelled sequences from a key.

Two classes, labels 0 and 1. Tokens are symbols 0, 1, ... where the task has an alphabet, else numbers.
"""

import abc
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

Tokens = Int[Array, "number length"] | Float[Array, "number length"]
Labels = Int[Array, " number"]


class Task(abc.ABC):
    """A sequence-classification task; its subclasses are frozen dataclasses."""

    name: ClassVar[str]
    length: int

    @property
    def symbols(self) -> int | None:
        """Size of the alphabet; None where tokens are numbers."""
        return None

    @property
    def known(self) -> dict[str, float]:
        """Accuracies known exactly, in the limit of long training, for some of "constant", "bag", "linear",
        "pairs" and "any" (no model does better).

        "bag" and "any" are best possible. "linear" and "pairs" are logistic regressions: where the classes'
        mean features agree the best of them is constant, because the loss is convex with gradient 0 there."""
        return {"constant": 0.5}

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """`number` labelled sequences: a pure function of the key; `number` is static under jit."""

    def held_out(self) -> "Task":
        """The same task on data that `sample` never draws; itself where every draw is fresh."""
        return self


def fair_coins(key: PRNGKeyArray, number: int) -> Labels:
    """Independent labels, 0 or 1 with chance 1/2."""
    return jax.random.bernoulli(key, 0.5, (number,)).astype(jnp.int32)


def by_label(labels: Labels, zero: Tokens, one: Tokens) -> Tokens:
    """Row by row, the sequence of the label's class."""
    return jnp.where(labels[:, None] == 1, one, zero)

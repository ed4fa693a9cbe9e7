"""Order tasks: a sequence as it came (label 1), or the same bag in another order (label 0).

Every bag is equally likely under both labels, so whatever reads only the bag is at chance: exactly, for
every source, length and width.
"""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray, Shaped

from sims.processes import Process, balanced_runs, mixed_runs
from sims.processes.runs import require_mixed
from sims.runs.store import UserError
from sims.tasks.letters import Part, letters, text
from sims.tasks.prose import SYMBOLS
from sims.tasks.task import Labels, Task, Tokens, by_label, fair_coins

_BAG_BLIND = {"constant": 0.5, "bag": 0.5}


def _in_order_or_not(tokens: Tokens, width: int, *, key: PRNGKeyArray) -> tuple[Tokens, Labels]:
    """Fair labels; where the label is 0, each block of `width` tokens in a random order of its own."""
    label_key, order_key = jax.random.split(key)
    labels = fair_coins(label_key, len(tokens))
    return by_label(labels, permute_blocks(tokens, width, key=order_key), tokens), labels


def permute_blocks(
    tokens: Shaped[Array, "number length"], width: int, *, key: PRNGKeyArray
) -> Shaped[Array, "number length"]:
    """Tokens in a random order within consecutive blocks of `width`, which divides the length."""
    blocks = tokens.reshape(-1, width)
    order = jnp.argsort(jax.random.uniform(key, blocks.shape), axis=1)
    return jnp.take_along_axis(blocks, order, axis=1).reshape(tokens.shape)


class Letters(Task):
    """Windows of English letters, split by document."""

    part: Part

    @property
    def symbols(self) -> int:
        """26 letters and the space."""
        return SYMBOLS

    @property
    def known(self) -> dict[str, float]:
        """The bag says nothing."""
        return _BAG_BLIND

    @property
    def moved_within(self) -> int:
        """Letters per block that is permuted."""
        return self.length

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """Windows in order (1) or permuted (0)."""
        window_key, order_key = jax.random.split(key)
        windows = letters(window_key, number, self.length, self.part)
        return _in_order_or_not(windows, self.moved_within, key=order_key)

    def held_out(self) -> "Letters":
        """Windows of other documents."""
        return dataclasses.replace(self, part="held_out")  # type: ignore[type-var]


@dataclasses.dataclass(frozen=True)
class Order(Letters):
    """English letters in their order, or permuted anywhere in the window."""

    name: ClassVar[str] = "order"
    length: int = 64
    """Letters per window."""
    part: Part = "train"
    """Documents the windows come from."""

    def __post_init__(self) -> None:
        require_blocks(self.length, self.length)
        text(self.part, self.length)


@dataclasses.dataclass(frozen=True)
class LocalPermute(Letters):
    """English letters in their order, or permuted within blocks: a dial for how far order reaches."""

    name: ClassVar[str] = "local-permute"
    length: int = 64
    """Letters per window."""
    width: int = 8
    """Letters per block, a divisor of the length from 2 on; at the length it is `order`."""
    part: Part = "train"
    """Documents the windows come from."""

    def __post_init__(self) -> None:
        require_blocks(self.length, self.width)
        text(self.part, self.length)

    @property
    def moved_within(self) -> int:
        """Letters per block that is permuted."""
        return self.width


@dataclasses.dataclass(frozen=True)
class ShuffleRuns(Task):
    """+-1 in runs on a ring, or the same signs permuted; at equal counts all bags are one bag.

    Whatever adds up over positions is at chance too: a token is +1 with chance 1/2 under both labels.
    `balanced` is a dial for the sum of a sequence, which decides whether attention learns to look at
    neighbours or away from them [C24]; C(1) does not depend on it."""

    name: ClassVar[str] = "shuffle-runs"
    length: int = 64
    """L, tokens per sequence, even."""
    runs: int = 16
    """Runs on the ring, even; permuted signs have L^2 / (2 (L - 1)) of them on average."""
    balanced: float = 1.0
    """Share of rings with equal counts; the others are Markov, with so many runs on average."""

    def __post_init__(self) -> None:
        require_mixed(self.length, self.runs, self.balanced)

    @property
    def process(self) -> Process:
        """The rings of label 1."""
        if self.balanced == 1:
            return balanced_runs(self.length, self.runs)
        return mixed_runs(self.length, self.runs, self.balanced)

    @property
    def known(self) -> dict[str, float]:
        """Bag and position-wise means say nothing."""
        return _BAG_BLIND | {"linear": 0.5}

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """Runs (1) or permuted runs (0)."""
        run_key, order_key = jax.random.split(key)
        tokens = self.process.sample(run_key, number)
        return _in_order_or_not(tokens, self.length, key=order_key)


def require_blocks(length: int, width: int) -> None:
    """Raise `UserError` unless `width` is a divisor of the length from 2 on."""
    if width < 2 or length % width:
        divisors = [other for other in range(2, length + 1) if length % other == 0]
        near = min(divisors, key=lambda other: abs(other - width), default=2)
        raise UserError(
            f"width must divide the length and be at least 2: got width={width}, length={length}; try {near}"
        )

"""A labelled set of sequences with its train, validation and test parts, and what identifies it."""

import dataclasses
import hashlib
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Split:
    """Sequences (n, length), integer symbols or float32 values, and labels (n,)."""

    tokens: Int[np.ndarray, "n length"] | Float[np.ndarray, "n length"]
    labels: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A task: three splits, the alphabet's size (None for real values), the number of classes."""

    name: str
    train: Split
    validation: Split
    test: Split
    symbols: int | None
    classes: int
    source: str
    """Where the data come from, in words, with versions."""

    @property
    def length(self) -> int:
        """Tokens per sequence."""
        return self.train.tokens.shape[1]

    @property
    def chance(self) -> float:
        """Test accuracy of the best constant prediction chosen on the training labels."""
        majority = np.bincount(self.train.labels, minlength=self.classes).argmax()
        return float((self.test.labels == majority).mean())

    def sha256(self) -> str:
        """Hash of every token and label in order: two runs with equal hashes saw equal data."""
        digest = hashlib.sha256()
        for part in PARTS:
            split: Split = getattr(self, part)
            for array in (split.tokens, split.labels):
                digest.update(repr((part, array.dtype.str, array.shape)).encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def describe(self) -> dict:
        """Name, source, hash, sizes: the provenance of every number measured on this data."""
        sizes = {part: len(getattr(self, part)) for part in PARTS}
        return {
            "task": self.name,
            "source": self.source,
            "sha256": self.sha256(),
            "sizes": sizes,
            "length": self.length,
            "classes": self.classes,
            "symbols": self.symbols,
            "chance": self.chance,
        }


def on_device(split: Split) -> tuple:
    """The split as device arrays: int32 symbols or float32 values, int32 labels."""
    kind = jnp.int32 if np.issubdtype(split.tokens.dtype, np.integer) else jnp.float32
    return jnp.asarray(split.tokens, kind), jnp.asarray(split.labels, jnp.int32)

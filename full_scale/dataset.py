"""A labelled set of sequences with its train, validation and test parts, and what identifies it."""

import dataclasses
import hashlib
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Integer

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Inputs:
    """All that a model must know of the data."""

    length: int
    """Tokens of the longest sequence."""
    classes: int
    """Labels are 0 .. classes - 1."""
    symbols: int | None = None
    """Size of the alphabet of integer tokens; None: tokens are values."""
    channels: int = 1
    """Values per position."""
    levels: int | None = None
    """Tokens are raw intensities 0 .. levels - 1 that stand for values; None: they are not."""
    mean: float = 0.0
    """value = (raw - mean) / deviation, in raw units; the model's encoder does it on the device."""
    deviation: float = 1.0
    """Divides raw - mean."""
    pair: bool = False
    """Two sequences per example, tokens (n, 2, length)."""
    grid: tuple[int, int] | None = None
    """Rows and columns when positions are an image's pixels in row order."""


@dataclasses.dataclass(frozen=True)
class Split:
    """n sequences with their labels; what lies behind a sequence's length is padding, 0."""

    tokens: (
        Integer[np.ndarray, "n length"]
        | Float[np.ndarray, "n length"]
        | Float[np.ndarray, "n length channel"]
        | Integer[np.ndarray, "n 2 length"]
    )
    """Symbols or raw intensities of any integer type, or float32 values; pairs have an axis of two."""
    labels: Int[np.ndarray, " n"]
    """Classes."""
    lengths: Int[np.ndarray, " n"] | Int[np.ndarray, "n 2"] | None = None
    """Tokens of each sequence; None: every one is full."""

    def __len__(self) -> int:
        return len(self.labels)

    def full_lengths(self) -> np.ndarray:
        """The lengths (n,), or (n, 2) of pairs, also where every sequence is full."""
        if self.lengths is not None:
            return self.lengths.astype(np.int32)
        paired = self.tokens.ndim == 3 and np.issubdtype(self.tokens.dtype, np.integer)
        shape, longest = (self.tokens.shape[:2], -1) if paired else (self.tokens.shape[:1], 1)
        return np.full(shape, self.tokens.shape[longest], np.int32)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A task's data: three splits and what a model must know of them."""

    name: str
    train: Split
    validation: Split
    test: Split
    inputs: Inputs
    source: str
    """Where the data come from, in words, with versions."""

    @property
    def length(self) -> int:
        """Tokens of the longest sequence."""
        return self.inputs.length

    @property
    def symbols(self) -> int | None:
        """Size of the alphabet; None where tokens stand for values."""
        return self.inputs.symbols

    @property
    def classes(self) -> int:
        """Number of labels."""
        return self.inputs.classes

    @property
    def chance(self) -> float:
        """Test accuracy of the best constant prediction chosen on the training labels."""
        majority = np.bincount(self.train.labels, minlength=self.classes).argmax()
        return float((self.test.labels == majority).mean())

    @property
    def mean_length(self) -> float:
        """Tokens per sequence, padding apart, over all parts."""
        lengths = [getattr(self, part).full_lengths().ravel() for part in PARTS]
        return float(np.concatenate(lengths).mean())

    def sha256(self) -> str:
        """Hash of every token, label and length in order: two runs with equal hashes saw equal data."""
        digest = hashlib.sha256()
        for part in PARTS:
            split: Split = getattr(self, part)
            for array in (split.tokens, split.labels, split.lengths):
                if array is not None:
                    digest.update(repr((part, array.dtype.str, array.shape)).encode())
                    digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def describe(self) -> dict:
        """Name, source, hash, sizes: the provenance of every number measured on this data."""
        return {
            "task": self.name,
            "source": self.source,
            "sha256": self.sha256(),
            "sizes": {part: len(getattr(self, part)) for part in PARTS},
            "length": self.length,
            "mean_length": self.mean_length,
            "classes": self.classes,
            "symbols": self.symbols,
            "chance": self.chance,
        }


def on_device(split: Split) -> tuple[Array, Array, Array]:
    """Tokens, lengths and labels as device arrays: integers keep their small type, values are float32."""
    integers = np.issubdtype(split.tokens.dtype, np.integer)
    tokens = jnp.asarray(split.tokens, split.tokens.dtype if integers else jnp.float32)
    return tokens, jnp.asarray(split.full_lengths(), jnp.int32), jnp.asarray(split.labels, jnp.int32)

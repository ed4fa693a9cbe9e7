"""A labelled set of sequences with its train, validation and test parts, and what identifies it."""

import dataclasses
import hashlib
from typing import Literal, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Integer

from full_scale.data.findings import Finding
from full_scale.data.vocabulary import BYTES
from sims.runs.typed import Stored

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
    """The class of each sequence, 0 .. classes - 1."""
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
    findings: tuple[Finding, ...] = ()
    """What was noticed while they were read and divided."""
    class_names: tuple[str, ...] = ()
    """The name of each label; empty where they have none."""
    unlabelled: Split | None = None
    """Sequences that only pretraining reads; their labels mean nothing."""

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
        for part in (*PARTS, *(["unlabelled"] if self.unlabelled else [])):
            split: Split = getattr(self, part)
            for array in (split.tokens, split.labels, split.lengths):
                if array is not None:
                    digest.update(repr((part, array.dtype.str, array.shape)).encode())
                    digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def describe(self) -> "Description":
        """The provenance of every number measured on this data."""
        return Description(
            task=self.name,
            source=self.source,
            sha256=self.sha256(),
            sizes={part: len(getattr(self, part)) for part in PARTS},
            length=self.length,
            mean_length=self.mean_length,
            classes=self.classes,
            symbols=self.symbols,
            chance=self.chance,
        )


@dataclasses.dataclass(frozen=True)
class Description(Stored):
    """A data set as results name it: source, hash, sizes."""

    task: str
    source: str
    sha256: str
    sizes: dict[str, int]
    length: int
    classes: int
    symbols: int | None
    """None where tokens are vectors."""
    chance: float
    """Test accuracy of the most frequent class."""
    mean_length: float | None = None
    """Without padding; early results do not say it."""


def read_in_words(dataset: Dataset) -> str:
    """What was read: sequences, their lengths, what a token is, and the classes with their numbers."""
    inputs, splits = dataset.inputs, [getattr(dataset, part) for part in PARTS]
    lengths = np.concatenate([split.full_lengths().ravel() for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    counts = np.bincount(labels, minlength=inputs.classes)
    names = dataset.class_names or tuple(map(str, range(inputs.classes)))
    each = [f"{name[:24]} {count:,}" for name, count in zip(names, counts.tolist(), strict=True)]
    listed = ", ".join(each[:8]) + (f" and {len(each) - 8:,} more" if len(each) > 8 else "")
    span = (
        f"{lengths.min():,}" if lengths.min() == lengths.max() else f"{lengths.min():,} to {lengths.max():,}"
    )
    token = (
        f"of {inputs.symbols:,} symbols" + " (bytes)" * (inputs.symbols == BYTES)
        if inputs.symbols
        else f"with {inputs.channels} channels"
    )
    if inputs.levels:
        token = f"of {inputs.levels} levels"
    token = "of one value" if token == "with 1 channels" else token
    return f"read {len(labels):,} sequences of {span} tokens {token}, {inputs.classes} classes ({listed})"


def on_device(split: Split) -> tuple[Array, Array, Array]:
    """Tokens, lengths and labels as device arrays: integers keep their small type, values are float32."""
    integers = np.issubdtype(split.tokens.dtype, np.integer)
    tokens = jnp.asarray(split.tokens, split.tokens.dtype if integers else jnp.float32)
    return tokens, jnp.asarray(split.full_lengths(), jnp.int32), jnp.asarray(split.labels, jnp.int32)


@runtime_checkable
class DataSource(Protocol):
    """What builds a data set, the same one every time: a task, where it does not matter which."""

    @property
    def name(self) -> str:
        """Name under which its runs are stored."""

    def load(self) -> Dataset:
        """Build the data."""

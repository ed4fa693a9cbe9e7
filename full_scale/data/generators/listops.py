"""ListOps by the rules of Long Range Arena: lists of operators and digits, nine deep. Label: the value.

Sample i of a seed depends on (settings, seed, i) alone: the first expression of its own stream whose length
fits. A set has no expression twice: `load` lets the later of two equal samples go on in its stream.
"""

import csv
import dataclasses
import hashlib
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from full_scale.data.generators import shards
from full_scale.data.generators.listops_trees import SYMBOLS, binarised, evaluate, trees, value
from full_scale.data.generators.shards import ShardedGenerator
from full_scale.data.generators.splitmix import outputs, stream
from sims.runs.store import UserError, write_atomic

__all__ = [
    "PRESETS",
    "SHARDED_GENERATOR",
    "SYMBOLS",
    "ListOpsSettings",
    "evaluate",
    "generate",
    "load",
    "prepare",
    "write_release",
]

NAME = "listops"
SIZES = {"train": 96_000, "val": 2_000, "test": 2_000}
"""Of the released set."""
ENOUGH = 100_000
"""Draws after which a sample that fits is not to be expected."""

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class ListOpsSettings:
    """Which expressions; the defaults are Long Range Arena's."""

    depth: int = 10
    """Nodes at this depth are digits; the root has depth 1."""
    arguments: int = 10
    """At most; at least 2."""
    operator_share: float = 0.25
    """Probability that a node above that depth is an operator."""
    above: int = 500
    """Symbols, without parentheses: more than this."""
    below: int = 2000
    """Symbols: fewer than this."""

    def __post_init__(self) -> None:
        if self.depth < 2 or self.arguments < 2 or not 0 < self.operator_share < 1:
            raise UserError(
                f"expected depth and arguments of at least 2 and a share in (0, 1), got {self.depth}, "
                f"{self.arguments} and {self.operator_share}; try the defaults"
            )
        if not 0 <= self.above <= self.below - 2:
            raise UserError(
                f"expected room between above and below, got {self.above} and {self.below}; try 500 and 2000"
            )


PRESETS = {
    "lra": ListOpsSettings(),
    "medium": ListOpsSettings(depth=7, arguments=8, above=128, below=513),
    "small": ListOpsSettings(depth=5, arguments=5, above=29, below=129),
    "tiny": ListOpsSettings(depth=4, arguments=5, above=15, below=65),
}


def generate(
    config: ListOpsSettings, *, seed: int, start: int, count: int
) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Samples start..start + count - 1: tokens (n, below - 1) padded with 0, labels (n,), metadata.

    Metadata: `lengths` (n,) int32, and `tries` (n,), expressions drawn for each.
    """
    tokens, labels = np.zeros((count, config.below - 1), np.uint8), np.zeros(count, np.uint8)
    lengths, tries = np.zeros(count, np.int32), np.zeros(count, np.int64)
    for row in range(count):
        codes, tries[row] = next(_fitting(config, seed, start + row))
        lengths[row], labels[row] = len(codes), value(codes)
        tokens[row, : len(codes)] = codes
    return tokens, labels, {"lengths": lengths, "tries": tries}


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """As `generate`, from a prepared folder, every shard against its hash, no expression twice."""
    arrays, manifest = shards.load(Path(folder), NAME), shards.read_manifest(Path(folder), NAME)
    arrays = distinct(ListOpsSettings(**manifest["settings"]), manifest["seed"], arrays)
    return arrays.pop("tokens"), arrays.pop("labels"), arrays


def distinct(settings: ListOpsSettings, seed: int, arrays: Arrays) -> Arrays:
    """The samples from 0 on; one that equals an earlier one goes on in its stream until it equals none."""
    digests: set[bytes] = set()
    arrays = {name: array.copy() for name, array in arrays.items()}
    for row, tokens in enumerate(arrays["tokens"]):
        key = _digest(tokens)
        if key in digests:
            key = _replace(settings, seed, row, arrays, digests)
        digests.add(key)
    return arrays


def write_release(
    folder: Path, tokens: np.ndarray, labels: np.ndarray, lengths: np.ndarray, sizes=None
) -> None:
    """Long Range Arena's files: basic_{train,val,test}.tsv with Source and Target, in the samples' order."""
    sizes = SIZES if sizes is None else sizes
    if sum(sizes.values()) > len(labels):
        raise UserError(
            f"expected at least {sum(sizes.values())} samples for {sizes}, got {len(labels)}; make more"
        )
    ends = list(itertools.accumulate(sizes.values()))
    for (part, size), end in zip(sizes.items(), ends, strict=True):
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter="\t")
        writer.writerow(["Source", "Target"])
        for row in range(end - size, end):
            writer.writerow([binarised(tokens[row, : lengths[row]].tolist()), int(labels[row])])
        write_atomic(Path(folder) / f"basic_{part}.tsv", text.getvalue().encode())


def _fitting(settings: ListOpsSettings, seed: int, sample: int) -> Iterator[tuple[list[int], int]]:
    """The expressions of a sample's stream whose length fits, each with the draws so far."""
    key = int(outputs(stream(seed), sample)[0])
    drawn = trees(settings.depth, settings.arguments, settings.operator_share, settings.below - 1, seed=key)
    last_fitting = 0
    for number, codes in enumerate(drawn, 1):
        if len(codes) > settings.above:
            last_fitting = number
            yield codes, number
        elif number - last_fitting > ENOUGH:
            raise UserError(
                f"expected expressions of {settings.above + 1}..{settings.below - 1} symbols, {ENOUGH} draws "
                f"gave none; allow other lengths or a larger depth"
            )


def _replace(settings: ListOpsSettings, seed: int, row: int, arrays: Arrays, digests: set[bytes]) -> bytes:
    width = arrays["tokens"].shape[1]
    for codes, tries in itertools.islice(_fitting(settings, seed, row), ENOUGH):
        tokens = np.zeros(width, np.uint8)
        tokens[: len(codes)] = codes
        if (key := _digest(tokens)) not in digests:
            arrays["tokens"][row], arrays["labels"][row] = tokens, value(codes)
            arrays["lengths"][row], arrays["tries"][row] = len(codes), tries
            return key
    raise UserError(
        f"expected {len(arrays['labels'])} different expressions, found {len(digests)}; allow longer ones"
    )


def _digest(tokens: np.ndarray) -> bytes:
    return hashlib.blake2b(tokens.tobytes(), digest_size=16).digest()


def _shard(settings: ListOpsSettings, seed: int, start: int, count: int) -> Arrays:
    tokens, labels, facts = generate(settings, seed=seed, start=start, count=count)
    return {"tokens": tokens, "labels": labels, **facts}


SHARDED_GENERATOR = ShardedGenerator(NAME, _shard)
prepare = SHARDED_GENERATOR.prepare

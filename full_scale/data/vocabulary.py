"""Texts as padded rows of symbols: bytes (byte + 1, 0 is padding), or characters by frequency."""

import dataclasses
from typing import Literal

import numpy as np
from jaxtyping import Int, Integer

from sims.runs.store import UserError

Unit = Literal["bytes", "characters"]
BYTES = 257  # 256 bytes and padding
_BYTE_END = 255  # of byte 254, which UTF-8 never uses
PADDING, UNKNOWN, END, SPECIAL = 0, 1, 2, 3
_CODE_POINTS = 0x110000


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Symbol of every byte or code point, and of the end mark."""

    unit: Unit
    symbols: int
    end: int
    table: Integer[np.ndarray, " point"]

    def coded(self, text: str, length: int, mark_end: bool) -> Integer[np.ndarray, " token"]:
        """The first `length` symbols of a text, an end mark included where one is wanted."""
        codes = self.table[points(text, self.unit, length - mark_end)]
        return np.append(codes, self.table.dtype.type(self.end)) if mark_end else codes


def points(text: str, unit: Unit, most: int) -> Integer[np.ndarray, " token"]:
    """The first bytes or code points of a text."""
    if unit == "bytes":
        return np.frombuffer(text[:most].encode(), np.uint8)[:most]
    return np.frombuffer(text[:most].encode("utf-32-le"), np.uint32)


def byte_vocabulary() -> Vocabulary:
    """byte + 1; every text is covered."""
    return Vocabulary("bytes", BYTES, _BYTE_END, (np.arange(256) + 1).clip(max=_BYTE_END).astype(np.uint8))


def _character_vocabulary(texts: list[str], length: int, fewest: int) -> Vocabulary:
    """Characters that occur at least `fewest` times in the texts, most frequent first; others are unknown."""
    counts = np.zeros(_CODE_POINTS, np.int64)
    for text in texts:
        np.add.at(counts, points(text, "characters", length), 1)
    frequent = np.flatnonzero(counts >= fewest)
    frequent = frequent[np.argsort(-counts[frequent], kind="stable")]
    table = np.full(_CODE_POINTS, UNKNOWN, np.uint8 if len(frequent) + SPECIAL <= 256 else np.uint16)
    table[frequent] = np.arange(len(frequent)) + SPECIAL
    return Vocabulary("characters", len(frequent) + SPECIAL, END, table)


def vocabulary(unit: Unit, training_texts: list[str], length: int, fewest: int) -> Vocabulary:
    """The vocabulary of a task, from its training texts only."""
    return byte_vocabulary() if unit == "bytes" else _character_vocabulary(training_texts, length, fewest)


def padded(
    rows: list[np.ndarray], length: int
) -> tuple[Integer[np.ndarray, "n length"], Int[np.ndarray, " n"]]:
    """Rows of symbols filled up with padding, and their lengths."""
    if not rows:
        raise UserError("expected at least one text, got none; check the file")
    tokens = np.full((len(rows), length), PADDING, rows[0].dtype)
    for target, row in zip(tokens, rows, strict=True):
        target[: len(row)] = row
    return tokens, np.array([len(row) for row in rows], np.int32)

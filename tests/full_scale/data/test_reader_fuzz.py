"""A damaged file gives valid examples or one UserError line: never another error, a hang or a side effect."""

import gzip
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.labelled import Labelled
from sims.runs.store import UserError
from tests.full_scale.data.reader_files import Source, all_sources, tarred

SOURCES = all_sources()
INPUTS = 1000
SECONDS_EACH = 2.0
NUMBERS = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
INSERTS = (
    b"nan", b"inf", b"-1", b"1e999", b"\xff\xfe", b"\x00", b"\xed\xa0\x80", b'"', b"\t", b",", b"\n",
    b":", b"?", b"[" * 5000, b"9" * 5000, b"../../x", b"/etc/passwd", b"\xe4", b"cos\nsystem\n", b"@data\n",
)  # fmt: skip

Damage = Callable[[np.random.Generator, bytes], bytes]


def cut(rng: np.random.Generator, data: bytes) -> bytes:
    """The file ends early, or the start is missing."""
    at = int(rng.integers(0, len(data) + 1))
    return data[:at] if rng.random() < 0.8 else data[at:]


def flipped(rng: np.random.Generator, data: bytes) -> bytes:
    """One to eight random bytes, half of the time in the header."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        most = len(changed) if rng.random() < 0.5 else min(len(changed), 64)
        if most:
            changed[int(rng.integers(0, most))] = int(rng.integers(0, 256))
    return bytes(changed)


def renumbered(rng: np.random.Generator, data: bytes) -> bytes:
    """A length of 1 to 8 bytes, little or big end first, that lies."""
    width = int(rng.choice([1, 2, 4, 8]))
    most = min(len(data), 128) if rng.random() < 0.7 else len(data)
    at = int(rng.integers(0, max(1, most - width + 1)))
    number = NUMBERS[int(rng.integers(0, len(NUMBERS)))] & (256**width - 1)
    return data[:at] + number.to_bytes(width, "big" if rng.random() < 0.5 else "little") + data[at + width :]


def inserted(rng: np.random.Generator, data: bytes) -> bytes:
    """Something that does not belong, in place of up to four bytes."""
    at = int(rng.integers(0, len(data) + 1))
    piece = INSERTS[int(rng.integers(0, len(INSERTS)))]
    return data[:at] + piece + data[at + int(rng.integers(0, 5)) :]


def shuffled(rng: np.random.Generator, data: bytes) -> bytes:
    """A piece twice, or gone: ragged rows, repeated members."""
    start, end = sorted(int(at) for at in rng.integers(0, len(data) + 1, 2))
    return data[:end] + data[start:end] * int(rng.integers(0, 2)) + data[end + (end - start) :]


def replaced(rng: np.random.Generator, data: bytes) -> bytes:
    """Another format's bytes, or none."""
    other = SOURCES[int(rng.integers(0, len(SOURCES)))].files
    return [b"", b"\0" * 100, next(iter(other.values())), tarred({"../x": b"x"})][int(rng.integers(0, 4))]


def inside(rng: np.random.Generator, data: bytes) -> bytes:
    """Damage below the compression, under a sound checksum."""
    if not data.startswith(b"\x1f\x8b"):
        return flipped(rng, data)
    below: Damage = [cut, flipped, renumbered, inserted, shuffled][int(rng.integers(0, 5))]
    return gzip.compress(below(rng, gzip.decompress(data)), 1)


DAMAGES: tuple[Damage, ...] = (cut, flipped, renumbered, inserted, shuffled, replaced, inside)


def damaged(source: Source, number: int) -> dict[str, bytes]:
    """The source with one file damaged; the same for the same number."""
    rng = np.random.default_rng(number)
    names = sorted(source.files)
    name = names[int(rng.integers(0, len(names)))]
    return source.files | {name: DAMAGES[int(rng.integers(len(DAMAGES)))](rng, source.files[name])}


def require_valid(parts: dict[str, Labelled]) -> None:
    """What every reader promises of what it returns."""
    assert parts
    for labelled in parts.values():
        assert len(labelled.examples) == len(labelled.labels) > 0
        assert labelled.labels.dtype == np.int32
        assert 0 <= labelled.labels.min() <= labelled.labels.max() < len(labelled.classes)
        if isinstance(labelled.examples, np.ndarray):
            assert labelled.examples.size and np.isfinite(labelled.examples).all()
        for example in labelled.examples:
            assert len(example) > 0
            assert isinstance(example, (str, tuple)) or np.isfinite(example).all()
        assert labelled.lengths is None or (labelled.lengths > 0).all()


def outcome(source: Source, number: int, folder: Path) -> str:
    """The kind of result; anything but valid examples or one UserError line raises."""
    path = Source(source.name, damaged(source, number), source.given, source.read).written(folder)
    began = time.monotonic()
    try:
        require_valid(source.read(path))
        line = None
    except UserError as error:
        line = str(error)
    assert time.monotonic() - began < SECONDS_EACH
    if line is None:
        return "read"
    assert "expected" in line and "; " in line and str(folder) in line
    assert line.isprintable() and len(line) < 1000
    return "refused"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_sound_file_is_read(source: Source, tmp_path: Path) -> None:
    require_valid(source.read(source.written(tmp_path)))


@pytest.mark.parametrize("at", range(len(SOURCES)), ids=[source.name for source in SOURCES])
def test_a_damaged_file_gives_valid_examples_or_one_line(at: int, tmp_path: Path) -> None:
    kinds: Counter[str] = Counter()
    numbers = range(at, INPUTS, len(SOURCES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in numbers:
            folder = tmp_path / str(number)
            folder.mkdir()
            kinds[outcome(SOURCES[at], number, folder)] += 1
    assert kinds["refused"] > 0
    assert {path.name for path in tmp_path.iterdir()} == {str(number) for number in numbers}

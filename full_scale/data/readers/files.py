"""Bytes of files whose content is not trusted: regular files only, never more than allowed.

Compressed content may unfold to at most `allowance(stored)` bytes, so that memory is bounded by the
size of the file on disk.
"""

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from sims.runs.errors import UserError

_MAX_FILE_BYTES = 16 << 30
"""No single file or member may hold more bytes than this."""
CHUNK = 1 << 20
_LOOKED_AT = 4_096
"""Characters in which zero bytes are looked for."""
WIDE = "name its encoding: --encoding utf-16, utf-16-le or utf-16-be"
GZIP, BZIP2, XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_KINDS = {GZIP: "gzip", BZIP2: "bzip2", XZ: "xz"}
DAMAGE = (
    OSError, EOFError, ValueError, RuntimeError, struct.error, zlib.error, lzma.LZMAError,
    tarfile.TarError, zipfile.BadZipFile, OverflowError,
)  # fmt: skip
"""What the decompressors and archive readers of the standard library raise at damaged content."""
AGAIN = "the file is damaged or incomplete: get it again"


class TooMuch(ValueError):
    """More bytes came than are allowed."""


def unusable(path: Path, expected: str, received: object, remedy: str) -> UserError:
    """The one line about a file: expected, received, remedy."""
    line = f"{_short(path, 400)}: expected {expected}, got {_short(received, 160)}; {remedy}"
    return UserError("".join(mark if mark.isprintable() else " " for mark in line))


def _short(value: object, most: int) -> str:
    text = str(value)
    return text if len(text) <= most else text[: most - 3] + "..."


@contextlib.contextmanager
def damage(path: Path, expected: str, remedy: str = AGAIN) -> Iterator[None]:
    """Errors of the standard library at damaged content become one line about `path`."""
    try:
        yield
    except DAMAGE as error:
        raise unusable(path, expected, reason(error), remedy) from error


def reason(error: Exception) -> str:
    """What an error says, or its kind when it says nothing."""
    return str(error) or type(error).__name__


def allowance(stored: int) -> int:
    """Bytes that `stored` compressed bytes may unfold to: text and images stay below 64 MiB + 100 x."""
    return min(_MAX_FILE_BYTES, (64 << 20) + 100 * stored)


def opened(path: Path) -> io.BufferedIOBase:
    """The regular file open for reading; a folder, a pipe or a device is a UserError (it could block)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unusable(path, "a readable file", reason, "check the path") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise unusable(path, "a regular file", "a folder, a pipe or a device", "give the path of the file")
    return os.fdopen(descriptor, "rb")


def bounded(stream: io.BufferedIOBase, most: int) -> bytes:
    """All bytes of the stream, read piece by piece; TooMuch when there are more than `most`."""
    pieces, total = [], 0
    while piece := stream.read(CHUNK):
        total += len(piece)
        if total > most:
            raise TooMuch(f"more than {most:,} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def content(path: Path, most: int = _MAX_FILE_BYTES) -> bytes:
    """All bytes of a regular file."""
    with opened(path) as stream, damage(path, f"at most {most:,} bytes"):
        return bounded(stream, most)


def unfolded(path: Path) -> bytes:
    """All bytes of a file, decompressed when it is gzip, bzip2 or xz (told by its first bytes, not by its name)."""
    data = content(path)
    kind = next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
    if kind is None:
        return data
    with damage(path, f"a whole {kind} file"), decompressor(io.BytesIO(data)) as stream:
        return bounded(stream, allowance(len(data)))


def gunzipped(path: Path, data: bytes) -> bytes:
    """The bytes themselves, or what they hold when they are gzip."""
    if not data.startswith(GZIP):
        return data
    with damage(path, "a whole gzip file"), gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return bounded(stream, allowance(len(data)))


def decompressor(stream: io.BufferedIOBase) -> io.BufferedIOBase:
    """The stream through the decompressor that its first bytes name (gzip, bzip2, xz), or as it is."""
    start = stream.read(6)
    stream.seek(0)
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=stream)
    if start.startswith(BZIP2):
        return bz2.BZ2File(stream)
    return lzma.LZMAFile(stream) if start.startswith(XZ) else stream


def decoded(path: Path, data: bytes, *, empty: bool = False, encoding: str = "utf-8") -> str:
    """Text, by default UTF-8, without its byte order mark; empty text is an error unless allowed."""
    plain = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    try:
        text = data.decode("utf-8-sig" if plain else encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        received = f"byte {data[at]:#04x} at {at}"
        remedy = "convert the file to UTF-8, or name its encoding by --encoding (latin-1, cp1252, utf-16)"
        raise unusable(path, f"{'UTF-8' if plain else encoding} text", received, remedy) from error
    if not text and not empty:
        raise unusable(path, "text", "an empty file", "remove the file or get it again")
    if _of_two_bytes(text[:_LOOKED_AT]):
        raise unusable(path, "text", "zero bytes", WIDE)
    return text


def _of_two_bytes(text: str) -> bool:
    """Whether much is zero bytes, or Latin letters whose two bytes stand the wrong way round."""
    swapped = sum(ord(mark) % 256 == 0 and 0x2000 <= ord(mark) < 0x7F00 for mark in text)
    return 8 * text.count("\0") > len(text) or 2 * swapped > len(text)


def source_identity(path: Path) -> dict[str, str | int]:
    """Name and hash of a file; of a folder the hash over its files' relative names and hashes."""
    path = Path(path)
    if not path.is_dir():
        return {"name": path.name, "sha256": _file_hash(path)}
    files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    if not files:
        raise unusable(path, "a folder with files", "an empty one", "check the path")
    digest = hashlib.sha256()
    for name in files:
        digest.update(f"{name}\0{_file_hash(path / name)}\n".encode())
    return {"name": path.name, "sha256": digest.hexdigest(), "files": len(files)}


def _file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    with opened(path) as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()

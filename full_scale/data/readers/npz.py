"""Arrays of `.npy` and `.npz` files without pickles.

The header is parsed here, strictly as NumPy writes it, and shape x itemsize is compared with the bytes
that the file really holds before anything is allocated.
"""

import io
import math
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from full_scale.data.readers.files import AGAIN, allowance, bounded, content, damage, opened, unusable

MAGIC = b"\x93NUMPY"
CODE = re.compile(r"[<>|=]?[biufSU][0-9]{1,9}")
HEADER = re.compile(
    rb"\{'descr': '([!-&(-~]{1,12})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,18}(?:, [0-9]{1,18})*)?),?\),? ?\}[ ]*\n?"
)
_AXES_MOST = 8
_HEADER_MOST = 10_000
REMEDY = "store plain numbers or strings by numpy.savez, without pickles"


def npy_array(path: Path, *, objects: bool = False) -> np.ndarray:
    """The array of a `.npy` file: booleans, integers, floats or strings."""
    return array_from(path, content(path), objects=objects)


def array_from(path: Path, data: bytes, *, objects: bool = False) -> np.ndarray:
    """The array that the bytes of a `.npy` file hold; exactly its bytes must be there.

    `objects`: an array of Python strings and numbers is read too, without unpickling it.
    """
    if not data.startswith(MAGIC) or len(data) < 12:
        raise unusable(path, "a .npy array", f"first bytes {data[:6]!r}", REMEDY)
    width = 2 if data[6] == 1 else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    if start > min(len(data), _HEADER_MOST):
        raise unusable(path, "a whole .npy header", f"one of {start:,} bytes", AGAIN)
    header_match = HEADER.fullmatch(data[8 + width : start])
    if not header_match:
        header = data[8 + width : start][:120]
        raise unusable(path, "an array of numbers or strings", f"the header {header!r}", REMEDY)
    code, fortran, lengths = (group.decode() for group in header_match.groups())
    if code.lstrip("<>=|").startswith("c"):
        remedy = "store the real and the imaginary part as two channels"
        raise unusable(path, "real numbers", "complex ones", remedy)
    shape = tuple(int(length) for length in lengths.split(", ") if length)
    if objects and code == "|O":
        return _object_array(path, data[start:], shape)
    with damage(path, "an array of numbers or strings whose bytes are all there", REMEDY):
        return array_of(memoryview(data)[start:], code, shape, fortran == "True")


def _object_array(path: Path, data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Strings and numbers of an object array; ragged ones are refused with the remedy."""
    from full_scale.data.readers.pickled import plain_objects

    remedy = "nothing is unpickled: pad x to one length and store the lengths, y by y.astype(str)"
    with damage(path, "plain numbers or strings, not objects", remedy):
        array = plain_objects(data)
        if array.shape != shape:
            raise ValueError(f"{len(array)} objects where the header says {shape}")
        return array


def array_of(data: bytes | memoryview, code: str, shape: tuple[int, ...], fortran: bool) -> np.ndarray:
    """The bytes as an array of type `code`, such as "<f4". Raises ValueError unless they are its bytes."""
    if not CODE.fullmatch(code) or len(shape) > _AXES_MOST:
        raise ValueError(f"type {code!r} with {len(shape)} axes")
    try:
        kind = np.dtype(code)
    except TypeError as error:
        raise ValueError(f"type {code!r}") from error
    if not 0 < kind.itemsize <= (8 if kind.kind in "biuf" else 1 << 16):
        raise ValueError(f"type {code!r}")
    if (needed := math.prod(shape) * kind.itemsize) != len(data):
        raise ValueError(f"{len(data):,} bytes where shape {shape} of {code} needs {needed:,}")
    if needed == 0:
        return np.zeros(shape, kind)
    return _sound(np.frombuffer(data, kind)).reshape(shape, order="F" if fortran else "C")


def _sound(array: np.ndarray) -> np.ndarray:
    """In the machine's byte order, booleans 0 or 1, and only characters that exist."""
    kind = array.dtype
    if kind.kind == "b":
        return array.view(np.uint8) != 0
    if kind.kind == "U" and array.view(kind.byteorder + "u4").max() > sys.maxunicode:
        raise ValueError("characters beyond Unicode")
    return array.astype(kind.newbyteorder("="), copy=False)


class NpzArrays(Mapping[str, np.ndarray]):
    """The arrays of an `.npz` file by name, each read when it is asked for."""

    def __init__(self, path: Path, *, objects: bool = False):
        self.path, self.objects = Path(path), objects
        with opened(self.path) as stream, damage(self.path, "an .npz archive"):
            self.names = self._names(stream)

    def _names(self, stream: io.BufferedIOBase) -> list[str]:
        with zipfile.ZipFile(stream) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        if len(set(names)) != len(names):
            raise unusable(self.path, "each array once", "two of one name", AGAIN)
        return names

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(name)
        with opened(self.path) as stream, damage(self.path, f"the array {name}"):
            return array_from(self.path, self._member(stream, f"{name}.npy"), objects=self.objects)

    def _member(self, stream: io.BufferedIOBase, name: str) -> bytes:
        with zipfile.ZipFile(stream) as archive, archive.open(name) as member:
            info = archive.getinfo(name)
            if info.file_size > (most := allowance(info.compress_size)):
                raise unusable(self.path, f"at most {most:,} bytes in {name}", f"{info.file_size:,}", AGAIN)
            return bounded(member, info.file_size)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def require(self, *names: str) -> list[np.ndarray]:
        """The arrays of these names; a missing one is a UserError."""
        missing = [name for name in names if name not in self.names]
        if missing:
            received = ", ".join(self.names) or "no array"
            raise unusable(self.path, f"the array {missing[0]}", received, "store it by numpy.savez")
        return [self[name] for name in names]

"""Members of folders, tar and zip archives, read without extracting or extracted inside one folder.

A member whose name is absolute or climbs with "..", and a wanted member that is a link or a device,
makes the whole archive unusable. Sizes are bounded by `allowance`, whatever the headers say.
"""

import io
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from full_scale.data.readers.files import (
    AGAIN,
    CHUNK,
    TooMuch,
    allowance,
    bounded,
    content,
    damage,
    decompressor,
    opened,
    unusable,
)  # fmt: skip

Wanted = Callable[[str], bool]
_LEFT_BEHIND = ("__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN")
_NAME_MOST = 64 << 10
"""A tar header of another header (long names, pax records) may not be longer."""


def members(path: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each wanted file of a folder, tar (also gz, bz2, xz) or zip archive.

    Names are relative with forward slashes. Files of folders come in alphabetical order, those of archives in
    theirs; one at a time is in memory. Hidden files and folders are never data.
    """
    path = Path(path)
    visible = lambda name: wanted(name) and not is_hidden(name)
    if path.is_dir():
        yield from _folder_members(path, visible)
        return
    with opened(path) as stream, damage(path, "a folder, a tar archive or a zip archive"):
        zipped = stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
        stream.seek(0)
        yield from (_zip_members if zipped else _tar_members)(path, stream, visible)


def is_hidden(name: str) -> bool:
    """Whether a member is what systems leave behind: .DS_Store, ._x, __MACOSX, Thumbs.db."""
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part in _LEFT_BEHIND for part in parts)


def base(name: str) -> str:
    """The last part of a member's name."""
    return PurePosixPath(name).name


def extract(path: Path, target: Path, wanted: Wanted = lambda name: True) -> list[Path]:
    """Write the wanted members below `target`, all or none; existing files are never replaced."""
    target = Path(target)
    target.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".partial-", dir=target))
    try:
        names = [_staged(path, stage, name, data) for name, data in members(path, wanted)]
        _require_free(target, names)
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(stage / name, target / name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [target / name for name in names]


def _staged(path: Path, stage: Path, name: str, data: bytes) -> str:
    with damage(path, "members that can be written"):
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).write_bytes(data)
    return name


def _require_free(target: Path, names: list[str]) -> None:
    for name in names:
        if (target / name).exists():
            raise unusable(target / name, "no file yet", "one that exists", "choose an empty folder")
        if not (target / name).resolve().is_relative_to(target.resolve()):
            raise unusable(
                target / name, "a place in the folder", "a link out of it", "choose an empty folder"
            )


def _folder_members(folder: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    for directory, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            name = (Path(directory) / file).relative_to(folder).as_posix()
            if wanted(name):
                yield name, content(Path(directory) / file)


def _zip_members(path: Path, stream: io.BufferedIOBase, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(stream) as archive:
        names: set[str] = set()
        for info in archive.infolist():
            name = info.filename.replace("\\", "/")  # as old tools of Windows write them
            _require_safe(path, name)
            if info.is_dir() or not wanted(name):
                continue
            mode = info.external_attr >> 16
            _require_regular(path, name, stat.S_IFMT(mode) in (0, stat.S_IFREG))
            if name in names:
                raise unusable(path, "each member once", f"two named {name}", AGAIN)
            names.add(name)
            with archive.open(info) as member:
                yield name, bounded(member, allowance(info.compress_size))


def _tar_members(path: Path, stream: io.BufferedIOBase, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    capped = _Capped(decompressor(stream), allowance(os.fstat(stream.fileno()).st_size))
    header = _header_type()
    with tarfile.open(fileobj=capped, mode="r|", tarinfo=header) as archive:
        while (info := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # a header per member would fill the memory
            _require_safe(path, info.name)
            if info.isdir() or not wanted(info.name):
                continue
            _require_regular(path, info.name, info.isreg())
            yield info.name, bounded(archive.extractfile(info), info.size)
    while capped.read(CHUNK):  # the checksum of the compressed stream stands at its end
        pass
    if not header.ended:
        raise unusable(path, "a tar archive with its end mark", "none", AGAIN)


def _require_safe(path: Path, name: str) -> None:
    absolute = re.match(r"[/\\]|[A-Za-z]:", name)
    if not name or absolute or ".." in re.split(r"[/\\]", name) or not name.isprintable():
        raise unusable(path, "member names below the archive's root", repr(name), "do not use this archive")


def _require_regular(path: Path, name: str, regular: bool) -> None:
    if not regular:
        raise unusable(path, "regular files", f"{name!r}, a link or a device", "do not use this archive")


class _Capped(io.BufferedIOBase):
    """A stream that ends in TooMuch after `most` bytes."""

    def __init__(self, stream: io.BufferedIOBase, most: int):
        self.stream, self.left = stream, most

    def read(self, size: int | None = CHUNK) -> bytes:
        data = self.stream.read(min(size or CHUNK, CHUNK))
        self.left -= len(data)
        if self.left < 0:
            raise TooMuch("content out of proportion to the size of the file")
        return data


def _header_type() -> Any:
    """A TarInfo that refuses oversized header extensions and notes the zeros that end an archive."""
    extensions = {
        tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }  # fmt: skip

    class Header(tarfile.TarInfo):
        ended = False

        @classmethod
        def frombuf(cls, buf, encoding, errors):
            cls.ended = len(buf) == tarfile.BLOCKSIZE and not any(buf)
            info = super().frombuf(buf, encoding, errors)
            if info.size < 0 or (info.type in extensions and info.size > _NAME_MOST):
                raise TooMuch(f"a header extension of {info.size:,} bytes")
            if info.type == tarfile.GNUTYPE_SPARSE:
                raise ValueError("a sparse member")
            return info

    return Header

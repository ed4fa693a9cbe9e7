"""What identifies a data source wherever it lies: names and SHA-256 hashes, never places."""

import hashlib
from pathlib import Path

from full_scale.readers.files import CHUNK, opened, unusable


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

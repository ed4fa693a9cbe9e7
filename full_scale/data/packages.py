"""Data files inside Python packages that happen to be installed, found without importing them."""

from importlib import metadata
from pathlib import Path


def installed_file(package: str, name: str) -> Path | None:
    """The file of this name in an installed package; None when there is none."""
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return None
    entry = next((file for file in files if file.name == name), None)
    path = None if entry is None else Path(str(entry.locate()))
    return path if path is not None and path.is_file() else None

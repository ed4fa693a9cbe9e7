"""What the folders of the claims export, by label; a new folder is a new claim."""

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
_PACKAGE = __name__.rpartition(".")[0]
_FOLDERS = {
    f"C{int(match[1])}": name
    for _, name, is_folder in pkgutil.iter_modules(sys.modules[_PACKAGE].__path__)
    if is_folder and (match := re.fullmatch(r"c(\d\d)_\w+", name))
}


class Folders(Mapping[str, T], Generic[T]):
    """One name that a module of every claim's folder exports, by label: imported when first asked for."""

    def __init__(self, module: str, name: str) -> None:
        """`module` in each folder exports `name`."""
        self._module, self._name = module, name

    def __getitem__(self, label: str) -> T:
        """What the folder of this claim exports. Raises KeyError for an unknown label."""
        module = importlib.import_module(f"{_PACKAGE}.{_FOLDERS[label]}.{self._module}")
        return getattr(module, self._name)

    def __iter__(self) -> Iterator[str]:
        """The labels, C1 first."""
        return iter(_FOLDERS)

    def __len__(self) -> int:
        """How many claims there are."""
        return len(_FOLDERS)

    def __contains__(self, label: object) -> bool:
        """Whether there is a claim of this label, without importing it."""
        return label in _FOLDERS

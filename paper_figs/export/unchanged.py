"""What is drawn already: files beside which stands what they were drawn from, and that is still the same.

It is the same where these are: the results that the figure reads, their records too; the code, by the closure of
imports (`sims.runs.closure`) of what draws and writes; the venue; the versions of packages.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from sims.runs.closure import Code, sources_hash
from sims.runs.provenance import canonical, versions
from sims.runs.store import Result, write_atomic

_LIST = ".drawn.json"  # in the folder of the files: what each figure was drawn from


def fingerprint(results: Mapping[str, Result], code: Code, *settings: object) -> str:
    """One hash of all that decides a figure: the results that it reads, the code that draws, its settings."""
    parts = {
        "results": {name: _content(result) for name, result in results.items()},
        "program": _program(code),
        "settings": [dataclasses.asdict(each) if dataclasses.is_dataclass(each) else each for each in settings],
    }  # fmt: skip
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


@functools.cache
def _program(code: Code) -> dict[str, Any]:
    """Code and versions, matplotlib's too."""
    return {
        "sources": sources_hash(code),
        "versions": {**versions(), "matplotlib": metadata.version("matplotlib")},
    }


def _content(result: Result) -> str:
    """Hash of a result's values, arrays and record."""
    digest = hashlib.sha256(canonical([result.values, result.record]).encode())
    for name, array in sorted(result.arrays.items()):
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A folder of files, each of which is written again only where what it is drawn from has changed."""

    folder: Path
    anew: bool = False
    """Whether everything is drawn, changed or not."""

    def files(
        self, name: str, origin: str, draw: Callable[[], Mapping[str, bytes]]
    ) -> dict[str, bytes] | None:
        """The figure's files by their endings: None where `origin` is unchanged and all of them lie there whole.

        Otherwise they are drawn, written, and noted.
        """
        noted = self._noted()
        if not self.anew and noted.get(name, {}).get("origin") == origin and self._whole(name, noted):
            return None
        drawn = dict(draw())
        for ending, data in drawn.items():
            write_atomic(self.folder / f"{name}.{ending}", data)
        hashes = {ending: hashlib.sha256(data).hexdigest() for ending, data in drawn.items()}
        noted = {**self._noted(), name: {"origin": origin, "files": hashes}}
        write_atomic(self.folder / _LIST, canonical(noted).encode())
        return drawn

    def read(self, name: str) -> dict[str, bytes]:
        """The files that lie there, by their endings."""
        return {
            ending: (self.folder / f"{name}.{ending}").read_bytes() for ending in self._noted()[name]["files"]
        }

    def _noted(self) -> dict[str, Any]:
        """What is noted of the files; nothing where the note is not there, or not one of ours."""
        try:
            noted = json.loads((self.folder / _LIST).read_text())
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def _whole(self, name: str, noted: Mapping[str, Any]) -> bool:
        """Whether every file is there as it was written."""
        for ending, expected in noted[name].get("files", {}).items():
            path = self.folder / f"{name}.{ending}"
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
                return False
        return True

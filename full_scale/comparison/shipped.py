"""The results that the repository ships: studies that take longer than `reproduce`."""

from collections.abc import Mapping
from pathlib import Path

import full_scale
from sims.store import Result, load, load_all

STORED = Path(full_scale.__file__).parent / "stored"


def with_shipped(results: Mapping[str, Result], out: Path | None = None) -> dict[str, Result]:
    """The results, a validation study of one's own in `out`, and what is shipped where nothing newer is."""
    own = {}
    if out is not None and (out / "validation" / "validation.json").exists():
        own = {"validation": load(out / "validation", "validation")}
    return {**(load_all(STORED) if STORED.is_dir() else {}), **own, **results}

"""Names as a user types them: hyphens as underscores, joined by commas, or nearly right."""

import difflib
from collections.abc import Collection

from sims.errors import UserError


def shown(name: str) -> str:
    """A name as the command line writes it."""
    return name.replace("_", "-")


def split(names: Collection[str]) -> list[str]:
    """The names, also where commas join them: "C1,C3" is C1 and C3."""
    return [name for joined in names for name in joined.split(",") if name]


def require(name: str, known: Collection[str], kind: str) -> str:
    """The known name that was meant, or a UserError with the nearest one."""
    for candidate in (name, name.replace("-", "_")):
        if candidate in known:
            return candidate
    names = [shown(item) for item in known]
    near = difflib.get_close_matches(name, names, 1, 0.5)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise UserError(f"unknown {kind} {name}{meant} (expected one of {', '.join(names)})")

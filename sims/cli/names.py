"""Names as a user types them: hyphens as underscores, joined by commas, in either case, or nearly right."""

import difflib
import re
from collections.abc import Collection

from sims.runs.errors import UserError


def dashed_name(name: str) -> str:
    """A name as the command line writes it."""
    return name.replace("_", "-")


def split(names: Collection[str]) -> list[str]:
    """The names, also where commas or spaces join them: "C1, C3" is C1 and C3."""
    return [name for joined in names for name in re.split(r"[,\s]+", joined) if name]


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean X?` for the known name most like this one, or the empty string."""
    near = difflib.get_close_matches(name.lower(), [item.lower() for item in known], 1, 0.5)
    return next((f"; did you mean {item}?" for item in known if near and item.lower() == near[0]), "")


def require(name: str, known: Collection[str], kind: str) -> str:
    """The known name that was meant, or a UserError with the nearest one."""
    for candidate in (name, name.replace("-", "_"), name.upper()):
        if candidate in known:
            return candidate
    names = [dashed_name(item) for item in known]
    raise UserError(f"unknown {kind} {name}{nearest(name, names)} (expected one of {', '.join(names)})")


def require_flag(flag: str, known: Collection[str], program: str) -> None:
    """Raise UserError for an unknown option, with the one that was meant, also where it lies in a group."""
    if flag in known:
        return
    last = lambda name: name.lstrip("-").rpartition(".")[2]
    same = next((item for item in known if last(item) == last(flag)), None)
    meant = f"; did you mean {same}?" if same else nearest(flag, known)
    raise UserError(f"unknown option {flag}{meant} (see {program} --help)")

"""Is a stored result still good? One rule, for everything that is stored.

It is where these are the same: config and seed, the code that computed it, the versions of packages, the
device. The code is the closure of imports (`sims.runs.closure`) of the functions that compute.
"""

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

from sims.runs.closure import Code, sources_hash
from sims.runs.compilation_cache import prepare_jax
from sims.runs.provenance import canonical, config_hash, device, versions

Identity = dict[str, Any]
"""The parts of a result's record that decide whether it can be used again."""


def identity(config: object, seed: int, *code: Code) -> Identity:
    """What the record of a result must agree with; without code the result holds whatever computed it."""
    return {"config_hash": config_hash(config, seed), **(made_by(*code) if code else {})}


def agrees(record: Mapping[str, Any], expected: Identity) -> bool:
    """Whether the result of this record is what would be computed now."""
    return expected.items() <= record.items()


def made_by(*code: Code) -> Identity:
    """The part that all configs share: code, versions, device."""
    return {**program(*code), "device": device()}


@functools.cache
def program(*code: Code) -> Identity:
    """Code and versions. The device apart: that of a worker elsewhere is known once it has computed."""
    return {"sources": sources_hash(*code, prepare_jax), "versions": versions()}


def fingerprint(*code: Code) -> str:
    """`made_by` as one hash, for the names of files."""
    return hashlib.sha256(canonical(made_by(*code)).encode()).hexdigest()


def difference(expected: Identity, actual: Identity) -> str:
    """The first thing in which two programs differ, in words."""
    mine, theirs = ({**each["versions"], "sources": each["sources"]} for each in (expected, actual))
    for name in sorted(mine.keys() | theirs.keys()):
        if mine.get(name) != theirs.get(name):
            if name == "sources":
                return "other code"
            return f"{name} {theirs.get(name, 'absent')} where the driver has {mine.get(name, 'none')}"
    return "no difference"

"""The comparison as a stage: of stored results and those shipped, computed again when one of them changed."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping

from full_scale import compare
from full_scale.comparison.shipped import with_shipped
from sims.stages import Session, kept
from sims.store import Result


@dataclasses.dataclass(frozen=True)
class ComparisonConfig:
    """What is compared: the hash of each stored result."""

    inputs: dict[str, str]


def compared(session: Session, results: Mapping[str, Result]) -> Result:
    """The comparison of these results and those shipped."""
    inputs = {name: each for name, each in with_shipped(results, session.out).items() if name != "comparison"}
    config = ComparisonConfig({name: digest(each) for name, each in inputs.items()})
    return kept(session, "comparison", config, lambda _: compare.run(inputs))


def digest(result: Result) -> str:
    """Hash of a result's values and record; these hold the hash of its arrays' making."""
    text = json.dumps([result.values, result.record], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

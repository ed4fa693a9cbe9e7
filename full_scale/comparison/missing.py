"""The stored results that the comparison reads, and the commands that make those that are not there."""

import dataclasses
from collections.abc import Iterable

from full_scale.comparison.predictions import PREDICTIONS
from full_scale.stored import COMMANDS
from sims.runs.typed import Stored

ARMS = ("fit_gap", "gain")  # what two arms suffice for


@dataclasses.dataclass(frozen=True)
class Missing(Stored):
    """A result that is not stored, the command that makes it, and the quantities that wait for it."""

    result: str
    command: str
    names: tuple[str, ...]


def missing(stored: Iterable[str]) -> tuple[Missing, ...]:
    """Every result that is read and not stored, its command, and the quantities that wait for it."""
    there, waiting = set(stored), dict[str, list[str]]()
    for prediction in PREDICTIONS:
        if prediction.toy:
            waiting.setdefault(prediction.toy[0], []).append(prediction.name)
        if prediction.probe:
            waiting.setdefault("docs_order_probes", []).append(prediction.name)
        if prediction.share:
            waiting.setdefault("cpu_study", []).append(prediction.name)
        if prediction.share in ARMS:
            waiting.setdefault("docs_order", []).append(prediction.name)
            waiting.setdefault("digits", []).append(prediction.name)
    waiting["validation"] = ["predicted against measured gains"]
    return tuple(
        Missing(name, COMMANDS[name], tuple(names)) for name, names in waiting.items() if name not in there
    )

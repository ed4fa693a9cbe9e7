"""The stored results that the comparison reads, and the commands that make those that are not there."""

from collections.abc import Iterable

from full_scale.comparison.predictions import PREDICTIONS

ARMS = ("fit_gap", "gain")  # what two arms suffice for
READ = {
    "docs_order_probes": "sptlab train docs-order-probes",
    "docs_order": "sptlab train docs-order",
    "digits": "sptlab train digits",
    "study": "sptlab study",
    "cpu_study": "sptlab train cpu-study",
    "validation": "sptlab diagnose --validate full",
}


def command(result: str) -> str:
    """The command that makes a result."""
    return READ.get(result) or f"sptlab simulate {result.replace('_', '-')}"


def missing(stored: Iterable[str]) -> list[dict[str, object]]:
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
    return [
        {"result": name, "command": command(name), "names": names}
        for name, names in waiting.items()
        if name not in there
    ]

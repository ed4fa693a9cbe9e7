"""What the page shows of the shipped studies: transfer and priors by task, and whether the verdict holds."""

from collections.abc import Mapping
from typing import Any

from sims.store import Result

ARM = ("test_accuracy", "train_accuracy", "gain")
ROW = ("task", "half", "right", "predicted_gain", "measured_gain")


def tasks(result: Result | None) -> dict[str, Any]:
    """Arms, floors and shares of each task; nothing without a study."""
    values: Any = result.values if result else {"tasks": {}}
    return {name: task(found) for name, found in values["tasks"].items()}


def task(found: Mapping[str, Any]) -> dict[str, Any]:
    """One task, its shares in one table."""
    return {
        "seeds": len(found["seeds"]),
        "floor": found["floor"],
        "arms": {arm: {name: bare(found["arms"][arm][name]) for name in ARM} for arm in found["order"]},
        "shares": flat(found["shares"]),
    }


def flat(shares: Mapping[str, Any]) -> dict[str, Any]:
    """Shares by name; those that are several, by name and arm."""
    found: dict[str, Any] = {}
    for name, share in shares.items():
        several = (
            {name: share} if "estimate" in share else {f"{name}: {arm}": one for arm, one in share.items()}
        )
        found |= {each: {**one, "reason": one.get("reason")} for each, one in several.items()}
    return found


def validation(result: Result | None) -> dict[str, Any] | None:
    """Rows, rank correlation and the share of right verdicts; nothing without a study."""
    if result is None:
        return None
    values: Any = result.values
    rows = [
        {**{name: bare(row[name]) for name in ROW}, "verdict": row["verdict_chosen"]}
        for row in values["rows"]
    ]
    return {"rows": rows, "spearman": values["spearman"], "right": values["right"]}


def bare(found: Any) -> Any:
    """An interval without its single runs; anything else as it is."""
    return {k: v for k, v in found.items() if k != "per_seed"} if isinstance(found, Mapping) else found

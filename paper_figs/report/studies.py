"""What the page shows of the shipped studies: arms by task, the paper's tasks, and whether the verdict holds."""

from typing import Any

from full_scale.studies.ablations import Values as AblationValues
from full_scale.studies.grids import GridArm
from full_scale.studies.grids import Values as GridValues
from full_scale.studies.grids.shares import Shares
from full_scale.studies.paper import Prediction, SizeTable
from full_scale.studies.paper import Values as PaperValues
from full_scale.studies.validation import Values as ValidationValues
from paper_figs.style.numbers import within
from sims.runs.store import Result
from sims.statistics.intervals import Interval

_ROW = ("task", "half", "right", "predicted_gain", "measured_gain")


def tasks(result: Result | None) -> dict[str, Any]:
    """Arms, floors and shares of each task; nothing without a study."""
    stored = AblationValues.from_json(result.values).tasks if result else {}
    return {name: task(each) for name, each in stored.items()}


def task(values: GridValues) -> dict[str, Any]:
    """One task, its shares in one table."""
    return {
        "seeds": len(values.seeds),
        "floor": values.floor,
        "arms": {arm: _arm(values.arms[arm]) for arm in values.order},
        "shares": flat(values.shares),
    }


def _arm(arm: GridArm) -> dict[str, Any]:
    """One arm's accuracies, cut at 0 and 1, and its gain."""
    accuracies = {"test_accuracy": arm.test_accuracy, "train_accuracy": arm.train_accuracy}
    return {name: within(each).narrowed(Interval) for name, each in accuracies.items()} | {"gain": arm.gain}


def flat(shares: Shares) -> dict[str, Any]:
    """Shares by name; those that are several, by name and arm."""
    return {
        f"{name}: {arm}" if arm else name: {**vars(one), "reason": getattr(one, "reason", None)}
        for name, arm, one in shares.named()
    }


def paper(result: Result | None) -> dict[str, Any]:
    """The paper's tasks by task and size: arms, shares, what was predicted; nothing without a study."""
    if result is None:
        return {}
    values = PaperValues.from_json(result.values)
    return {name: _size(table, values.predictions[name]) for name, table in values.in_order().items()}


def _size(table: SizeTable, prediction: Prediction) -> dict[str, Any]:
    """One size; of every arm also how many runs never left the plateau."""
    numbers, grid = prediction.numbers, task(table.grid)
    never = {arm: left.steps.count(None) for arm, left in table.left.items()}
    arms = {
        arm: {"test_accuracy": each["test_accuracy"], "gain": each["gain"], "never": never[arm]}
        for arm, each in grid["arms"].items()
    }
    return grid | {
        "arms": arms,
        "verdict": prediction.verdict,
        "predicted": {
            name: numbers[name] for name in ("gain", "snr_reconstruction_nearest", "snr_label_nearest")
        },
        "near": {arm: each.near for arm, each in table.attention.items()},
    }


def validation(result: Result | None) -> dict[str, Any] | None:
    """Rows, rank correlation and the share of right verdicts; nothing without a study."""
    if result is None:
        return None
    values = ValidationValues.from_json(result.values)
    rows = [
        {**{name: getattr(row, name) for name in _ROW}, "verdict": row.verdict_chosen} for row in values.rows
    ]
    return {"rows": rows, "spearman": values.spearman, "right": values.right}

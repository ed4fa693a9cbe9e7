"""Each arm's learning rate, chosen on one seed of its own by validation data; test data are not looked at."""

from pathlib import Path
from typing import Any

from full_scale.studies.plan import GridPlan
from full_scale.studies.variants import SPT, Variant
from full_scale.training.trials import Progress, run_all

TUNING_SEED = 100  # apart from the seeds that are reported


def tuned_rates(
    plan: GridPlan, folder: Path, report: Progress | None, *, command: str, jobs: int | None
) -> tuple[dict[Variant, float], list[dict[str, object]]]:
    """Each arm's best rate by validation accuracy, then training loss; and every rate that was tried."""
    if not plan.rates:
        return {}, []
    cells = [(variant, rate) for variant in plan.tuned() for rate in plan.rates]
    trials = [plan.trial(variant, TUNING_SEED, rate) for variant, rate in cells]
    results = run_all(trials, folder, command=command, report=report, jobs=jobs)
    rows: list[dict[str, Any]] = [
        {
            "arm": variant.name,
            "learning_rate": rate,
            "validation_accuracy": result.values["validation_accuracy"],
            "training_loss": float(result.arrays["training_loss"][-1]),
        }
        for (variant, rate), result in zip(cells, results, strict=True)
    ]
    best: dict[Variant, float] = {}
    for variant in plan.tuned():
        mine = [row for row in rows if row["arm"] == variant.name]
        top = max(mine, key=lambda row: (row["validation_accuracy"], -row["training_loss"]))
        best[variant] = float(top["learning_rate"])
    shared = {v: best[SPT] for v in plan.variants if v.pretrained}
    return {**best, **shared}, rows

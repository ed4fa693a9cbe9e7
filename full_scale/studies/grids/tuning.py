"""Each arm's learning rate, chosen on one seed of its own by validation data; test data are not looked at."""

import dataclasses
from pathlib import Path

from full_scale.studies.grids.plan import GridPlan
from full_scale.studies.grids.variants import LABEL_ONLY, SPT, Variant
from full_scale.training.runner import Progress, run_all
from sims.runs.typed import Stored

TUNING_SEED = 100  # apart from the seeds that are reported


@dataclasses.dataclass(frozen=True)
class TriedRate(Stored):
    """One arm at one learning rate."""

    arm: str
    learning_rate: float
    validation_accuracy: float
    training_loss: float


def tuned_rates(
    plan: GridPlan, folder: Path, report: Progress | None, *, command: str, jobs: int | None
) -> tuple[dict[Variant, float], list[TriedRate]]:
    """Each arm's best rate by validation accuracy, then training loss; and every rate that was tried."""
    if not plan.rates:
        return {}, []
    cells = [(variant, rate) for variant in plan.tuned() for rate in plan.rates]
    trials = [plan.trial(variant, TUNING_SEED, rate) for variant, rate in cells]
    results = run_all(trials, folder, command=command, report=report, jobs=jobs)
    loss = lambda result: float(result.arrays["training_loss"][-1])
    rows = [
        TriedRate(variant.name, rate, result.values.validation_accuracy, loss(result))
        for (variant, rate), result in zip(cells, results, strict=True)
    ]
    best: dict[Variant, float] = {}
    for variant in plan.tuned():
        mine = [row for row in rows if row.arm == variant.name]
        best[variant] = max(mine, key=lambda row: (row.validation_accuracy, -row.training_loss)).learning_rate
    shared = {v: best[SPT if v.pretrained else LABEL_ONLY] for v in plan.variants if v not in best}
    return {**best, **shared}, rows

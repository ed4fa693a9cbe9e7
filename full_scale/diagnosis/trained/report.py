"""The explanation of a measured gain in plain words: what to do, how sure, why, and the numbers."""

from full_scale.diagnosis.report import interval_text, points, row
from full_scale.diagnosis.trained.arms import ArmRuns
from full_scale.diagnosis.trained.causes import TrainedDiagnosis
from sims.statistics.intervals import Interval

_SIZES = {
    "pays": "PRETRAINING PAYS", "costs": "PRETRAINING COSTS", "near 0": "NO GAIN", "not settled": "NOT SETTLED",
}  # fmt: skip


def summary(name: str, values: TrainedDiagnosis) -> str:
    """What to do first; then how sure that is; then why; then every number."""
    hidden = values.hidden
    return "\n".join([
        f"{name}: {_SIZES[values.size]}: {values.advice}",
        f"how sure: {_certainty(values.gain)}",
        "",
        *(f"because {reason}" for reason in values.reasons),
        "",
        row("test accuracy of labels alone", _runs(values.labels)),
        row("test accuracy after pretraining", _runs(values.spt)),
        row("steps to 75 %, labels alone", _plateaus(values.labels)),
        row("steps to 75 %, after pretraining", _plateaus(values.spt)),
        row(f"loss of hidden tokens ({hidden.unit})", interval_text(hidden.model)),
        *(row(f"  {each}", interval_text(loss)) for each, loss in hidden.baselines.items()),
        row("  saved over frequencies, model", interval_text(hidden.saved)),
        row("  saved over frequencies, best linear", interval_text(hidden.savable)),
    ])  # fmt: skip


def _certainty(gain: Interval) -> str:
    """The measured gain with its interval."""
    if gain.low is None or gain.high is None:
        return f"the gain is {points(gain.estimate or 0.0)} points on one seed, which has no interval"
    return (
        f"the gain is {points(gain.estimate or 0.0)} points, 95% interval {points(gain.low)} to "
        f"{points(gain.high)}, over {gain.n} seeds"
    )


def _runs(arm: ArmRuns) -> str:
    return (
        ", ".join(f"{value:.3f}" for value in arm.test) + f" (training {sum(arm.train) / len(arm.train):.3f})"
    )


def _plateaus(arm: ArmRuns) -> str:
    return ", ".join("never" if steps is None else f"{steps:,}" for steps in arm.plateau_steps)

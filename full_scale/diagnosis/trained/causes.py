"""What a measured gain is due to where it is near 0, and what to do about it; from arms and hidden tokens alone."""

import dataclasses
from typing import Literal

import numpy as np

from full_scale.data.dataset import Description
from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.trained.arms import ArmRuns
from full_scale.diagnosis.trained.hidden_tokens import HiddenLosses
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

Size = Literal["pays", "costs", "near 0", "not settled"]
Cause = Literal[
    "no room", "neither arm learns", "nothing to learn", "nothing learned", "little learned", "too few labels",
    "labels see it", "of no use to labels",
]  # fmt: skip
_OVERFIT = 0.1  # training less test accuracy of labels alone
_LITTLE = 0.5  # of what a linear map saves over frequencies
_MOST_SEEDS = 50


@dataclasses.dataclass(frozen=True)
class TrainedDiagnosis(Stored):
    """What trained runs tell of a gain."""

    data: Description
    gain: Interval
    """Test accuracy of SPT less that of labels alone, over seeds."""
    size: Size
    labels: ArmRuns
    spt: ArmRuns
    hidden: HiddenLosses
    cause: Cause | None
    """None where pretraining pays."""
    advice: str
    """What to do."""
    reasons: tuple[str, ...]
    """Why."""


def size_of(gain: Interval, lines: Thresholds) -> Size:
    """pays, costs: the whole interval beyond the line; near 0: no gain seen and a large one ruled out."""
    low, high, estimate = gain.low, gain.high, gain.estimate
    if low is None or high is None or estimate is None:
        return "not settled"
    if low > lines.gain:
        return "pays"
    if high < 0 and estimate < -lines.gain:
        return "costs"
    return "near 0" if estimate < lines.gain and high < lines.possible else "not settled"


def cause_of(
    labels: ArmRuns, spt: ArmRuns, constant: float, hidden: HiddenLosses, lines: Thresholds
) -> Cause:
    """The first that applies; what limits both arms comes before what limits pretraining."""
    if labels.mean > 1 - lines.gain:
        return "no room"
    if max(labels.mean, spt.mean) - constant < lines.reached:
        return "neither arm learns"
    if not hidden.learned:
        return "nothing learned" if hidden.learnable else "nothing to learn"
    if hidden.learnable and hidden.share < _LITTLE:
        return "little learned"
    if np.mean(labels.train) - labels.mean > _OVERFIT:
        return "too few labels"
    if all(steps is not None for steps in labels.plateau_steps):
        return "labels see it"
    return "of no use to labels"


def explained(
    data: Description, gain: Interval, labels: ArmRuns, spt: ArmRuns, hidden: HiddenLosses,
    lines: Thresholds, train_command: str,
) -> TrainedDiagnosis:  # fmt: skip
    """The size of the gain, its cause, what to do and why."""
    size, cause = size_of(gain, lines), None
    if size != "pays":
        cause = cause_of(labels, spt, data.chance, hidden, lines)
    advice = _advice(size, cause, gain, hidden, lines, train_command, spt.steps)
    reasons = (*([_why(cause, labels, data.chance)] if cause else []), _learned(hidden))
    return TrainedDiagnosis(data, gain, size, labels, spt, hidden, cause, advice, reasons)


def _advice(
    size: Size,
    cause: Cause | None,
    gain: Interval,
    hidden: HiddenLosses,
    lines: Thresholds,
    command: str,
    steps: int,
) -> str:
    """What to do, with the command where there is one."""
    if size == "pays":
        return "keep pretraining first; the encoder as a file: sptlab export RUN --out encoder"
    if size == "not settled":
        return f"train more seeds before you decide: {command} --seeds {seeds_needed(gain, lines)}"
    alone = "train on labels alone"
    if cause == "neither arm learns":
        other = "more label steps" if hidden.learned else "another learning rate (--rates 1e-3 3e-3 1e-2)"
        return f"get labels to learn anything first, with {other} or another model; then compare again"
    return {
        "no room": alone,
        "nothing to learn": f"{alone}; to be sure, hide more than single tokens once: {command} --mask blocks",
        "nothing learned": "pretrain again before you judge, longer or at another rate: "
        f"{command} --rates 1e-3 3e-3 1e-2",
        "little learned": f"pretrain longer before you judge: {command} --steps {2 * steps}",
        "too few labels": "label more sequences, or give unlabelled ones (--unlabelled pretrain): what is missing is "
        "data, not a pattern of attention",
        "labels see it": alone,
        "of no use to labels": f"{alone}, or hide something else: {command} --mask blocks",
    }[cause or "no room"]


def seeds_needed(gain: Interval, lines: Thresholds) -> int:
    """So many that the interval's half-width falls below the line, if seeds go on to differ so much."""
    if gain.low is None or gain.high is None:
        return 5
    half = (gain.high - gain.low) / 2
    return int(np.clip(np.ceil(gain.n * (half / lines.gain) ** 2), gain.n + 2, _MOST_SEEDS))


def _why(cause: Cause, labels: ArmRuns, constant: float) -> str:
    """The cause in words."""
    left = [steps for steps in labels.plateau_steps if steps is not None]
    return {
        "no room": f"labels alone reach {labels.mean:.3f}: there is no room for a gain",
        "neither arm learns": f"neither arm is better than always answering the most frequent class ({constant:.3f})",
        "nothing to learn": "the tokens around a hidden one do not tell what it is: pretraining has nothing to teach",
        "nothing learned": "pretraining missed what a linear map of the tokens around a hidden one knows",
        "little learned": "pretraining learned less than half of what a linear map of the tokens around knows",
        "too few labels": f"labels alone answer {np.mean(labels.train):.3f} of the training sequences rightly and "
        f"{labels.mean:.3f} of the others: they fit, and do not carry over",
        "labels see it": f"labels alone reach 75 % after {int(np.median(left or [0])):,} of {labels.steps:,} steps "
        "in every run: they see by themselves what they need",
        "of no use to labels": "hidden tokens taught the model something, but not what these labels need",
    }[cause]


def _learned(hidden: HiddenLosses) -> str:
    """What reconstruction learned, beside what there is to learn."""
    best = min(hidden.baselines, key=lambda name: hidden.baselines[name].estimate or 0.0)
    beside = (
        f"{hidden.model.estimate:.3g} {hidden.unit} per hidden token, beside "
        f"{hidden.baselines['frequencies'].estimate:.3g} of their frequencies alone"
    )
    if not hidden.learned:
        return f"reconstruction learned nothing beyond the frequencies of tokens: {beside}"
    if best == "frequencies":
        return f"reconstruction learned more than linear maps of the tokens around: {beside}"
    return (
        f"reconstruction learned {'more' if hidden.share > 1 else 'less'} than a linear map of the tokens around "
        f"({hidden.baselines[best].estimate:.3g}): {beside}"
    )

"""How the gain depends on the number of labels: both arms again with a share of them, all else as in the pilot."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool

from full_scale.data.dataset import Dataset
from full_scale.data.splits import with_fewer_labels
from full_scale.diagnosis.pilot.gain import measured_gain
from full_scale.diagnosis.pilot.runs import ARMS, Plan, Trained, run
from full_scale.model import ModelConfig
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval


@dataclasses.dataclass(frozen=True)
class LabelPoint(Stored):
    """Both arms with a share of the labels, on the same held-out rows and initialisations."""

    share: float
    labelled: int
    """Training sequences whose label is read; hidden tokens are read of all."""
    gain: Interval
    """Held-out accuracy of SPT less that of labels alone, both with this share."""
    beside_all: Interval
    """That of SPT with this share less that of labels alone with all."""
    accuracy: dict[str, tuple[float, ...]]
    """Held-out accuracy of every run, by arm."""

    def best(self, arm: str) -> float:
        """Accuracy of an arm's best run."""
        return max(self.accuracy[arm])


def curve(
    dataset: Dataset, model: ModelConfig, plan: Plan, shares: tuple[float, ...], trained: Sequence[Trained],
    report: Callable[[int], None] = lambda steps: None,
) -> tuple[LabelPoint, ...] | None:  # fmt: skip
    """A point for every share, by rising share, and last the one with all labels, which the pilot has measured.

    `trained` are the runs with all labels, whose initialisations and rates are taken again.
    """
    points, whole = [], by_arm(trained)
    for share in sorted(shares):
        fewer = with_fewer_labels(dataset, share)
        right = by_arm(
            [run(each.arm, fewer, model, plan, each.seed, each.rate, report=report) for each in trained]
        )
        points.append(_point(share, len(fewer.train), right, whole))
    return (*points, _point(1.0, len(dataset.train), whole, whole)) if points else None


def by_arm(trained: Sequence[Trained]) -> dict[str, Bool[np.ndarray, "run row"]]:
    """Which held-out rows each run answers rightly."""
    return {arm: np.stack([each.right for each in trained if each.arm == arm]) for arm in ARMS}


def _point(
    share: float, labelled: int, right: dict[str, np.ndarray], whole: dict[str, np.ndarray]
) -> LabelPoint:
    """Intervals over rows and initialisations."""
    accuracy = {arm: tuple(rows.mean(axis=1).tolist()) for arm, rows in right.items()}
    gains = (measured_gain(alone["labels"], right["spt"]) for alone in (right, whole))
    return LabelPoint(share, labelled, *gains, accuracy)


def sentence(points: tuple[LabelPoint, ...]) -> str:
    """What the fewest labels reach with pretraining, beside all labels without, and where pretraining gains most."""
    first, last = points[0], points[-1]
    low, high = first.beside_all.low or 0.0, first.beside_all.high or 0.0
    beside = "more than" if low > 0 else "less than" if high < 0 else "about as much as, within the interval,"
    best = max(points, key=lambda point: point.gain.estimate or 0.0)
    most = (
        f"it gained most at {best.share:.0%} of them"
        if (best.gain.estimate or 0.0) > 0
        else "it gained at no share"
    )
    return (
        f"with {first.share:.0%} of the labels ({first.labelled:,}) pretraining first reaches {first.best('spt'):.3f}: "
        f"{beside} labels alone with all {last.labelled:,} ({last.best('labels'):.3f}); {most}"
    )

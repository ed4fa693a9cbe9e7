"""The pilot: looks at both arms, an initialisation more at each, until they are apart or the budget is spent.

The first initialisation is trained at every rate, the others at the one at which the arm did best. At every look
the gain has a 95% interval. Training stops where it lies on one side of the line, or no gain was seen and a large
one is ruled out: with two looks that is wrong in at most 2 x 2.5% of cases, as far as the interval's assumptions hold.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool

from full_scale.data.dataset import Dataset
from full_scale.diagnosis.config import DiagnosisConfig, PilotConfig, Thresholds
from full_scale.diagnosis.pilot.fewer_labels import LabelPoint, by_arm, curve
from full_scale.diagnosis.pilot.gain import measured_gain
from full_scale.diagnosis.pilot.remedies import REMEDIES, Remedy, remedies
from full_scale.diagnosis.pilot.runs import ARMS, Plan, Trained, run
from full_scale.model import ModelConfig
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

__all__ = ["Pilot", "cost_share", "piloted", "runs_of", "share_of"]


@dataclasses.dataclass(frozen=True)
class Pilot(Stored):
    """What the pilot measured."""

    gain: Interval
    """Held-out accuracy of SPT less that of labels alone, after equally many steps."""
    accuracy: dict[str, tuple[float, ...]]
    """Held-out accuracy of every run, by arm."""
    steps: int
    """Optimiser steps of each run."""
    batch: int
    """Sequences per step."""
    rates: dict[str, float]
    """The peak learning rate at which each arm did best."""
    stopped: bool
    """Whether the arms were apart, or clearly not, before the budget was spent."""
    cost: float
    """Steps x sequences that were trained on, over those of training both arms once at the user's size."""
    remedies: tuple[Remedy, ...] = ()
    """What may do instead of pretraining, where it was asked for."""
    fewer_labels: tuple[LabelPoint, ...] | None = None
    """By share of the labels, where it was asked for."""

    def best(self, arm: str) -> float:
        """Accuracy of an arm's best run."""
        return max(self.accuracy[arm])

    @property
    def runs(self) -> int:
        """Of each arm."""
        return len(self.accuracy["labels"])


def share_of(plan: Plan, config: PilotConfig, runs: int = 1) -> float:
    """Of training both arms once at the user's size: so many runs' steps x sequences; tokens are the same."""
    return runs * plan.steps * plan.batch / (len(ARMS) * config.user_steps * config.user_batch)


def cost_share(config: PilotConfig, model: ModelConfig, length: int) -> float:
    """At most so much of the training of both arms."""
    plan = Plan.of(config, model, length)
    return share_of(plan, config, runs_of(config, plan, length))


def runs_of(config: PilotConfig, plan: Plan, length: int) -> int:
    """How many runs there are, at most: each arm at every rate, then further initialisations at its best."""
    looks = config.looks(length)
    each = len(plan.rates) + looks - 1
    arms = len(ARMS) * (1 + len(config.label_shares))
    return bool(looks) * (arms * each + config.remedies * len(REMEDIES) * looks)


def piloted(
    dataset: Dataset,
    model: ModelConfig,
    config: DiagnosisConfig,
    seed: int,
    report: Callable[[int], None] = lambda steps: None,
) -> tuple[Pilot, dict[str, Bool[np.ndarray, "run row"]]]:
    """Train both arms at every rate, look, and go on at each arm's best while open; also which rows are right."""
    plan = Plan.of(config.pilot, model, dataset.length)
    trained: list[Trained] = []
    for look in range(config.pilot.looks(dataset.length)):
        trained += [
            run(arm, dataset, model, plan, seed + look, rate, report=report)
            for arm in ARMS
            for rate in (plan.rates if not look else (_best(trained, arm).rate,))
        ]
        right = by_arm(trained)
        gain = measured_gain(right["labels"], right["spt"])
        if not _is_open(gain, config.thresholds):
            break
    tried = remedies(dataset, model, plan, trained, report) if config.pilot.remedies else ()
    points = curve(dataset, model, plan, config.pilot.label_shares, trained, report)
    runs = len(trained) * (1 + len(config.pilot.label_shares)) + sum(len(each.accuracy) for each in tried)
    cost = share_of(plan, config.pilot, runs)
    pilot = _pilot(plan, trained, gain, cost, not _is_open(gain, config.thresholds))
    return dataclasses.replace(pilot, remedies=tried, fewer_labels=points), right


def _best(trained: Sequence[Trained], arm: str) -> Trained:
    """An arm's best run so far."""
    return max((each for each in trained if each.arm == arm), key=lambda each: each.accuracy)


def _is_open(gain: Interval, thresholds: Thresholds) -> bool:
    """Whether more runs may change the answer: the line lies within the interval, and a large gain is possible."""
    estimate, low, high = gain.estimate, gain.low, gain.high
    ruled_out = estimate < thresholds.gain and high < thresholds.possible  # type: ignore[operator]
    return bool(low <= thresholds.gain <= high and not ruled_out)  # type: ignore[operator]


def _pilot(plan: Plan, trained: Sequence[Trained], gain: Interval, cost: float, stopped: bool) -> Pilot:
    """The runs together."""
    accuracy = {arm: tuple(each.accuracy for each in trained if each.arm == arm) for arm in ARMS}
    rates = {arm: _best(trained, arm).rate for arm in ARMS}
    return Pilot(gain, accuracy, plan.steps, plan.batch, rates, stopped, cost)

"""How much of SPT's gain a substitute keeps: the named shares of the comparison, over seeds.

share = gain of the substitute / gain of SPT, both over labels alone on the same seeds; Fieller's interval.
"""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from full_scale.studies.grids.variants import PRIORS
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, ratio_interval

SHIFT = 10.0  # Fieller's set of (a + s b) / b is that of a / b shifted by s; shares below -10 read as -10
PerSeed = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Share(Interval):
    """A share of SPT's gain; `reason` says why there is none."""

    reason: str | None = dataclasses.field(kw_only=True)

    @property
    def why_undefined(self) -> str:
        """Why there is no share."""
        return self.reason or self.method


@dataclasses.dataclass(frozen=True)
class Shares(Stored):
    """The shares that a grid's arms allow; without labels alone and SPT there are none."""

    depth_share: dict[str, Share] | None = None
    """By arm."""
    fit_gap: Interval | None = None
    """Training accuracy of SPT minus that of labels alone."""
    gain: Interval | None = None
    """The same of test accuracy."""
    prior_share: dict[str, Share] | None = None
    """By arm."""
    qk_share: Share | None = None
    share: dict[str, Share] | None = None
    """Of the other arms."""

    def named(self) -> Iterator[tuple[str, str, Interval]]:
        """Name, arm ("" where a share has one alone) and interval of each."""
        for name, each in vars(self).items():
            by_arm = each if isinstance(each, dict) else {} if each is None else {"": each}
            yield from ((name, arm, one) for arm, one in by_arm.items())

    def lines(self) -> list[str]:
        """Every share, one per line."""
        return [f"{f'{name} {arm}'.strip():24} {one.text()}" for name, arm, one in self.named()]


def share(substitute: np.ndarray, spt: np.ndarray, label_only: np.ndarray) -> Share:
    """(substitute - label_only) / (spt - label_only), paired by seed.

    Undefined, with the reason, where the interval of SPT's own gain does not lie above 0.
    """
    gain, recovered = spt - label_only, substitute - label_only
    whole = mean_interval(gain)
    if whole.low is None or whole.low <= 0:
        reason = "one seed: no interval" if whole.low is None else "SPT's gain is not clearly above 0"
        return Share(None, None, None, n=len(gain), reason=reason)
    shifted = ratio_interval(recovered + SHIFT * gain, gain)
    down = lambda bound: None if bound is None else bound - SHIFT
    ends = down(shifted.estimate), down(shifted.low), down(shifted.high)
    return Share(*ends, shifted.level, shifted.n, "Fieller", reason=None)


def shares(test: PerSeed, train: PerSeed) -> Shares:
    """Every share that the arms at hand allow; accuracies per seed, by arm."""
    of = lambda arm: share(test[arm], test["spt"], test["label_only"])
    priors = [variant.name for variant in PRIORS if variant.name in test]
    depths = [arm for arm in test if arm.startswith("depth_")]
    others = [arm for arm in test if arm not in ("spt", "label_only", "qk_only", *priors, *depths)]
    by_arm = lambda arms: {arm: of(arm) for arm in arms} or None
    return Shares(
        gain=mean_interval(test["spt"] - test["label_only"]),
        fit_gap=mean_interval(train["spt"] - train["label_only"]),
        qk_share=of("qk_only") if "qk_only" in test else None,
        prior_share=by_arm(priors),
        depth_share=by_arm(depths),
        share=by_arm(others),
    )

"""How much of SPT's gain a substitute keeps: the named shares of theory.md's last table, over seeds.

share = gain of the substitute / gain of SPT, both over labels alone on the same seeds; Fieller's interval.
"""

from collections.abc import Mapping

import numpy as np

from full_scale.studies.variants import PRIORS
from sims.intervals import Interval, mean_interval, ratio_interval

SHIFT = 10.0  # Fieller's set of (a + s b) / b is that of a / b shifted by s; shares below -10 read as -10
PerSeed = Mapping[str, np.ndarray]


def share(substitute: np.ndarray, spt: np.ndarray, label_only: np.ndarray) -> dict[str, object]:
    """(substitute - label_only) / (spt - label_only), paired by seed.

    Undefined, with the reason, where SPT's own gain is compatible with 0.
    """
    gain, kept = spt - label_only, substitute - label_only
    whole = mean_interval(gain)
    if whole.low is None or whole.low <= 0:
        reason = "one seed: no interval" if whole.low is None else "SPT's gain is compatible with 0"
        return {**Interval(None, None, None, n=len(gain)).as_json(), "reason": reason}
    shifted = ratio_interval(kept + SHIFT * gain, gain)
    down = lambda bound: None if bound is None else bound - SHIFT
    found = Interval(
        down(shifted.estimate), down(shifted.low), down(shifted.high), shifted.level, shifted.n, "Fieller"
    )
    return {**found.as_json(), "reason": None}


def shares(test: PerSeed, train: PerSeed) -> dict[str, object]:
    """Every share that the arms at hand allow; accuracies per seed, by arm."""
    of = lambda arm: share(test[arm], test["spt"], test["label_only"])
    priors = [variant.name for variant in PRIORS if variant.name in test]
    depths = [arm for arm in test if arm.startswith("depth_")]
    others = [arm for arm in test if arm not in ("spt", "label_only", "qk_only", *priors, *depths)]
    found: dict[str, object] = {
        "gain": mean_interval(test["spt"] - test["label_only"]).as_json(),
        "fit_gap": mean_interval(train["spt"] - train["label_only"]).as_json(),
    }
    if "qk_only" in test:
        found["qk_share"] = of("qk_only")
    for name, arms in (("prior_share", priors), ("depth_share", depths), ("share", others)):
        if arms:
            found[name] = {arm: of(arm) for arm in arms}
    return found

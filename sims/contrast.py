"""Signal and noise of both losses as two classes approach each other.   [C7, C16]

Two balanced classes of Gaussian AR(1) rings, rho = middle +- contrast, one residual layer with
phi(h) = h^2/2 at uniform attention. Every sequence's gradient along lag 1 is taken by automatic
differentiation of the losses themselves: the label's at a constant prediction, reconstruction's with each
position masked in turn. Theory: the contrast law and the counts of sequences it implies.
"""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from sims.bands import LEVEL, compare_all
from sims.contrast_law import class_covariances, laws, require_contrast
from sims.contrast_pulls import sampled_pulls, scores, wrong_signs
from sims.exponents import exponent
from sims.intervals import Interval, score_snr_ratio
from sims.limits import at_least, between
from sims.store import UserError

Progress = Callable[[int, int], None] | None
Arrays = dict[str, np.ndarray]
RAREST = 0.01  # chances of a wrong sign below it are too rare for these batches to count
KINDS = ("label", "imbalanced", "hidden")
LIMITS = {"label": 2.0, "hidden": 0.0}  # exponents of the SNR in a small contrast   [C7]


@dataclasses.dataclass(frozen=True)
class Config:
    """Signal-to-noise ratio of labels and reconstruction over the contrast of two classes."""

    length: int = 16
    """L, tokens per sequence."""
    middle: float = 0.5
    """Mean of the classes' rho."""
    contrasts: tuple[float, ...] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
    """Half the distance of the classes' rho, increasing from 0."""
    value: float = 1.0
    """v, the same in both losses."""
    imbalance: float = 0.1
    """tau: a second head predicts class 1 with chance (1 + tau)/2, whatever it reads."""
    sequences: int = 2000
    """Sequences of one seed; half of each class on average."""
    counts: tuple[int, ...] = (5, 20, 80, 320)
    """Batch sizes at which the chance of a wrong sign is counted."""
    seeds: int = 48
    """Independent draws."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, contrasts=len(self.contrasts), sequences=self.sequences)
        at_least(1, smallest_count=min(self.counts, default=0))
        between(-1, 1, imbalance=self.imbalance)
        for end in (self.middle - max(self.contrasts), self.middle + max(self.contrasts)):
            between(-1, 1, correlation=end)
        if self.contrasts[0] != 0 or list(self.contrasts) != sorted(set(self.contrasts)):
            raise UserError(f"contrasts must increase from 0: got {self.contrasts}; try 0 0.1 0.2")
        if max(self.counts) > self.sequences:
            raise UserError(
                f"counts must be at most sequences={self.sequences}: got {max(self.counts)}; "
                f"try {self.sequences // 4}"
            )

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=8, middle=0.3, contrasts=(0.0, 0.1, 0.2), sequences=800, counts=(5, 20), seeds=24)


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[dict[str, object], Arrays]:
    """Signals, their ratio, their exponents and wrong signs, each beside its law."""
    require_contrast(config)
    found: dict[str, list[np.ndarray]] = {}
    for done, (contrast, one) in enumerate(
        zip(config.contrasts, jax.random.split(key, len(config.contrasts)), strict=True)
    ):
        covariances = class_covariances(config, contrast)
        pulls = sampled_pulls(covariances, config, jax.random.split(one, config.seeds))
        for name, samples in pulls.items():
            found.setdefault(name, []).append(np.asarray(samples))
        if report:
            report(done + 1, len(config.contrasts))
    pulls = {name: np.stack(samples, axis=1) for name, samples in found.items()}
    return summary(config, pulls)


def summary(config: Config, pulls: Arrays) -> tuple[dict[str, object], Arrays]:
    """Verdicts, exponents and the ratio of counts, and the bands."""
    law = laws(config)
    measured = {kind: scores(pulls[kind]) for kind in KINDS}
    expected = {kind: np.sqrt(law[kind]) for kind in KINDS}
    expected["imbalanced"] *= law["sign"]
    verdicts, bands = compare_all({f"score_{kind}": (measured[kind], expected[kind]) for kind in KINDS})
    wrong = {loss: wrong_signs(pulls[loss], config.counts) for loss in ("label", "hidden")}
    seen = {loss: law[f"{loss}_wrong"] > RAREST for loss in wrong}
    leading_verdicts, _ = compare_all(
        {f"wrong_{loss}": (wrong[loss][:, seen[loss]], law[f"{loss}_wrong"][seen[loss]]) for loss in wrong},
        exact=False,
    )
    root = np.sqrt(law["kappa"][1:])  # of its root a score has the exponent that its square has of kappa
    exponents = {
        kind: exponent(root, measured[kind][:, 1:], expected[kind][1:], limit)
        for kind, limit in LIMITS.items()
    }
    ratios = count_ratios(law, measured)
    values: dict[str, object] = {
        "inside": verdicts | leading_verdicts,
        "where_theory_leaves": WHERE_THEORY_LEAVES,
        "count_ratio": ratios,
        "count_ratio_inside": float(np.mean([each["inside"] for each in ratios])),
        "kappa_exponent": exponents,
    }
    arrays = {f"wrong_{loss}": share.mean(axis=0) for loss, share in wrong.items()}
    arrays |= {f"wrong_{loss}_theory": law[f"{loss}_wrong"] for loss in wrong}
    return values, bands | arrays | {
        "kappa": law["kappa"],
        "counts": np.array(config.counts),
        "ratio": law["ratio"][1:],
        "ratio_measured": np.array(
            [[each[end] for end in ("estimate", "low", "high")] for each in ratios], float
        ),
    }


def count_ratios(law: Arrays, measured: Arrays) -> list[dict[str, object]]:
    """n*(label)/n*(reconstruction) at each contrast but 0, with Fieller's 99 % interval, and the law's."""
    found: list[dict[str, object]] = []
    for place, predicted in enumerate(law["ratio"][1:], start=1):
        interval = score_snr_ratio(measured["hidden"][:, place], measured["label"][:, place], LEVEL)
        inside = inside_of(interval, float(predicted))
        found.append(interval.as_json() | {"predicted": float(predicted), "inside": inside})
    return found


def inside_of(interval: Interval, number: float) -> bool:
    """Whether a number lies in an interval; None is no bound."""
    low, high = interval.low, interval.high
    return (low is None or low <= number) and (high is None or number <= high)


WHERE_THEORY_LEAVES = {
    "wrong_label": "the chance takes the mean of a batch for normal: leading order in 1/n",
    "wrong_hidden": "the same; reconstruction's pull is skewed, and small batches show it",
}

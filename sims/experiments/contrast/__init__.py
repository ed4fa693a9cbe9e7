"""Signal and noise of both losses as two classes approach each other.   [C7, C16]

Two balanced classes of Gaussian AR(1) rings, rho = middle +- contrast, one residual layer with
phi(h) = h^2/2 at uniform attention. Every sequence's gradient along lag 1 is taken by automatic
differentiation of the losses themselves: the label's at a constant prediction, reconstruction's with each
position masked in turn. Theory: the contrast law and the counts of sequences it implies.
"""

import dataclasses

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from sims.experiments.contrast.law import class_covariances, laws, require_contrast
from sims.experiments.contrast.pulls import sampled_projections, scores, wrong_signs
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL, BandVerdict, compare_all
from sims.statistics.exponents import Fitted, exponent
from sims.statistics.intervals import Interval, score_snr_ratio

DESCRIPTION = (
    "signal and noise of both losses, and the sequences they need, as two classes approach each other"
)
SECONDS = 10

_RAREST = 0.01  # chances of a wrong sign below it are too rare for these batches to count
KINDS = ("label", "imbalanced", "hidden")
LIMITS = {"label": 2.0, "hidden": 0.0}  # exponents of the SNR in a small contrast   [C7]


@dataclasses.dataclass(frozen=True)
class Config:
    """Signal-to-noise ratio of labels and reconstruction over the contrast of two classes."""

    length: int = 16
    """L, tokens per sequence."""
    middle: float = 0.5
    """Mean rho of the two classes."""
    contrasts: tuple[float, ...] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
    """Half the difference of the classes' rho, increasing from 0."""
    value: float = 1.0
    """Value v, the same in both losses."""
    imbalance: float = 0.1
    """tau: a second head predicts class 1 with probability (1 + tau)/2, whatever its input."""
    sequences: int = 2000
    """Sequences per seed, half of each class on average."""
    counts: tuple[int, ...] = (5, 20, 80, 320)
    """Batch sizes at which the probability of a wrong sign is measured."""
    seeds: int = 48
    """Independent repetitions."""

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


@dataclasses.dataclass(frozen=True)
class CountRatio(Interval):
    """n*(label)/n*(reconstruction) with its 99 % interval, beside the law's."""

    predicted: float = dataclasses.field(kw_only=True)
    inside: bool = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve, ratios of counts by contrast, and exponents of the SNR by loss."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]
    count_ratio: tuple[CountRatio, ...]
    """At each contrast but 0."""
    count_ratio_inside: float
    """Share of the ratios whose law lies inside."""
    kappa_exponent: dict[str, Fitted]


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Signals, their ratio, their exponents and wrong signs, each beside its law."""
    require_contrast(config)
    by_name: dict[str, list[np.ndarray]] = {}
    keys = jax.random.split(key, len(config.contrasts))
    for contrast, one in reported(zip(config.contrasts, keys, strict=True), report):
        covariances = class_covariances(config, contrast)
        projections = sampled_projections(covariances, config, jax.random.split(one, config.seeds))
        for name, samples in projections.items():
            by_name.setdefault(name, []).append(np.asarray(samples))
    projections = {name: np.stack(samples, axis=1) for name, samples in by_name.items()}
    return summary(config, projections)


def summary(config: Config, projections: Arrays) -> tuple[Values, Arrays]:
    """Verdicts, exponents and the ratio of counts, and the bands."""
    law = laws(config)
    measured = {kind: scores(projections[kind]) for kind in KINDS}
    expected = {kind: np.sqrt(law[kind]) for kind in KINDS}
    expected["imbalanced"] *= law["sign"]
    verdicts, bands = compare_all({f"score_{kind}": (measured[kind], expected[kind]) for kind in KINDS})
    wrong = {loss: wrong_signs(projections[loss], config.counts) for loss in ("label", "hidden")}
    measurable = {loss: law[f"{loss}_wrong"] > _RAREST for loss in wrong}
    leading_verdicts, _ = compare_all(
        {
            f"wrong_{loss}": (wrong[loss][:, measurable[loss]], law[f"{loss}_wrong"][measurable[loss]])
            for loss in wrong
        },
        exact=False,
    )
    root = np.sqrt(law["kappa"][1:])  # of its root a score has the exponent that its square has of kappa
    exponents = {
        kind: exponent(root, measured[kind][:, 1:], expected[kind][1:], limit)
        for kind, limit in LIMITS.items()
    }
    ratios = _count_ratios(law, measured)
    share = float(np.mean([each.inside for each in ratios]))
    values = Values(verdicts | leading_verdicts, WHERE_THEORY_LEAVES, ratios, share, exponents)
    arrays = {f"wrong_{loss}": share.mean(axis=0) for loss, share in wrong.items()}
    arrays |= {f"wrong_{loss}_theory": law[f"{loss}_wrong"] for loss in wrong}
    return values, bands | arrays | {
        "kappa": law["kappa"],
        "counts": np.array(config.counts),
        "ratio": law["ratio"][1:],
        "ratio_measured": np.array([[each.estimate, each.low, each.high] for each in ratios], float),
    }


def _count_ratios(law: Arrays, measured: Arrays) -> tuple[CountRatio, ...]:
    """n*(label)/n*(reconstruction) at each contrast but 0, with Fieller's 99 % interval, and the law's."""
    ratios = []
    for index, predicted in enumerate(law["ratio"][1:], start=1):
        interval = score_snr_ratio(measured["hidden"][:, index], measured["label"][:, index], LEVEL)
        inside = _inside_of(interval, float(predicted))
        ratios.append(CountRatio(**vars(interval), predicted=float(predicted), inside=inside))
    return tuple(ratios)


def _inside_of(interval: Interval, number: float) -> bool:
    """Whether a number lies in an interval; None is no bound."""
    low, high = interval.low, interval.high
    return (low is None or low <= number) and (high is None or number <= high)


WHERE_THEORY_LEAVES = {
    "wrong_label": "the chance takes the mean of a batch for normal: leading order in 1/n",
    "wrong_hidden": "the same; reconstruction's pull is skewed, and small batches show it",
}

__all__ = [
    "DESCRIPTION", "KINDS", "LIMITS", "SECONDS", "WHERE_THEORY_LEAVES", "Config",
    "Values", "run", "summary",
]  # fmt: skip

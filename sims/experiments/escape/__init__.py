"""How long labels stay on their plateau, and how soon reconstruction leaves it.   [C20, C5]

Task: rings of an AR(1) process against the same bags permuted, in `quadratic_ring`: at uniform attention
the best head is 0 for labels, and a strict saddle. Every seed has a set of its own, closed under rotation,
whose saddle the theory gives exactly; the clocks are those of the loss to second order. Scores start
as N(0, scale^2) entries and have left when their part along the way out has grown to |S| = size L. Over L
labels start on both sides of the saddle: which side is quicker is of third order in the loss.
"""

import dataclasses

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from sims.experiments.escape import clocks as escape_clocks
from sims.experiments.escape import speeds as escape_speeds
from sims.experiments.escape import steps
from sims.experiments.escape.clocks import EARLY, HALVES, SHARES
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL, BandVerdict, compare_all
from sims.statistics.exponents import Fitted, fitted, paired, slopes
from sims.statistics.intervals import Interval, mean_interval

DESCRIPTION = "how long labels stay on their plateau, over length, scale and optimiser; what Adam does to it"
SECONDS = 42


@dataclasses.dataclass(frozen=True)
class Config:
    """Escape times of labels and reconstruction over L, scale and optimiser."""

    lengths: tuple[int, ...] = (8, 16, 32, 48)
    """Sequence lengths L, increasing; the second is used in every sweep but the one over L."""
    correlation: float = 0.6
    """rho of the AR(1) process."""
    value: float = -2.0
    """Value v of the label model; at -2 the mean token drops out of the features' variance."""
    pairs: int = 256
    """Bags of tokens per data set; each gives an ordered and a permuted sequence."""
    scale: float = 1e-3
    """Standard deviation of initial scores in the sweep over L."""
    scales: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    """Initial scores of the sweep over scale."""
    size: float = 0.05
    """Root mean square of the scores at which the plateau counts as left."""
    learning_rate: float = 2.0
    """Learning rate of full and stochastic gradient descent; large, since head and scores move slowly."""
    batch: int = 64
    """Sequences per step of stochastic descent."""
    sign_rate: float = 5e-4
    """Learning rate of Adam and of sign descent: change of a score per step."""
    batches: tuple[int, ...] = (16, 64, 256)
    """Batch sizes at which the speed of sign descent is measured."""
    seeds: int = 24
    """Independent sets and starts."""

    def __post_init__(self) -> None:
        at_least(2, seeds=self.seeds, lengths=len(self.lengths), scales=len(self.scales), pairs=self.pairs)
        at_least(4, shortest_length=min(self.lengths))
        at_least(1, batch=self.batch, smallest_batch=min(self.batches, default=0))
        between(-1, 1, correlation=self.correlation)
        between(0, 4, learning_rate=self.learning_rate)
        for name in ("lengths", "scales"):
            values = getattr(self, name)
            if list(values) != sorted(set(values)):
                raise UserError(f"{name} must increase: got {values}; try {tuple(sorted(set(values)))}")
        for name, most in (("scale", EARLY[-1] * self.size), ("scales", self.size / 2)):
            largest = float(np.max(getattr(self, name)))
            if not 0 < largest <= most:
                raise UserError(
                    f"{name} must lie between 0 and {most:g} at size={self.size}: got {largest}; "
                    f"try {most / 2:g}"
                )

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(lengths=(8, 12), pairs=64, seeds=8, scales=(1e-3, 1e-2), sign_rate=2e-3, batches=(64,))


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve, exponents, and how much slower labels are."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]
    labels_over_reconstruction: tuple[Interval, ...]
    """By length."""
    length_exponents: dict[str, Fitted]
    first_order_gap_exponent: float
    second_order_delay_exponent: float
    scale_slope: Fitted
    adam_exponent_in_scale: Fitted


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Times over L, times over scale by optimiser, the spread of noisy descent, the speed of sign descent."""
    progress = report or (lambda done, total: None)
    total = len(config.lengths) + 2
    keys = jax.random.split(key, total)
    arrays: Arrays = {"lengths": np.array(config.lengths), "scales": np.array(config.scales)}
    by_length = []
    for done, length in enumerate(config.lengths):
        by_length.append(escape_clocks.times(config, length, config.scale, key=keys[done]))
        progress(done + 1, total)
    arrays |= {f"length_{name}": np.stack([each[name] for each in by_length], 1) for name in by_length[0]}
    arrays |= steps.over_scales(config, key=keys[-2])
    progress(total - 1, total)
    arrays |= escape_speeds.speeds(config, key=keys[-1])
    progress(total, total)
    return summary(arrays)


def summary(arrays: Arrays) -> tuple[Values, Arrays]:
    """Verdict of every curve, fitted exponents, and how much slower labels are; and the bands."""
    lengths, scales = arrays["lengths"].astype(float), arrays["scales"]
    slower = arrays["length_label"] / arrays["length_hidden"]
    compared = curves(arrays)
    leading = {name: compared.pop(name) for name in WHERE_THEORY_LEAVES}
    verdicts, bands = compare_all(compared)
    leading_verdicts, leading_bands = compare_all(leading, exact=False)
    exponents = {
        name: paired(
            lengths,
            arrays[f"length_{name}"],
            arrays[f"length_{name}_predicted"],
            leaves=WHERE_THEORY_LEAVES.get(f"length_{name}", ""),
        )
        for name in ("growth", "early", "label", "hidden")
    }
    exponents["growth"] = dataclasses.replace(exponents["growth"], asymptotic=-2.0)
    values = Values(
        verdicts | leading_verdicts,
        WHERE_THEORY_LEAVES,
        tuple(mean_interval(row, LEVEL) for row in slower.T),
        exponents,
        first_order_gap_exponent=order_of(arrays["length_hidden_ratio"] - 1, SHARES),
        second_order_delay_exponent=order_of(arrays["length_delay"], HALVES),
        scale_slope=fitted(-slopes(np.log(scales), arrays["flow_times"]) * arrays["flow_rate"], 1.0),
        adam_exponent_in_scale=fitted(slopes(np.log(scales), np.log(arrays["adam_times"])), 0.0),
    )
    return values, arrays | bands | leading_bands


def order_of(gaps: np.ndarray, shares: tuple[float, float]) -> float:
    """The power of the size with which a gap (seed, length, share) falls, at the largest L."""
    sizes = np.log(np.abs(gaps.mean(axis=0)[-1]))
    return float((sizes[0] - sizes[1]) / np.log(shares[0] / shares[1]))


def curves(arrays: Arrays) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What is compared: times as shares of their predictions, seed by seed; speeds as they are."""
    shares = {f"length_{loss}": f"length_{loss}" for loss in ("early", "label", "hidden")}
    shares |= {f"scale_{rule}": f"{rule}_times" for rule in ("flow", "sgd", "sign_whole")}
    shares |= {"noisy_spread": "spread"}
    predicted = lambda name: arrays[name.removesuffix("_times") + "_predicted"]
    ratios = {curve: arrays[name] / predicted(name) for curve, name in shares.items()}
    speeds = arrays["speed"] - arrays["speed_predicted"] + arrays["speed_predicted"].mean(axis=0)
    return {name: (samples, np.ones(samples.shape[1])) for name, samples in ratios.items()} | {
        "sign_speed": (speeds, arrays["speed_predicted"].mean(axis=0)),
        "sign_speed_blind": (arrays["speed_blind"], np.zeros(speeds.shape[1])),
    }


WHERE_THEORY_LEAVES = {
    "length_label": "the law is that of the loss to second order: over both ways out its delay grows with "
    "the square of the size that counts as having left, as second_order_delay_exponent says",
    "length_hidden": "the law is first order: its gap falls with the size that counts as having left, as "
    "first_order_gap_exponent says",
    "scale_sign_whole": "signs of lags with hardly any contrast settle late",
    "sign_speed": "the law takes a batch's gradient for normal; of small batches it is not",
}

__all__ = [
    "DESCRIPTION", "SECONDS", "WHERE_THEORY_LEAVES", "Config", "Values", "curves",
    "order_of", "run", "summary",
]  # fmt: skip

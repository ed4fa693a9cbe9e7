"""Which held-out sequences are answered rightly, by every fit and without attention: the same rows for all.

What is compared is compared row by row, so that its interval counts the rows as well as initialisations.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from full_scale.data.dataset import Dataset
from full_scale.data.splits import held_out
from full_scale.tasks.attention_free import predictions
from sims.statistics.intervals import Interval

RESAMPLES = 1_000
LEVEL = 0.95
ALONE = ("uniform", "own")  # attention as labels alone have it
READ_NO_NEIGHBOURS = ("constant", "bag_of_tokens", "linear", "length")
_METHOD = "rows by bootstrap, initialisations by Student t"


@dataclasses.dataclass(frozen=True)
class Answers:
    """Rightly answered or not, for every held-out row in the same order."""

    labels: Int[np.ndarray, " row"]
    patterns: dict[str, Bool[np.ndarray, "fit row"]]
    """By what attention is frozen at: uniform, own, pattern."""
    simple: dict[str, Bool[np.ndarray, " row"]]
    """By attention-free baseline, the constant among them."""

    @classmethod
    def of(cls, dataset: Dataset, arrays: Sequence[dict[str, np.ndarray]], names: Sequence[str]) -> "Answers":
        """The stored answers of all fits, and the baselines' on the same rows."""
        held = held_out(dataset)
        simple = {name: guess == held.labels for name, guess in predictions(dataset, held).items()}
        patterns = {name: np.stack([each[f"right_{name}"] for each in arrays]).astype(bool) for name in names}
        return cls(held.labels, patterns, simple)

    def floors(self) -> dict[str, float]:
        """Held-out accuracy of every baseline."""
        return {name: float(right.mean()) for name, right in self.simple.items()}

    def balanced(self, right: Bool[np.ndarray, "*fit row"]) -> float:
        """The mean over classes of each class's accuracy, over fits."""
        classes = np.unique(self.labels)
        return float(np.mean([right[..., self.labels == each].mean() for each in classes]))

    def over(self, name: str, other: str = "constant") -> Interval:
        """How much more rows a baseline answers than another does: a paired difference over rows."""
        difference = self.simple[name].astype(float) - self.simple[other]
        half = stats.norm.ppf((1 + LEVEL) / 2) * difference.std() / np.sqrt(len(difference))
        mean = float(difference.mean())
        return Interval(mean, mean - half, mean + half, LEVEL, len(difference), "normal, over rows")

    def order(self) -> Interval:
        """Accuracy of pairs of neighbours less the best baseline that reads none: order alone."""
        known = (name for name in READ_NO_NEIGHBOURS if name in self.simple)
        return self.over("pairs", max(known, key=lambda name: self.simple[name].mean()))

    def alternatives(self) -> dict[str, Float[np.ndarray, "fit row"]]:
        """What the pattern has to beat: labels alone, and baselines that read no neighbours."""
        fits = len(next(iter(self.patterns.values())))
        rows_by_name = {name: self.patterns[name].astype(float) for name in ALONE}
        simple = (name for name in READ_NO_NEIGHBOURS if name in self.simple)
        return rows_by_name | {name: np.tile(self.simple[name].astype(float), (fits, 1)) for name in simple}


def gain(answers: Answers) -> Interval:
    """Mean over fits and rows of right(pattern) - right(best alternative), within [-1, 1].

    In each half of the rows the alternative is the one that answers most rows of the other half: the best
    of several on the same rows would look better than it is. Rows are resampled, and with them the choice;
    what initialisations differ by is added in quadrature.
    """
    pattern, others = answers.patterns["pattern"].astype(float), answers.alternatives()
    stack = np.stack(list(others.values()))  # alternative, fit, row
    draw = np.random.default_rng(0)
    first = draw.permutation(pattern.shape[1]) % 2 == 0
    counts = draw.multinomial(
        pattern.shape[1], np.full(pattern.shape[1], 1 / pattern.shape[1]), RESAMPLES
    ).astype(float)
    each = difference(pattern.mean(axis=0), stack.mean(axis=1), first, np.ones((1, len(first))))[0]
    resampled = difference(pattern.mean(axis=0), stack.mean(axis=1), first, counts)
    by_fit = [
        difference(one, stack[:, i], first, np.ones((1, len(first))))[0] for i, one in enumerate(pattern)
    ]
    spread = stats.t.ppf((1 + LEVEL) / 2, len(by_fit) - 1) * np.std(by_fit, ddof=1) / np.sqrt(len(by_fit))
    low, high = (each - np.quantile(resampled, end) for end in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    bounds = each - np.hypot(low, spread), each + np.hypot(high, spread)
    low, high = np.clip(bounds, -1, 1)
    return Interval(float(each), float(low), float(high), LEVEL, len(by_fit), _METHOD)


def difference(
    pattern: Float[np.ndarray, " row"],
    others: Float[np.ndarray, "alternative row"],
    first: Bool[np.ndarray, " row"],
    counts: Float[np.ndarray, "sample row"],
) -> Float[np.ndarray, " sample"]:
    """Mean over counted rows of the pattern less the alternative that the other half of the rows chooses."""
    total = counts @ pattern
    for here in (first, ~first):
        best = (counts[:, ~here] @ others[:, ~here].T).argmax(axis=1)
        total -= np.take_along_axis(counts[:, here] @ others[:, here].T, best[:, None], axis=1)[:, 0]
    return total / counts.sum(axis=1)

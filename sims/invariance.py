"""What labels can never see, whatever they train: four exact invariances.   [C4, C5, C21, C23]

Balanced scores: any pattern, with its key bias, has the loss of uniform attention. No residual: the loss has
no slope along query-dependent directions, and a curvature. Equal rows: trained by labels they stay equal.
Heads and linear layers: the visible dimension is a known number times L - 1. Each beside the nearest model in
which it is false. Exact for every L, but for the size of the slope away from uniform attention.
"""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from sims import equal_rows, label_layers
from sims.bands import compare_all
from sims.limits import at_least, between

Progress = Callable[[int, int], None] | None
Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Config:
    """Losses, slopes, trained scores and ranks of random models on random sequences."""

    length: int = 12
    """L, tokens per sequence, of all but the ranks."""
    width: int = 4
    """Width of tokens and values; its square bounds the ranks."""
    sizes: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0, 10.0)
    """Standard deviations of the scores that are balanced."""
    amounts: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    """Sizes of a query-dependent part of the scores, at which the loss's slope along it is taken."""
    steps: int = 40
    """Training steps, each on a sequence of its own."""
    learning_rate: float = 0.02
    """Of every optimiser."""
    lengths: tuple[int, ...] = (4, 8, 12)
    """L of the ranks."""
    ranked: int = 3
    """Models of each kind whose ranks are counted."""
    seeds: int = 32
    """Independent models, sequences, scores."""

    def __post_init__(self) -> None:
        at_least(3, length=self.length, shortest_length=min(self.lengths, default=0))
        at_least(2, width=self.width, seeds=self.seeds, ranked=self.ranked)
        at_least(1, steps=self.steps, sizes=len(self.sizes), amounts=len(self.amounts))
        between(0, 1, learning_rate=self.learning_rate, smallest_amount=min(self.amounts, default=0))

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=6, sizes=(0.3, 3.0), amounts=(0.01, 0.1), steps=8, lengths=(4,), ranked=2, seeds=12)


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[dict[str, object], Arrays]:
    """The four measurements, one after another."""
    tell = report or (lambda done, total: None)
    parts = (label_layers.balanced, label_layers.slopes, equal_rows.trained, label_layers.ranks)
    found: Arrays = {}
    for done, (part, one) in enumerate(zip(parts, jax.random.split(key, len(parts)), strict=True)):
        tell(done, len(parts))
        found |= part(config, key=one)
    tell(len(parts), len(parts))
    return summary(config, found)


def summary(config: Config, found: Arrays) -> tuple[dict[str, object], Arrays]:
    """Verdicts and bands; root mean squares over seeds of what is not 0."""
    ones = lambda name: np.ones(found[name].shape[1:])
    law = found["curvature_predicted"]
    verdicts, bands = compare_all(
        {
            "balanced": (found["loss_own"], ones("loss_own")),
            "slope_at_uniform": (1 + found["slope_at_uniform"], ones("slope_at_uniform")),
            "curvature": (found["curvature"] / law, np.ones(1)),
            "alike": (found["alike"], ones("alike")),
            "reduced": (found["reduced"], ones("reduced")),
            "rank": (found["rank"], found["rank_predicted"][0]),
        }
    )
    squares, amounts = found["slope"] ** 2, np.array(config.amounts)
    leading = squares - (amounts * law) ** 2 + np.mean(law**2) * amounts**2
    leaving, leading_bands = compare_all({"slope": (leading, np.mean(law**2) * amounts**2)}, exact=False)
    values: dict[str, object] = {
        "inside": verdicts | leaving,
        "where_theory_leaves": WHERE_THEORY_LEAVES,
        "optimisers": list(equal_rows.OPTIMISERS),
        "kinds": list(label_layers.KINDS),
    }
    root = lambda array: np.sqrt(np.mean(array**2, axis=0))
    shown = {f"change_{name}": root(found[f"loss_{name}"] - 1) for name in label_layers.BIASES}
    shown |= {name: root(found[name]) for name in ("slope", "slope_residual", "centred", "centred_other")}
    shown |= {"slope_leading": np.sqrt(np.mean(law**2)) * amounts, "rank_other": found["rank_other"]}
    shown |= {name: np.array(getattr(config, name)) for name in ("sizes", "amounts", "lengths")}
    return values, bands | leading_bands | shown


WHERE_THEORY_LEAVES = {"slope": "curvature times size is the slope to leading order in the size"}

"""What labels can never see, whatever they train: four exact invariances.   [C4, C5, C21, C23]

Balanced scores: any pattern, with its key bias, has the loss of uniform attention. No residual: the loss has
no slope along query-dependent directions, and a curvature. Equal rows: trained by labels they stay equal.
Heads and linear layers: the visible dimension is a known number times L - 1. Each beside the nearest model in
which it is false. Exact for every L, but for the size of the slope away from uniform attention.
"""

import dataclasses

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare_all
from sims.toy_models import equal_rows, label_layers

DESCRIPTION = "what labels never see: balanced scores, no residual, equal rows, heads and linear layers"
SECONDS = 21


@dataclasses.dataclass(frozen=True)
class Config:
    """Losses, slopes, trained scores and ranks of random models on random sequences."""

    length: int = 12
    """L, tokens per sequence, except for the ranks."""
    width: int = 4
    """Width of tokens and values; its square bounds the ranks."""
    sizes: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0, 10.0)
    """Standard deviations of the scores before balancing."""
    amounts: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    """Sizes of a query-dependent part of the scores, at which the loss's slope is measured."""
    steps: int = 40
    """Training steps, one fresh sequence each."""
    learning_rate: float = 0.02
    """Learning rate of every optimiser."""
    lengths: tuple[int, ...] = (4, 8, 12)
    """Sequence lengths L of the rank measurements."""
    ranked: int = 3
    """Models per kind whose ranks are measured."""
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


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve, and in which order its arrays hold optimisers and kinds of models."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]
    optimisers: tuple[str, ...]
    kinds: tuple[str, ...]


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """The four measurements, one after another."""
    progress = report or (lambda done, total: None)
    parts = (label_layers.balanced, label_layers.slopes, equal_rows.trained, label_layers.ranks)
    measured: Arrays = {}
    for done, (part, one) in enumerate(zip(parts, jax.random.split(key, len(parts)), strict=True)):
        progress(done, len(parts))
        measured |= part(config, key=one)
    progress(len(parts), len(parts))
    return summary(config, measured)


def summary(config: Config, measured: Arrays) -> tuple[Values, Arrays]:
    """Verdicts and bands; root mean squares over seeds of what is not 0."""
    ones = lambda name: np.ones(measured[name].shape[1:])
    law = measured["curvature_predicted"]
    verdicts, bands = compare_all(
        {
            "balanced": (measured["loss_own"], ones("loss_own")),
            "slope_at_uniform": (1 + measured["slope_at_uniform"], ones("slope_at_uniform")),
            "curvature": (measured["curvature"] / law, np.ones(1)),
            "alike": (measured["alike"], ones("alike")),
            "reduced": (measured["reduced"], ones("reduced")),
            "rank": (measured["rank"], measured["rank_predicted"][0]),
        }
    )
    squares, amounts = measured["slope"] ** 2, np.array(config.amounts)
    leading = squares - (amounts * law) ** 2 + np.mean(law**2) * amounts**2
    leaving, leading_bands = compare_all({"slope": (leading, np.mean(law**2) * amounts**2)}, exact=False)
    names = tuple(equal_rows.OPTIMISERS), tuple(label_layers.KINDS)
    values = Values(verdicts | leaving, WHERE_THEORY_LEAVES, *names)
    root = lambda array: np.sqrt(np.mean(array**2, axis=0))
    curves = {f"change_{name}": root(measured[f"loss_{name}"] - 1) for name in label_layers.BIASES}
    curves |= {name: root(measured[name]) for name in ("slope", "slope_residual", "centred", "centred_other")}
    curves |= {"slope_leading": np.sqrt(np.mean(law**2)) * amounts, "rank_other": measured["rank_other"]}
    curves |= {name: np.array(getattr(config, name)) for name in ("sizes", "amounts", "lengths")}
    return values, bands | leading_bands | curves


WHERE_THEORY_LEAVES = {"slope": "curvature times size is the slope to leading order in the size"}

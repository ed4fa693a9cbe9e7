"""What the data and the settings leave open: said beside the verdict, or instead of one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from full_scale.data.dataset import Dataset
from full_scale.data.splits import held_out
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.held_out import Answers
from full_scale.diagnosis.initialisation import Evidence

FEWEST_STEPS = 50  # of a fit: fewer have learned nothing
_FEWEST_ROWS = 30  # held-out sequences: fewer tell no accuracy apart
_FEWEST_OF_CLASS = 5  # held-out sequences of a class, and training ones: fewer tell nothing about it
RARE = 0.5  # a class is rare below this share of 1 / classes


def shortcomings(dataset: Dataset, fit: FitConfig) -> list[str]:
    """Why no verdict can be given, if so."""
    held = held_out(dataset)
    reasons = []
    if fit.steps < FEWEST_STEPS:
        reasons.append(
            f"{fit.steps} optimiser steps teach the model nothing: leave out --steps, or give "
            f"{FEWEST_STEPS} or more"
        )
    if len(held) < _FEWEST_ROWS:
        reasons.append(
            f"{len(held)} held-out sequences tell no accuracies apart: give {_FEWEST_ROWS} or more"
        )
    scarce = _thin_classes(dataset)
    known = len(np.unique(np.concatenate([dataset.train.labels, held.labels])))
    if known - len(scarce) < 2 or 2 * len(scarce) > known:
        reasons.append(
            f"{len(scarce)} of {known} classes have fewer than {_FEWEST_OF_CLASS} training or held-out "
            "sequences: give more of them, or join classes"
        )
    return reasons


def _thin_classes(dataset: Dataset) -> list[int]:
    """The classes with fewer than `_FEWEST_OF_CLASS` training or held-out sequences."""
    counts = [
        np.bincount(part.labels, minlength=dataset.classes) for part in (dataset.train, held_out(dataset))
    ]
    known = counts[0] + counts[1] > 0
    return np.flatnonzero(known & (np.minimum(*counts) < _FEWEST_OF_CLASS)).tolist()


def notes(
    dataset: Dataset, used: Dataset, fit: FitConfig, fits: Sequence[Evidence], answers: Answers
) -> list[str]:
    """What to know of the data and the fits beside the verdict, a sentence each; rare classes are `quality`'s."""
    sentences = []
    if is_rare(answers.labels):
        share = np.bincount(answers.labels).max() / len(answers.labels)
        sentences.append(
            f"the classes are of unequal size (the largest holds {100 * share:.0f}%): look at the balanced "
            "accuracy, the mean over classes"
        )
    lowered = sorted(
        {name for each in fits for name, rate in each.learning_rates.items() if rate < _requested_rate(fit)}
    )
    sentences += [
        f"the fit of {name} left the finite numbers and was made at a lower learning rate" for name in lowered
    ]
    if len(used.train) < len(dataset.train):
        sentences.append(f"{len(used.train)} of {len(dataset.train)} training sequences were used")
    return sentences


def _requested_rate(fit: FitConfig) -> float:
    """The learning rate that the fits were asked to take."""
    return fit.optimizer.learning_rate


def is_rare(labels: Int[np.ndarray, " row"]) -> bool:
    """Whether some class holds less than half of its equal share of the rows."""
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    return bool(counts.min() < RARE * len(labels) / len(counts))


def balanced(answers: Answers) -> dict[str, float]:
    """Balanced accuracy, the mean over classes, of every pattern and baseline."""
    return {name: answers.balanced(right) for name, right in (answers.simple | answers.patterns).items()}

"""What the data and the settings leave open: said beside the verdict, or instead of one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from full_scale.data.dataset import Dataset
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.held_out import Answers
from full_scale.diagnosis.initialisation import Evidence
from full_scale.diagnosis.quality import unanswerable

FEWEST_STEPS = 50  # of a fit: fewer have learned nothing
RARE = 0.5  # a class is rare below this share of 1 / classes


def shortcomings(dataset: Dataset, fit: FitConfig) -> list[str]:
    """Why no verdict can be given, if so."""
    reasons = []
    if fit.steps < FEWEST_STEPS:
        reasons.append(
            f"{fit.steps} optimiser steps teach the model nothing: leave out --steps, or give "
            f"{FEWEST_STEPS} or more"
        )
    return reasons + [f"{each.sentence}: {each.remedy}" for each in unanswerable(dataset)]


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

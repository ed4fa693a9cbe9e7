"""What `sptlab simulate` runs, by the name its result is stored under."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sims import (
    adiabatic,
    blindness,
    blindness_map,
    boundaries,
    causal,
    contrast,
    escape,
    first_value,
    forgetting,
    initialisation_law,
    invariance,
    mask_ratio,
    plateau,
    pools,
    reduced_flow,
    score_slider,
    tied_initialisation,
    toy_tasks,
    values_first,
)


class Experiment(NamedTuple):
    """A frozen config whose fields are the command's flags, and run(config, *, key, report)."""

    Config: type
    run: Callable[..., tuple[dict[str, object], dict[str, np.ndarray]]]
    description: str
    seconds: float
    """On two cores, compilation included."""


EXPERIMENTS: dict[str, Experiment] = {
    "blindness": Experiment(
        blindness.Config,
        blindness.run,
        "what labels and reconstruction see of the scores: gradients, ranks, losses along directions",
        12,
    ),
    "reduced_flow": Experiment(
        reduced_flow.Config,
        reduced_flow.run,
        "the theory's curve: reduced flow against full flow against stochastic training",
        11,
    ),
    "adiabatic_toy": Experiment(
        adiabatic.Config,
        adiabatic.run,
        "signal-to-noise of both losses once everything but attention has settled",
        16,
    ),
    "score_slider": Experiment(
        score_slider.Config,
        score_slider.run,
        "attention and both losses along four directions of the scores: what the page's slider shows",
        8,
    ),
    "values_first": Experiment(
        values_first.Config,
        values_first.run,
        "how long values take to settle and scores to move, over the length",
        11,
    ),
    "first_value": Experiment(
        first_value.Config,
        first_value.run,
        "attention to neighbours or away from them, over the spread of a sum and over the first value",
        24,
    ),
    "initialisation_law": Experiment(
        initialisation_law.Config,
        initialisation_law.run,
        "gradient sizes over the size of the query and key maps: exponents 3 and 1",
        8,
    ),
    "tied_initialisation": Experiment(
        tied_initialisation.Config,
        tied_initialisation.run,
        "attention by distance before training, query and key maps tied or independent",
        22,
    ),
    "pools": Experiment(
        pools.Config,
        pools.run,
        "how many score directions labels see through each pool, mask and family of scores",
        19,
    ),
    "boundaries": Experiment(
        boundaries.Config,
        boundaries.run,
        "how much of a proximity band labels see through the ends of the sequence",
        10,
    ),
    "causal": Experiment(
        causal.Config,
        causal.run,
        "the pull along each lag: next-token prediction against masking",
        7,
    ),
    "toy_tasks": Experiment(
        toy_tasks.Config,
        toy_tasks.run,
        "what bags, linear models and neighbour counts reach on the toy tasks and their controls",
        25,
    ),
    "escape": Experiment(
        escape.Config,
        escape.run,
        "how long labels stay on their plateau, over length, scale and optimiser; what Adam does to it",
        42,
    ),
    "contrast": Experiment(
        contrast.Config,
        contrast.run,
        "signal and noise of both losses, and the sequences they need, as two classes approach each other",
        10,
    ),
    "forgetting": Experiment(
        forgetting.Config,
        forgetting.run,
        "what label fine-tuning and weight decay leave of a pretrained kernel",
        17,
    ),
    "blindness_map": Experiment(
        blindness_map.Config,
        blindness_map.run,
        "visible share and label signal over residual, nonlinearity, pool and positions",
        21,
    ),
    "plateau": Experiment(
        plateau.Config,
        plateau.run,
        "a trainable layer's plateau: approach with attention frozen, predicted and measured length",
        14,
    ),
    "mask_ratio": Experiment(
        mask_ratio.Config,
        mask_ratio.run,
        "pull on the scores and final attention over the masking rate",
        11,
    ),
    "invariance": Experiment(
        invariance.Config,
        invariance.run,
        "what labels never see: balanced scores, no residual, equal rows, heads and linear layers",
        21,
    ),
}

"""What `sptlab simulate` runs, by the name its result is stored under."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sims import adiabatic, blindness, reduced_flow


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
        10,
    ),
    "adiabatic_toy": Experiment(
        adiabatic.Config,
        adiabatic.run,
        "signal-to-noise of both losses once everything but attention has settled",
        18,
    ),
}

"""Processes with known second moments, on rings and lines, and pairs of them as classes.

Each member is a function that returns a `Process`: autocovariance, spectrum, `sample(key, number)`.
"""

from sims.processes.autoregression import cyclic_ar, open_ar
from sims.processes.band_noise import band_noise
from sims.processes.gaussian_ring import ar1, sample, spectrum
from sims.processes.hidden_markov import HiddenMarkov, drifting
from sims.processes.innovations import Innovation
from sims.processes.moving_average import moving_average, open_moving_average, require_taps
from sims.processes.pairs import ClassPair, mirror_pair, mixed_pair, shape_pair, sign_pair
from sims.processes.permutation import permutation_task, permute_positions
from sims.processes.process import Process
from sims.processes.runs import balanced_runs, markov_runs, mixed_runs, ring_runs

__all__ = [
    "ClassPair", "HiddenMarkov", "Innovation", "Process", "ar1", "balanced_runs", "band_noise", "cyclic_ar",
    "drifting", "markov_runs", "mirror_pair", "mixed_pair", "mixed_runs", "moving_average", "open_ar",
    "open_moving_average", "permutation_task", "permute_positions", "require_taps", "ring_runs", "sample",
    "shape_pair", "sign_pair", "spectrum",
]  # fmt: skip

"""A stored result of the toy tasks with made-up numbers, for tests of its figure only."""

import numpy as np

from sims.runs.store import Result
from tests.paper_figs.example_record import interval, record

NAMES = ("order", "shuffle-runs", "patch-association", "adjacent-pair", "fixed-permutation")


def toy_tasks() -> Result:
    accuracy = {"bag": interval(0.5, 0.02), "linear": interval(0.51, 0.02), "pairs": interval(0.93, 0.01)}
    known = {"constant": 0.5, "bag": 0.5}
    low = np.linspace(0.45, 0.9, 4)
    arrays = {"widths": np.array([2, 4, 16, 64]), "contrasts": np.array([0.0, 0.1, 0.4, 0.8])}
    for dial in ("width", "contrast"):
        arrays |= {f"{dial}_{name}": np.array([low, low + 0.02, low + 0.04]) for name in accuracy}
    values = {
        "names": list(NAMES),
        "tasks": {name: {"accuracy": accuracy, "known": known} for name in NAMES},
        "patch_association": {"leak": 0.696, "best": 0.765},
    }
    return Result("toy_tasks", values, arrays, record("toy_tasks"))

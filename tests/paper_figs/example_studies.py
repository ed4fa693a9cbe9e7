"""A CPU study and a validation study with made-up numbers, for tests of their figures only."""

from typing import Any

import numpy as np

from full_scale import compare
from sims.store import Result
from tests.paper_figs.example_record import interval, record
from tests.paper_figs.example_transformer import example_results

TASKS = ("docs-order", "shuffle-runs", "digits", "imdb-order")
ARMS = (
    "label_only",
    "spt",
    "qk_only",
    "no_qk",
    "alibi",
    "rope",
    "tied_qk",
    "tied_qkvo",
    "depth_2",
    "depth_4",
)
UNDEFINED = {"estimate": None, "low": None, "high": None, "level": 0.95, "n": 5, "method": "Student t"}
GAINS = {"label_only": 0.0, "no_qk": 0.04, "depth_2": 0.06, "depth_4": -0.02, "tied_qk": 0.15}


def cpu_study() -> Result:
    rng = np.random.default_rng(4)
    steps = np.linspace(0, 1500, 31).astype(int)
    tasks, arrays = {}, {}
    for task in TASKS:
        control = task == "digits"
        low, gain = (0.93, 0.01) if control else (0.54, 0.44)
        scores = {arm: low + gain * GAINS.get(arm, 0.9 if arm != "spt" else 1.0) for arm in ARMS}
        tasks[task] = entry(task, scores, control)
        arrays[f"{task}_steps"] = steps
        for arm, score in scores.items():
            rise = 1 / (1 + np.exp(-(steps - 1100) / 60.0)) + 0.02 * rng.random((5, 31))
            arrays[f"{task}_{arm}_validation_accuracy"] = (0.1 if control else 0.5) * (
                1 - rise
            ) + score * rise
            arrays[f"{task}_{arm}_training_loss"] = 0.7 - 0.6 * rise
            arrays[f"{task}_{arm}_proximity_index"] = 1 + (0.0 if arm == "label_only" else 7.0) * rise
    return Result("cpu_study", {"tasks": tasks}, arrays, record("cpu_study"))


def entry(task: str, scores: dict[str, float], control: bool) -> dict[str, Any]:
    """One task's values in the form of full_scale.studies.grids."""
    share = lambda arm: interval(GAINS.get(arm, 0.9), 0.12, 5) | {"reason": None}
    none = UNDEFINED | {"reason": "SPT's gain is compatible with 0"}
    of = lambda arm: none if control else share(arm)
    return {
        "data": {"task": task, "source": "made up"},
        "preset": "cpu",
        "seeds": [0, 1, 2, 3, 4],
        "floor": {"constant": 0.1 if control else 0.5, "bag_of_tokens": 0.9 if control else 0.5},
        "arms": {
            arm: {"test_accuracy": interval(score, 0.02, 5), "train_accuracy": interval(score, 0.02, 5)}
            for arm, score in scores.items()
        },
        "order": list(scores),
        "shares": {
            "gain": interval(0.0 if control else 0.44, 0.02, 5),
            "fit_gap": interval(0.0 if control else 0.45, 0.02, 5),
            "qk_share": of("qk_only"),
            "prior_share": {arm: of(arm) for arm in ("alibi", "rope", "tied_qk", "tied_qkvo")},
            "depth_share": {arm: of(arm) for arm in ("depth_2", "depth_4")},
        },
        "tuning": [],
    }


def validation() -> Result:
    rng = np.random.default_rng(5)
    names = "docs-order digits shuffle-runs run-density imdb-order contrast-pair mnist-7x7 adjacent-pair"
    names += " mirror-image image-8x8 listops-small moved-digits"
    rows = []
    for index, name in enumerate(names.split()):
        measured = float(rng.choice([0.0, 0.01, 0.3, 0.45]))
        verdict = "pretrain first" if measured > 0.04 else "no need"
        miss = name == "run-density"
        rows.append(
            {
                "task": name,
                "half": "test" if index % 2 else "choose",
                "verdict": verdict,
                "verdict_chosen": "no need" if miss else verdict,
                "right": "pretrain first" if miss else verdict,
                "predicted_gain": interval(0.0 if miss else measured + 0.03 * float(rng.normal()), 0.04),
                "measured_gain": interval(0.3 if miss else measured, 0.03),
            }
        )
    values = {
        "rows": rows,
        "spearman": interval(0.82, 0.12, 12),
        "right": {"choose": interval(1.0, 0.1, 6), "test": interval(5 / 6, 0.3, 6)},
        "misses": ["run-density"],
        "thresholds": {"gain": 0.04},
    }
    return Result("validation", values, {}, record("validation"))


def studied() -> dict[str, Result]:
    """The example results with both studies, compared as `sptlab compare` does."""
    plateau = Result("plateau", {"plateau_time": interval(1.0, 0.02)}, {}, record("plateau"))
    results = {**example_results(), "plateau": plateau, "cpu_study": cpu_study(), "validation": validation()}
    values, _ = compare.run(results)
    return {**results, "comparison": Result("comparison", values, {}, record("comparison"))}

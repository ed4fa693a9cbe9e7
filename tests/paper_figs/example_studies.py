"""A CPU study and a validation study with made-up numbers, for tests of their figures only."""

from typing import Any

import numpy as np

from full_scale.comparison import compare
from full_scale.studies import ablations, paper
from full_scale.studies import pilot_validation as pilot_study
from full_scale.studies import validation as diagnosis_study
from full_scale.studies.paper.predicted import NUMBERS
from sims.experiments import plateau as plateau_experiment
from sims.runs.store import Result, plain
from tests.paper_figs.example_record import interval, record
from tests.paper_figs.example_transformer import example_results
from tests.stored_examples import completed

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
    return Result("cpu_study", completed(ablations.Values, {"tasks": tasks}), arrays, record("cpu_study"))


def over_seeds(score: float) -> dict[str, Any]:
    return interval(score, 0.02, 5) | {"per_seed": [score] * 5}


def entry(task: str, scores: dict[str, float], control: bool) -> dict[str, Any]:
    """One task's values in the form of full_scale.studies.grids."""
    share = lambda arm: interval(GAINS.get(arm, 0.9), 0.12, 5) | {"reason": None}
    none = UNDEFINED | {"reason": "SPT's gain is not clearly above 0"}
    of = lambda arm: none if control else share(arm)
    return {
        "data": {"task": task, "source": "made up"},
        "preset": "cpu",
        "seeds": [0, 1, 2, 3, 4],
        "floor": {"constant": 0.1 if control else 0.5, "bag_of_tokens": 0.9 if control else 0.5},
        "arms": {
            arm: {"test_accuracy": over_seeds(score), "train_accuracy": over_seeds(score)}
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


def paper_study() -> Result:
    """Two tasks of the paper study, the second with no gain, and the first with few labels."""
    sizes, predictions = {}, {}
    few = ("image 8x8, 500 labels", "image 8x8, 2,000 labels")
    for name, control in (("image 8x8", False), ("text 128", True), *((name, False) for name in few)):
        task, _, size = name.partition(" ")
        low, gain = (0.6, 0.0) if control else (0.2, 0.44)
        scores = {arm: low + gain * GAINS.get(arm, 0.9 if arm != "spt" else 1.0) for arm in ARMS}
        stayed = {"steps": [None, 100, 200], "never_share": interval(1 / 3, 0.3, 3)}
        near = {"near": interval(1.5, 0.1, 3), "lags": [1, 1, 2], "offsets": None}
        sizes[name] = {
            "task": task,
            "size": size,
            "tier": 1,
            "grid": entry(task, scores, control),
            "left": {arm: stayed | {"beats_floors_share": interval(0.7, 0.3, 3)} for arm in scores},
            "attention": {"label_only": near, "spt": near},
            "best": {arm: interval(float(np.mean(score)), 0.02, 3) for arm, score in scores.items()},
            "best_gain": interval(0.5 * gain, 0.02, 3),
        }
        numbers = {name: interval(0.1, 0.05, 4) for name in NUMBERS}
        predictions[name] = {"verdict": "undecided", "numbers": numbers, "floors": {"constant": 0.1}}
    values = {"complete": True, "predictions": predictions, "sizes": sizes}
    return Result("paper", completed(paper.Values, values), {}, record("paper"))


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
    return Result("validation", completed(diagnosis_study.Values, values), {}, record("validation"))


def pilot_validation() -> Result:
    rng, rows = np.random.default_rng(6), []
    for index, name in enumerate(
        ["order-imdb", "dances", "splice", "run-density-32", "openings", "satimage"]
    ):
        gain, real = (0.0, True) if index % 3 else (0.3, False)
        kinds = {"pilot": gain + 0.02 * float(rng.normal()), "statistic": 0.5 - 0.4 * real, "constant": 0.0}
        by_method = {
            method: {"verdict": "no need", "gain": interval(at, 0.04), "seconds": 30.0}
            for method, at in kinds.items()
        }
        rows.append(
            {
                "predictions": {"set": name, "by_method": by_method},
                "gain": interval(gain, 0.03),
                "fresh": True,
                "real": real,
                "right": dict.fromkeys(kinds, name != "order-imdb"),
            }
        )
    score = {name: interval(0.5, 0.2, 6) for name in ("right", "right_with_gain", "right_without", "rank")}
    values = {
        "rows": rows,
        "scores": dict.fromkeys(("pilot", "statistic", "constant"), score),
        "misses": ["order-imdb"],
    }
    return Result("pilot_validation", completed(pilot_study.Values, values), {}, record("pilot_validation"))


def studied() -> dict[str, Result]:
    """The example results with both studies, compared as `sptlab compare` does."""
    values = completed(plateau_experiment.Values, {"plateau_time": interval(1.0, 0.02)})
    plateau = Result("plateau", values, {}, record("plateau"))
    own = {each.name: each for each in (cpu_study(), paper_study(), validation(), pilot_validation())}
    results = {**example_results(), "plateau": plateau, **own}
    compared, _ = compare.run(results)
    return {**results, "comparison": Result("comparison", plain(compared), {}, record("comparison"))}

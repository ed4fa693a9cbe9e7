"""Example results of the Transformer's experiments, with made-up numbers: see example_results.py."""

from typing import Any

import numpy as np

from full_scale.comparison import rows as comparison_rows
from full_scale.studies import training_states, tuning
from full_scale.studies.arm_comparison import ArmComparison
from sims.runs.store import Result
from tests.paper_figs.example_record import LENGTH, interval, record
from tests.paper_figs.example_results import (
    ARMS,
    EVALUATIONS,
    SEEDS,
    cyclic_lags,
    toy_results,
)
from tests.stored_examples import completed


def task(name: str, label_final: tuple[float, ...], spt_final: float, chance: float) -> Result:
    rng = np.random.default_rng(2)
    steps = np.linspace(0, 3000, EVALUATIONS).astype(int)
    pretraining = 1500
    arrays: dict[str, np.ndarray] = {"steps": steps}
    for arm in ARMS:
        accuracy, loss = [], []
        for seed in range(SEEDS):
            end = label_final[seed] if arm == "label_only" else spt_final
            start = 700 + 400 * seed if arm == "label_only" else pretraining + 150
            rise = 1 / (1 + np.exp(-(steps - start) / 120.0))
            accuracy.append(chance + (end - chance) * rise + 0.008 * rng.normal(size=EVALUATIONS))
            loss.append(-np.log(chance) * (1 - 0.97 * (end - chance) / (1 - chance) * rise))
        arrays[f"{arm}_validation_accuracy"] = np.clip(np.array(accuracy), 0, 1)
        arrays[f"{arm}_label_loss"] = np.array(loss)
    arrays["spt_label_loss"][:, steps < pretraining] = np.nan
    reconstruction = 2.9 - 1.1 * (1 - np.exp(-steps / 400.0)) + 0.02 * rng.normal(size=(SEEDS, EVALUATIONS))
    arrays["spt_reconstruction_loss"] = np.where(steps < pretraining, reconstruction, np.nan)
    arms = {
        arm: arm_values(arm, label_final if arm == "label_only" else (spt_final,) * SEEDS) for arm in ARMS
    }
    values = {
        "task": name,
        "depth": 1,
        "seeds": list(range(SEEDS)),
        "budget_steps": 3000,
        "pretraining_steps": pretraining,
        "chance": chance,
        "symbols": 27 if chance == 0.5 else None,
        "floor": {"bag_of_letters": chance},
        "uniform_attention": {"test_accuracy": interval(chance, 0.02) | {"per_seed": [chance] * SEEDS}},
        "arms": arms,
        "gain": interval(spt_final - float(np.mean(label_final)), 0.11),
    }
    return Result(name, completed(ArmComparison, values), arrays, record(name))


def arm_values(arm: str, finals: tuple[float, ...]) -> dict[str, Any]:
    plateau = [1200 + 100 * seed if final > 0.75 else None for seed, final in enumerate(finals)]
    reached = sorted(step for step in plateau if step is not None)
    return {
        "settings": {"learning_rate": 1e-3, "warmup": 0.1},
        "test_accuracy": interval(float(np.mean(finals)), 0.04) | {"per_seed": list(finals)},
        "train_accuracy": interval(float(np.mean(finals)) + 0.01, 0.05),
        "plateau_steps": {
            "per_seed": plateau,
            "median": float(reached[len(reached) // 2]) if reached else None,
            "never_share": interval(plateau.count(None) / len(plateau), 0.2),
        },
    }


def docs_order_probes() -> Result:
    rng = np.random.default_rng(3)
    layers, heads = 1, 4
    local = np.exp(-cyclic_lags() / 1.5)
    local /= local.sum(1, keepdims=True)
    uniform = np.full((LENGTH, LENGTH), 1 / LENGTH)
    blur = lambda share: uniform * (1 - share) + local * share
    maps = lambda share: np.stack([[blur(share * (0.4 + head / 5)) for head in range(heads)]] * layers)
    lags = np.arange(1, 13)
    steps = np.linspace(0, 3000, EVALUATIONS).astype(int)
    growth = 1 + 9 / (1 + np.exp(-(steps - 500) / 150.0))
    measured = {
        "visible_share_label": interval(0.61, 0.05),
        "visible_share_reconstruction": interval(0.09, 0.03),
        "proximity_alignment_label": interval(0.02, 0.08),
        "proximity_alignment_reconstruction": interval(0.71, 0.06),
        "snr_label": interval(0.002, 0.004),
        "snr_reconstruction": interval(0.29, 0.03),
        "snr_ratio": interval(145.0, 120.0),
        "proximity_index": interval(1.02, 0.02),
    }
    states = ("initialisation", "adiabatic", "trained_label_only", "trained_spt")
    values = {
        "task": "docs-order",
        "layers": layers,
        "heads": heads,
        "states": dict.fromkeys(states, measured),
        "per_head": {},
    }
    label = np.tile(rng.normal(size=LENGTH), (LENGTH, 1)) / 900 + rng.normal(size=(LENGTH, LENGTH)) / 4000
    arrays = {
        "attention_initialisation": maps(0.02),
        "attention_pretrained": maps(0.8),
        "attention_spt": maps(0.9),
        "attention_label_only": maps(0.15) + 0.002 * rng.random((layers, heads, LENGTH, LENGTH)),
        "label_gradient_adiabatic": label,
        "reconstruction_gradient_adiabatic": -0.01 * (local - uniform),
        "snr_lags": lags,
        "snr_label_adiabatic": 0.004 * rng.normal(size=(SEEDS, 12)),
        "snr_reconstruction_adiabatic": 0.3 * 0.55 ** (lags - 1.0) * (1 + 0.1 * rng.normal(size=(SEEDS, 1))),
        "steps": steps,
        "proximity_index_label_only": 1 + 0.1 * rng.random((SEEDS, EVALUATIONS)),
        "proximity_index_spt": growth + 0.3 * rng.random((SEEDS, EVALUATIONS)),
    }
    return Result(
        "docs_order_probes", completed(training_states.Values, values), arrays, record("docs_order_probes")
    )


def comparison() -> Result:
    def row(name: str, prediction: Any, toy: Any, transformer: Any, verdict: str) -> dict[str, Any]:
        return {
            "name": name,
            "meaning": "what the number is, in one sentence of plain words",
            "prediction": prediction,
            "range": [0.8, 1.0] if prediction == 1.0 else [10.0, None],
            "prediction_source": "C19",
            "toy": toy,
            "transformer": transformer,
            "verdict": verdict,
            "note": "measured at the adiabatic point",
        }

    rows = [
        row("visible_share (labels)", 1.0, interval(1.0, 1e-9), interval(0.61, 0.05), "fails"),
        row(
            "proximity_alignment (reconstruction)", 1.0, interval(0.991, 0.002), interval(0.71, 0.06), "holds"
        ),
        row("snr_ratio", "much greater than 1", interval(1025.0, 900.0), interval(145.0, 120.0), "holds"),
        row(
            "norm_ratio",
            "above 10",
            {**interval(0.0, 0.0), "estimate": None, "low": 12.0, "high": None},
            {**interval(0.0, 0.0), "estimate": None, "low": None, "high": None},
            "undecided",
        ),
        row("proximity_index (labels)", 1.0, interval(1.0, 0.01), None, "undecided"),
    ]
    values = completed(comparison_rows.Values, {"rows": rows, "by_task": rows})
    return Result("comparison", values, {}, record("comparison"))


def study() -> Result:
    depths = {}
    for depth, final in (("1", (0.83, 0.79, 0.81)), ("2", (0.52, 0.51, 0.58))):
        sweep = [
            {"arm": arm, "learning_rate": rate, "warmup": 0.1, "validation_accuracy": [0.5 + rate * 10]}
            for arm in ARMS
            for rate in (1e-3, 3e-3)
        ]
        depths[depth] = {
            "sweep": sweep,
            "arms": {arm: arm_values(arm, final if arm == "label_only" else (0.99,) * 3) for arm in ARMS},
            "gain": interval(0.4, 0.1),
            "label_only_longer": {
                "steps": 12000,
                "test_accuracy": interval(0.62, 0.2) | {"per_seed": [0.51, 0.73]},
                "plateau_steps": [None, 9650],
            },
            "probes": {
                "adiabatic": {"snr_label": interval(0.003, 0.01), "snr_reconstruction": interval(0.4, 0.1)}
            },
        }
    curves = task("docs_order", (0.83, 0.79, 0.81), 0.99, 0.5).arrays
    arrays = {f"depth1_{name}": array for name, array in curves.items()}
    return Result("study", completed(tuning.Values, {"depths": depths}), arrays, record("study"))


def attention() -> Result:
    """Attention of one run of each arm: near the diagonal after pretraining, in the second of two heads."""
    local = np.exp(-cyclic_lags() / 1.5)
    local /= local.sum(1, keepdims=True)
    uniform = np.full((LENGTH, LENGTH), 1 / LENGTH)
    states = {
        "initialisation": (0.0, 0.0),
        "pretrained": (0.2, 0.8),
        "spt": (0.2, 0.9),
        "label_only": (0.1, 0.1),
    }
    maps = {
        state: np.stack([uniform * (1 - share) + local * share for share in shares])
        for state, shares in states.items()
    }
    index = {state: [1 + 8 * share for share in shares] for state, shares in states.items()}
    values = {"task": "docs_order", "seed": 0, "proximity_index": index}
    arrays = {f"attention_{state}": each for state, each in maps.items()}
    return Result("attention", values, arrays, record("attention"))


def example_results() -> dict[str, Result]:
    """Every stored result, by name."""
    made = (
        *toy_results(),
        task("docs_order", (0.52, 0.81, 0.50), 0.99, 0.5),
        task("digits", (0.95, 0.96, 0.955), 0.953, 0.1),
        docs_order_probes(),
        comparison(),
        study(),
        attention(),
    )
    return {result.name: result for result in made}

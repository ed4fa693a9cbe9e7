"""Stored results with the names, keys and shapes of the real ones and made-up numbers, for tests of the
figures and of the page only. The curves look like real ones so that the layout is tried under load."""

import numpy as np

from sims.runs.store import Result
from tests.paper_figs.example_claims import claims
from tests.paper_figs.example_record import LENGTH, interval, record

SEEDS, EVALUATIONS = 3, 40
ARMS = ("label_only", "spt")


def cyclic_lags(length: int = LENGTH) -> np.ndarray:
    offsets = (np.arange(length)[None, :] - np.arange(length)[:, None]) % length
    return np.minimum(offsets, length - offsets)


def _decompose(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = direction.mean()
    key_bias = np.broadcast_to(direction.mean(axis=0, keepdims=True) - mean, direction.shape)
    row = np.broadcast_to(direction.mean(axis=1, keepdims=True), direction.shape)
    return np.array(key_bias), direction - row - key_bias


def blindness() -> Result:
    rng = np.random.default_rng(0)
    label = np.tile(rng.normal(size=LENGTH) / LENGTH**2, (LENGTH, 1))
    label -= label.mean()
    reconstruction = -0.02 * (0.8 ** cyclic_lags() * (cyclic_lags() > 0) - 0.2) / LENGTH
    arrays: dict[str, np.ndarray] = {}
    for name, gradient in (("label", label), ("reconstruction", reconstruction)):
        arrays[f"{name}_gradient"] = gradient
        arrays[f"{name}_key_bias"], arrays[f"{name}_doubly_centred"] = _decompose(gradient)
    lengths = np.array([4, 8, 16, 32, 64])
    magnitudes = np.linspace(0.0, 6.0, 13)
    arrays |= {
        "lengths": lengths,
        "visible_rank": lengths - 1,
        "visible_share_measured": 1.0 / lengths,
        "visible_share_predicted": 1.0 / lengths,
        "magnitudes": magnitudes,
        "label_loss": np.repeat(0.5 + 0.1 * rng.random((5, 1)), 13, axis=1),
        "reconstruction_loss": 0.5 - 0.3 * (1 - np.exp(-magnitudes / 2)) + 0.01 * rng.random((5, 1)),
        "label_loss_control": 0.55 + 0.04 * np.outer(rng.normal(size=5), magnitudes / 6) + 0.0,
    }
    toy = {
        "visible_share": interval(1.0, 0.0),
        "visible_share_reconstruction": interval(0.0, 0.0),
        "proximity_alignment": interval(0.991, 0.002),
        "proximity_alignment_label": interval(0.003, 0.02),
    }
    values = {
        "toy": toy,
        "length": LENGTH,
        "rho": 0.8,
        "proximity_alignment_population": 1.0,
        "loss_range": {"label_loss": interval(0.0, 0.0)},
    }
    return Result("blindness", values, arrays, record("blindness"))


def reduced_flow() -> Result:
    rng = np.random.default_rng(1)
    time = np.linspace(0.0, 60.0, 61)
    arrays: dict[str, np.ndarray] = {}
    for process, floor in (("ar1", 0.11), ("moving_average", 0.22)):
        progress = 1 / (1 + np.exp(-(time - 20) / 4))
        lag = cyclic_lags()[0]
        near = 0.5 * (lag == 1)
        kernel = (1 - progress[:, None]) / LENGTH + progress[:, None] * near
        loss = 0.5 - (0.5 - floor) * progress
        index = kernel[:, lag <= 1].sum(1) * LENGTH / 3
        noise = lambda scale, shape: scale * rng.normal(size=shape)
        arrays |= {
            f"{process}_time": time,
            f"{process}_reduced_loss": loss,
            f"{process}_full_loss": loss + 1e-15,
            f"{process}_sgd_loss": loss + noise(0.01, (SEEDS, 61)),
            f"{process}_reduced_kernel": kernel,
            f"{process}_full_kernel": kernel,
            f"{process}_sgd_kernel": kernel + noise(0.004, (SEEDS, 61, LENGTH)),
            f"{process}_reduced_value": progress,
            f"{process}_sgd_value": progress + noise(0.01, (SEEDS, 61)),
            f"{process}_proximity_index": index,
            f"{process}_sgd_proximity_index": index + noise(0.1, (SEEDS, 61)),
            f"{process}_autocovariance": 0.8**lag,
        }
    values = {
        "processes": ["ar1", "moving_average"],
        "max_gap": {"ar1": 3.1e-16, "moving_average": 4.4e-16},
        "toy": {"proximity_index": interval(10.4, 0.2), "proximity_index_label": interval(1.0, 0.01)},
        "nearest_neighbour": {},
        "proximity_index": {"ar1": interval(10.4, 0.2)},
    }
    return Result("reduced_flow", values, arrays, record("reduced_flow"))


def adiabatic_toy() -> Result:
    lags = np.arange(1, 13)
    toy = {
        "snr_label": interval(0.0004, 0.001),
        "snr_reconstruction": interval(0.41, 0.03),
        "snr_ratio": interval(1025.0, 900.0),
    }
    arrays = {
        "lags": lags,
        "snr_label_by_lag": 0.001 * np.sin(7.0 * lags),
        "snr_reconstruction_by_lag": 0.4 * 0.6 ** (lags - 1.0),
    }
    values = {
        "toy": toy,
        "per_fit": {},
        "size_exponent": {},
        "held_out_accuracy": interval(0.5, 0.02),
        "control": {},
    }
    return Result("adiabatic_toy", values, arrays, record("adiabatic_toy"))


def score_slider() -> Result:
    directions, steps, length = ("neighbours", "key_bias", "random", "row_shift"), 7, 8
    sizes = np.linspace(-3.0, 3.0, steps)
    moves = {"label": (0.0, 0.3, 0.05, 0.0), "reconstruction": (0.1, 0.05, 0.05, 0.0)}
    arrays: dict[str, np.ndarray] = {"magnitudes": sizes}
    for loss, start in (("label", 0.592), ("reconstruction", 0.261)):
        curve = start - np.array(moves[loss])[:, None] * np.tanh(sizes)[None]
        arrays |= {f"{loss}_{part}": curve for part in ("mean", "low", "high", "theory")}
    scores = sizes[None, :, None, None] * (cyclic_lags(length) == 1) * np.ones((4, 1, 1, 1))
    arrays["attention"] = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    near = np.exp(-np.hypot(*(np.indices((5, 5)) - 2)))
    pulled = np.exp(sizes[steps // 2 :, None, None] * near)
    arrays |= {
        "image_attention": pulled / pulled.sum((1, 2), keepdims=True),
        "image_received": np.full((2, len(pulled)), 1 / 25),
        "image_reconstruction": 0.3 - 0.02 * sizes[steps // 2 :],
        "dial_contrast": np.array([0.0, 0.1, 0.2]),
        "dial_kappa": np.array([0.0, 0.12, 0.24]),
        "dial_label": np.array([np.inf, 460.0, 136.0]),
        "dial_reconstruction": np.array([3.1, 3.3, 3.9]),
    }
    slope = dict.fromkeys(directions, 0.0)
    values = {
        "directions": list(directions),
        "length": length,
        "rho": 0.8,
        "class_positions": 3,
        "middle": 0.5,
        "inside": {},
        "slope": {"label": slope, "reconstruction": slope},
        "image": {"down": 0.6, "right": 0.85},
    }
    return Result("score_slider", values, arrays, record("score_slider"))


def other_settings() -> Result:
    lags = np.arange(1.0, 36.0)
    curves = {
        "classes": np.array([0.0098, 0.0094, 0.0064, 0.0049]),
        "cls": np.array([3.0, 5.0, 7.0]),
        "step": np.array([0.32, 0.61, 0.77, 0.9, 0.96]),
        "masks": np.array([2.7, 2.2, 1.6, 1.1, 0.5]) / 1000,
        "line": np.array([0.037, 0.0107, 0.0026]),
        "image": 2e-4 * np.cos(lags * np.pi / 3) * np.exp(-lags / 9),
    }
    arrays = {f"{name}_{part}": curve for name, curve in curves.items() for part in ("mean", "theory")}
    arrays |= {f"{name}_low": 0.9 * curve for name, curve in curves.items()}
    arrays |= {f"{name}_high": 1.1 * curve for name, curve in curves.items()}
    arrays |= {
        "line_leading": np.array([0.04, 0.01, 0.0025]),
        "classes": np.array([2, 3, 4, 6]),
        "cls_lengths": np.array([4, 6, 8]),
        "common": np.array([0.0, 0.25, 0.5, 1.0, 2.0]),
        "mask_rates": np.array([0.0, 0.2, 0.4, 0.6, 0.8]),
        "lengths": np.array([8, 16, 32]),
    }
    verdict = {"inside": 1.0, "worst_z": 1.2, "limit_z": 4.0, "seeds": 16, "exact": True, "level": 0.99}
    inside = {name: verdict | {"points": len(curve)} for name, curve in curves.items()}
    values = {"inside": inside, "where_theory_leaves": {}}
    return Result("other_settings", values, arrays, record("other_settings"))


def toy_results() -> tuple[Result, ...]:
    """The claims and the toy's results."""
    return claims(), blindness(), reduced_flow(), adiabatic_toy(), score_slider(), other_settings()

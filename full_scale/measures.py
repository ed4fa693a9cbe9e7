"""The named quantities of theory.md's last table, measured on one Transformer at one state.

Directions are shared by a layer's heads; `lag` means |i - j|. SNR is mean^2 / variance of the
per-sequence gradient along a unit direction, without bias, on sequences the model was not fitted to.
"""

import dataclasses
import zlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from full_scale.dataset import Dataset, on_device
from full_scale.laws import (
    layer_inputs,
    profile_cosine,
    scalar_law,
    toeplitz_profile,
    token_features,
    vector_law,
)
from full_scale.model import Transformer
from full_scale.probes import CHUNK, ScoreGradients, lag_direction, score_gradients
from full_scale.training.observables import attention_maps, proximity_indices
from full_scale.training.train import Objective
from sims.intervals import unbiased_snr
from theory import decompose

LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24)
MOST = 1_024  # held-out sequences probed
LAYER = 0  # the layer that reads tokens and positions directly, where the laws are stated


@dataclasses.dataclass(frozen=True)
class Probed:
    """One model's measures and what the figures draw."""

    numbers: dict[str, float | None]
    per_head: dict[str, list]
    snr_by_lag: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]
    attention: np.ndarray


def held_out(dataset: Dataset) -> tuple[Array, Array]:
    """Validation and test sequences together, at most `MOST`, whole chunks, as device arrays."""
    parts = [on_device(part)[::2] for part in (dataset.test, dataset.validation)]
    tokens, labels = (jnp.concatenate(arrays) for arrays in zip(*parts, strict=True))
    rows = np.random.default_rng(0).permutation(len(labels))[: min(len(labels), MOST) // CHUNK * CHUNK]
    return tokens[rows], labels[rows]


def visible_share_per_sequence(
    gradients: ScoreGradients, axis: tuple[int, ...] | None = None
) -> np.ndarray | np.floating:
    """Key-bias energy over all energy of single sequences' gradients (C2 predicts 1 for labels)."""
    return gradients.key_bias_energy.sum(axis=axis) / gradients.energy.sum(axis=axis)


def visible_share_of_mean(gradients: ScoreGradients) -> float | None:
    """Key-bias share of the population gradient, from products of two halves, so that noise adds no energy.

    None when the halves do not agree in sign: the population gradient is lost in noise.
    """
    even, odd = (np.asarray(half, np.float64).sum(axis=1)[LAYER] for half in gradients.halves)
    parts = [decompose(jnp.asarray(half, jnp.float32)) for half in (even, odd)]
    bias = float(jnp.vdot(parts[0].key_bias, parts[1].key_bias))
    whole = bias + float(jnp.vdot(parts[0].doubly_centred, parts[1].doubly_centred))
    return bias / whole if whole > 0 else None


def measure(
    models: dict[Objective, Transformer], dataset: Dataset, *, key: PRNGKeyArray, frozen_uniform: bool = False
) -> Probed:
    """Every named quantity.

    Parameters
    ----------
    models
        The model whose "labels" gradient and the model whose "reconstruction" gradient is taken: the
        same one, except at the adiabatic point, where each loss has been fitted by itself.
    dataset
        The task; only held-out sequences are used.
    key
        Draws the masks.
    frozen_uniform
        Gradients at uniform attention.
    """
    tokens, labels = held_out(dataset)
    directions = np.stack([lag_direction(dataset.length, lag) for lag in lags(dataset.length)])
    found = {
        objective: score_gradients(
            model, objective, tokens, labels, directions, frozen_uniform=frozen_uniform,
            key=jax.random.fold_in(key, zlib.crc32(objective.encode()) & 0x7FFFFFFF),
        )
        for objective, model in models.items()
    }  # fmt: skip
    shared = {name: gradients.along.sum(axis=2)[:, LAYER] for name, gradients in found.items()}
    snr = {name: np.array([unbiased_snr(s) for s in along.T]) for name, along in shared.items()}
    mean = {name: gradients.mean.sum(axis=1)[LAYER] for name, gradients in found.items()}
    maps = np.asarray(attention_maps(models["labels"], tokens, frozen_uniform))
    near = np.asarray(proximity_indices(jnp.asarray(maps)))
    numbers = {
        "visible_share_label": float(visible_share_per_sequence(found["labels"])),
        "visible_share_reconstruction": visible_share_of_mean(found["reconstruction"]),
        "visible_share_reconstruction_per_sequence": float(
            visible_share_per_sequence(found["reconstruction"])
        ),
        **alignments(mean, models["reconstruction"], tokens, dataset),
        **{f"snr_{short(name)}": float(values[0]) for name, values in snr.items()},
        **{f"score_{short(name)}": standard_score(along[:, 0]) for name, along in shared.items()},
        **{f"norm_{short(name)}": float(np.sqrt(g.energy.mean())) for name, g in found.items()},
        "proximity_index": float(near.mean()),
    }
    per_head = {
        "visible_share_label": visible_share_per_sequence(found["labels"], (0,)).tolist(),
        "visible_share_reconstruction": visible_share_per_sequence(found["reconstruction"], (0,)).tolist(),
        "proximity_index": near.tolist(),
        **{f"snr_{short(name)}": head_snr(gradients) for name, gradients in found.items()},
    }
    return Probed(numbers, per_head, {short(n): s for n, s in snr.items()}, mean, maps)


def lags(length: int) -> tuple[int, ...]:
    """The lags probed in sequences of this length."""
    return tuple(lag for lag in LAGS if lag < length // 2)


def short(objective: str) -> str:
    """The loss's name in stored results."""
    return {"labels": "label"}.get(objective, objective)


def standard_score(along: np.ndarray) -> float:
    """-mean / standard deviation per sequence: positive when descent moves attention towards lag 1."""
    deviation = along.std(ddof=1)
    return float(-along.mean() / deviation) if deviation > 0 else 0.0


def head_snr(gradients: ScoreGradients) -> list[list[float]]:
    """SNR along lag 1 of every layer and head by itself."""
    along = gradients.along[..., 0]
    return [
        [unbiased_snr(along[:, layer, head]) for head in range(along.shape[2])]
        for layer in range(along.shape[1])
    ]


def alignments(
    mean: dict[str, np.ndarray], model: Transformer, tokens: Array, dataset: Dataset
) -> dict[str, float]:
    """Cosine of minus each mean gradient with the laws' directions, by distance.   [C10]"""
    vector = vector_law(token_features(tokens, dataset.symbols))
    scalar = scalar_law(layer_inputs(model, tokens))
    numbers = {}
    for objective, gradient in mean.items():
        profile = -toeplitz_profile(gradient)
        numbers[f"proximity_alignment_{short(objective)}"] = profile_cosine(profile, vector)
        numbers[f"proximity_alignment_scalar_{short(objective)}"] = profile_cosine(profile, scalar)
    return numbers

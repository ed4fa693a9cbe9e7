"""The named quantities, as `theory.probes` defines them, measured on one Transformer at one state.

Directions are shared by a layer's heads; `lag` means |i - j|. SNR is mean^2 / variance of the
per-sequence gradient along a unit direction, without bias, on sequences the model was not fitted to.
"""

import dataclasses
import zlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from full_scale.data.dataset import Dataset, on_device
from full_scale.model import Transformer
from full_scale.probes.online_metrics import attention_maps, proximity_indices
from full_scale.probes.per_sequence import CHUNK, ScoreGradients, score_gradients
from full_scale.probes.proximity_predictions import layer_inputs, scalar_law, token_features, vector_law
from full_scale.training.step import Objective
from theory.label_blindness.subspaces import paired_energies, visible_share
from theory.probes.lags import lag_direction, lag_profile, profile_cosine
from theory.probes.signal import standard_score, unbiased_snr

LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24)
MAX_PROBED_SEQUENCES = 1_024  # held-out sequences probed
_LAYER = 0  # the layer that reads tokens and positions directly, where the laws are stated


@dataclasses.dataclass(frozen=True)
class Probed:
    """One model's measures and what the figures draw."""

    numbers: dict[str, float | None]
    per_head: dict[str, list]
    snr_by_lag: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]
    attention: np.ndarray


def held_out(dataset: Dataset) -> tuple[Array, Array]:
    """Validation and test sequences, at most `MAX_PROBED_SEQUENCES`, whole chunks, as device arrays."""
    parts = [on_device(part)[::2] for part in (dataset.test, dataset.validation)]
    tokens, labels = (jnp.concatenate(arrays) for arrays in zip(*parts, strict=True))
    rows = np.random.default_rng(0).permutation(len(labels))[
        : min(len(labels), MAX_PROBED_SEQUENCES) // CHUNK * CHUNK
    ]
    return tokens[rows], labels[rows]


def visible_share_per_sequence(
    gradients: ScoreGradients, axis: tuple[int, ...] | None = None
) -> np.ndarray | np.floating:
    """Key-bias energy over all energy of single sequences' gradients (C2 predicts 1 for labels)."""
    return visible_share(gradients.key_bias_energy.sum(axis=axis), gradients.energy.sum(axis=axis))


def visible_share_of_mean(gradients: ScoreGradients) -> float | None:
    """Key-bias share of the population gradient, from products of two halves, so that noise adds no energy.

    None when the halves do not agree in sign: the population gradient is lost in noise.
    """
    even, odd = (np.asarray(half, np.float64).sum(axis=1)[_LAYER] for half in gradients.halves)
    pair = (jnp.asarray(half, jnp.float32) for half in (even, odd))
    visible, whole = map(float, paired_energies(*pair))
    return visible / whole if whole > 0 else None


def measure(
    models: dict[Objective, Transformer], dataset: Dataset, *, key: PRNGKeyArray, frozen_uniform: bool = False
) -> Probed:
    """Every named quantity of the comparison, measured on held-out sequences.

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
    by_objective = {
        objective: score_gradients(
            model, objective, tokens, labels, directions, frozen_uniform=frozen_uniform,
            key=jax.random.fold_in(key, zlib.crc32(objective.encode()) & 0x7FFFFFFF),
        )
        for objective, model in models.items()
    }  # fmt: skip
    shared = {name: gradients.along.sum(axis=2)[:, _LAYER] for name, gradients in by_objective.items()}
    snr = {name: unbiased_snr(np.asarray(along, np.float64)) for name, along in shared.items()}
    mean = {name: gradients.mean.sum(axis=1)[_LAYER] for name, gradients in by_objective.items()}
    maps = np.asarray(attention_maps(models["labels"], tokens, frozen_uniform))
    near = np.asarray(proximity_indices(jnp.asarray(maps)))
    numbers = {
        "visible_share_label": float(visible_share_per_sequence(by_objective["labels"])),
        "visible_share_reconstruction": visible_share_of_mean(by_objective["reconstruction"]),
        "visible_share_reconstruction_per_sequence": float(
            visible_share_per_sequence(by_objective["reconstruction"])
        ),
        **_alignments(mean, models["reconstruction"], tokens, dataset),
        **{f"snr_{short(name)}": float(values[0]) for name, values in snr.items()},
        **{f"score_{short(name)}": -float(standard_score(along[:, 0])) for name, along in shared.items()},
        **{f"norm_{short(name)}": float(np.sqrt(g.energy.mean())) for name, g in by_objective.items()},
        "proximity_index": float(near.mean()),
    }
    per_head = {
        "visible_share_label": visible_share_per_sequence(by_objective["labels"], (0,)).tolist(),
        "visible_share_reconstruction": visible_share_per_sequence(
            by_objective["reconstruction"], (0,)
        ).tolist(),
        "proximity_index": near.tolist(),
        **{f"snr_{short(name)}": _head_snr(gradients) for name, gradients in by_objective.items()},
    }
    return Probed(numbers, per_head, {short(n): s for n, s in snr.items()}, mean, maps)


def lags(length: int) -> tuple[int, ...]:
    """The lags probed in sequences of this length."""
    return tuple(lag for lag in LAGS if lag < length // 2)


def short(objective: str) -> str:
    """The loss's name in stored results."""
    return {"labels": "label"}.get(objective, objective)


def _head_snr(gradients: ScoreGradients) -> list[list[float]]:
    """SNR along lag 1 of every layer and head by itself."""
    return unbiased_snr(np.asarray(gradients.along[..., 0], np.float64)).tolist()


def _alignments(
    mean: dict[str, np.ndarray], model: Transformer, tokens: Array, dataset: Dataset
) -> dict[str, float]:
    """Cosine of minus each mean gradient with the laws' directions, by distance.   [C10]"""
    vector = vector_law(token_features(tokens, dataset.symbols))
    scalar = scalar_law(layer_inputs(model, tokens))
    numbers = {}
    for objective, gradient in mean.items():
        profile = -lag_profile(gradient).astype(np.float64)
        numbers[f"proximity_alignment_{short(objective)}"] = float(profile_cosine(profile, vector))
        numbers[f"proximity_alignment_scalar_{short(objective)}"] = float(profile_cosine(profile, scalar))
    return numbers

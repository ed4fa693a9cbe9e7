"""The theory of local blindness: what can be checked with pen and paper.

Everything here is pure, jittable and differentiable, and follows the dtype of its inputs; exact
claims need float64 (`jax.config.update("jax_enable_x64", True)`). Rows of a score matrix are
queries, columns are keys; lag 0 of a kernel is the masked token itself.

`CLAIMS` is the registry of claims, `verify` runs their checks, `derive` hands out a claim's derivation: these
three are imported when they are asked for, since they bring computer algebra with them.
"""

import importlib
from typing import TYPE_CHECKING, Any

from theory.dynamics.adiabatic import (
    Head,
    fit_head,
    fitted_value,
    head_loss,
    head_size_bound,
    label_gradient_bound,
    residual_covariance,
)
from theory.dynamics.class_saddle import class_contrast_rate, many_class_saddle
from theory.dynamics.escape import (
    Saddle,
    escape_rate,
    escape_steps,
    escape_time,
    factored_escape_time,
    first_order_time,
    label_saddle,
    noisy_spread,
    plateau_path,
    sign_drift,
    slow_factored_time,
)
from theory.dynamics.forgetting import forgotten_kernel, half_life
from theory.dynamics.quadratic_features import (
    quadratic_contrast,
    quadratic_escape_rate,
    quadratic_mean,
    quadratic_response,
    quadratic_variance,
)
from theory.dynamics.value_sign import (
    early_flow_scores,
    early_flow_square,
    flip_threshold,
    masked_fitted_value,
    sum_excess,
)
from theory.dynamics.values_first import early_score_law, score_path, time_ratio, value_path, value_rate
from theory.label_blindness.boundaries import (
    band_label_slope,
    band_visible_share,
    leading_visible_share,
    missing_neighbours,
    toeplitz,
    toeplitz_visible_share,
)
from theory.label_blindness.causal_labels import causal_label_gradient, causal_overlap, causal_visible_share
from theory.label_blindness.cls_query import cls_features, cls_score_gradient
from theory.label_blindness.depth import (
    heads_pooled,
    stack_pooled,
    stack_response,
    stack_score_gradient,
    visible_dimension,
    visible_dimension_share,
)
from theory.label_blindness.features import (
    blind_escape_rate,
    feature_curvature,
    opening,
    pulled_back,
    query_dependent_gradient,
    uniform_score_gradient,
)
from theory.label_blindness.labels import label_score_gradient, residual_score_gradient
from theory.label_blindness.pool_visibility import VISIBILITY, Row
from theory.label_blindness.query_independence import pooled_by_key_bias, shared_row_gradient
from theory.label_blindness.sinkhorn import sinkhorn_key_bias, sinkhorn_potential
from theory.label_blindness.subspaces import (
    blind_dimension,
    decompose,
    dimensions,
    isotropic_visible_share,
    key_bias_share,
    visible_share,
)
from theory.minimal_model.attention import (
    attention_weights,
    label_loss,
    mixed,
    pooled,
    pooled_features,
    received,
)
from theory.minimal_model.score_families import (
    alibi_local_mass,
    alibi_scores,
    alibi_window_mass,
    content_score_gradient,
    content_scores,
    rotary_scores,
)
from theory.positions.absolute_positions import (
    PositionMaps,
    centred_label_gradients,
    frequency_pull,
    position_gradients,
    position_scores,
    ring_positions,
    sinusoidal_positions,
    spectrum,
)
from theory.positions.first_step import first_step_visible_share, mean_step_of_scores, step_of_scores
from theory.positions.tied_initialisation import (
    independent_log_weight,
    proximity,
    sinusoidal_kernel,
    tied_log_weight,
    tied_score_mean,
    tied_score_variance,
)
from theory.probes import (
    Objective,
    Probe,
    blind_curvature,
    label_gram,
    lag_direction,
    principal_angles,
    probe,
)
from theory.reconstruction.causal import (
    causal_weights,
    fitted_readout,
    next_token_lag_law,
    next_token_law,
    next_token_loss,
    next_token_residual,
    next_token_score_gradient,
)
from theory.reconstruction.circulant import (
    circulant,
    circulant_kernel,
    reconstruction_kernel_gradient,
    reduced_loss,
    reduced_value_gradient,
)
from theory.reconstruction.markov import (
    markov_autocovariance,
    nearest_neighbour_loss,
    nearest_neighbour_value,
)
from theory.reconstruction.masked_loss import (
    leading_proximity_law,
    proximity_law,
    reconstruction_loss,
    reconstruction_score_gradient,
    reconstruction_value_gradient,
)
from theory.reconstruction.masked_proximity import line_visible_share, masked_proximity_law
from theory.reconstruction.masking import masked_error, masked_loss
from theory.reconstruction.torus import (
    raster_kernel,
    raster_share,
    torus_circulant,
    torus_kernel,
    torus_proximity_law,
)
from theory.reconstruction.vector_tokens import vector_proximity_law, vector_reduced_loss
from theory.statistics.class_contrast import (
    Contrast,
    class_contrast,
    class_pull,
    contrast_direction,
    contrast_gradient,
    fluctuation_imbalance,
    label_signal,
    pair_moments,
    reconstruction_signal,
)
from theory.statistics.sample_complexity import markov_signal, sequences_needed, sequences_ratio, sign_error

if TYPE_CHECKING:
    from theory.claims import CLAIMS, verify
    from theory.claims.derivations import derive

LAZY = {"CLAIMS": "theory.claims", "derive": "theory.claims.derivations", "verify": "theory.claims"}


def __getattr__(name: str) -> Any:
    """The names that are imported when they are asked for."""
    if name not in LAZY:
        raise AttributeError(f"module 'theory' has no attribute {name!r}")
    return getattr(importlib.import_module(LAZY[name]), name)


def __dir__() -> list[str]:
    """All public names, those of `LAZY` among them."""
    return sorted(__all__)


__all__ = [
    "CLAIMS", "VISIBILITY", "Contrast", "Head", "Objective", "PositionMaps", "Probe", "Row", "Saddle",
    "alibi_local_mass", "alibi_scores", "alibi_window_mass", "attention_weights", "band_label_slope",
    "band_visible_share", "blind_curvature", "blind_dimension", "blind_escape_rate", "causal_label_gradient",
    "causal_overlap", "causal_visible_share", "causal_weights", "centred_label_gradients", "circulant",
    "circulant_kernel", "class_contrast", "class_contrast_rate", "class_pull", "cls_features",
    "cls_score_gradient", "content_score_gradient", "content_scores", "contrast_direction",
    "contrast_gradient", "decompose", "derive", "dimensions", "early_flow_scores", "early_flow_square",
    "early_score_law", "escape_rate", "escape_steps", "escape_time", "factored_escape_time",
    "feature_curvature", "first_order_time", "first_step_visible_share", "fit_head", "fitted_readout",
    "fitted_value", "flip_threshold", "fluctuation_imbalance", "forgotten_kernel", "frequency_pull",
    "half_life", "head_loss", "head_size_bound", "heads_pooled", "independent_log_weight",
    "isotropic_visible_share", "key_bias_share", "label_gradient_bound", "label_gram", "label_loss",
    "label_saddle", "label_score_gradient", "label_signal", "lag_direction", "leading_proximity_law",
    "leading_visible_share", "line_visible_share", "many_class_saddle", "markov_autocovariance",
    "markov_signal", "masked_error", "masked_fitted_value", "masked_loss", "masked_proximity_law",
    "mean_step_of_scores", "missing_neighbours", "mixed", "nearest_neighbour_loss", "nearest_neighbour_value",
    "next_token_lag_law", "next_token_law", "next_token_loss", "next_token_residual",
    "next_token_score_gradient", "noisy_spread", "opening", "pair_moments", "plateau_path", "pooled",
    "pooled_by_key_bias", "pooled_features", "position_gradients", "position_scores", "principal_angles",
    "probe", "proximity", "proximity_law", "pulled_back", "quadratic_contrast", "quadratic_escape_rate",
    "quadratic_mean", "quadratic_response", "quadratic_variance", "query_dependent_gradient", "raster_kernel",
    "raster_share", "received", "reconstruction_kernel_gradient", "reconstruction_loss",
    "reconstruction_score_gradient", "reconstruction_signal", "reconstruction_value_gradient", "reduced_loss",
    "reduced_value_gradient", "residual_covariance", "residual_score_gradient", "ring_positions",
    "rotary_scores", "score_path", "sequences_needed", "sequences_ratio", "shared_row_gradient", "sign_drift",
    "sign_error", "sinkhorn_key_bias", "sinkhorn_potential", "sinusoidal_kernel", "sinusoidal_positions",
    "slow_factored_time", "spectrum", "stack_pooled", "stack_response", "stack_score_gradient",
    "step_of_scores", "sum_excess", "tied_log_weight", "tied_score_mean", "tied_score_variance", "time_ratio",
    "toeplitz", "toeplitz_visible_share", "torus_circulant", "torus_kernel", "torus_proximity_law",
    "uniform_score_gradient", "value_path", "value_rate", "vector_proximity_law", "vector_reduced_loss",
    "verify", "visible_dimension", "visible_dimension_share", "visible_share",
]  # fmt: skip

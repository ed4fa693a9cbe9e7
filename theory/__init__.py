"""The theory of local blindness: what can be checked with pen and paper.

Everything here is pure, jittable and differentiable, and follows the dtype of its inputs; exact
claims need float64 (`jax.config.update("jax_enable_x64", True)`). Rows of a score matrix are
queries, columns are keys; lag 0 of a kernel is the masked token itself.
"""

from theory.adiabatic import (
    Head,
    fit_head,
    fitted_value,
    head_loss,
    head_size_bound,
    label_gradient_bound,
    residual_covariance,
)
from theory.attention import (
    attention_weights,
    label_loss,
    mixed,
    pooled,
    pooled_features,
    received,
)
from theory.boundaries import (
    band_label_slope,
    band_visible_share,
    leading_visible_share,
    missing_neighbours,
    toeplitz,
    toeplitz_visible_share,
)
from theory.circulant import (
    circulant,
    circulant_kernel,
    reconstruction_kernel_gradient,
    reduced_loss,
    reduced_value_gradient,
)
from theory.escape import (
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
)
from theory.features import (
    blind_escape_rate,
    feature_curvature,
    opening,
    pulled_back,
    query_dependent_gradient,
    uniform_score_gradient,
)
from theory.labels import label_score_gradient, residual_score_gradient
from theory.markov import markov_autocovariance, nearest_neighbour_loss, nearest_neighbour_value
from theory.masking import masked_error, masked_loss
from theory.positions import (
    PositionMaps,
    centred_label_gradients,
    frequency_pull,
    position_gradients,
    position_scores,
    ring_positions,
    spectrum,
)
from theory.probes import Objective, Probe, blind_curvature, label_gram, principal_angles, probe
from theory.quadratic_features import (
    quadratic_contrast,
    quadratic_escape_rate,
    quadratic_mean,
    quadratic_response,
    quadratic_variance,
)
from theory.reconstruction import (
    leading_proximity_law,
    proximity_law,
    reconstruction_loss,
    reconstruction_score_gradient,
    reconstruction_value_gradient,
)
from theory.sinkhorn import sinkhorn_key_bias, sinkhorn_potential
from theory.subspaces import (
    blind_dimension,
    decompose,
    dimensions,
    isotropic_visible_share,
    key_bias_share,
)
from theory.vectors import vector_proximity_law, vector_reduced_loss

__all__ = [
    "Head",
    "Objective",
    "PositionMaps",
    "Probe",
    "Saddle",
    "attention_weights",
    "band_label_slope",
    "band_visible_share",
    "blind_curvature",
    "blind_dimension",
    "blind_escape_rate",
    "centred_label_gradients",
    "circulant",
    "circulant_kernel",
    "decompose",
    "dimensions",
    "escape_rate",
    "escape_steps",
    "escape_time",
    "factored_escape_time",
    "feature_curvature",
    "first_order_time",
    "fit_head",
    "fitted_value",
    "frequency_pull",
    "head_loss",
    "head_size_bound",
    "isotropic_visible_share",
    "key_bias_share",
    "label_gradient_bound",
    "label_gram",
    "label_loss",
    "label_saddle",
    "label_score_gradient",
    "leading_proximity_law",
    "leading_visible_share",
    "markov_autocovariance",
    "masked_error",
    "masked_loss",
    "missing_neighbours",
    "mixed",
    "nearest_neighbour_loss",
    "nearest_neighbour_value",
    "noisy_spread",
    "opening",
    "plateau_path",
    "pooled",
    "pooled_features",
    "position_gradients",
    "position_scores",
    "principal_angles",
    "probe",
    "proximity_law",
    "pulled_back",
    "quadratic_contrast",
    "quadratic_escape_rate",
    "quadratic_mean",
    "quadratic_response",
    "quadratic_variance",
    "query_dependent_gradient",
    "received",
    "reconstruction_kernel_gradient",
    "reconstruction_loss",
    "reconstruction_score_gradient",
    "reconstruction_value_gradient",
    "reduced_loss",
    "reduced_value_gradient",
    "residual_covariance",
    "residual_score_gradient",
    "ring_positions",
    "sign_drift",
    "sinkhorn_key_bias",
    "sinkhorn_potential",
    "spectrum",
    "toeplitz",
    "toeplitz_visible_share",
    "uniform_score_gradient",
    "vector_proximity_law",
    "vector_reduced_loss",
]

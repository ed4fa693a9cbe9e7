"""What `import theory` offers: every name exists, is jittable and differentiable, and refuses nonsense."""

import inspect
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from tests.theory.settings import compiled
from theory.claims.checks.tolerances import FLOAT32, monte_carlo
from theory.minimal_model import shapes

NUMBERS = np.random.default_rng(0)
LENGTH = 4
scores, weights = (jnp.asarray(NUMBERS.normal(size=(LENGTH, LENGTH))) for _ in range(2))
covariance = scores @ scores.T
tokens, value_map = jnp.asarray(NUMBERS.normal(size=(LENGTH, 3))), jnp.asarray(NUMBERS.normal(size=(3, 3)))
head, vector = jnp.asarray(NUMBERS.normal(size=(2, 3))), jnp.asarray(NUMBERS.normal(size=3))
kernel, value, rate = scores[0], jnp.asarray(0.7), jnp.asarray(0.3)
autocovariance = theory.markov_autocovariance(LENGTH, 0.5)
cross_covariance = autocovariance[:, None, None] * (value_map @ value_map.T)[None]
label, position = jnp.asarray(1), jnp.asarray(0)
features, labels = jnp.asarray(NUMBERS.normal(size=(6, 2))), jnp.asarray([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
chances = jnp.full(6, 1 / 6)
two_maps = jnp.stack([value_map, value_map])
positions, maps = tokens - tokens.mean(axis=0, keepdims=True), jnp.asarray(NUMBERS.normal(size=(3, 2)))

CALLS = {
    "stack_score_gradient": (
        lambda s: theory.stack_score_gradient(s[None], tokens, value_map[None], vector),
        scores,
    ),
    "stack_response": (
        lambda s: theory.stack_response(jnp.stack([s, s]), two_maps),
        scores,
    ),
    "stack_pooled": (
        lambda s: theory.stack_pooled(jnp.stack([s, s.T]), tokens, two_maps),
        scores,
    ),
    "heads_pooled": (lambda s: theory.heads_pooled(s[None], tokens, value_map[None]), scores),
    "half_life": (lambda decay: theory.half_life(0.1, decay), rate),
    "forgotten_kernel": (lambda g: theory.forgotten_kernel(g, rate, 0.1, 3), kernel),
    "attention_weights": (theory.attention_weights, scores),
    "circulant": (theory.circulant, kernel),
    "cls_features": (lambda s: theory.cls_features(s, tokens, value_map, jnp.tanh), scores),
    "cls_score_gradient": (lambda s: theory.cls_score_gradient(s, tokens, value_map, vector), scores),
    "first_step_visible_share": (theory.first_step_visible_share, tokens),
    "raster_kernel": (theory.raster_kernel, scores),
    "raster_share": (theory.raster_share, scores),
    "torus_circulant": (theory.torus_circulant, tokens),
    "torus_kernel": (lambda s: theory.torus_kernel(s, 2, 2), scores),
    "torus_proximity_law": (lambda c: theory.torus_proximity_law(value, c), scores),
    "line_visible_share": (lambda v: theory.line_visible_share(v, 0.5, 8), rate),
    "masked_proximity_law": (lambda c: theory.masked_proximity_law(value, c, 0.3), autocovariance),
    "mean_step_of_scores": (lambda g: theory.mean_step_of_scores(g, positions, 0.5), scores),
    "step_of_scores": (lambda g: theory.step_of_scores(g, positions, maps, maps), scores),
    "circulant_kernel": (theory.circulant_kernel, scores),
    "decompose": (theory.decompose, scores),
    "fit_head": (lambda z: theory.fit_head(z, labels, chances, 0.1), features),
    "fitted_value": (theory.fitted_value, autocovariance),
    "head_loss": (
        lambda z: theory.head_loss(theory.Head(vector[:2], value), z, labels, chances, 0.1),
        features,
    ),
    "head_size_bound": (lambda nats: theory.head_size_bound(nats, 0.1), rate),
    "key_bias_share": (theory.key_bias_share, scores),
    "label_gradient_bound": (lambda nats: theory.label_gradient_bound(nats, 0.1, 1.0), rate),
    "label_loss": (lambda s: theory.label_loss(s, tokens, value_map, head, label), scores),
    "label_score_gradient": (lambda s: theory.label_score_gradient(s, tokens, value_map, vector), scores),
    "leading_proximity_law": (lambda c: theory.leading_proximity_law(value, c), autocovariance),
    "markov_autocovariance": (lambda r: theory.markov_autocovariance(LENGTH, r), rate),
    "masked_error": (
        lambda s: theory.masked_error(s, value_map, tokens, position, jnp.arange(LENGTH) == 0, vector),
        scores,
    ),
    "masked_loss": (
        lambda s: theory.masked_loss(s, value[None, None], covariance[:, None, :, None], rate, vector[:1]),
        scores,
    ),
    "mixed": (lambda s: theory.mixed(s, tokens, value_map), scores),
    "nearest_neighbour_loss": (lambda r: theory.nearest_neighbour_loss(LENGTH, r), rate),
    "nearest_neighbour_value": (theory.nearest_neighbour_value, rate),
    "pooled": (lambda s: theory.pooled(s, tokens, value_map), scores),
    "pooled_features": (lambda s: theory.pooled_features(s, tokens, value_map, jnp.tanh), scores),
    "pooled_by_key_bias": (lambda b: theory.pooled_by_key_bias(b, tokens, value_map, jnp.tanh), kernel),
    "proximity_law": (lambda c: theory.proximity_law(value, c), autocovariance),
    "received": (theory.received, weights),
    "reconstruction_kernel_gradient": (
        lambda g: theory.reconstruction_kernel_gradient(g, value, autocovariance),
        kernel,
    ),
    "reconstruction_loss": (lambda s: theory.reconstruction_loss(s, value, covariance), scores),
    "reconstruction_score_gradient": (
        lambda s: theory.reconstruction_score_gradient(s, value, covariance),
        scores,
    ),
    "reconstruction_value_gradient": (
        lambda s: theory.reconstruction_value_gradient(s, value, covariance),
        scores,
    ),
    "reduced_loss": (lambda g: theory.reduced_loss(g, value, autocovariance), kernel),
    "reduced_value_gradient": (lambda g: theory.reduced_value_gradient(g, value, autocovariance), kernel),
    "residual_covariance": (theory.residual_covariance, autocovariance),
    "residual_score_gradient": (
        lambda a: theory.residual_score_gradient(a, tokens, value_map, tokens),
        weights,
    ),
    "shared_row_gradient": (lambda b: theory.shared_row_gradient(b, tokens, value_map, vector), kernel),
    "sinkhorn_key_bias": (theory.sinkhorn_key_bias, scores),
    "sinkhorn_potential": (lambda s: theory.sinkhorn_potential(s, kernel), scores),
    "vector_proximity_law": (lambda c: theory.vector_proximity_law(c, kernel), cross_covariance),
    "vector_reduced_loss": (lambda g: theory.vector_reduced_loss(g, value_map, cross_covariance), kernel),
    "centred_label_gradients": (
        lambda w: theory.centred_label_gradients(kernel, positions, w, maps),
        maps,
    ),
    "frequency_pull": (lambda c: theory.frequency_pull(value, c, [1]), autocovariance),
    "position_gradients": (lambda g: theory.position_gradients(g, positions, maps, maps), scores),
    "position_scores": (lambda w: theory.position_scores(positions, w, maps), maps),
    "spectrum": (lambda c: theory.spectrum(c, [1]), autocovariance),
    "escape_rate": (lambda s: theory.escape_rate(0.7, s), rate),
    "escape_steps": (lambda g: theory.escape_steps(1e-3, 1.0, g, 0.1), rate),
    "escape_time": (lambda g: theory.escape_time(1e-3, 1.0, g), rate),
    "factored_escape_time": (lambda s: theory.factored_escape_time(0.1, 1.0, s), rate),
    "slow_factored_time": (lambda s: theory.slow_factored_time(0.1, 1.0, 0.5, s), rate),
    "first_order_time": (lambda g: theory.first_order_time(1.0, g), scores),
    "label_saddle": (
        lambda z: theory.label_saddle(z, z[:, :, None, None] * scores[None, None], labels, chances),
        features,
    ),
    "many_class_saddle": (
        lambda z: theory.many_class_saddle(
            z, z[:, :, None, None] * scores[None, None], labels.astype(int), chances, 2
        ),
        features,
    ),
    "class_contrast_rate": (
        lambda s: theory.class_contrast_rate(jnp.asarray([0.3, 0.7]), jnp.stack([s, 2 * s]), 0.7),
        scores,
    ),
    "noisy_spread": (lambda g: theory.noisy_spread(3.0, 0.1, g, 0.1, 0.5), rate),
    "plateau_path": (lambda t: theory.plateau_path(t, 0.1, 0.7, 0.3), kernel),
    "quadratic_contrast": (
        lambda c: theory.quadratic_contrast(value, jnp.stack([c, kernel]), 0.5),
        autocovariance,
    ),
    "quadratic_escape_rate": (
        lambda c: theory.quadratic_escape_rate(value, jnp.stack([c, kernel])),
        autocovariance,
    ),
    "quadratic_mean": (lambda c: theory.quadratic_mean(value, c), autocovariance),
    "quadratic_response": (lambda c: theory.quadratic_response(value, c), autocovariance),
    "quadratic_variance": (lambda c: theory.quadratic_variance(value, c), autocovariance),
    "sign_drift": (lambda m: theory.sign_drift(m, 0.5), rate),
    "blind_escape_rate": (lambda c: theory.blind_escape_rate(c + c.T), scores),
    "feature_curvature": (
        lambda d: theory.feature_curvature(d, tokens, value_map, vector, value_map),
        scores,
    ),
    "opening": (lambda x: theory.opening(x, value_map, tokens), tokens),
    "pulled_back": (lambda x: theory.pulled_back(jnp.tanh, x, vector), tokens),
    "query_dependent_gradient": (
        lambda x: theory.query_dependent_gradient(x, value_map, tokens),
        tokens,
    ),
    "uniform_score_gradient": (lambda x: theory.uniform_score_gradient(x, value_map, tokens), tokens),
    "band_label_slope": (lambda s: theory.band_label_slope(s, 1), kernel),
    "leading_visible_share": (theory.leading_visible_share, kernel),
    "toeplitz": (theory.toeplitz, kernel),
    "toeplitz_visible_share": (theory.toeplitz_visible_share, kernel),
    "class_contrast": (lambda c: theory.class_contrast(scores, c), jnp.stack([covariance, covariance / 2])),
    "class_pull": (
        lambda m: theory.class_pull(m, tokens, jnp.full(LENGTH, 0.25), jnp.full(LENGTH, 0.25)),
        tokens,
    ),
    "contrast_gradient": (
        lambda c: theory.contrast_gradient(value, rate, c),
        jnp.stack([covariance, covariance / 2]),
    ),
    "fluctuation_imbalance": (
        lambda c: theory.fluctuation_imbalance(value, rate, scores, c),
        covariance,
    ),
    "label_signal": (lambda k: theory.label_signal(theory.Contrast(value, k, rate, value), 0.1), rate),
    "pair_moments": (lambda c: theory.pair_moments(scores, c), covariance),
    "reconstruction_signal": (
        lambda k: theory.reconstruction_signal(theory.Contrast(value, k, rate, value)),
        rate,
    ),
    "independent_log_weight": (lambda c: theory.independent_log_weight(c, 0.1, 4), autocovariance),
    "proximity": (lambda g: theory.proximity(g, 1), kernel),
    "tied_log_weight": (lambda c: theory.tied_log_weight(c, 0.1, 4), autocovariance),
    "tied_score_mean": (lambda c: theory.tied_score_mean(c, 0.1, 4), autocovariance),
    "tied_score_variance": (lambda c: theory.tied_score_variance(c, 0.1), autocovariance),
    "causal_label_gradient": (lambda s: theory.causal_label_gradient(s, tokens, value_map, vector), scores),
    "causal_overlap": (theory.causal_overlap, scores),
    "causal_visible_share": (theory.causal_visible_share, scores),
    "causal_weights": (lambda s: theory.causal_weights(s) ** 2, scores),
    "fitted_readout": (theory.fitted_readout, autocovariance),
    "next_token_lag_law": (lambda c: theory.next_token_lag_law(value, c), autocovariance),
    "next_token_law": (lambda c: theory.next_token_law(value, c), autocovariance),
    "next_token_loss": (lambda s: theory.next_token_loss(s, value, covariance, 0.3), scores),
    "next_token_residual": (lambda c: theory.next_token_residual(value, c), autocovariance),
    "next_token_score_gradient": (
        lambda s: theory.next_token_score_gradient(s, value, covariance, 0.3),
        scores,
    ),
    "markov_signal": (lambda r: theory.markov_signal(LENGTH, r), rate),
    "sequences_needed": (lambda r: theory.sequences_needed(r, 2.0), rate),
    "sequences_ratio": (lambda k: theory.sequences_ratio(theory.Contrast(value, k, rate, value)), rate),
    "sign_error": (lambda r: theory.sign_error(9.0, r), rate),
    "early_score_law": (theory.early_score_law, autocovariance),
    "score_path": (lambda t: theory.score_path(t, 0.1, autocovariance), rate),
    "time_ratio": (lambda c: theory.time_ratio(c)[1:], autocovariance),  # at lag 0 the law is 0
    "value_path": (lambda t: theory.value_path(t, 0.1, autocovariance), rate),
    "value_rate": (theory.value_rate, autocovariance),
    "sum_excess": (theory.sum_excess, autocovariance),
    "masked_fitted_value": (lambda c: theory.masked_fitted_value(c, 0.5), autocovariance),
    "early_flow_scores": (lambda t: theory.early_flow_scores(t, autocovariance), rate),
    "early_flow_square": (lambda t: theory.early_flow_square(t, 0.1, autocovariance), rate),
    "flip_threshold": (theory.flip_threshold, autocovariance - 0.57),
    "label_gram": (lambda s: theory.label_gram(s, tokens[None], value_map, vector[None]), scores),
    "alibi_local_mass": (lambda m: theory.alibi_local_mass(m, 1.0), rate),
    "alibi_scores": (lambda m: theory.alibi_scores(LENGTH, m), rate),
    "alibi_window_mass": (lambda m: theory.alibi_window_mass(LENGTH, m, 1), rate),
    "content_score_gradient": (lambda x: theory.content_score_gradient(x, value_map, vector), tokens),
    "content_scores": (lambda w: theory.content_scores(w, tokens), value_map),
    "rotary_scores": (lambda pair: theory.rotary_scores(pair, LENGTH, 1.0), kernel[:2]),
}
OF_NUMBERS = {
    "VISIBILITY",
    "Row",
    "visible_dimension",
    "visible_dimension_share",
    "visible_share",
    "Contrast",
    "Head",
    "PositionMaps",
    "Saddle",
    "band_visible_share",
    "blind_dimension",
    "dimensions",
    "isotropic_visible_share",
    "contrast_direction",
    "lag_direction",
    "missing_neighbours",
    "ring_positions",
    "sinusoidal_kernel",
    "sinusoidal_positions",
}

PROBES = {"Objective", "Probe", "blind_curvature", "principal_angles", "probe"}  # see test_probe.py
REGISTRIES = {"CLAIMS", "derive", "verify"}  # imported when asked for; see test_registry.py


def test_every_public_name_is_called_here():
    assert set(theory.__all__) == set(CALLS) | OF_NUMBERS | PROBES | REGISTRIES


def test_claims_and_derivations_are_public():
    assert [theory.derive(label).label for label in theory.CLAIMS] == list(theory.CLAIMS)
    assert "verify" in dir(theory)
    (verdict,) = theory.verify(["C3"], key=jax.random.key(0))
    assert verdict.claim is theory.CLAIMS["C3"]
    with pytest.raises(AttributeError, match="no attribute 'proof'"):
        theory.proof  # noqa: B018


def test_importing_theory_brings_no_computer_algebra_and_no_claims():
    heavy = (
        "sympy",
        "scipy.stats",
        "sklearn",
        "equinox",
        "matplotlib",
        "theory.claims",
        "theory.claims.derivations",
    )
    code = f"import sys, theory; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("name", CALLS)
def test_is_jittable_and_differentiable(name):
    function, at = CALLS[name]
    if name == "attention_weights":
        total = lambda x: sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(function(x)))
    else:
        total = lambda x: sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(function(x)))
    answer, slope = compiled(jax.value_and_grad(total))(at)
    assert answer == pytest.approx(float(total(at)), rel=1e-12, abs=1e-12)
    assert jnp.isfinite(slope).all()
    assert jnp.abs(slope).max() > 0


@pytest.mark.parametrize("name", CALLS)
def test_has_a_docstring_that_cites_its_claim_or_its_formula(name):
    told = inspect.getdoc(getattr(theory, name))
    assert "[C" in told or "=" in told


@pytest.mark.parametrize("name", ["received", "sinkhorn_key_bias", "decompose", "circulant_kernel"])
def test_single_precision_goes_in_and_comes_out(name):
    function, at = CALLS[name]
    single, double = function(at.astype(jnp.float32)), function(at)
    for found, expected in zip(jax.tree.leaves(single), jax.tree.leaves(double), strict=True):
        assert found.dtype == jnp.float32
        np.testing.assert_allclose(found, expected, atol=10 * FLOAT32)


@pytest.mark.parametrize("shape", [(3, 4), (1, 1)])
@pytest.mark.parametrize("name", ["attention_weights", "received", "decompose", "sinkhorn_key_bias"])
def test_a_matrix_of_the_wrong_shape_is_named_with_its_remedy(name, shape):
    with pytest.raises(ValueError, match=r"square floating-point matrix.*got shape=.*; pass one row"):
        getattr(theory, name)(jnp.zeros(shape))


def test_integers_are_no_scores():
    with pytest.raises(ValueError, match=r"got shape=\(3, 3\), dtype=int64; pass one row per query"):
        shapes.require_square(jnp.zeros((3, 3), int), "scores")


def test_a_kernel_needs_two_lags():
    with pytest.raises(ValueError, match="kernel must be a floating-point vector of at least 2 lags"):
        theory.circulant(jnp.zeros(1))


def test_tokens_of_another_length_are_refused():
    told = r"tokens must have as many positions as scores.*cut or pad tokens to 4"
    with pytest.raises(ValueError, match=told):
        shapes.require_length(tokens[:3], LENGTH, "tokens", "scores", axes=2)


def test_a_monte_carlo_tolerance_needs_a_spread():
    assert monte_carlo(0.1) == pytest.approx(0.55)
    with pytest.raises(ValueError, match=r"positive finite standard error: got 0.0"):
        monte_carlo(0.0)

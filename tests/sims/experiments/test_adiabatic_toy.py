"""Once everything but attention has settled, reconstruction sees proximity and labels see nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64, FINITE_DIFFERENCE, monte_carlo

import theory
from sims.experiments import adiabatic_toy
from sims.processes import ar1, permutation_task, permute_positions, sample, spectrum
from sims.runs.store import UserError
from sims.toy_models import residual_layer
from sims.toy_models.residual_layer import Sample

CONFIG = adiabatic_toy.Config.smoke()
LENGTH = CONFIG.length
POWER = spectrum(ar1(LENGTH, CONFIG.correlation).autocovariance)


@pytest.fixture(scope="module")
def outcome():
    return adiabatic_toy.run(CONFIG, key=jax.random.key(0))


@pytest.fixture(scope="module")
def layer():
    return residual_layer.draw_layer(CONFIG.features, CONFIG.feature_scale, key=jax.random.key(1))


def balanced_sample(pairs: int) -> Sample:
    """Every bag under both labels: once in order, once permuted."""
    token_key, order_key, mask_key = jax.random.split(jax.random.key(2), 3)
    tokens = sample(POWER, pairs, key=token_key)
    both = jnp.concatenate([tokens, permute_positions(tokens, key=order_key)])
    labels = jnp.repeat(jnp.array([0, 1]), pairs)
    return Sample(both, labels, jax.random.bernoulli(mask_key, 0.5, both.shape))


def test_where_bags_say_nothing_the_best_head_and_every_label_gradient_are_zero(layer):
    @jax.jit
    def at_the_optimum(seen):
        every = jnp.ones(len(seen.tokens))
        head = residual_layer.fit_head(layer, seen, every, CONFIG.ridge)
        reader = residual_layer.fit_reader(layer, seen, every, CONFIG.ridge)
        labels = residual_layer.label_gradients_along(layer, head, seen)
        return head, labels, residual_layer.reconstruction_gradients_along(layer, reader, seen)

    head, labels, hidden = at_the_optimum(balanced_sample(100))
    assert jnp.abs(head.weights).max() < 100 * EXACT_FLOAT64  # weights in units of small features
    assert jnp.abs(labels).max() < EXACT_FLOAT64
    assert jnp.abs(hidden).max() > 1e-3


def test_label_gradients_are_the_closed_form_of_the_theory(layer):
    seen = balanced_sample(3)
    head = residual_layer.Readout(jnp.linspace(-1, 1, CONFIG.features), jnp.asarray(0.3))
    along = jax.jit(residual_layer.label_gradients_along)(layer, head, seen)
    uniform, value_map = jnp.full((LENGTH, LENGTH), 1 / LENGTH), jnp.ones((1, 1))

    def by_hand(one, label):
        stream = (one + one.mean())[:, None]
        features = layer(stream)
        surprise = jax.nn.sigmoid(head(features.mean(axis=0))) - label.astype(float)
        pulled_back = surprise * (1 - features**2) * head.weights[None] @ layer.slopes.T
        gradient = theory.residual_score_gradient(uniform, one[:, None], value_map, pulled_back)
        return jnp.einsum("ij,rij->r", gradient, residual_layer.lag_directions(LENGTH))

    np.testing.assert_allclose(
        along, jax.jit(jax.vmap(by_hand))(seen.tokens, seen.labels), atol=EXACT_FLOAT64, rtol=0
    )


def test_reconstruction_gradients_are_finite_differences_of_the_masked_loss(layer):
    seen = balanced_sample(2)
    reader = residual_layer.Readout(jnp.linspace(-1, 1, CONFIG.features), jnp.asarray(0.3))
    direction, step = residual_layer.lag_directions(LENGTH)[0], 1e-5

    @jax.jit
    def loss(size):
        weights = jax.nn.softmax(size * direction, axis=-1)
        visible = jnp.where(seen.masked, 0, seen.tokens)
        guesses = jax.vmap(lambda one: reader(layer((one + weights @ one)[:, None])))(visible)
        return 0.5 * jnp.mean(seen.masked.astype(float) * (seen.tokens - guesses) ** 2, axis=1)

    difference = (loss(step) - loss(-step)) / (2 * step)
    along = jax.jit(residual_layer.reconstruction_gradients_along)(layer, reader, seen)[:, 0]
    np.testing.assert_allclose(along, difference, atol=FINITE_DIFFERENCE, rtol=0)


def test_lag_directions_are_orthonormal_and_doubly_centred_off_the_gauge():
    directions = jax.jit(residual_layer.lag_directions, static_argnums=0)(7)
    assert directions.shape == (3, 7, 7)
    assert jnp.abs(jnp.sum(directions**2, axis=(1, 2)) - 1).max() < EXACT_FLOAT64
    for axis in (1, 2):
        assert jnp.abs(directions.sum(axis=axis)).max() < EXACT_FLOAT64
    assert (directions[1][0] > 0).tolist() == [False, False, True, False, False, True, False]


def test_z_at_uniform_attention_is_a_function_of_the_bag(layer):
    tokens, _ = permutation_task(POWER, 5, key=jax.random.key(3))
    shuffled = permute_positions(tokens, key=jax.random.key(4))
    first, second = (jax.jit(residual_layer.pooled_batch)(layer, each) for each in (tokens, shuffled))
    np.testing.assert_allclose(first, second, rtol=1e-10)


def test_label_gradients_of_independent_fits_agree_on_nothing(outcome):
    values, arrays = outcome
    scores = arrays["label_scores"]
    errors = scores.std(axis=0, ddof=1) / np.sqrt(CONFIG.seeds)
    assert (np.abs(scores.mean(axis=0)) < monte_carlo(1.0) * errors).all()
    assert values.toy["snr_label"].low <= 0


def test_reconstruction_gradients_of_every_fit_point_to_the_neighbours(outcome):
    values, arrays = outcome
    assert (arrays["reconstruction_scores"][:, 0] > 0.1).all()
    assert values.toy["snr_reconstruction"].low > 0.05
    by_lag = arrays["snr_reconstruction_by_lag"]
    assert by_lag[0] == by_lag.max()


def test_the_ratio_has_a_lower_bound_above_one_and_no_upper_end(outcome):
    ratio = outcome[0].toy["snr_ratio"]
    assert ratio.low > 1 and ratio.high is None


def test_label_gradients_shrink_with_the_training_sample_and_reconstruction_ones_do_not(outcome):
    exponents = outcome[0].size_exponent
    assert exponents["label"].low < -0.5 < exponents["label"].high
    assert abs(exponents["reconstruction"].estimate) < 0.1


def test_where_the_bag_tells_the_class_labels_see_the_neighbours(outcome):
    values, _ = outcome
    control = values.control
    assert control["snr_label"].low > values.toy["snr_label"].high
    assert control["held_out_accuracy"].low > 0.5
    assert abs(values.held_out_accuracy.estimate - 0.5) < monte_carlo(
        0.5 / np.sqrt(CONFIG.seeds * CONFIG.held_out)
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_sizes": (400,)}, "train_sizes must be at least 2"),
        ({"train_sizes": (400, 100)}, "train_sizes must increase"),
        ({"mask_probability": 0.0}, "mask_probability must lie between 0 and 1"),
        ({"seeds": 1}, "seeds must be at least 2"),
    ],
)
def test_an_impossible_setting_is_refused_in_one_line(settings, message):
    with pytest.raises(UserError, match=message):
        adiabatic_toy.Config(**settings)

"""Labels are blind to what reconstruction sees, in one minimal model at one point."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64

import theory
from sims.experiments import blindness
from sims.processes import ar1
from sims.runs.store import UserError
from sims.toy_models.score_gradients import (
    alignment,
    label_gradient_rank,
    proximity_direction,
    uniform_value,
)
from theory.label_blindness.subspaces import paired_key_bias_share

CONFIG = blindness.Config.smoke()


@pytest.fixture(scope="module")
def outcome():
    return blindness.run(CONFIG, key=jax.random.key(0))


def test_label_gradients_at_random_scores_span_one_direction_less_than_positions(outcome):
    _, arrays = outcome
    np.testing.assert_array_equal(arrays["visible_rank"], arrays["lengths"] - 1)
    np.testing.assert_allclose(
        arrays["visible_share_measured"], arrays["visible_share_predicted"], rtol=EXACT_FLOAT64
    )


def test_rank_counts_independent_gradients_not_samples():
    generator = np.random.default_rng(0)
    shapes = ((6, 6), (9, 6, 2), (2, 2), (9, 2))
    scores, tokens, value_map, heads = (jnp.asarray(generator.normal(size=shape)) for shape in shapes)
    assert label_gradient_rank(scores, tokens, value_map, heads) == 5
    assert label_gradient_rank(scores, tokens[:3], value_map, heads[:3]) == 3


def test_the_label_loss_is_flat_along_circulant_directions_at_every_magnitude(outcome):
    _, arrays = outcome
    loss = arrays["label_loss"]
    assert loss.shape == (CONFIG.seeds, len(CONFIG.magnitudes))
    assert (np.ptp(loss, axis=1) < EXACT_FLOAT64 * loss.max()).all()


def test_the_label_loss_moves_along_directions_that_are_not_circulant(outcome):
    _, arrays = outcome
    assert (np.ptp(arrays["label_loss_control"], axis=1) > 1e-4).all()


def test_the_reconstruction_loss_falls_along_the_circulant_direction(outcome):
    _, arrays = outcome
    loss = arrays["reconstruction_loss"]
    assert (loss[:, 0] - loss.min(axis=1) > 0.01).all()
    np.testing.assert_array_equal(arrays["magnitudes"], CONFIG.magnitudes)


def test_the_label_gradient_is_a_key_bias_and_the_reconstruction_gradient_doubly_centred(outcome):
    values, arrays = outcome
    for loss, blind, felt in (
        ("label", "doubly_centred", "key_bias"),
        ("reconstruction", "key_bias", "doubly_centred"),
    ):
        size = np.abs(arrays[f"{loss}_gradient"]).max()
        assert size > 0
        assert np.abs(arrays[f"{loss}_{blind}"]).max() < EXACT_FLOAT64 * size
        np.testing.assert_allclose(
            arrays[f"{loss}_{felt}"], arrays[f"{loss}_gradient"], atol=EXACT_FLOAT64 * size, rtol=0
        )
    assert values.toy["visible_share"].low == values.toy["visible_share"].high == 1.0


def test_sampled_reconstruction_gradients_hold_no_key_bias_beyond_noise(outcome):
    share = outcome[0].toy["visible_share_reconstruction"]
    assert abs(share.estimate) < 1e-3
    assert share.low < 0 < share.high


def test_reconstruction_descends_along_the_autocovariance_and_labels_across_it(outcome):
    toy = outcome[0].toy
    assert outcome[0].proximity_alignment_population == pytest.approx(1.0, rel=EXACT_FLOAT64)
    assert 0.98 < toy["proximity_alignment"].low <= toy["proximity_alignment"].high <= 1
    assert toy["proximity_alignment_label"].estimate == 0.0


def test_the_key_bias_share_of_two_noisy_halves_is_the_share_of_what_they_share():
    generator = np.random.default_rng(0)
    bias = np.tile(generator.normal(size=6), (6, 1))
    bias -= bias.mean()
    noise = generator.normal(size=(2, 6, 6))
    shared, own = (theory.decompose(jnp.asarray(part)).doubly_centred for part in noise)
    own -= shared * jnp.sum(own * shared) / jnp.sum(shared**2)
    share = paired_key_bias_share(jnp.asarray(bias) + shared + own, jnp.asarray(bias) + shared)
    whole = (bias**2).sum() + float(jnp.sum(shared**2))
    assert share == pytest.approx((bias**2).sum() / whole, rel=EXACT_FLOAT64)


@jax.jit
def at_uniform_attention(autocovariance, share):
    """Slope in v, and alignment of the score gradient, at `share` of the settled value."""
    origin, covariance = jnp.zeros((len(autocovariance),) * 2), theory.circulant(autocovariance)
    value = share * uniform_value(autocovariance)
    gradient = theory.reconstruction_score_gradient(origin, value, covariance)
    slope = theory.reconstruction_value_gradient(origin, value, covariance)
    return slope, alignment(gradient, proximity_direction(autocovariance)) * jnp.sign(value)


@pytest.mark.parametrize("length", [4, 9])
@pytest.mark.parametrize("correlation", [0.8, -0.4])
def test_descent_at_the_settled_value_is_exactly_along_the_autocovariance(length, correlation):
    autocovariance = ar1(length, correlation).autocovariance
    slope, settled = at_uniform_attention(autocovariance, 1.0)
    assert abs(slope) < EXACT_FLOAT64
    assert settled == pytest.approx(1.0, rel=EXACT_FLOAT64)
    slope, before = at_uniform_attention(autocovariance, 0.1)
    assert abs(slope) > 0.01
    assert before < 0.999


def test_one_key_gives_the_same_result_and_another_key_another(outcome):
    again, other = (blindness.run(CONFIG, key=jax.random.key(seed)) for seed in (0, 1))
    assert again[0] == outcome[0]
    for name, array in outcome[1].items():
        np.testing.assert_array_equal(again[1][name], array)
    assert other[0] != outcome[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lengths": ()}, "shortest_length must be at least 2"),
        ({"sequences": 0}, "sequences must be at least 1"),
        ({"magnitudes": (1.0,)}, "magnitudes must be at least 2"),
        ({"correlation": -1.0}, "correlation must lie between"),
    ],
)
def test_an_impossible_measurement_is_refused_in_one_line(settings, message):
    with pytest.raises(UserError, match=message):
        blindness.Config(**settings)

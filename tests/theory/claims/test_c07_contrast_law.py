"""C7: labels see how classes differ along a direction, reconstruction what they share."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c07_contrast_law import (
    claim as c07,
)
from theory.claims.c07_contrast_law import (
    moments as c07_moments,
)
from theory.claims.c07_contrast_law import (
    samples as c07_samples,
)
from theory.claims.c07_contrast_law import (
    symbolic as c07_symbols,
)
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64, STANDARD_ERRORS


def contrast(kappa: float, spread: float = 0.5, spread_contrast: float = 0.1) -> theory.Contrast:
    return theory.Contrast(*(jnp.asarray(number) for number in (1.0, kappa, spread, spread_contrast)))


def doubled(law):
    return lambda *args: tuple(2 * each for each in law(*args))


def test_every_check_passes(verdict):
    assert verdict("C7").passed, verdict("C7")


@given(lengths(4))
def test_labels_see_the_difference_of_the_classes_at_every_length(setting: Setting):
    length = setting.length
    processes = jnp.stack([setting.autocovariance(), setting.autocovariance()])

    @compiled
    def gaps(scores):
        covariances, direction = jax.vmap(theory.circulant)(processes), theory.contrast_direction(length, 1)

        def loss(scores):
            passed = jnp.eye(length) + 0.7 * jax.nn.softmax(scores)
            powers = jax.vmap(lambda each: jnp.sum(passed * (passed @ each)))(covariances) / (2 * length)
            return (powers[0] - powers[1]) / 4

        law, pair = (
            theory.contrast_gradient(0.7, 1.0, covariances),
            theory.class_contrast(direction, covariances),
        )
        along = -0.7 / (2 * length**2) * pair.pooled * pair.kappa
        return relative_gap(jax.grad(loss)(scores), law), relative_gap(jnp.vdot(law, direction), along)

    assert max(gaps(jnp.zeros((length, length)))) <= EXACT_FLOAT64 * length


@pytest.mark.parametrize(("length", "lag"), [(4, 1), (4, 2), (9, 3), (9, -1)])
def test_a_lag_against_the_others_is_doubly_centred_without_a_diagonal(length, lag):
    direction = np.asarray(theory.contrast_direction(length, lag))
    sums = np.concatenate([direction.sum(0), direction.sum(1), np.diag(direction)])
    np.testing.assert_allclose(sums, 0, atol=EXACT_FLOAT64)
    assert direction[0, lag] == direction.max() > 0


@pytest.mark.parametrize("imbalance", [0.0, 0.2, -0.5])
def test_classes_that_agree_leave_the_head_imbalance_floor(imbalance):
    floor = theory.label_signal(contrast(0.0, spread_contrast=0.0), imbalance)
    assert floor == pytest.approx(imbalance**2 / (1 + (1 + imbalance**2) * 0.5))


def test_reconstruction_does_not_care_for_the_contrast_and_an_imbalance_can_hide_it():
    near, far = (float(theory.reconstruction_signal(contrast(kappa))) for kappa in (0.001, 0.1))
    assert near == pytest.approx(far, rel=0.03)
    labels = [float(theory.label_signal(contrast(kappa))) for kappa in (0.001, 0.1)]
    assert labels[1] / labels[0] == pytest.approx(1e4)
    assert theory.label_signal(contrast(0.1), 0.1) == 0


def test_the_ring_of_the_certificate_is_not_its_mirror_image():
    ring = c07_symbols.RING
    rotations = {ring[shift:] + ring[:shift] for shift in range(len(ring))}
    assert ring[::-1] not in rotations


def test_the_mean_token_in_the_response_of_a_sequence_is_felt(monkeypatch):
    honest = c07_symbols.label_response
    monkeypatch.setattr(c07_symbols, "label_response", lambda *args: honest(*args).subs(c07_symbols.m, 0))
    assert any(each != 0 for each in c07_symbols.responses_by_differentiation())


def test_mirror_images_with_three_values_and_a_one_sided_direction_need_their_conditions():
    """(0, 1, 2) against (2, 1, 0) at v = 0.7, phi = exp: 0.23; and Var x^T D x is not 2 tr(D C D C)."""
    assert measure(lambda key: c07.pair_gap(((0, 1, 2), (2, 1, 0)), key), jax.random.key(0)) > 0.2
    direction = jnp.roll(jnp.eye(6), 1, axis=1)
    positions = jnp.arange(6.0)
    process = 0.5 ** jnp.abs(positions[:, None] - positions[None, :])
    naive = 2 * jnp.trace(direction @ process @ direction @ process)
    variance = theory.pair_moments(direction, process)[1]
    assert abs(naive - variance) > 0.1 * variance


def test_a_millionth_of_an_error_and_a_flipped_sign_are_found(monkeypatch):
    exact = {
        "contrast_gradient": lambda key: c07.law_gap(0.0, key),
        "class_pull": lambda key: c07.many_classes_gap(key),
        "fluctuation_imbalance": lambda key: c07_moments.moments_gap(key),
        "label_signal": lambda key: c07_moments.signal_gap(key),
        "reconstruction_signal": lambda key: c07_moments.signal_gap(key),
        "pair_moments": lambda key: c07_moments.moments_gap(key),
    }
    for name, gap in exact.items():
        home = c07 if hasattr(c07, name) else c07_moments
        law = getattr(home, name)
        wrong = doubled(law) if name == "pair_moments" else planted(law)
        monkeypatch.setattr(home, name, wrong)
        assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64, name
    samples = {
        "fluctuation_imbalance": c07_samples.fluctuation_deviation,
        "label_signal": lambda key: c07_samples.sampled_deviation(0.0, key),
        "reconstruction_signal": lambda key: c07_samples.sampled_deviation(0.0, key),
    }
    for name, deviation in samples.items():
        with monkeypatch.context() as patch:
            law = getattr(c07_samples, name)
            patch.setattr(c07_samples, name, lambda *args, law=law: -law(*args))
            assert measure(lambda key, found=deviation: found(key), jax.random.key(0)) > STANDARD_ERRORS, name


def test_a_lag_with_nothing_beside_it_is_refused():
    with pytest.raises(ValueError, match=r"lag must be one of 1..L-1.*got lag=0, length=6; try lag 1"):
        theory.contrast_direction(6, 0)
    with pytest.raises(ValueError, match=r"got lag=1, length=3"):
        theory.contrast_direction(3, 1)


def test_three_classes_are_no_contrast():
    with pytest.raises(ValueError, match=r"those of two classes: got shape=\(3, 4, 4\); stack C_0"):
        theory.class_contrast(jnp.eye(4), jnp.zeros((3, 4, 4)))

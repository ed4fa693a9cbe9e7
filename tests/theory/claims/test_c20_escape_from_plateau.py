"""C20: the label loss has a way down from its plateau, and how long it takes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c20_escape_from_plateau import (
    claim as c20,
)
from theory.claims.c20_escape_from_plateau import (
    clocks as c20_clocks,
)
from theory.claims.c20_escape_from_plateau import (
    quadratic as c20_quadratic,
)
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import (
    ASYMPTOTIC_EXPONENT,
    EXACT_FLOAT64,
    FINITE_DIFFERENCE,
    STANDARD_ERRORS,
)
from theory.dynamics.escape import Saddle

KEY = jax.random.key(0)


def test_every_check_passes(verdict):
    assert verdict("C20").passed, verdict("C20")


@given(lengths())
def test_the_response_of_squares_is_the_centred_autocovariance_at_every_length(setting: Setting):
    length, value = setting.length, float(setting.numbers.normal())

    @compiled
    def gap(autocovariance):
        def mean(scores):
            reading = jnp.eye(length) + value * jax.nn.softmax(scores)
            return jnp.sum(reading * (reading @ theory.circulant(autocovariance))) / length

        by_jax = jax.grad(mean)(jnp.zeros((length, length)))
        return relative_gap(by_jax, theory.circulant(theory.quadratic_response(value, autocovariance)))

    assert gap(setting.autocovariance()) <= EXACT_FLOAT64


def test_the_rate_is_the_singular_value_only_for_flat_features_and_its_square_for_a_fast_head():
    assert theory.escape_rate(0.0, 0.3) == pytest.approx(0.3, rel=1e-14)
    assert theory.escape_rate(1e4, 0.3) == pytest.approx(0.3**2 / 1e4, rel=1e-8)
    for curvature in (0.01, 0.3, 5.0):
        rate = float(theory.escape_rate(curvature, 0.3))
        assert 0.3**2 / (curvature + 0.3) < rate < min(0.3, 0.3**2 / curvature)


def test_one_feature_and_the_whole_hessian_give_one_rate():
    numbers = np.random.default_rng(0)
    contrast = jnp.asarray(numbers.normal(size=(1, 4, 4)))
    saddle = Saddle(jnp.full((1, 1), 0.7), contrast)
    assert saddle.rate() == pytest.approx(
        float(theory.escape_rate(0.7, jnp.linalg.norm(contrast))), rel=1e-12
    )


def test_there_are_as_many_ways_down_as_the_rank_of_the_contrast():
    numbers = np.random.default_rng(1)
    sides = numbers.normal(size=(3, 2)), numbers.normal(size=(2, 16))
    saddle = Saddle(jnp.diag(jnp.asarray([0.5, 1.0, 2.0])), jnp.asarray(sides[0] @ sides[1]).reshape(3, 4, 4))
    eigenvalues = np.linalg.eigvalsh(saddle.hessian())
    assert (eigenvalues < -1e-9).sum() == 2
    assert (eigenvalues > 1e-9).sum() == 3


def test_a_ridge_on_the_scores_shuts_the_exit_at_the_product_of_curvatures():
    at_the_edge = 0.3**2 / 0.7
    assert theory.escape_rate(0.7, 0.3, 0.9 * at_the_edge) > 0
    assert abs(theory.escape_rate(0.7, 0.3, at_the_edge)) < EXACT_FLOAT64
    assert theory.escape_rate(0.7, 0.3, 1.1 * at_the_edge) < 0


def test_the_same_data_in_both_classes_leave_no_way_down():
    same = jnp.stack([theory.markov_autocovariance(9, 0.5)] * 2)
    assert theory.quadratic_escape_rate(0.7, same) == 0.0


def test_labels_escape_slower_by_the_square_of_the_contrast_at_every_length():
    @compiled
    def rates(covariances):
        middle = covariances.mean(axis=0, keepdims=True)
        halved = theory.quadratic_escape_rate(0.7, (covariances + middle) / 2)
        first_order = theory.first_order_time(1.0, theory.proximity_law(0.7, middle[0]))
        full = theory.quadratic_escape_rate(0.7, covariances)
        return full / halved, theory.escape_time(1e-3, 1.0, full) / first_order

    (gain, ratio), (longer_gain, longer_ratio) = (
        rates(c20_quadratic.two_classes(KEY, length)) for length in (1000, 4000)
    )
    assert (gain, longer_gain) == pytest.approx((4, 4), rel=0.03)
    assert longer_ratio == pytest.approx(float(ratio), rel=0.05)  # both times grow like the square of L


def test_noise_starts_the_escape_as_an_initial_scale_would():
    rate, learning_rate, noise = 0.3, 1e-3, 0.5
    effective = noise * np.sqrt(learning_rate / (2 * rate))
    steps = 40_000.0
    spread = float(theory.noisy_spread(steps, 0.0, rate, learning_rate, noise))
    assert spread == pytest.approx(effective**2 * np.exp(2 * learning_rate * rate * steps), rel=0.01)


def test_many_small_steps_take_the_time_of_the_flow():
    steps = float(theory.escape_steps(1e-4, 1.0, 0.3, 1e-6))
    assert steps * 1e-6 == pytest.approx(float(theory.escape_time(1e-4, 1.0, 0.3)), rel=1e-6)


def test_first_order_time_is_distance_over_the_gradient():
    assert theory.first_order_time(2.0, jnp.full((3, 3), 0.5)) == pytest.approx(2.0 / 1.5)


def test_a_head_that_is_not_zero_has_another_hessian():
    assert measure(lambda key: c20.hessian_gap(key, head_size=0.1), KEY) > 1e-3


@pytest.mark.parametrize(
    ("module", "form", "gap", "tolerance"),
    [
        (c20_clocks, "plateau_path", lambda key: c20_clocks.path_gap(lambda k: k, key), EXACT_FLOAT64),
        (c20, "escape_steps", c20.clock_gap, FINITE_DIFFERENCE),
        (c20_clocks, "escape_rate", c20_clocks.clock_of_each_loss_gap, EXACT_FLOAT64),
        (c20_clocks, "escape_time", c20_clocks.clock_of_each_loss_gap, EXACT_FLOAT64),
        (c20_clocks, "first_order_time", c20_clocks.first_order_gap, FINITE_DIFFERENCE),
        (
            c20_clocks,
            "factored_escape_time",
            lambda key: c20_clocks.factored_gap(0.0, key),
            FINITE_DIFFERENCE,
        ),
        (c20_quadratic, "quadratic_escape_rate", c20_quadratic.unequal_rate_gap, EXACT_FLOAT64),
        (
            c20_quadratic,
            "quadratic_response",
            lambda key: c20_quadratic.response_gap(1.0, key),
            EXACT_FLOAT64,
        ),
    ],
)
def test_a_millionth_of_an_error_is_found(module, form, gap, tolerance, monkeypatch):
    monkeypatch.setattr(module, form, planted(getattr(module, form)))
    assert measure(lambda key: gap(key), KEY) > tolerance


@pytest.mark.parametrize(
    ("module", "form", "gap"),
    [
        (c20, "noisy_spread", c20.noisy_walk),
        (c20, "sign_drift", c20.normalised_steps),
        (c20_quadratic, "quadratic_variance", c20_quadratic.sampled_moments),
        (c20_quadratic, "quadratic_mean", c20_quadratic.sampled_moments),
    ],
)
def test_a_fifth_too_much_is_seen_in_samples(module, form, gap, monkeypatch):
    honest = getattr(module, form)
    monkeypatch.setattr(module, form, lambda *args: 1.2 * honest(*args))
    assert measure(lambda key: gap(key), KEY) > STANDARD_ERRORS


def test_the_time_through_queries_and_keys_is_the_inverse_square_of_their_size_where_features_vary():
    """t sigma^2 e^2 / k is 1/2 for a head that follows; 1/(e sigma) is far too short."""
    for scale in (0.05, 0.0125):
        slow = float(theory.slow_factored_time(scale, 1e3, 1.0, 1.0))
        assert slow * scale**2 == pytest.approx(0.5, rel=1e-6)
        assert slow > 9 * float(theory.factored_escape_time(scale, 1e3, 1.0))
    wrong = lambda *args: 1.2 * theory.slow_factored_time(*args)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c20_clocks, "slow_factored_time", wrong)
        assert measure(c20_clocks.slow_factored_gap, KEY) > ASYMPTOTIC_EXPONENT


@pytest.mark.parametrize("wrong", ["constant share", "label less a half"])
def test_class_shares_in_the_saddle_are_felt(wrong, monkeypatch):
    """p(1-p) taken as 1/4 in K, and y - p as y - 1/2 in M."""

    def mutated(features, responses, labels, chances, penalty):
        share, saddle = chances @ labels, theory.label_saddle(features, responses, labels, chances, penalty)
        if wrong == "constant share":
            ridge = penalty * jnp.eye(len(saddle.curvature)).at[-1, -1].set(0.0)
            return saddle._replace(curvature=(saddle.curvature - ridge) / (4 * share * (1 - share)) + ridge)
        moved = jnp.tensordot(chances * (share - 0.5), responses, axes=1)
        return saddle._replace(contrast=saddle.contrast.at[:-1].add(moved))

    monkeypatch.setattr(c20, "label_saddle", mutated)
    assert measure(c20.hessian_gap, KEY) > EXACT_FLOAT64

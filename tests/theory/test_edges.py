"""The edges of the closed forms: what lies outside their domain is refused, limits have their value."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import theory
from tests.tolerances import EXACT_FLOAT64

LENGTH = 5
scores = jax.random.normal(jax.random.key(0), (LENGTH, LENGTH))
batch = jax.random.normal(jax.random.key(1), (LENGTH, LENGTH, 3))  # as many samples as positions
value_map, head = jnp.eye(3), jnp.ones((2, 3))
row = jnp.ones(LENGTH)


@pytest.fixture
def without_type_checks(monkeypatch):
    """As users call: the checks of annotations are on in tests alone."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.mark.parametrize(
    "call",
    [
        lambda: theory.pooled(scores, batch, value_map),
        lambda: theory.mixed(scores, batch, value_map),
        lambda: theory.label_score_gradient(scores, batch, value_map, row[:3]),
        lambda: theory.pooled_by_key_bias(row, batch, value_map, jnp.tanh),
        lambda: theory.causal_label_gradient(scores, batch, value_map, row[:3]),
        lambda: theory.stack_score_gradient(scores[None], batch, value_map[None], row[:3]),
    ],
)
def test_a_batch_is_no_sequence(call, without_type_checks):
    with pytest.raises(
        ValueError, match=r"must have 2 axes, positions first: got shape=\(5, 5, 3\).*jax.vmap"
    ):
        call()


def test_values_and_kernels_of_other_sizes_are_refused(without_type_checks):
    with pytest.raises(ValueError, match="covariance must be a square floating-point matrix"):
        theory.reconstruction_value_gradient(scores, 0.5, scores[:, :1])
    with pytest.raises(ValueError, match="autocovariance must have as many positions as kernel"):
        theory.reduced_value_gradient(row, 0.5, row[:1])


@pytest.mark.parametrize("label", [2, 5, -1])
def test_a_label_without_a_class_is_refused(label):
    with pytest.raises(ValueError, match=rf"one of the 2 classes 0\.\.1: got {label}"):
        theory.label_loss(scores, batch[0], value_map, head, jnp.asarray(label))


def test_a_traced_label_without_a_class_has_no_loss():
    losses = jax.vmap(lambda label: theory.label_loss(scores, batch[0], value_map, head, label))
    assert np.isnan(losses(jnp.asarray([0, 1, 5]))).tolist() == [False, False, True]


@pytest.mark.parametrize("correlation", [1.0, -1.0, 1.2, np.nan])
def test_no_stationary_process_has_a_correlation_of_one_or_more(correlation):
    with pytest.raises(ValueError, match=rf"between -1 and 1: got {correlation}"):
        theory.markov_autocovariance(LENGTH, correlation)


def test_the_best_neighbour_predictor_needs_a_correlation():
    assert theory.nearest_neighbour_loss(LENGTH, 1.0) == 0
    for refused in (
        lambda: theory.nearest_neighbour_value(1.2),
        lambda: theory.nearest_neighbour_loss(5, -1.2),
    ):
        with pytest.raises(ValueError, match=r"between -1 and 1: got -?1.2"):
            refused()


def test_positions_on_a_ring_have_whole_periods(without_type_checks):
    with pytest.raises(ValueError, match=r"distinct whole numbers.*got \[1.5\]"):
        theory.ring_positions(8, [1.5])
    for spectral in (theory.spectrum, lambda *each: theory.frequency_pull(0.5, *each)):
        with pytest.raises(ValueError, match=r"whole numbers of periods on a ring: got \[1.5\]"):
            spectral(theory.markov_autocovariance(8, 0.5), [1.5])
    assert theory.ring_positions(8, [1.0, np.int64(2)]).shape == (8, 4)


def test_a_balanced_sum_is_flipped_by_any_value():
    balanced = jnp.asarray([1.0, 0.25, -0.25, -0.25, 0.25])
    assert theory.flip_threshold(balanced) == 0
    near = theory.flip_threshold(balanced.at[1].add(1e-6).at[4].add(1e-6))
    assert 0 < near < 1e-4  # continuous in m   [C24]
    assert theory.flip_threshold(jnp.asarray([1.0, 0.2, 0.1, 0.1, 0.2])) == jnp.inf


def test_a_flat_saddle_is_never_left():
    assert theory.escape_rate(0.0, 0.0) == 0  # [C20]
    assert (theory.plateau_path(jnp.arange(3.0), 0.1, 0.0, 0.0) == 0.1).all()
    assert theory.noisy_spread(7.0, 0.0, 0.0, 0.1, 2.0) == pytest.approx(7 * 0.2**2)
    assert theory.escape_rate(0.0, 1e-9) == pytest.approx(1e-9)


def test_the_next_token_law_by_lags_is_the_sum_over_its_diagonals():
    autocovariance = 0.7 ** jnp.arange(9.0)
    law = np.asarray(theory.next_token_law(0.3, autocovariance, 0.2))
    by_lag = np.array([np.trace(law, offset=1 - lag) for lag in range(9)])
    assert (
        np.abs(theory.next_token_lag_law(0.3, autocovariance, 0.2) - jnp.asarray(by_lag)).max()
        < EXACT_FLOAT64
    )


def test_the_next_token_law_by_lags_is_one_program_at_any_length():
    length = lambda count: len(
        jax.make_jaxpr(lambda c: theory.next_token_lag_law(0.3, c))(0.7 ** jnp.arange(float(count))).eqns
    )
    assert length(64) == length(8)


def test_the_pull_of_classes_is_minus_the_gradient():
    pulls, classes, prior = batch[0][:3], jnp.eye(3), jnp.asarray([0.5, 0.3, 0.2])
    predicted = jnp.asarray([0.2, 0.3, 0.5])
    logits = lambda amount: jnp.log(predicted)[None, :] + amount * pulls @ classes.T
    loss = lambda amount: -jnp.sum(prior * jnp.diag(jax.nn.log_softmax(logits(amount), axis=1)))
    gap = theory.class_pull(pulls, classes, prior, predicted) + jax.grad(loss)(0.0)
    assert jnp.abs(gap) < EXACT_FLOAT64  # [C7]

"""C13: absolute positions become relative scores, and centring hides them from the labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import PLANTED, Setting, compiled, lengths, planted
from theory.claims.c13_absolute_positions import blocks as c13_blocks
from theory.claims.c13_absolute_positions import claim as c13
from theory.claims.c13_absolute_positions.draws import drawn
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C13").passed, verdict("C13")


def some_frequencies(setting: Setting) -> tuple[int, ...]:
    """Up to three frequencies between 0 and L/2, drawn without repetition."""
    every = np.arange(1, (setting.length - 1) // 2 + 1)
    return tuple(int(each) for each in setting.numbers.permutation(every)[:3])


@given(lengths(shortest=3))
def test_the_blocks_are_the_reconstruction_gradient_at_every_length(setting: Setting):
    length, chosen, value = setting.length, some_frequencies(setting), float(setting.numbers.normal())
    positions, flat = theory.ring_positions(length, chosen), jnp.zeros((2 * len(chosen),) * 2)

    @compiled
    def gap(autocovariance):
        covariance = theory.circulant(autocovariance)
        scores = lambda product: positions @ product @ positions.T
        found = jax.grad(lambda each: theory.reconstruction_loss(scores(each), value, covariance))(flat)
        blocks = jnp.diag(jnp.repeat(theory.frequency_pull(value, autocovariance, chosen), 2))
        scale = jnp.abs(theory.proximity_law(value, autocovariance)).max() * length
        return relative_gap(-found, blocks, scale=scale)

    assert gap(setting.autocovariance()) <= EXACT_FLOAT64


@given(lengths(shortest=3))
def test_centred_encodings_get_no_label_gradient_at_every_length(setting: Setting):
    length, chosen = setting.length, some_frequencies(setting)
    positions, tokens = theory.ring_positions(length, chosen), setting.normal(length, 3)
    value_map, slope = setting.normal(3, 3), setting.normal(3)

    @compiled
    def sizes(key_map, shift):
        maps = (jnp.zeros_like(key_map), key_map)
        gradient = theory.label_score_gradient(jnp.zeros((length, length)), tokens, value_map, slope)
        found = [theory.position_gradients(gradient, each, *maps) for each in (positions, positions + shift)]
        return [jnp.abs(each.query).max() / jnp.abs(found[1].query).max() for each in found]

    centred, uncentred = sizes(setting.normal(2 * len(chosen), 2), jnp.ones(()))
    assert centred <= 10 * EXACT_FLOAT64 < uncentred


def test_full_periods_are_centred_and_orthogonal_and_their_kernel_depends_on_the_lag():
    positions = np.asarray(theory.ring_positions(9, (1, 4)))
    kernel = np.asarray(positions @ positions.T)
    np.testing.assert_allclose(positions.sum(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(positions.T @ positions, 4.5 * np.eye(4), atol=1e-13)
    np.testing.assert_allclose(kernel, np.roll(kernel, (1, 1), axis=(0, 1)), atol=1e-13)


def test_low_frequencies_grow_for_positively_correlated_data_and_high_ones_shrink():
    chosen = range(1, 8)
    pulls = compiled(lambda rho: theory.frequency_pull(0.5, theory.markov_autocovariance(16, rho), chosen))
    pull = np.asarray(pulls(0.6))
    assert (np.diff(pull) < 0).all()
    assert pull[0] > 0 > pull[-1]


@pytest.mark.parametrize(("encodings", "order"), [("centred", 3), ("shifted", 1)])
def test_the_gradient_in_the_keys_has_the_order_of_the_queries(encodings, order):
    @compiled
    def size(scale):
        setting = drawn(jax.random.key(1))
        loss = c13.through(setting.sequence.loss, getattr(setting, encodings)())
        return jnp.abs(jax.grad(loss)(c13.scaled(setting, scale)).key).max()

    assert abs(np.log2(float(size(0.02) / size(0.01))) - order) < ASYMPTOTIC_EXPONENT


def test_uncentred_encodings_get_a_rank_one_gradient_and_the_keys_need_a_mean_query():
    @compiled
    def gaps(key):
        setting = drawn(key)
        positions, (_, key_map), per_key = setting.shifted(), setting.maps, setting.per_key()
        row = (per_key - per_key.mean()) @ positions @ key_map
        law = jnp.outer(positions.sum(axis=0), row) / (c13.LENGTH**2 * c13.FEATURES**0.5)
        found = jax.grad(c13.through(setting.sequence.loss, positions))(setting.silent_queries())
        return relative_gap(found.query, law), jnp.abs(found.key).max() / jnp.abs(law).max()

    assert max(gaps(jax.random.key(0))) <= EXACT_FLOAT64


def test_low_and_high_frequencies_grow_in_the_sum_and_the_difference_of_the_maps():
    steps, rate = 400, 0.1

    @compiled
    def gap(key):
        setting = drawn(key)
        covariance = theory.circulant(setting.autocovariance())
        masked = lambda scores: theory.reconstruction_loss(scores, c13.VALUE, covariance)
        slope = jax.grad(c13.through(masked, setting.centred()))
        step = lambda _, at: jax.tree.map(lambda each, by: each - rate * by, at, slope(at))
        start = c13.scaled(setting, 1e-4)
        end = jax.lax.fori_loop(0, steps, step, start)
        pull = theory.frequency_pull(c13.VALUE, setting.autocovariance(), c13.FREQUENCIES)
        grown = jnp.exp(steps * rate * jnp.repeat(pull, 2)[:, None] / c13.FEATURES**0.5)
        together, apart = end.query + end.key, end.query - end.key
        return jnp.maximum(
            relative_gap(together, (start.query + start.key) * grown),
            relative_gap(apart, (start.query - start.key) / grown),
        )

    assert gap(jax.random.key(3)) < 0.01


@pytest.mark.parametrize("frequencies", [(0,), (4,), (1, 1), ()])
def test_frequencies_without_a_sine_are_refused(frequencies):
    told = r"distinct whole numbers from 1 to \(length - 1\) // 2 = 3: got .*; at length=8"
    with pytest.raises(ValueError, match=told):
        theory.ring_positions(8, frequencies)


def tilted(form, size):
    """`form` with a relative error in each of its two answers."""
    return lambda *args: jax.tree.map(lambda each: (1 + size) * each, form(*args))


def test_a_millionth_of_an_error_is_found_in_the_gradients_of_the_maps(monkeypatch):
    monkeypatch.setattr(c13, "position_gradients", tilted(c13.position_gradients, PLANTED))
    assert measure(lambda key: c13.chain_gap(key), jax.random.key(0)) > EXACT_FLOAT64


def test_a_millionth_of_an_error_is_found_in_the_blocks(monkeypatch):
    monkeypatch.setattr(c13_blocks, "frequency_pull", planted(c13_blocks.frequency_pull))
    gap = lambda key: c13.block_gap(c13.ring_covariance, key)
    assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64


def test_an_error_in_the_third_order_is_found(monkeypatch):
    monkeypatch.setattr(c13, "centred_label_gradients", tilted(c13.centred_label_gradients, 0.1))
    gap = lambda key: c13.exponent_gap(c13.label_sizes, c13.Setting.centred, (3, 2, 3, 2), key)
    assert measure(gap, jax.random.key(0)) > ASYMPTOTIC_EXPONENT

"""Directions and profiles by lag: centred units, both sides averaged, and a cosine that ignores mean and scale."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from tests.tolerances import EXACT_FLOAT64
from theory.probes import lag_direction, lag_profile, profile_cosine

LENGTH = 9


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("lag", [1, 3, 4])
def test_a_direction_towards_a_lag_is_a_doubly_centred_unit_largest_there(lag, cyclic):
    direction = np.asarray(lag_direction(LENGTH, lag, cyclic=cyclic))
    np.testing.assert_allclose(direction.sum(axis=0), 0, atol=EXACT_FLOAT64)
    np.testing.assert_allclose(direction.sum(axis=1), 0, atol=EXACT_FLOAT64)
    assert np.linalg.norm(direction) == pytest.approx(1, rel=EXACT_FLOAT64)
    profile = lag_profile(direction)
    assert profile[lag] == pytest.approx(profile.max(), rel=EXACT_FLOAT64)
    assert (direction[0, LENGTH - lag] > 0) == cyclic


def test_directions_towards_every_lag_come_from_one_map():
    lags = jnp.arange(1, LENGTH)
    each = jax.jit(jax.vmap(lambda lag: lag_direction(LENGTH, lag)))(lags)
    expected = np.stack([lag_direction(LENGTH, int(lag)) for lag in lags])
    np.testing.assert_allclose(each, expected, atol=EXACT_FLOAT64)


def test_on_a_ring_the_contrast_direction_differs_by_its_diagonal_and_norm_alone():
    near, hollow = lag_direction(LENGTH, 2, cyclic=True), theory.contrast_direction(LENGTH, 2)
    off = ~np.eye(LENGTH, dtype=bool)
    values = np.unique(np.asarray(near)[off].round(12)), np.unique(np.asarray(hollow)[off].round(12))
    assert [len(each) for each in values] == [2, 2]
    assert not np.diag(hollow).any() and np.diag(near).all()


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_profiles_average_both_sides_of_the_diagonal(kind):
    matrix = kind(np.arange(16.0).reshape(4, 4))
    assert type(lag_profile(matrix)) is type(matrix)
    assert lag_profile(matrix)[3] == (matrix[0, 3] + matrix[3, 0]) / 2
    assert lag_profile(matrix)[0] == np.diagonal(matrix).mean()


def test_the_profile_of_a_toeplitz_matrix_is_its_kernel():
    kernel = jax.random.normal(jax.random.key(0), (LENGTH,))
    np.testing.assert_allclose(lag_profile(theory.toeplitz(kernel)), kernel, rtol=EXACT_FLOAT64)


def test_profile_cosines_ignore_mean_scale_and_lag_zero():
    profile = 0.6 ** np.arange(20.0)
    moved = 3 * profile + 5
    moved[0] = -100
    assert profile_cosine(profile, moved) == pytest.approx(1.0)
    assert profile_cosine(profile, -profile) == pytest.approx(-1.0)
    assert profile_cosine(profile, np.ones(20)) == 0.0


def test_profile_cosines_are_those_of_the_matrices_row_by_row():
    one, other = np.random.default_rng(0).normal(size=(2, 3, LENGTH))

    def matrix(kernel):
        whole, off = np.asarray(theory.toeplitz(jnp.asarray(kernel))), ~np.eye(LENGTH, dtype=bool)
        return np.where(off, whole - whole[off].mean(), 0)

    pairs = [(matrix(a), matrix(b)) for a, b in zip(one, other, strict=True)]
    expected = [(a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]
    np.testing.assert_allclose(profile_cosine(one, other), expected, rtol=EXACT_FLOAT64)
    np.testing.assert_allclose(
        profile_cosine(jnp.asarray(one), jnp.asarray(other)), expected, rtol=EXACT_FLOAT64
    )

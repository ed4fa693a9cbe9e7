"""The dial of a class pair is the contrast law's kappa; pairs that share second moments differ elsewhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64, monte_carlo

import theory
from sims.processes import (
    ClassPair,
    ar1,
    drifting,
    mirror_pair,
    mixed_pair,
    moving_average,
    shape_pair,
    sign_pair,
)
from sims.runs.store import UserError
from theory.claims.checks.programs import quick_compilation

LENGTH, COUNT = 8, 20_000
SKEWED = moving_average(LENGTH, (1.0, 0.3), "exponential")
EQUAL = {
    "mirror": mirror_pair(SKEWED),
    "sign": sign_pair(SKEWED),
    "shape": shape_pair(LENGTH, 0.7),
    "symbols": ClassPair(
        "symbols",
        (drifting(LENGTH).process((0.0, 1.0, 3.0)), drifting(LENGTH).mirrored().process((0.0, 1.0, 3.0))),
    ),
}


def drawn(pair: ClassPair, count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    sample = jax.jit(lambda key: pair.sample(key, count), compiler_options=quick_compilation())
    return tuple(map(np.asarray, sample(jax.random.key(0))))


def apart(statistic: np.ndarray, labels: np.ndarray) -> float:
    """Difference of the classes' means, in standard errors."""
    groups = [statistic[labels == label] for label in (0, 1)]
    error = np.sqrt(sum(group.var() / len(group) for group in groups))
    return abs(groups[0].mean() - groups[1].mean()) / error


@pytest.mark.parametrize("kappa", [0.0, 0.3, 1.0])
def test_the_dial_is_the_contrast_along_every_direction_off_the_diagonal(kappa):
    pair = mixed_pair(ar1(LENGTH, 0.7), kappa)
    directions = [theory.contrast_direction(LENGTH, lag) for lag in (1, 2)]
    odd = np.random.default_rng(0).normal(size=(LENGTH, LENGTH))
    directions.append(jnp.asarray(odd * (1 - np.eye(LENGTH))))
    for direction in directions:
        assert pair.contrast(direction).kappa == pytest.approx(kappa, abs=EXACT_FLOAT64)


def test_samples_of_a_mixed_pair_have_the_covariances_of_their_classes():
    pair = mixed_pair(ar1(LENGTH, 0.7), 0.6)
    tokens, labels = drawn(pair)
    assert abs(labels.mean() - 0.5) < monte_carlo(0.5 / np.sqrt(COUNT))
    for label, covariance in enumerate(np.asarray(pair.covariances)):
        own = tokens[labels == label]
        errors = np.sqrt((1 + covariance**2) / len(own))
        assert (np.abs(own.T @ own / len(own) - covariance) < monte_carlo(1.0) * errors).all()


@pytest.mark.parametrize("name", EQUAL)
def test_pairs_with_one_covariance_leave_no_population_label_gradient(name):
    pair = EQUAL[name]
    np.testing.assert_allclose(pair.covariances[0], pair.covariances[1], atol=EXACT_FLOAT64)
    gradient = theory.contrast_gradient(0.7, 1.0, pair.covariances)
    assert jnp.abs(gradient).max() < EXACT_FLOAT64
    moved = theory.contrast_gradient(0.7, 1.0, mixed_pair(ar1(LENGTH, 0.7), 0.5).covariances)
    assert jnp.abs(moved).max() > 1e-4


@pytest.mark.parametrize("name", ["mirror", "symbols"])
def test_a_mirrored_class_has_the_same_bags_and_other_third_moments(name):
    tokens, labels = drawn(EQUAL[name])
    after = tokens[:, 1:]
    for power in (1, 2, 3):
        assert apart((tokens**power).mean(axis=1), labels) < monte_carlo(1.0)
    assert apart((tokens[:, :-1] * after).mean(axis=1), labels) < monte_carlo(1.0)
    assert apart((tokens[:, :-1] ** 2 * after).mean(axis=1), labels) > 2 * monte_carlo(1.0)


def test_a_gaussian_process_is_its_own_mirror_image():
    tokens, labels = drawn(mirror_pair(moving_average(LENGTH, (1.0, 0.3))))
    assert apart((tokens[:, :-1] ** 2 * tokens[:, 1:]).mean(axis=1), labels) < monte_carlo(1.0)


def test_a_negated_class_differs_in_odd_moments_only():
    tokens, labels = drawn(EQUAL["sign"])
    assert apart((tokens**3).mean(axis=1), labels) > 2 * monte_carlo(1.0)
    for power in (2, 4):
        assert apart((tokens**power).mean(axis=1), labels) < monte_carlo(1.0)


def test_signs_and_gaussians_of_one_covariance_differ_in_one_token():
    tokens, labels = drawn(EQUAL["shape"], 200)
    np.testing.assert_array_equal((np.abs(tokens) == 1).all(axis=1), labels == 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mixed_pair(ar1(8, 0.5), 1.2), r"kappa must lie within 0\.\.1: got 1.2; try 0.5"),
        (lambda: ClassPair("odd", (ar1(8, 0.5), ar1(9, 0.5))), "must have one length: got 8 and 9"),
    ],
)
def test_an_impossible_pair_is_refused_in_one_line(make, message):
    with pytest.raises(UserError, match=message):
        make()

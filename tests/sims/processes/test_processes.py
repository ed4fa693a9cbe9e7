"""The processes have the law they claim."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64, monte_carlo

import theory
from sims.processes import ar1, moving_average, permutation_task, permute_positions, sample, spectrum
from sims.runs.store import UserError

PROCESSES = [ar1(9, 0.7), ar1(9, -0.5), moving_average(9, (1.0, 0.5, 1.0)), moving_average(8, (1.0, -2.0))]
COUNT = 20_000


def covariance_in_standard_errors(tokens: np.ndarray, covariance: np.ndarray) -> float:
    variances = np.diag(covariance)
    errors = np.sqrt((np.outer(variances, variances) + covariance**2) / len(tokens))
    return float(np.abs((tokens.T @ tokens / len(tokens) - covariance) / errors).max())


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_samples_have_the_stated_covariance(process):
    tokens = np.asarray(sample(spectrum(process.autocovariance), COUNT, key=jax.random.key(0)))
    covariance = np.asarray(theory.circulant(process.autocovariance))
    assert covariance_in_standard_errors(tokens, covariance) < monte_carlo(1.0)


def test_samples_of_one_process_do_not_have_the_covariance_of_another():
    tokens = np.asarray(sample(spectrum(ar1(8, 0.7).autocovariance), COUNT, key=jax.random.key(0)))
    other = np.asarray(theory.circulant(ar1(8, 0.6).autocovariance))
    assert covariance_in_standard_errors(tokens, other) > monte_carlo(1.0)


def test_a_moving_average_has_the_autocovariance_of_its_taps():
    taps, length = np.array([1.0, -0.5, 2.0]), 7
    noise_to_tokens = sum(tap * np.roll(np.eye(length), lag, axis=0) for lag, tap in enumerate(taps))
    covariance = noise_to_tokens @ noise_to_tokens.T / (taps @ taps)
    process = moving_average(length, tuple(taps))
    np.testing.assert_allclose(
        theory.circulant(process.autocovariance), covariance, atol=EXACT_FLOAT64, rtol=0
    )


def beyond_neighbours(process) -> float:
    length = len(process.autocovariance)
    precision = np.linalg.inv(np.asarray(theory.circulant(process.autocovariance)))
    return float(np.abs(precision[0, 2 : length - 1]).max() / precision[0, 0])


def test_tokens_of_ar1_depend_on_their_two_neighbours_only():
    assert beyond_neighbours(ar1(9, 0.7)) < EXACT_FLOAT64


def test_tokens_of_a_moving_average_depend_on_more_than_their_neighbours():
    assert beyond_neighbours(moving_average(9, (1.0, 0.5))) > 0.01


def test_permuting_positions_keeps_the_bag_and_loses_the_order():
    power = spectrum(ar1(8, 0.9).autocovariance)
    tokens = sample(power, COUNT, key=jax.random.key(1))
    shuffled = permute_positions(tokens, key=jax.random.key(2))
    np.testing.assert_array_equal(jnp.sort(shuffled, axis=1), jnp.sort(tokens, axis=1))
    autocovariance = ar1(8, 0.9).autocovariance
    exchangeable = np.full((8, 8), float(autocovariance[1:].mean()))
    np.fill_diagonal(exchangeable, 1.0)
    moments = np.asarray(shuffled.T @ shuffled / COUNT)
    # products of tokens of one bag are not Gaussian: their own spread is the standard error
    products = np.asarray(shuffled[:, :, None] * shuffled[:, None, :])
    errors = products.std(axis=0) / np.sqrt(COUNT)
    assert np.abs((moments - exchangeable) / errors).max() < monte_carlo(1.0)


def test_the_order_task_hides_its_label_from_bags_and_shows_it_to_neighbours():
    power = spectrum(ar1(16, 0.7).autocovariance)
    tokens, labels = map(np.asarray, permutation_task(power, COUNT, key=jax.random.key(3)))
    assert abs(labels.mean() - 0.5) < monte_carlo(0.5 / np.sqrt(COUNT))

    def difference(statistic: np.ndarray) -> float:
        groups = [statistic[labels == label] for label in (0, 1)]
        error = np.sqrt(sum(group.var() / len(group) for group in groups))
        return abs(groups[0].mean() - groups[1].mean()) / error

    assert difference(tokens.mean(axis=1) ** 2) < monte_carlo(1.0)
    assert difference((tokens**4).mean(axis=1)) < monte_carlo(1.0)
    assert difference((tokens * np.roll(tokens, 1, axis=1)).mean(axis=1)) > monte_carlo(1.0)


def test_one_key_gives_one_sample():
    power = spectrum(ar1(6, 0.5).autocovariance)
    first, again, other = (sample(power, 4, key=jax.random.key(seed)) for seed in (0, 0, 1))
    assert jnp.array_equal(first, again) and not jnp.array_equal(first, other)


@pytest.mark.parametrize("kernel", [[1.0, 0.9, 0.0, 0.0, 0.9], [1.0, 0.5, 0.0, 0.0]])
def test_what_is_no_covariance_is_refused(kernel):
    with pytest.raises(ValueError, match="no negative eigenvalue"):
        spectrum(jnp.array(kernel))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ar1(2, 0.5), "length must be at least 3: got 2; try 3"),
        (lambda: ar1(8, 1.0), "correlation must lie between -1 and 1: got 1.0; try 0.0"),
        (lambda: moving_average(3, (1.0, 1.0, 1.0, 1.0)), "taps must number 1 to length=3"),
        (lambda: moving_average(3, (0.0,)), "not all 0"),
    ],
)
def test_an_impossible_process_is_refused_in_one_line(make, message):
    with pytest.raises(UserError, match=message) as error:
        make()
    assert "\n" not in str(error.value)

"""Processes have the autocovariance and the spectrum they state, by algebra, by counting, by sampling."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64, monte_carlo

from sims.processes import (
    HiddenMarkov,
    ar1,
    balanced_runs,
    band_noise,
    cyclic_ar,
    drifting,
    markov_runs,
    mixed_runs,
    moving_average,
    open_ar,
    open_moving_average,
    ring_runs,
)
from sims.processes.filters import third_moment
from sims.processes.innovations import require_innovation
from sims.processes.moving_average import moving_average_response
from sims.processes.runs import balanced_rings
from sims.runs.store import UserError
from theory.claims.checks.programs import quick_compilation

COUNT = 20_000
TWO = (0.9, -0.5)
TAPS = (1.0, -0.5, 2.0)
VALUES = (-1.0, 0.5, 2.0)
MEMBERS = {
    "ar1": lambda length: ar1(length, -0.6),
    "cyclic_ar": lambda length: cyclic_ar(length, TWO, "exponential"),
    "open_ar": lambda length: open_ar(length, TWO),
    "moving_average": lambda length: moving_average(length, TAPS, "exponential"),
    "open_moving_average": lambda length: open_moving_average(length, TAPS, "sign"),
    "band_noise": lambda length: band_noise(length, 1, 3),
    "hidden_markov": lambda length: drifting(length).process(VALUES),
    "markov_runs": lambda length: markov_runs(length, 0.7),
    "ring_runs": lambda length: ring_runs(length, 0.7),
    "balanced_runs": lambda length: balanced_runs(length, 4),
    "mixed_runs": lambda length: mixed_runs(length, 4, 0.6),
}
MADE = {name: make(8) for name, make in MEMBERS.items()}
LINES = [name for name, process in MADE.items() if not process.ring]
compiled = lambda function: jax.jit(function, compiler_options=quick_compilation())


def drawn_from(process, count: int, seed: int) -> np.ndarray:
    return np.asarray(compiled(lambda key: process.sample(key, count))(jax.random.key(seed)))


every = pytest.mark.parametrize("name", MEMBERS)


@every
def test_samples_have_the_stated_mean_and_covariance_and_depend_on_their_key_alone(name):
    process, keys = MADE[name], jax.random.split(jax.random.key(0), 2)
    drawn = compiled(jax.vmap(lambda key: process.sample(key, COUNT // 2)))(keys[jnp.array([0, 1, 0])])
    np.testing.assert_array_equal(drawn[0], drawn[2])
    tokens = np.concatenate(drawn[:2])
    products = tokens[:, :, None] * tokens[:, None, :]
    moments = np.concatenate([tokens.T, products.reshape(COUNT, -1).T])
    stated = np.concatenate([np.zeros(8), np.asarray(process.covariance).ravel()])
    errors = moments.std(axis=1) / np.sqrt(COUNT)
    assert (np.abs(moments.mean(axis=1) - stated) <= monte_carlo(1.0) * errors + EXACT_FLOAT64).all()


@every
def test_variance_is_one_and_the_covariance_is_that_of_some_process(name):
    process = MADE[name]
    assert process.autocovariance[0] == pytest.approx(1.0, rel=EXACT_FLOAT64)
    assert np.linalg.eigvalsh(process.covariance).min() > -EXACT_FLOAT64
    assert process.length == 8


@pytest.mark.parametrize("name", sorted(set(MEMBERS) - set(LINES)))
def test_on_a_ring_the_spectrum_holds_the_eigenvalues_of_the_covariance(name):
    process = MADE[name]
    transform = np.fft.fft(process.autocovariance)
    np.testing.assert_allclose(process.power, transform.real, atol=EXACT_FLOAT64)
    np.testing.assert_allclose(transform.imag, 0, atol=EXACT_FLOAT64)


@pytest.mark.parametrize("name", LINES)
def test_on_a_line_the_spectrum_sums_the_autocovariance_over_all_integers(name):
    length, far = 8, 30
    lags = np.asarray(MEMBERS[name](length * far).autocovariance)
    angles = 2 * np.pi * np.outer(np.arange(length), np.arange(1, len(lags))) / length
    summed = lags[0] + 2 * np.cos(angles) @ lags[1:]
    np.testing.assert_allclose(MADE[name].power, summed, rtol=EXACT_FLOAT64)


def by_roots(coefficients: tuple[float, ...], length: int, ring: bool) -> np.ndarray:
    """C(r) = sum_j A_j z_j^r by partial fractions over the recursion's roots, wrapped round a ring."""
    roots = np.roots([1.0, *(-np.array(coefficients))])
    found = np.zeros(length, complex)
    for index, root in enumerate(roots):
        others = np.delete(roots, index)
        weight = root ** (len(roots) - 1) / (np.prod(root - others) * np.prod(1 - root * roots))
        powers = root ** np.arange(length)
        around = (powers + root ** (length - np.arange(length))) / (1 - root**length)
        found += weight * (around if ring else powers)
    return (found / found[0]).real


@pytest.mark.parametrize("coefficients", [(0.7,), TWO, (0.3, 0.2, -0.4)])
def test_autoregressions_have_the_autocovariance_of_their_roots(coefficients):
    for make, ring in ((cyclic_ar, True), (open_ar, False)):
        expected = by_roots(coefficients, 11, ring)
        np.testing.assert_allclose(make(11, coefficients).autocovariance, expected, atol=EXACT_FLOAT64)


def test_the_cyclic_autoregression_of_order_one_is_the_markov_field():
    np.testing.assert_allclose(
        cyclic_ar(9, (0.7,)).autocovariance, ar1(9, 0.7).autocovariance, atol=EXACT_FLOAT64
    )


def test_what_the_recursion_leaves_is_white_noise_at_every_token():
    def leftover(tokens: np.ndarray) -> np.ndarray:
        return tokens - TWO[0] * np.roll(tokens, 1, axis=1) - TWO[1] * np.roll(tokens, 2, axis=1)

    ring = drawn_from(cyclic_ar(8, TWO, "sign"), 50, 2)
    assert np.ptp(np.abs(leftover(ring))) < EXACT_FLOAT64  # signs of one size, drawn on the ring
    line = leftover(drawn_from(open_ar(8, TWO), COUNT, 2))[:, 2:]
    correlation = np.corrcoef(line.T) - np.eye(6)
    assert np.abs(correlation).max() < monte_carlo(1 / np.sqrt(COUNT))


def test_band_noise_has_the_autocovariance_of_dirichlet_and_no_energy_outside_its_band():
    length, low, high = 16, 2, 5
    process = band_noise(length, low, high)
    half = np.pi * np.arange(1, length) / length
    dirichlet = (np.sin((2 * high + 1) * half) - np.sin((2 * low - 1) * half)) / np.sin(half)
    np.testing.assert_allclose(
        process.autocovariance[1:], dirichlet / (2 * (high - low + 1)), atol=EXACT_FLOAT64
    )
    energy = np.abs(np.fft.rfft(drawn_from(process, 5, 0))) ** 2
    outside = np.delete(np.arange(9), range(low, high + 1))
    assert energy[:, outside].max() < EXACT_FLOAT64 < 1e-3 < energy[:, low : high + 1].min()


def test_third_moments_tell_a_skewed_filter_from_its_mirror_image():
    response = moving_average_response(7, TAPS)
    stated = np.asarray(third_moment(response, "exponential"))
    tokens = drawn_from(moving_average(7, TAPS, "exponential"), 4 * COUNT, 3)
    for lag in range(7):
        products = (tokens**2 * np.roll(tokens, -lag, axis=1)).mean(axis=1)
        error = products.std() / np.sqrt(len(products))
        assert abs(products.mean() - stated[lag]) < monte_carlo(error), lag
    assert np.abs(stated[1:] - stated[:0:-1]).max() > 0.2
    assert not np.any(third_moment(response, "gaussian"))


def hidden_paths(chain: HiddenMarkov) -> np.ndarray:
    """P(symbols) of every word, by summing over every hidden path."""
    states, symbols = np.shape(chain.emissions)
    law = np.zeros((symbols,) * chain.length)
    for path in itertools.product(range(states), repeat=chain.length):
        chance = chain.stationary[path[0]]
        for before, after in itertools.pairwise(path):
            chance *= chain.transitions[before][after]
        shown = chance
        for state in path:
            shown = np.multiply.outer(shown, np.asarray(chain.emissions[state]))
        law += shown
    return law


def test_a_hidden_markov_chain_has_the_joint_law_of_its_paths():
    chain = HiddenMarkov(4, ((0.7, 0.3), (0.1, 0.9)), ((0.5, 0.5, 0.0), (0.1, 0.2, 0.7)))
    law = hidden_paths(chain)
    single = chain.symbol_law
    for lag in range(1, 4):
        joint = law.sum(axis=tuple({0, 1, 2, 3} - {0, lag}))
        np.testing.assert_allclose(
            chain.symbol_covariance()[lag], joint - np.outer(single, single), atol=EXACT_FLOAT64
        )
    symbols = np.asarray(compiled(lambda key: chain.symbols(key, COUNT))(jax.random.key(4)))
    counted = np.bincount(np.ravel_multi_index(symbols.T, law.shape), minlength=law.size) / COUNT
    error = np.sqrt(law.ravel() * (1 - law.ravel()) / COUNT)
    assert (np.abs(counted - law.ravel()) <= monte_carlo(1.0) * error).all()


def test_a_chain_read_backwards_has_the_transposed_pairs_and_the_same_values_autocovariance():
    chain = drifting(5)
    back = chain.mirrored()
    np.testing.assert_allclose(
        back.symbol_covariance(), chain.symbol_covariance().transpose(0, 2, 1), atol=EXACT_FLOAT64
    )
    assert np.abs(back.symbol_covariance()[1] - chain.symbol_covariance()[1]).max() > 0.1
    np.testing.assert_allclose(
        back.process(VALUES).autocovariance, chain.process(VALUES).autocovariance, atol=EXACT_FLOAT64
    )


def signs(length: int) -> np.ndarray:
    return np.array(list(itertools.product((-1.0, 1.0), repeat=length)))


def changes(tokens: np.ndarray) -> np.ndarray:
    return (tokens != np.roll(tokens, 1, axis=1)).sum(axis=1)


@pytest.mark.parametrize(("length", "runs"), [(4, 2), (8, 4), (10, 6), (10, 10)])
def test_runs_of_equal_counts_have_the_autocovariance_of_all_such_rings(length, runs):
    rings = signs(length)
    rings = rings[(rings.sum(axis=1) == 0) & (changes(rings) == runs)]
    process = balanced_runs(length, runs)
    assert len(rings) == balanced_rings(length, runs)
    counted = [np.mean(rings[:, 0] * rings[:, lag]) for lag in range(length)]
    np.testing.assert_allclose(process.autocovariance, counted, atol=EXACT_FLOAT64)


def test_runs_of_equal_counts_have_these_counts_these_runs_and_no_sum():
    process = balanced_runs(64, 20)
    tokens = drawn_from(process, 200, 5)
    assert not tokens.sum(axis=1).any()
    assert set(changes(tokens)) == {20}
    assert process.autocovariance[1] == pytest.approx(1 - 2 * 20 / 64, rel=EXACT_FLOAT64)
    assert abs(process.autocovariance.sum()) < EXACT_FLOAT64


def test_all_rings_of_equal_counts_are_equally_likely():
    tokens = drawn_from(balanced_runs(6, 4), COUNT, 6)
    _, counted = np.unique(tokens, axis=0, return_counts=True)
    rings = balanced_rings(6, 4)
    assert len(counted) == rings
    assert np.abs(counted / COUNT - 1 / rings).max() < monte_carlo(np.sqrt(1 / rings / COUNT))


def test_runs_on_a_ring_have_the_law_of_the_ising_chain():
    rings = signs(6)
    chance = (1.7 ** (6 - changes(rings))) * (0.3 ** changes(rings))
    chance /= chance.sum()
    tokens = drawn_from(ring_runs(6, 0.7), COUNT, 7)
    counted = np.array([(tokens == ring).all(axis=1).mean() for ring in rings])
    assert (np.abs(counted - chance) <= monte_carlo(1.0) * np.sqrt(chance / COUNT)).all()
    np.testing.assert_allclose(
        [chance @ (rings[:, 0] * rings[:, lag]) for lag in range(6)],
        ring_runs(6, 0.7).autocovariance,
        atol=EXACT_FLOAT64,
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cyclic_ar(8, (0.9, 0.2)), r"got \(0.9, 0.2\) with a root of modulus 1.08; try 0.747"),
        (lambda: open_ar(3, (0.1, 0.1, 0.1)), "coefficients must number 1 to length - 1=2: got 3"),
        (lambda: require_innovation("uniform"), "innovation must be one of gaussian, exponential, sign"),
        (lambda: open_moving_average(2, (1.0, 1.0, 1.0)), "taps must number 1 to length=2"),
        (lambda: band_noise(8, 3, 2), "got low=3, high=2; try low=1, high=1"),
        (lambda: band_noise(8, 1, 5), "high <= length / 2 = 4"),
        (lambda: balanced_runs(7, 2), "length must be even for equal counts: got 7; try 8"),
        (lambda: balanced_runs(8, 3), "runs must be even, from 2 to length=8: got 3; try 2"),
        (lambda: balanced_runs(8, 10), "got 10; try 8"),
        (lambda: ring_runs(8, 1.0), "correlation must lie between -1 and 1"),
        (lambda: drifting(8, forward=0.8, backward=0.3), "forward_and_backward must lie between 0 and 1"),
        (lambda: drifting(8).process((1.0, 1.0, 1.0)), "values must be 3 numbers, not all equal"),
        (lambda: HiddenMarkov(8, ((0.5, 0.4), (0.5, 0.5)), ((1.0,), (1.0,))), "transitions must be 2 rows"),
        (lambda: HiddenMarkov(8, ((0.0, 1.0), (1.0, 0.0)), ((1.0,), (1.0,))), "must forget where"),
    ],
)
def test_an_impossible_process_is_refused_in_one_line(make, message):
    with pytest.raises(UserError, match=message) as error:
        make()
    assert "\n" not in str(error.value)

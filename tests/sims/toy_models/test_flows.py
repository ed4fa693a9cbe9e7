"""The reduced flow is the full flow, and stochastic training follows both."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64, monte_carlo

import theory
from sims.experiments import reduced_flow
from sims.processes import ar1, moving_average, sample, spectrum
from sims.runs.store import UserError
from sims.toy_models.flows import (
    Clock,
    descend,
    full_gradient,
    label_gradient,
    masked_batch_loss,
    masked_gradient,
    reduced_gradient,
)
from theory.probes.proximity import proximity_index

LENGTH = 8
PROCESSES = {"ar1": ar1(LENGTH, 0.8), "moving_average": moving_average(LENGTH, (1.0, 0.5, 1.0))}
VALUE = jnp.asarray(0.7)
both = pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)


@pytest.fixture(scope="module")
def outcome():
    done = []
    values, arrays = reduced_flow.run(
        reduced_flow.Config.smoke(), key=jax.random.key(0), report=lambda *step: done.append(step)
    )
    assert done == [(1, 3), (2, 3), (3, 3)]
    return values, arrays


def random_kernel() -> jax.Array:
    return jax.random.normal(jax.random.key(5), (LENGTH,))


@both
def test_scores_times_length_move_as_the_kernel_they_stand_for(process):
    kernel, key = random_kernel(), jax.random.key(0)
    slope, value_slope = reduced_gradient(process.autocovariance)((kernel, VALUE), key)
    full, full_value = full_gradient(process.autocovariance)((theory.circulant(kernel), VALUE), key)
    np.testing.assert_allclose(full, theory.circulant(slope), atol=EXACT_FLOAT64, rtol=0)
    assert abs(full_value - value_slope) < EXACT_FLOAT64


def test_the_reduced_and_the_full_flow_agree_to_rounding(outcome):
    values, arrays = outcome
    for name in values.processes:
        assert values.max_gap[name] < EXACT_FLOAT64
        for quantity in ("loss", "value", "kernel", "proximity_index"):
            reduced, full = (arrays[f"{name}_{flow}_{quantity}"] for flow in ("reduced", "full"))
            np.testing.assert_allclose(full, reduced, rtol=EXACT_FLOAT64)
        assert np.ptp(arrays[f"{name}_reduced_loss"]) > 0.1


def test_a_full_flow_started_off_the_circulant_scores_is_not_the_reduced_flow():
    process, key = PROCESSES["ar1"], jax.random.key(0)
    scores = theory.circulant(random_kernel()).at[0, 1].add(0.5)
    slope, _ = full_gradient(process.autocovariance)((scores, VALUE), key)
    assert jnp.abs(slope - theory.circulant(theory.circulant_kernel(slope))).max() > 1e-3


@both
def test_the_sampled_masked_loss_is_the_population_loss_on_average(process):
    scores = jax.random.normal(jax.random.key(1), (LENGTH, LENGTH))
    tokens = sample(spectrum(process.autocovariance), 20_000, key=jax.random.key(2))
    hidden = jax.random.randint(jax.random.key(3), (20_000,), 0, LENGTH)
    each = jax.vmap(lambda one, index: masked_batch_loss(scores, VALUE, one[None], index[None]))
    losses = np.asarray(jax.jit(each)(tokens, hidden))
    population = theory.reconstruction_loss(scores, VALUE, theory.circulant(process.autocovariance))
    assert abs(losses.mean() - population) < monte_carlo(losses.std() / np.sqrt(len(losses)))


def trained(learning_rate: float, seeds: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and values of seeds at one time, and of the reduced flow at the same learning rate."""
    process, clock = PROCESSES["ar1"], Clock(learning_rate, round(40 / learning_rate), 2)
    power, zeros = spectrum(process.autocovariance), jnp.zeros((LENGTH, LENGTH))
    gradient = masked_gradient(power, 32)

    def one_seed(key):
        scores, values = descend(gradient, (zeros, VALUE), clock, key=key)
        return jnp.append(theory.circulant_kernel(theory.attention_weights(scores[-1])), values[-1])

    found = jax.jit(jax.vmap(one_seed))(jax.random.split(jax.random.key(4), seeds))
    start = (zeros[0], VALUE)
    kernels, values = descend(reduced_gradient(process.autocovariance), start, clock, key=jax.random.key(0))
    return np.asarray(found), np.append(jax.nn.softmax(kernels[-1]), values[-1])


def test_stochastic_training_follows_the_reduced_flow_with_noise_of_root_learning_rate():
    spreads = {}
    for learning_rate in (0.4, 0.05):
        found, reduced = trained(learning_rate)
        spreads[learning_rate] = found.std(axis=0, ddof=1)
    errors = np.abs(found.mean(axis=0) - reduced) / (spreads[0.05] / np.sqrt(len(found)))
    assert (errors < monte_carlo(1.0)).all()
    exponents = np.log(spreads[0.4] / spreads[0.05]) / np.log(0.4 / 0.05)
    assert abs(exponents.mean() - 0.5) < 0.15


def test_the_reduced_flow_of_a_markov_process_ends_at_its_two_neighbours():
    ended = flow_end(ar1(12, 0.8))
    assert ended.reached_mass > 0.95
    assert 0 < ended.reached_loss / ended.loss - 1 < 0.01
    assert ended.loss == pytest.approx(float(theory.nearest_neighbour_loss(12, 0.8)), rel=EXACT_FLOAT64)
    assert ended.value == pytest.approx(theory.nearest_neighbour_value(0.8), rel=EXACT_FLOAT64)


def test_the_reduced_flow_of_a_moving_average_does_not_end_at_its_two_neighbours():
    ended = flow_end(moving_average(12, (1.0, 0.5, 1.0)))
    assert ended.reached_mass < 0.5
    assert ended.reached_loss < 0.75 * ended.loss


def flow_end(process) -> dict[str, float]:
    clock = Clock(0.5, 8000, 2)
    start = jnp.zeros(12), jnp.asarray(0.1)
    kernels, values = descend(reduced_gradient(process.autocovariance), start, clock, key=jax.random.key(0))
    loss = theory.reduced_loss(kernels[-1], values[-1], process.autocovariance)
    flows = {
        "reduced_kernel": np.asarray(jax.nn.softmax(kernels, axis=-1)),
        "reduced_loss": np.array([loss]),
        "reduced_value": np.asarray(values),
    }
    return reduced_flow.nearest_neighbour(process, flows)


def test_values_settle_before_scores_move(outcome):
    _, arrays = outcome
    value, index = arrays["ar1_reduced_value"], arrays["ar1_proximity_index"]
    half_way = lambda curve: np.argmax(np.abs(curve - curve[0]) > 0.5 * abs(curve[-1] - curve[0]))
    assert half_way(value) < half_way(index)


def test_labels_leave_the_proximity_index_at_one_and_reconstruction_raises_it(outcome):
    values, _ = outcome
    for bound in ("low", "high"):
        assert getattr(values.toy["proximity_index_label"], bound) == pytest.approx(1.0, abs=EXACT_FLOAT64)
    assert values.toy["proximity_index"].low > 1.2


def test_label_training_moves_scores_by_key_biases_only():
    gradient = label_gradient(spectrum(PROCESSES["ar1"].autocovariance), 16, 0.3)
    start = jnp.zeros((LENGTH, LENGTH)), jnp.ones((1, 1)), jnp.array([[-1.0], [1.0]])
    scores = descend(gradient, start, Clock(0.25, 40, 2), key=jax.random.key(6))[0][-1]
    parts = theory.decompose(scores)
    assert jnp.abs(parts.key_bias).max() > 1e-3
    assert jnp.abs(parts.doubly_centred).max() < EXACT_FLOAT64


def test_the_proximity_index_is_one_for_uniform_attention_and_counts_the_window():
    uniform, own = jnp.full((6, 6), 1 / 6), jnp.eye(6)
    for cyclic in (False, True):
        assert proximity_index(uniform, 1, cyclic=cyclic) == pytest.approx(1.0, rel=EXACT_FLOAT64)
    assert proximity_index(own, 1, cyclic=True) == pytest.approx(6 / 3, rel=EXACT_FLOAT64)
    assert proximity_index(own, 1) == pytest.approx(36 / 16, rel=EXACT_FLOAT64)
    wrapped = jnp.roll(own, 1, axis=1).at[-1].set(own[0])
    assert proximity_index(wrapped, 1, cyclic=True) > proximity_index(wrapped, 1)


def test_a_step_draws_the_same_whatever_comes_after_it():
    walk = lambda state, key: (jax.random.normal(key, state[0].shape),)
    long, short = (
        descend(walk, (jnp.zeros(3),), Clock(0.2, steps, records), key=jax.random.key(1))[0]
        for steps, records in ((20, 5), (10, 3))
    )
    np.testing.assert_array_equal(long[:3], short)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 100, "records": 61}, r"records - 1 must divide steps.*try steps=60, records=61"),
        ({"records": 1}, "records - 1 must divide steps"),
        ({"length": 2}, "length must be at least 3"),
        ({"seeds": 1}, "seeds must be at least 2"),
        ({"learning_rate": 3.0}, "learning_rate must lie between 0 and 2"),
        ({"correlation": 1.5}, "correlation must lie between -1 and 1"),
        ({"taps": (0.0,)}, "taps must number"),
    ],
)
def test_an_impossible_flow_is_refused_in_one_line(settings, message):
    with pytest.raises(UserError, match=message) as error:
        reduced_flow.Config(**settings)
    assert "\n" not in str(error.value)

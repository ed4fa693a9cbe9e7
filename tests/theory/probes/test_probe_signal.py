"""Signal against noise, angles between losses, and curvature where the first derivative sees nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from tests.theory.probes.probed_losses import EXACT, KEY, minimal_label_loss, minimal_setting
from tests.theory.settings import compiled
from theory.probes import Objective, curvature, principal_angles, signal, spectrum


def test_a_planted_mean_is_found_with_its_signal_to_noise():
    count, planted = 1000, 0.2

    def loss(bias, params, batch):
        pull = jnp.eye(4)[None] * planted + batch
        return jnp.mean(jnp.sum(pull * bias[None], axis=(1, 2)))

    noise = jax.random.normal(KEY, (count, 4, 4))
    directions = {"diagonal": jnp.eye(4), "corner": jnp.zeros((4, 4)).at[0, 3].set(1.0)}
    seen = theory.probe(loss, None, noise, bias=jnp.zeros((4, 4)), directions=directions)
    truth = (planted * 2) ** 2  # <planted I, I>/|I| = 2 planted, noise of variance 1
    assert seen.along["diagonal"].low < truth < seen.along["diagonal"].high
    assert seen.along["diagonal"].high < 2 * truth
    assert seen.along["corner"].low == 0.0
    assert seen.leading.low[0] > 0.2 * truth  # the mean gradient of one half, tested on the other
    assert seen.leading.low[1:].max() < truth  # the loudest directions are not the ones with signal


def test_held_out_halves_find_no_signal_in_noise():
    misses = 0
    for trial in range(20):
        noise = jax.random.normal(jax.random.key(trial), (60, 3, 3))
        loss = lambda bias, params, batch: jnp.mean(jnp.sum(batch * bias[None], axis=(1, 2)))
        seen = theory.probe(loss, None, noise, bias=jnp.zeros((3, 3)), leading=1)
        misses += int((seen.leading.low[:1] > 0).sum())
    assert misses <= 4  # 95 % intervals: 5 or more of 20 happen once in 400 times


def test_angles_between_labels_and_stationary_reconstruction():
    length = 8
    params, batch = minimal_setting(length, 3, 20, 0.0)
    labels = Objective(minimal_label_loss, params, batch)
    kernels = jnp.stack([theory.circulant(row) for row in jax.random.normal(KEY, (20, length))])
    circulant = Objective(
        lambda b, _, batch: jnp.mean(jnp.sum(jax.nn.softmax(b)[None] * batch, (1, 2))), None, kernels
    )
    flat = jnp.zeros((length, length))
    (between,) = principal_angles(labels, circulant, bias=flat)
    assert len(between) == length - 1  # both spans have L-1 directions
    assert np.abs(between - np.pi / 2).max() < EXACT  # orthogonal supervision   [C9]
    (within,) = principal_angles(labels, labels, bias=flat)
    assert within.max() < 1e-6


def test_curvature_along_blind_directions_is_the_second_derivative():
    length, width = 5, 3
    keys = jax.random.split(KEY, 3)
    params = jax.random.normal(keys[0], (width, width))
    batch = jax.random.normal(keys[1], (12, length, width))

    def loss(bias, value_map, tokens):  # nonlinearity without residual   [C5]
        mixed = jax.vmap(lambda x: theory.mixed(bias, x, value_map))(tokens)
        return jnp.mean(jnp.sum(mixed**2, axis=2))

    flat = jnp.zeros((length, length))
    found = theory.blind_curvature(loss, params, batch, bias=flat, number=3, key=keys[2])
    assert np.abs(found.slope).max() < EXACT
    assert np.abs(found.curvature).min() > 1e-3
    step, along = 1e-4, found.directions[0]
    value = compiled(lambda t: loss(t * along, params, batch))
    second = (value(step) - 2 * value(0.0) + value(-step)) / step**2
    assert found.curvature[0] == pytest.approx(float(second), rel=1e-5)


def test_a_loss_that_labels_are_blind_to_at_any_magnitude_is_flat():
    params, batch = minimal_setting(6, 3, 40, 0.0)
    found = theory.blind_curvature(minimal_label_loss, params, batch, bias=jnp.zeros((6, 6)), key=KEY)
    kernel = jnp.asarray(theory.circulant(jnp.arange(6.0)))
    flat = theory.probes.curvature(
        minimal_label_loss, params, batch, bias=jnp.zeros((6, 6)), directions=kernel[None]
    )
    assert np.abs(found.slope).max() < EXACT
    assert np.abs(flat.curvature).max() < 1e-12 < np.abs(found.curvature).max()  # [C3] against [C1]


def test_spectra_count_directions():
    values = np.diag([4.0, 4.0, 0.0, 0.0])
    found = spectrum(values)
    assert found.rank == 2
    assert found.effective_rank == pytest.approx(2.0)
    assert found.participation == pytest.approx(2.0)
    assert spectrum(np.zeros((3, 3))).rank == 0


def test_signal_without_noise_is_not_a_number():
    assert np.isnan(signal(np.ones(5)).snr)


def quadratic(bias, _, batch):
    """A loss whose gradients are whatever the batch holds; curvature 2 along every unit direction."""
    return jnp.mean(jnp.sum(batch * bias[None], axis=(-2, -1))) + jnp.sum(bias**2)


@pytest.mark.parametrize("samples", [9, 30])
def test_samples_that_span_everything_leave_no_blind_direction(samples):
    batch = jax.random.normal(KEY, (samples, 3, 3))
    with pytest.raises(ValueError, match=f"leave a direction unseen: got {samples} that span all"):
        theory.blind_curvature(quadratic, None, batch, bias=jnp.zeros((3, 3)), key=KEY)


def test_a_layer_whose_directions_are_all_seen_gets_none():
    noise = jax.random.normal(KEY, (30, 2, 3, 3)).at[:, 1].set(jnp.eye(3))
    found = theory.blind_curvature(quadratic, None, noise, bias=jnp.zeros((2, 3, 3)), key=KEY)
    assert (found.directions[:, 0] == 0).all()
    assert np.linalg.norm(found.directions[:, 1], axis=(1, 2)) == pytest.approx(1.0)
    assert np.abs(np.trace(found.directions[:, 1], axis1=1, axis2=2)).max() < EXACT


@jax.custom_vjp
def hand_written(scores):
    """Attention weights with a backward pass by hand, as kernels have it."""
    return jax.nn.softmax(scores, axis=-1)


def backward(weights, cotangent):
    along = weights * cotangent
    return (along - weights * along.sum(axis=-1, keepdims=True),)


hand_written.defvjp(lambda scores: 2 * (jax.nn.softmax(scores, axis=-1),), backward)


@jax.custom_vjp
def kernel(scores):
    """The same, by a backward pass that cannot be differentiated."""
    return jax.nn.softmax(scores, axis=-1)


def called_back(weights, cotangent):
    shape = jax.ShapeDtypeStruct(weights.shape, weights.dtype)
    return (jax.pure_callback(lambda *each: np.asarray(backward(*each)[0]), shape, weights, cotangent),)


kernel.defvjp(lambda scores: 2 * (jax.nn.softmax(scores, axis=-1),), called_back)


def squared(attend):
    """The squares of what attention writes: nonlinearity without residual.   [C5]"""
    return lambda bias, _, tokens: jnp.mean(jnp.sum((attend(bias)[None] @ tokens) ** 2, axis=2))


def test_attention_with_its_own_backward_pass_has_the_curvature_of_any_other():
    tokens, flat = jax.random.normal(KEY, (8, 5, 3)), jnp.zeros((5, 5))
    by_hand, plain = (
        theory.blind_curvature(squared(attend), None, tokens, bias=flat, number=2, key=KEY)
        for attend in (hand_written, jax.nn.softmax)
    )
    assert by_hand.curvature == pytest.approx(plain.curvature, rel=EXACT)


def test_attention_that_cannot_be_differentiated_twice_is_refused_in_one_line():
    tokens = jax.random.normal(KEY, (8, 5, 3))
    with pytest.raises(ValueError, match=r"differentiable twice: got .*; compute its attention with") as told:
        curvature(squared(kernel), None, tokens, bias=jnp.zeros((5, 5)), directions=jnp.eye(5)[None])
    assert "\n" not in str(told.value)

"""The probe: what a loss sees of attention scores, for models that the theory has closed forms for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from tests.theory.settings import compiled
from theory.probes import Objective, gram, principal_angles, signal, spectrum
from theory.probes.sources import differentiated, require_bias

KEY = jax.random.key(20261123)
EXACT = 1e-12


def minimal_label_loss(bias, params, batch):
    """The minimal model with a cross-entropy head, free scores in params."""
    scores, value_map, head = params
    tokens, labels = batch
    losses = jax.vmap(lambda x, y: theory.label_loss(scores + bias, x, value_map, head, y))(tokens, labels)
    return losses.mean()


def minimal_setting(length, width, samples, scale, key=KEY):
    """Random scores, value map and head, and labelled tokens."""
    keys = jax.random.split(key, 5)
    params = (
        scale * jax.random.normal(keys[0], (length, length)),
        jax.random.normal(keys[1], (width, width)),
        jax.random.normal(keys[2], (3, width)),
    )
    batch = (
        jax.random.normal(keys[3], (samples, length, width)),
        jax.random.randint(keys[4], (samples,), 0, 3),
    )
    return params, batch


def ring_reconstruction(bias, value, batch):
    """The masked loss of C8 on each sequence's own second moments."""
    covariances = batch[:, :, None] * batch[:, None, :]
    return jax.vmap(lambda c: theory.reconstruction_loss(bias, value, c))(covariances).mean()


def residual_loss(bias, params, batch):
    """A residual layer with an MLP before the pool: C6's setting."""
    value_map, hidden, head = params
    tokens, targets = batch
    features = lambda x: theory.pooled_features(bias, x, value_map, lambda rows: jnp.tanh(rows @ hidden.T))
    return jnp.mean((jax.vmap(features)(tokens) @ head - targets) ** 2) / 2


def two_layers(bias, params, batch):
    """Two residual layers of two heads, bias of shape (2, 2, L, L), mean pool."""
    stream = batch
    for layer, (value_maps, hidden) in enumerate(params):
        weights = jax.nn.softmax(bias[layer])
        stream = stream + jnp.einsum("hqk,nkw,hwv->nqv", weights, stream, value_maps)
        stream = stream + jnp.tanh(stream @ hidden)
    return jnp.mean(jnp.sum(stream.mean(axis=1), axis=-1) ** 2)


@pytest.mark.parametrize("case", range(20))
def test_the_probe_finds_the_ranks_of_the_pooling_bottleneck(case):
    numbers = np.random.default_rng(case)
    length, width = int(numbers.integers(2, 13)), int(numbers.integers(1, 7))
    params, batch = minimal_setting(
        length, width, length + 4, float(numbers.uniform(0, 1.5)), jax.random.key(case)
    )
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((length, length)))
    assert seen.spectrum.rank == length - 1  # [C1]
    assert seen.rank_is_conclusive


def test_too_few_samples_leave_the_rank_open():
    params, batch = minimal_setting(12, 4, 6, 0.5)
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((12, 12)))
    assert seen.spectrum.rank == 6
    assert not seen.rank_is_conclusive


def test_label_gradients_are_key_biases_and_reconstruction_gradients_doubly_centred():
    length = 8
    params, batch = minimal_setting(length, 4, 20, 0.0)
    labels = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((length, length)))
    assert labels.mean_energy.visible_share == pytest.approx(1.0, abs=EXACT)  # [C2]
    assert labels.sample_energy.visible_share == pytest.approx(1.0, abs=EXACT)

    covariance = theory.circulant(theory.markov_autocovariance(length, 0.6))
    rings = jax.random.normal(KEY, (length * length, length))
    rings = jnp.linalg.svd(rings, full_matrices=False)[0] * length @ jnp.linalg.cholesky(covariance).T
    seen = theory.probe(ring_reconstruction, 0.7, rings, bias=jnp.zeros((length, length)))
    assert seen.mean_energy.visible_share == pytest.approx(0.0, abs=EXACT)  # [C9], moments made exact
    assert seen.sample_energy.visible_share > 0.01  # no single sequence is stationary


def test_the_gauge_is_never_seen_through_a_softmax():
    params, batch = minimal_setting(7, 3, 10, 1.0)
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((7, 7)))
    assert seen.sample_energy.gauge < EXACT**2 * 1e3 * seen.sample_energy.key_bias


def test_the_mean_gradient_of_a_residual_layer_is_the_closed_form():
    length, width, samples = 6, 4, 9
    keys = jax.random.split(KEY, 5)
    params = tuple(
        jax.random.normal(key, shape)
        for key, shape in zip(keys, [(width, width), (width, width), (width,)], strict=False)
    )
    batch = jax.random.normal(keys[3], (samples, length, width)), jax.random.normal(keys[4], (samples,))
    seen = theory.probe(residual_loss, params, batch, bias=jnp.zeros((length, length)))

    value_map, hidden, head = params

    def closed(tokens, target):
        flat = jnp.full((length, length), 1 / length)
        stream = tokens + flat @ tokens @ value_map.T
        slopes = 1 - jnp.tanh(stream @ hidden.T) ** 2
        error = jnp.tanh(stream @ hidden.T).mean(axis=0) @ head - target
        return theory.residual_score_gradient(
            flat, tokens, value_map, error * (slopes * head[None, :]) @ hidden
        )

    expected = np.asarray(jax.vmap(closed)(*batch).mean(axis=0))  # [C6]
    assert np.abs(seen.mean_gradient - expected).max() < EXACT * np.abs(expected).max()
    assert 0.01 < seen.mean_energy.visible_share < 0.99


def test_layers_and_heads_are_told_apart():
    keys = jax.random.split(KEY, 5)
    params = [
        (jax.random.normal(keys[0], (2, 3, 3)), jax.random.normal(keys[1], (3, 3))),
        (jax.random.normal(keys[2], (2, 3, 3)), jnp.zeros((3, 3))),
    ]
    batch = jax.random.normal(keys[4], (12, 5, 3))
    seen = theory.probe(two_layers, params, batch, bias=jnp.zeros((2, 2, 5, 5)), found=2)
    share = seen.mean_energy.visible_share
    assert share.shape == (2, 2) and seen.gram.shape == (2, 2, 12, 12) and seen.found.snr.shape == (2, 2, 3)
    assert share[1] == pytest.approx(1.0, abs=EXACT)  # linear after it, then the pool   [C2]
    assert (share[0] < 0.99).all()  # a nonlinearity on the residual stream after it   [C6]
    alone = jax.grad(two_layers)(jnp.zeros((2, 2, 5, 5)), params, batch)
    assert np.abs(seen.mean_gradient - np.asarray(alone)).max() < EXACT * np.abs(alone).max()


@pytest.mark.parametrize("memory", [10**9, 7 * 8 * 36, 3 * 8 * 36, 1])
def test_tiles_change_the_work_and_not_the_result(memory):
    params, batch = minimal_setting(6, 3, 11, 0.7)
    source = differentiated(Objective(minimal_label_loss, params, batch), jnp.zeros((6, 6)))
    every = np.asarray(source(0, 11)).reshape(11, -1)
    told = []
    found = gram(source, memory=memory, report=lambda *progress: told.append(progress))
    assert np.abs(found - every @ every.T).max() < EXACT * np.abs(found).max()
    assert told[-1][0] == told[-1][1]
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((6, 6)), memory=memory)
    assert np.abs(seen.mean_gradient.ravel() - every.mean(axis=0)).max() < EXACT


def test_the_closed_form_gram_is_that_of_automatic_differentiation():
    scores, tokens = jax.random.normal(KEY, (7, 7)), jax.random.normal(KEY, (9, 7, 3))
    value_map, heads = jax.random.normal(KEY, (4, 3)), jax.random.normal(KEY, (9, 4))
    closed = theory.label_gram(scores, tokens, value_map, heads)
    one = lambda x, u: jax.grad(lambda s: u @ theory.pooled(s, x, value_map))(scores)
    every = jax.vmap(one)(tokens, heads).reshape(9, -1)
    assert jnp.abs(closed - every @ every.T).max() < EXACT * jnp.abs(closed).max()


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
    assert seen.found.low[0] > 0.2 * truth  # the mean gradient of one half, tested on the other
    assert seen.found.low[1:].max() < truth  # the loudest directions are not the ones with signal


def test_held_out_halves_find_no_signal_in_noise():
    misses = 0
    for trial in range(20):
        noise = jax.random.normal(jax.random.key(trial), (60, 3, 3))
        loss = lambda bias, params, batch: jnp.mean(jnp.sum(batch * bias[None], axis=(1, 2)))
        seen = theory.probe(loss, None, noise, bias=jnp.zeros((3, 3)), found=1)
        misses += int((seen.found.low[:1] > 0).sum())
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


@pytest.mark.parametrize(
    ("bias", "message"),
    [
        (jnp.zeros((4, 5)), r"bias must have shape \(\.\.\., L, L\).*got \(4, 5\)"),
        (jnp.zeros((1, 1)), "at least 2 positions"),
        (jnp.zeros(4), r"got \(4,\)"),
        (jnp.zeros((4, 4), jnp.float16), "float64 .*or float32: got float16"),
        (jnp.zeros((4, 4), int), "got int"),
    ],
)
def test_a_bias_that_cannot_be_is_refused(bias, message):
    with pytest.raises(ValueError, match=message):
        require_bias(bias.shape, str(bias.dtype))


def test_the_probe_looks_at_its_bias_first():
    params, batch = minimal_setting(4, 3, 5, 0.0)
    with pytest.raises(ValueError, match="at least 2 positions"):
        theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((1, 1)))


@pytest.mark.parametrize(
    ("loss", "batch", "message"),
    [
        (lambda b, p, x: jnp.mean(x), jnp.ones((3, 4)), "must depend on its bias"),
        (lambda b, p, x: b.sum() + x, jnp.ones((3,)), r"must return a scalar.*got shape \(1,\)"),
        (lambda b, p, x: jnp.log(x.mean()) + b.sum(), -jnp.ones((3, 4)), "must be finite: got nan"),
        (lambda b, p, x: b.sum() * x.mean(), jnp.array([1.0, 1.0, jnp.inf]), "at sample 2"),
        (lambda b, p, x: b.sum(), jnp.ones((1, 4)), r"at least 2 samples: got lengths \[1\]"),
        (lambda b, p, x: b.sum(), {"a": jnp.ones(3), "b": jnp.ones(4)}, r"got lengths \[3, 4\]"),
        (lambda b, p, x: b.sum(), (), r"got lengths \[\]"),
    ],
)
def test_a_loss_or_batch_that_cannot_be_probed_is_refused(loss, batch, message):
    with pytest.raises(ValueError, match=message):
        theory.probe(loss, None, batch, bias=jnp.zeros((4, 4)))


@pytest.mark.parametrize(
    ("direction", "message"),
    [
        (jnp.ones((3, 3)), r"'d' must have shape \(4, 4\)"),
        (jnp.zeros((4, 4)), "'d' must be finite and not 0"),
    ],
)
def test_a_direction_that_cannot_be_is_refused(direction, message):
    params, batch = minimal_setting(4, 3, 5, 0.0)
    with pytest.raises(ValueError, match=message):
        theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((4, 4)), directions={"d": direction})


def test_a_zero_head_is_seen_as_seeing_nothing_and_not_as_a_mistake():
    params, batch = minimal_setting(4, 3, 8, 0.0)
    seen = theory.probe(minimal_label_loss, (*params[:2], 0 * params[2]), batch, bias=jnp.zeros((4, 4)))
    assert seen.spectrum.rank == 0  # [C19]
    assert np.isnan(seen.mean_energy.visible_share)

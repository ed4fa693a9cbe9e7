"""Probes: gradients against finite differences, their parts, C2 and C19 on a Transformer, laws."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from full_scale.data.dataset import Inputs, on_device
from full_scale.devices.precision import single_precision
from full_scale.model import ModelConfig, Scope, Transformer
from full_scale.objectives.losses import label_loss
from full_scale.probes.measures import held_out, measure, visible_share_of_mean, visible_share_per_sequence
from full_scale.probes.per_sequence import CHUNK, ScoreGradients, score_gradients
from full_scale.probes.proximity_predictions import vector_law
from full_scale.tasks.task import load
from tests.full_scale.training.small_runs import DATA
from theory import decompose, lag_direction

LENGTH = 16
INPUTS = Inputs(LENGTH, 2, 27)
DIRECTIONS = np.stack([lag_direction(LENGTH, lag) for lag in (1, 3)])


@pytest.fixture(scope="module")
def data():
    tokens, labels = on_device(load(DATA).test)[::2]
    rows = np.random.default_rng(0).permutation(len(labels))[: 2 * CHUNK]
    return tokens[rows], labels[rows]


@pytest.fixture(scope="module")
def model() -> Transformer:
    return Transformer(ModelConfig(2, 8, 2, 16), INPUTS, key=jax.random.key(0))


def gradients(model, objective, data, **settings) -> ScoreGradients:
    with single_precision():
        return score_gradients(model, objective, *data, DIRECTIONS, key=jax.random.key(1), **settings)


@pytest.fixture(scope="module")
def label_gradients(model, data) -> ScoreGradients:
    return gradients(model, "labels", data)


@pytest.fixture(scope="module")
def hidden_gradients(model, data) -> ScoreGradients:
    return gradients(model, "reconstruction", data)


def test_mean_gradients_are_those_of_the_mean_loss(model, data, label_gradients) -> None:
    found = label_gradients
    mean_loss = jax.jit(lambda bias: jax.vmap(lambda t, y: label_loss(model, t, y, bias=bias))(*data).mean())
    zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
    np.testing.assert_allclose(found.mean, jax.grad(mean_loss)(zero), atol=1e-8, rtol=1e-4)
    step = 3e-2 * jnp.asarray(DIRECTIONS[0], jnp.float32)
    for layer in range(2):
        slope = (mean_loss(zero.at[layer, 0].add(step)) - mean_loss(zero.at[layer, 0].add(-step))) / 6e-2
        assert float(slope) == pytest.approx(found.along[:, layer, 0, 0].mean(), rel=0.05, abs=2e-6)


def test_gradients_have_no_gauge_part_and_energies_add_up(label_gradients, hidden_gradients) -> None:
    for found in (label_gradients, hidden_gradients):
        assert np.abs(found.mean.sum(axis=-1)).max() < 1e-6 * np.abs(found.mean).max() * LENGTH
        assert (found.key_bias_energy <= found.energy).all()
        assert (found.along**2).sum(axis=-1).max() <= found.energy.max()
    assert not np.allclose(label_gradients.energy, hidden_gradients.energy)


def test_directions_towards_a_lag_are_doubly_centred_units() -> None:
    doubly_centred = decompose(jnp.asarray(DIRECTIONS[1])).doubly_centred
    np.testing.assert_allclose(doubly_centred, DIRECTIONS[1], atol=1e-6)
    assert np.linalg.norm(DIRECTIONS[1]) == pytest.approx(1.0, abs=1e-6)
    assert DIRECTIONS[1][5, 8] > 0 > DIRECTIONS[1][5, 7]


def test_a_zero_head_sees_no_score_direction_at_all(model, data, label_gradients) -> None:
    """C19, exactly: whatever the depth, the residual and the MLP."""
    blind = eqx.tree_at(lambda m: m.label_head.weight, model, replace_fn=jnp.zeros_like)
    assert not gradients(blind, "labels", data).energy.any()
    assert label_gradients.energy.all()
    assert gradients(blind, "reconstruction", data).energy.all()


def test_without_residual_and_mlp_the_label_gradient_is_a_key_bias(data) -> None:
    """C2 on one layer: features that are the mixed values alone; the residual is the counterexample."""
    full = Transformer(ModelConfig(1, 8, 2, 16), INPUTS, key=jax.random.key(0))

    def share(residual: float) -> float:
        def loss(bias, tokens, label):
            state = full.embedded(tokens, jnp.zeros(LENGTH, bool))
            block = full.blocks[0]
            mixed = block.attention(jax.vmap(block.attention_norm)(state), bias, Scope(frozen_uniform=True))
            features = jax.nn.gelu(residual * state + mixed) if residual else mixed
            return -jax.nn.log_softmax(full.label_head(features.mean(axis=0)))[label]

        zero = jnp.zeros((2, LENGTH, LENGTH), jnp.float32)
        each = jax.vmap(jax.grad(loss), (None, 0, 0))(zero, *data)
        parts = jax.vmap(jax.vmap(decompose))(each)
        energies = [(part**2).sum() for part in (parts.key_bias, parts.doubly_centred)]
        return float(energies[0] / sum(energies))

    with single_precision():
        assert share(0.0) == pytest.approx(1.0, abs=1e-6)
        assert share(1.0) < 0.99


def test_shares_of_a_key_bias_are_one_and_of_noise_one_over_length() -> None:
    rng = np.random.default_rng(0)
    bias = np.broadcast_to(rng.normal(size=(2, 1, 1, 1, LENGTH)), (2, 1, 1, LENGTH, LENGTH)).astype(
        np.float32
    )
    bias = bias - bias.mean(axis=-1, keepdims=True)
    along, one = np.ones((4, 1, 1, 1), np.float32), np.ones((4, 1, 1), np.float32)
    steady = np.broadcast_to(bias[:1], bias.shape)
    assert visible_share_of_mean(ScoreGradients(along, one, one, steady)) == pytest.approx(1.0, abs=1e-5)
    noise = rng.normal(size=(1, 1, 1, 64, 64)).astype(np.float32)
    same = ScoreGradients(along, one, one, np.concatenate([noise, noise]))
    assert visible_share_of_mean(same) == pytest.approx(1 / 64, rel=0.5)
    opposite = ScoreGradients(along, one, one, np.concatenate([noise, -noise]))
    assert visible_share_of_mean(opposite) is None
    assert visible_share_per_sequence(ScoreGradients(along, 4 * one, one, steady)) == pytest.approx(0.25)


def test_the_vector_law_of_a_scalar_process_is_its_autocovariance() -> None:
    rng = np.random.default_rng(0)
    innovations = rng.normal(size=(4000, 60))
    tokens = np.zeros((4000, 60))
    for i in range(1, 60):
        tokens[:, i] = 0.7 * tokens[:, i - 1] + innovations[:, i]
    tokens = tokens[:, 20:].astype(np.float32)
    law = vector_law(tokens[..., None])
    np.testing.assert_allclose(law[1:5] / law[1], 0.7 ** np.arange(4), atol=0.05)
    shuffled = vector_law(rng.permuted(tokens, axis=1)[..., None])
    assert np.abs(shuffled[1:5]).max() < 0.2 * law[1]


def test_only_held_out_sequences_are_probed() -> None:
    dataset = load(DATA)
    apart = {row.tobytes() for part in (dataset.validation, dataset.test) for row in part.tokens}
    probed = np.asarray(held_out(dataset)[0])
    assert len(probed) % CHUNK == 0
    assert all(row.tobytes() in apart for row in probed)


def test_gradients_need_whole_chunks(model, data) -> None:
    with pytest.raises(ValueError, match=f"multiple of {CHUNK} sequences: got {CHUNK - 1}; try {CHUNK}"):
        gradients(model, "labels", (data[0][: CHUNK - 1], data[1][: CHUNK - 1]))


def test_every_named_quantity_is_measured_and_finite() -> None:
    dataset = load(DATA)
    model = Transformer(ModelConfig(1, 8, 2, 16), INPUTS, key=jax.random.key(0))
    with single_precision():
        probed = measure({"labels": model, "reconstruction": model}, dataset, key=jax.random.key(0))
    present = [value for value in probed.numbers.values() if value is not None]
    assert np.isfinite(present).all()
    for name in ("visible_share_label", "proximity_alignment_reconstruction", "snr_label", "proximity_index"):
        assert name in probed.numbers

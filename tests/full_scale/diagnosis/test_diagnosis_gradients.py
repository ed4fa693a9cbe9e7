"""Score gradients at frozen attention, each against an independent way to the same number."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from full_scale.data.dataset import Inputs
from full_scale.devices.precision import single_precision
from full_scale.diagnosis import directions
from full_scale.diagnosis.pattern import attention_perplexity, weights
from full_scale.model import ModelConfig, Transformer
from full_scale.model.frozen_attention import FrozenAttention, frozen, weighted
from full_scale.objectives.batch_loss import Data
from full_scale.objectives.losses import label_loss
from full_scale.probes.factored_gradients import FactoredGradients, score_gradients
from theory.label_blindness.centring import doubly_centred, row_centred

LENGTH = 12
SMALL = ModelConfig(layers=2, width=8, heads=2, hidden=8)
INPUTS = Inputs(LENGTH, classes=3, symbols=5, grid=(3, 4))


@pytest.fixture(scope="module", params=[False, True], ids=["bidirectional", "causal"])
def probed(request):
    """A small model, padded sequences, their label gradients factored and by jax.grad of the bias."""
    with single_precision():
        config = dataclasses.replace(SMALL, causal=request.param)
        model = Transformer(config, INPUTS, key=jax.random.key(0))
        tokens = jax.random.randint(jax.random.key(1), (6, LENGTH), 0, 5)
        lengths, labels = (
            jnp.array([12, 12, 5, 9, 12, 7], jnp.int32),
            jnp.array([0, 1, 2, 0, 1, 2], jnp.int32),
        )
        data = Data(tokens, lengths, labels)
        zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
        loss = lambda bias, one, length, label: label_loss(
            model, one, label, length=length, bias=bias, frozen_uniform=True
        )
        gradients = jax.jit(jax.vmap(jax.grad(loss), (None, 0, 0, 0)))(zero, tokens, lengths, labels)
        yield (
            model,
            data,
            score_gradients(model, True, data, key=jax.random.key(2)),
            np.asarray(gradients, np.float64),
        )


def near(found, expected):
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(np.asarray(found) / scale, np.asarray(expected) / scale, atol=2e-5)


def test_factored_score_gradients_are_those_of_an_additive_bias_also_with_padding(probed):
    model, _, found, gradients = probed
    assert isinstance(found, FactoredGradients)
    near(found.mean(), gradients.mean(axis=0))
    near(found.columns(), gradients.sum(axis=-2))
    near(found.energy(), (gradients**2).sum(axis=(-2, -1)))
    causal = model.config.causal
    biases = [row_centred(np.tile(key, (LENGTH, 1)), causal).ravel() for key in np.eye(LENGTH)]
    flat = gradients.reshape(-1, LENGTH**2)
    part = np.linalg.lstsq(np.array(biases).T, flat.T)[0].T @ np.array(biases)
    near(found.key_bias_energy(), (part**2).sum(axis=1).reshape(gradients.shape[:3]))
    np.testing.assert_allclose(doubly_centred(gradients, causal).reshape(flat.shape), flat - part, atol=1e-9)


def test_offsets_read_the_gradient_along_doubly_centred_lags_and_steps_of_the_image(probed):
    model, _, found, gradients = probed
    causal = model.config.causal
    with single_precision():
        looked = directions.offsets(INPUTS, LENGTH, causal)
        along = looked.along(found)
    apart = np.subtract.outer(np.arange(LENGTH), np.arange(LENGTH))
    row, column = (np.subtract.outer(index, index) for index in np.divmod(np.arange(LENGTH), 4))
    steps = np.abs(row) + np.abs(column)
    within = {
        "lag 2": np.abs(apart) == 2,
        "1 down": (np.abs(row) == 1) & (column == 0),
        "four neighbours": steps == 1,
    }
    for name, chosen in within.items():
        direction = directions.unit(doubly_centred(chosen.astype(float), causal))
        near(along[:, looked.names.index(name)], np.einsum("nlhij,ij->nlh", gradients, direction))


def test_a_step_along_a_direction_moves_what_attention_writes_as_its_derivative_says(probed):
    model, data, found, _ = probed
    causal = model.config.causal
    drawn = np.random.default_rng(0).standard_normal((2, 2, LENGTH, LENGTH))
    direction = jnp.asarray(doubly_centred(drawn, causal), jnp.float32)
    with single_precision():
        moves = found.output_jvp(direction)[:, 0]
        block, row = model.blocks[0], 0
        scope = model.scope(None, frozen_uniform=True)
        state = jax.vmap(block.attention_norm)(model.embedded(data.tokens[row], jnp.zeros(LENGTH, bool)))
        value = FrozenAttention(block.attention).values(state, scope)
        written = lambda bias: weighted(value, bias, scope)
        expected = jax.jvp(written, (jnp.zeros_like(direction[0]),), (direction[0],))[1]
    near(moves[row], expected)


def test_attention_frozen_at_scores_is_attention_with_them_as_bias(probed):
    model, data, _, _ = probed
    with single_precision():
        bias = jax.random.normal(jax.random.key(3), model.bias_shape(LENGTH), jnp.float32)
        asked = eqx.filter_jit(lambda *given: model.label_logits(*given, bias, frozen_uniform=True))
        held = eqx.filter_jit(frozen(model, bias).label_logits)
        for row in (0, 2):
            one = data.tokens[row], data.lengths[row]
            np.testing.assert_allclose(held(*one), asked(*one), rtol=2e-5, atol=2e-6)


def test_parameters_of_a_frozen_model_are_the_models_own(probed):
    model, _, _, _ = probed
    with single_precision():
        leaves = jax.tree.leaves(eqx.filter(frozen(model), eqx.is_array))
    assert len(leaves) == len(jax.tree.leaves(eqx.filter(model, eqx.is_array)))


def test_a_pattern_is_the_attention_of_the_mean_sequence(probed):
    model, data, _, _ = probed
    same = Data(jnp.tile(data.tokens[:1], (3, 1)), None, data.labels[:3])
    with single_precision():
        expected = eqx.filter_jit(model.attention_weights)(data.tokens[0])
        read = eqx.filter_jit(weights)
        np.testing.assert_allclose(read(model, same), expected, rtol=1e-5, atol=1e-7)
        padded = Data(data.tokens[jnp.array([2, 2])], jnp.array([5, 5], jnp.int32), data.labels[:2])
        garbled = padded._replace(tokens=padded.tokens.at[1, 5:].set(4))
        np.testing.assert_allclose(read(model, padded), read(model, garbled))


def test_keys_read_count_the_keys_of_a_row():
    rows = np.stack([np.eye(8), np.full((8, 8), 1 / 8), np.kron(np.eye(4), np.ones((2, 2)))])[None]
    np.testing.assert_allclose(attention_perplexity(rows), [[1, 8, 2]])

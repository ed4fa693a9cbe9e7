"""The Transformer's additive score bias, frozen attention, encoders, heads, precision and refusals."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import FLOAT32

from full_scale.data.dataset import Inputs
from full_scale.model import ModelConfig, Transformer
from full_scale.objectives.losses import label_loss, reconstruction_loss
from sims.runs.store import UserError

LENGTH = 12
SYMBOLS = Inputs(LENGTH, classes=3, symbols=5)
NOTHING = jnp.zeros(LENGTH, bool)
BFLOAT16 = 2.0**-8  # spacing of bfloat16 at 1


@functools.cache
def build(inputs: Inputs = SYMBOLS, **choices) -> Transformer:
    return Transformer(ModelConfig(2, 8, 2, 16, **choices), inputs, key=jax.random.key(0))


@pytest.fixture(scope="module")
def model() -> Transformer:
    return build()


@pytest.fixture(scope="module")
def tokens():
    return jax.random.randint(jax.random.key(1), (LENGTH,), 0, 5, jnp.int32)


def test_the_default_model_starts_as_it_always_did(model, tokens) -> None:
    """Runs stored by the first version keep their initial parameters: same keys, same order."""
    encoder_key, label_key, token_key, first, _ = jax.random.split(jax.random.key(0), 5)
    attention_key, _, contract_key = jax.random.split(first, 3)
    bound = 8**-0.5
    drawn = lambda key, *shape: jax.random.uniform(key, shape, jnp.float32, -bound, bound)
    weight = lambda key, *shape: drawn(jax.random.split(key)[0], *shape)
    assert jnp.array_equal(model.encoder.table, jax.random.normal(encoder_key, (6, 8), jnp.float32))
    assert jnp.array_equal(model.label_head.weight, weight(label_key, 3, 8))
    assert jnp.array_equal(model.token_head.weight, weight(token_key, 5, 8))
    query_key = jax.random.split(attention_key, 4)[0]
    assert jnp.array_equal(model.blocks[0].attention.query.weight, weight(query_key, 8, 8))
    assert jnp.allclose(model.blocks[0].mlp.contract.weight * 2**0.5, weight(contract_key, 8, 16), atol=1e-6)


def test_a_zero_bias_changes_nothing(model, tokens) -> None:
    zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
    plain, biased = model.label_logits(tokens), model.label_logits(tokens, bias=zero)
    assert jnp.allclose(plain, biased, atol=FLOAT32)
    one = zero.at[0, 1, 3, 4].set(3.0)
    assert not jnp.allclose(plain, model.label_logits(tokens, bias=one), atol=1e-4)


def test_the_bias_of_each_layer_and_head_is_added_to_its_scores(model, tokens) -> None:
    bias = jax.random.normal(jax.random.key(2), model.bias_shape(LENGTH), jnp.float32)
    block = model.blocks[0]
    inside = jax.vmap(block.attention_norm)(model.embedded(tokens, NOTHING))
    scope = model.scope(None, False)
    _, plain = block.attention.explicit(inside, scope)
    moved = jax.nn.softmax(jnp.log(plain) + bias[0], axis=-1)
    _, _, value = block.attention.vectors(inside, scope)
    expected = block.attention.joined(jnp.einsum("hqk,hkd->hqd", moved, value))
    assert jnp.allclose(block.attention(inside, bias[0], scope), expected, atol=FLOAT32)
    assert not jnp.allclose(block.attention(inside, bias[1], scope), expected, atol=1e-2)


def test_the_gradient_in_the_bias_is_the_finite_difference(model, tokens) -> None:
    zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
    loss = jax.jit(lambda bias: label_loss(model, tokens, jnp.int32(1), bias=bias))
    direction = jax.random.normal(jax.random.key(5), zero.shape, jnp.float32) / 10
    slope = jnp.vdot(jax.grad(loss)(zero), direction)
    difference = (loss(zero + direction) - loss(zero - direction)) / 2
    assert float(difference) == pytest.approx(float(slope), rel=0.02)


def test_frozen_attention_is_exactly_uniform_and_still_feels_the_bias(model, tokens) -> None:
    weights = model.attention_weights(tokens, frozen_uniform=True)
    assert jnp.allclose(weights, 1 / LENGTH, atol=1e-7)
    zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
    frozen = lambda bias: model.token_logits(tokens, NOTHING, bias=bias, frozen_uniform=True)
    assert jnp.allclose(frozen(None), frozen(zero), atol=FLOAT32)
    assert not jnp.allclose(frozen(None), frozen(zero.at[:, :, 0, 1].set(3.0)), atol=1e-4)


@pytest.mark.parametrize("choices", [{"causal": True}, {"positions": "alibi"}, {"positions": "rope"}])
def test_frozen_attention_is_uniform_over_the_keys_in_scope(choices, tokens) -> None:
    weights = build(**choices).attention_weights(tokens, length=7, frozen_uniform=True)
    seen = np.tri(LENGTH) if "causal" in choices else np.ones((LENGTH, LENGTH))
    seen = seen * (np.arange(LENGTH) < 7)
    np.testing.assert_allclose(weights[0, 0], seen / seen.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_masked_token_is_not_seen(model, tokens) -> None:
    masked = NOTHING.at[4].set(True)
    other = tokens.at[4].set((tokens[4] + 1) % 5)
    assert jnp.array_equal(model.token_logits(tokens, masked), model.token_logits(other, masked))
    assert not jnp.array_equal(model.token_logits(tokens, NOTHING), model.token_logits(other, NOTHING))


def test_reconstruction_counts_masked_positions_only(model, tokens) -> None:
    masked = NOTHING.at[jnp.array([2, 7])].set(True)
    log_likelihood = jax.nn.log_softmax(model.token_logits(tokens, masked))[
        jnp.array([2, 7]), tokens[jnp.array([2, 7])]
    ]
    assert jnp.allclose(reconstruction_loss(model, tokens, masked), -log_likelihood.mean(), atol=FLOAT32)
    assert reconstruction_loss(model, tokens, NOTHING) == 0


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_parameters_and_results_are_float32_under_any_default(precision, tokens) -> None:
    model = build(precision=precision)
    assert {leaf.dtype for leaf in jax.tree.leaves(model)} == {jnp.dtype("float32")}
    results = model.label_logits(tokens), model.token_logits(tokens, NOTHING), model.attention_weights(tokens)
    assert {result.dtype for result in results} == {jnp.dtype("float32")}


def test_bfloat16_products_stay_within_their_rounding(model, tokens) -> None:
    rough = build(precision="bfloat16")
    exact, rounded = model.token_logits(tokens, NOTHING), rough.token_logits(tokens, NOTHING)
    error = jnp.abs(exact - rounded).max() / jnp.abs(exact).max()
    assert 0 < error < 8 * BFLOAT16


def test_values_are_masked_to_zero_with_a_flag() -> None:
    model = build(Inputs(LENGTH, 2))
    values = jax.random.normal(jax.random.key(1), (LENGTH,), jnp.float32)
    masked = NOTHING.at[3].set(True)
    assert jnp.array_equal(
        model.token_logits(values, masked), model.token_logits(values.at[3].set(9.0), masked)
    )
    flagged = model.token_logits(values.at[3].set(0.0), NOTHING)
    assert not jnp.allclose(flagged, model.token_logits(values, masked), atol=1e-4)


def test_raw_intensities_are_standardised_on_the_device() -> None:
    raw = jax.random.randint(jax.random.key(1), (LENGTH,), 0, 256, jnp.int32).astype(jnp.uint8)
    model = build(Inputs(LENGTH, 2, levels=256, mean=122.6, deviation=61.0))
    plain = build(Inputs(LENGTH, 2))
    values = (raw.astype(jnp.float32) - 122.6) / 61.0
    masked = NOTHING.at[3].set(True)
    assert jnp.allclose(model.embedded(raw, masked), plain.embedded(values, masked), atol=FLOAT32)
    assert jnp.allclose(model.encoder.values(raw)[:, 0], values, atol=FLOAT32)


@pytest.mark.parametrize(
    ("inputs", "choices", "outputs"),
    [
        (SYMBOLS, {}, 5),
        (Inputs(LENGTH, 2), {}, 1),
        (Inputs(LENGTH, 2, channels=3), {}, 3),
        (Inputs(LENGTH, 2, levels=256), {}, 256),
        (Inputs(LENGTH, 2, levels=256), {"intensities": "values"}, 1),
    ],
)
def test_the_token_head_speaks_of_what_the_tokens_are(inputs, choices, outputs) -> None:
    shape = (LENGTH, inputs.channels) if inputs.channels > 1 else (LENGTH,)
    kind = jnp.float32 if inputs.symbols is None and inputs.levels is None else jnp.int32
    logits = build(inputs, **choices).token_logits(jnp.ones(shape, kind), NOTHING)
    assert logits.shape == (LENGTH, outputs)


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_a_pair_is_read_as_both_their_difference_and_their_product(head) -> None:
    model = build(Inputs(LENGTH, 2, symbols=5, pair=True), head=head)
    pair = jax.random.randint(jax.random.key(1), (2, LENGTH), 0, 5, jnp.int32)
    lengths = jnp.array([5, 9], jnp.int32)
    one, other = (model.summary(t, n) for t, n in zip(pair, lengths, strict=True))
    joined = jnp.concatenate([one, other, one - other, one * other])
    head_layers = model.label_head
    if head == "mlp":
        first, last = head_layers.expand, head_layers.contract
        expected = last.weight @ jnp.maximum(first.weight @ joined + first.bias, 0) + last.bias
    else:
        expected = head_layers.weight @ joined + head_layers.bias
    assert jnp.allclose(model.label_logits(pair, lengths), expected, atol=FLOAT32)
    assert model.label_logits(pair).shape == (2,)


AMOS = {  # facts of Amos et al.'s configs: layers, width, heads, d_ff, symbols or None, classes, head
    "listops": (6, 512, 8, 2048, 18, 10, "linear"),
    "text": (6, 512, 8, 2048, 135, 2, "mlp"),
    "retrieval": (4, 128, 4, 512, 98, 2, "mlp"),
    "image": (3, 64, 4, 128, None, 10, "mlp"),
    "pathfinder": (4, 128, 8, 128, None, 2, "linear"),
}


@pytest.mark.parametrize("task", AMOS)
def test_parameter_counts_are_those_of_the_formula(task: str) -> None:
    layers, d, heads, f, symbols, classes, head = AMOS[task]
    pair = task == "retrieval"
    inputs = Inputs(1024, classes, symbols, levels=None if symbols else 256, pair=pair)
    config = ModelConfig(layers, d, heads, f, head=head)
    shapes = eqx.filter_eval_shape(Transformer, config, inputs, key=jax.random.key(0))
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes) if hasattr(leaf, "size"))
    block = 4 * (d * d + d) + 2 * 2 * d + d * f + f + f * d + d
    embedding = (symbols + 1) * d if symbols else 3 * d
    read = 4 * d if pair else d
    label = read * classes + classes if head == "linear" else read * d + d + d * classes + classes
    token = (d + 1) * (symbols or 256)
    assert count == layers * block + 2 * d + embedding + label + token


def test_switching_residual_norm_and_mlp_off_leaves_the_mixed_values(tokens) -> None:
    model = build(residual=False, norm=False, mlp=False)
    state = model.embedded(tokens, NOTHING)
    for block in model.blocks:
        state = block.attention(state, None, model.scope(None, False))
    assert jnp.array_equal(model.features(tokens, NOTHING), state)
    names = {jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(model)}
    assert not any("norm" in name or "mlp" in name for name in names)


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ({"width": 60, "heads": 8}, "heads must divide width: got width=60, heads=8; try heads=6"),
        ({"layers": 0}, "layers must be at least 1: got layers=0"),
        ({"width": 12, "heads": 4, "positions": "rope"}, "rope needs an even width per head.*try width=24"),
        ({"pool": "cls", "causal": True}, "reads nothing but itself; try pool=last"),
    ],
)
def test_an_impossible_shape_is_refused_with_a_remedy(shape: dict, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        ModelConfig(**shape)

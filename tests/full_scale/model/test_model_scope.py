"""What reaches what: positions, pools, padding, causality, copies, and the attention that computes them."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import FLOAT32

from full_scale.data.dataset import Inputs
from full_scale.model import ModelConfig, Transformer
from full_scale.model import pools as pool
from full_scale.model.positions import alibi, drawn, rotated, sinusoidal

LENGTH = 12
SHORT = 7
SYMBOLS = Inputs(LENGTH, classes=3, symbols=5)
NOTHING = jnp.zeros(LENGTH, bool)
TOKENS = jax.random.randint(jax.random.key(1), (LENGTH,), 0, 5, jnp.int32)


@functools.cache
def build(inputs: Inputs = SYMBOLS, **choices) -> Transformer:
    return Transformer(ModelConfig(2, 8, 2, 16, **choices), inputs, key=jax.random.key(0))


def test_products_of_sinusoidal_positions_depend_on_distance_alone() -> None:
    table = sinusoidal(20, 8)
    products = table @ table.T
    assert jnp.allclose(jnp.diagonal(products, 3), products[0, 3], atol=FLOAT32)
    assert products[0, 1] > products[0, 2] > products[0, 3]


def test_odd_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="width=7; try width=8"):
        sinusoidal(4, 7)


def test_rope_scores_depend_on_the_signed_distance_alone() -> None:
    query, key = jax.random.normal(jax.random.key(0), (2, 1, 1, 8), jnp.float32)
    same = lambda vector: rotated(jnp.broadcast_to(vector, (1, 20, 8)))[0]
    scores = same(query) @ same(key).T
    for lag in (-5, 0, 3):
        assert jnp.ptp(jnp.diagonal(scores, lag)) < 10 * FLOAT32
    assert abs(scores[0, 5] - scores[5, 0]) > 0.1
    assert jnp.allclose(jnp.diagonal(scores), jnp.vdot(query, key), atol=10 * FLOAT32)


def test_alibi_slopes_fall_geometrically_to_two_to_the_minus_eight() -> None:
    bias = np.asarray(alibi(8, 10))
    np.testing.assert_allclose(bias[:, 0, 1], -(0.5 ** np.arange(1, 9)))
    np.testing.assert_allclose(bias[2, 7, 3], 4 * bias[2, 0, 1])
    assert bias[-1, 0, 1] == -(2.0**-8)


def test_alibi_is_its_bias_on_an_encoder_without_positions() -> None:
    bias = jnp.broadcast_to(alibi(2, LENGTH), (2, 2, LENGTH, LENGTH))
    expected = build(positions="none").features(TOKENS, NOTHING, bias=bias)
    assert jnp.allclose(build(positions="alibi").features(TOKENS, NOTHING), expected, atol=FLOAT32)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "random-normal", "rope", "alibi"])
def test_only_without_positions_does_the_encoder_commute_with_permutations(positions: str) -> None:
    order = jax.random.permutation(jax.random.key(3), LENGTH)

    def moved(kind: str) -> float:
        model = build(positions=kind)
        straight = model.features(TOKENS, NOTHING)[order]
        return float(jnp.abs(model.features(TOKENS[order], NOTHING) - straight).max())

    assert moved("none") < 10 * FLOAT32
    assert moved(positions) > 1e-3


def test_the_mean_of_an_encoder_without_positions_ignores_order_unless_causal() -> None:
    order = jax.random.permutation(jax.random.key(3), LENGTH)
    for causal in (False, True):
        model = build(positions="none", causal=causal)
        same = jnp.allclose(model.label_logits(TOKENS), model.label_logits(TOKENS[order]), atol=10 * FLOAT32)
        assert bool(same) is not causal


def test_learned_positions_start_small_and_random_normal_ones_at_one() -> None:
    for kind, deviation in (("learned", 0.02), ("random-normal", 1.0)):
        table = drawn(kind, 100, 50, key=jax.random.key(0))
        assert float(table.std()) == pytest.approx(deviation, rel=0.05)
    assert drawn("rope", 100, 50, key=jax.random.key(0)) is None


def test_random_normal_positions_have_no_gradient_and_learned_ones_do() -> None:
    for kind in ("learned", "random-normal"):
        model = build(positions=kind)
        gradient = jax.grad(lambda m: m.label_logits(TOKENS)[0])(model)
        assert bool(gradient.positions.any()) is (kind == "learned")


@pytest.mark.parametrize("length", [None, SHORT])
def test_pools_are_their_formulas(length: int | None) -> None:
    features = jax.random.normal(jax.random.key(0), (LENGTH, 4), jnp.float32)
    counted = np.asarray(features)[:length]
    size = None if length is None else jnp.int32(length)
    query = jnp.array([1.0, -2.0, 0.5, 3.0], jnp.float32)
    scores = np.exp(counted @ np.asarray(query) / 2)
    expected = {
        "mean": counted.mean(axis=0),
        "max": counted.max(axis=0),
        "last": counted[-1],
        "cls": np.asarray(features)[0],
        "attention": (scores / scores.sum()) @ counted,
    }
    for kind, vector in expected.items():
        found = pool.pooled(kind, features, size, query if kind == "attention" else None)
        np.testing.assert_allclose(found, vector, atol=FLOAT32)
    start = pool.attended(features, size, jnp.zeros(4, jnp.float32))
    np.testing.assert_allclose(start, expected["mean"], atol=FLOAT32)


POOLS = ("mean", "cls", "max", "last", "attention")


@pytest.mark.parametrize("kind", POOLS)
def test_padding_changes_nothing_when_masked(kind: str) -> None:
    other = TOKENS.at[SHORT:].set((TOKENS[SHORT:] + 1) % 5)
    logits = lambda model, tokens: model.label_logits(tokens, SHORT)
    masked, seen = build(pool=kind), build(pool=kind, padding_mask=False)
    assert jnp.array_equal(logits(masked, TOKENS), logits(masked, other))
    assert not jnp.allclose(logits(seen, TOKENS), logits(seen, other), atol=1e-5)
    alone = masked.label_logits(TOKENS[:SHORT])
    assert jnp.allclose(logits(masked, TOKENS), alone, atol=10 * FLOAT32)


def test_token_outputs_before_the_length_ignore_padding_when_masked() -> None:
    other = TOKENS.at[SHORT:].set((TOKENS[SHORT:] + 1) % 5)
    for choices in ({}, {"positions": "rope"}, {"pool": "cls"}):
        model = build(**choices)
        both = [model.token_logits(tokens, NOTHING, SHORT)[:SHORT] for tokens in (TOKENS, other)]
        assert jnp.array_equal(*both)


@pytest.mark.parametrize("causal", [True, False])
def test_a_causal_encoder_has_no_gradient_from_later_tokens(causal: bool) -> None:
    model = build(Inputs(LENGTH, 2))
    values = jax.random.normal(jax.random.key(1), (LENGTH,), jnp.float32)
    jacobian = jax.jit(jax.jacobian(lambda x: model.features(x, NOTHING, causal=causal)[:, 0]))(values)
    assert bool((jnp.triu(jacobian, 1) == 0).all()) is causal
    assert bool((jnp.diagonal(jacobian) != 0).all())


def test_the_causal_choice_of_a_call_stands_in_for_the_config() -> None:
    always = build(causal=True).token_logits(TOKENS, NOTHING)
    assert jnp.array_equal(build().token_logits(TOKENS, NOTHING, causal=True), always)
    assert not jnp.allclose(build().token_logits(TOKENS, NOTHING), always, atol=1e-3)


def test_identical_copies_give_a_positive_semidefinite_kernel_of_scores() -> None:
    layers = {kind: build(copies=kind).blocks[0].attention for kind in ("independent", "qk", "qkvo")}
    same = lambda layer, name: jax.tree.all(jax.tree.map(jnp.array_equal, layer.query, getattr(layer, name)))
    found = {k: [bool(same(layer, n)) for n in ("key", "value", "output")] for k, layer in layers.items()}
    assert found == {"independent": [False] * 3, "qk": [True, False, False], "qkvo": [True] * 3}
    state = jax.random.normal(jax.random.key(0), (LENGTH, 8), jnp.float32)
    for kind, layer in layers.items():
        query, key, _ = layer.vectors(state, build().scope(None, False))
        scores = np.asarray(jnp.einsum("hqd,hkd->hqk", query, key))[0]
        symmetric = np.allclose(scores, scores.T, atol=1e-4)
        assert symmetric is (kind != "independent")
        if symmetric:
            assert np.linalg.eigvalsh(scores).min() > -1e-4


def test_identical_copies_attend_nearby_at_initialisation_and_independent_ones_do_not() -> None:
    """Mass within |i-j| <= w over uniform, w = 0, 1, 8, 32, against an independent simulation with
    other inputs; larger contents make the bias weaker, hence the wide tolerance."""
    length = 1024
    distance = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    values = jax.random.normal(jax.random.key(7), (length,), jnp.float32)

    def mass(copies: str) -> np.ndarray:
        config = ModelConfig(1, 64, 4, 1, copies=copies)
        model = Transformer(config, Inputs(length, 2), key=jax.random.key(2))
        weights = np.asarray(model.attention_weights(values)[0].mean(axis=0))
        near = [distance <= reach for reach in (0, 1, 8, 32)]
        return np.array([weights[mask].sum() / length / mask.mean() for mask in near])

    np.testing.assert_allclose(mass("qkvo"), [2.04, 1.70, 1.39, 1.22], rtol=0.25)
    np.testing.assert_allclose(mass("independent"), 1, atol=0.15)


CHOICES = (
    {"positions": "rope", "copies": "qkvo"},
    {"positions": "alibi", "causal": True, "pool": "last"},
    {"pool": "cls", "padding_mask": False},
)


@pytest.mark.parametrize("choices", CHOICES)
def test_the_fast_attention_is_the_explicit_one_in_values_and_gradients(choices: dict) -> None:
    length, batch = 200, 2
    inputs = Inputs(length, 3, symbols=5)
    tokens = jax.random.randint(jax.random.key(2), (batch, length), 0, 5, jnp.int32)
    lengths = jnp.array([150, 200], jnp.int32)

    def gradient(attention: str):
        model = Transformer(
            ModelConfig(1, 8, 2, 8, attention=attention, **choices), inputs, key=jax.random.key(0)
        )
        loss = lambda m: jax.nn.logsumexp(jax.vmap(m.label_logits)(tokens, lengths), axis=-1).sum()
        return jax.jit(jax.value_and_grad(loss))(model)

    values, gradients = zip(gradient("auto"), gradient("explicit"), strict=True)
    assert values[0] == pytest.approx(float(values[1]), rel=FLOAT32)
    for fast, explicit in zip(*map(jax.tree.leaves, gradients), strict=True):
        scale = float(jnp.abs(explicit).max()) + 1e-3
        assert float(jnp.abs(fast - explicit).max()) < 20 * FLOAT32 * scale


def test_maps_are_the_weights_that_the_layers_use() -> None:
    for positions, causal in itertools.product(("rope", "alibi"), (False, True)):
        model = build(positions=positions, causal=causal)
        scope = model.scope(jnp.int32(SHORT), False)
        state = explicit = model.embedded(TOKENS, NOTHING)
        for block in model.blocks:
            state, explicit = block(state, None, scope), block.explicit(explicit, scope)[0]
        assert jnp.allclose(state, explicit, atol=10 * FLOAT32)

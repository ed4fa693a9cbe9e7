"""The Transformer's additive score bias, its frozen attention, and its refusals."""

import jax
import jax.numpy as jnp
import pytest
from full_scale.positions import sinusoidal
from tolerances import FLOAT32

from full_scale.model import ModelConfig, Transformer
from full_scale.training.losses import label_loss, reconstruction_loss
from sims.store import UserError

LENGTH = 12


@pytest.fixture(scope="module")
def model() -> Transformer:
    return Transformer(ModelConfig(2, 8, 2, 16), 5, 3, key=jax.random.key(0))


@pytest.fixture(scope="module")
def tokens():
    return jax.random.randint(jax.random.key(1), (LENGTH,), 0, 5, jnp.int32)


NOTHING = jnp.zeros(LENGTH, bool)


def test_a_zero_bias_changes_nothing(model, tokens) -> None:
    zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
    assert jnp.array_equal(model.label_logits(tokens), model.label_logits(tokens, zero))


def test_the_bias_of_each_layer_and_head_is_added_to_its_scores(model, tokens) -> None:
    bias = jax.random.normal(jax.random.key(2), model.bias_shape(LENGTH), jnp.float32)
    _, plain = model.features(tokens, NOTHING)
    first = jnp.zeros_like(bias).at[0].set(bias[0])
    _, moved = model.features(tokens, NOTHING, first)
    expected = jax.nn.softmax(jnp.log(plain[0]) + bias[0], axis=-1)
    assert jnp.allclose(moved[0], expected, atol=FLOAT32)
    assert not jnp.allclose(moved[0], plain[0], atol=1e-2)


def test_frozen_attention_is_exactly_uniform_and_still_feels_the_bias(model, tokens) -> None:
    _, weights = model.features(tokens, NOTHING, frozen_uniform=True)
    assert jnp.allclose(weights, 1 / LENGTH, atol=1e-7)
    bias = jnp.zeros(model.bias_shape(LENGTH), jnp.float32).at[:, :, 0, 1].set(3.0)
    assert not jnp.allclose(
        model.token_logits(tokens, NOTHING, frozen_uniform=True),
        model.token_logits(tokens, NOTHING, bias, frozen_uniform=True),
        atol=1e-4,
    )


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


def test_everything_is_float32_under_any_default(model, tokens) -> None:
    leaves = jax.tree.leaves(model)
    assert {leaf.dtype for leaf in leaves} == {jnp.dtype("float32")}
    assert label_loss(model, tokens, jnp.int32(0)).dtype == jnp.float32


def test_without_positions_the_encoder_would_commute_with_permutations(model, tokens, monkeypatch) -> None:
    order = jax.random.permutation(jax.random.key(3), LENGTH)
    permuted = model.token_logits(tokens[order], NOTHING)
    assert not jnp.allclose(permuted, model.token_logits(tokens, NOTHING)[order], atol=1e-3)
    monkeypatch.setattr("full_scale.model.sinusoidal", lambda *shape: jnp.zeros(shape, jnp.float32))
    assert jnp.allclose(
        model.token_logits(tokens[order], NOTHING), model.token_logits(tokens, NOTHING)[order], atol=FLOAT32
    )


def test_products_of_sinusoidal_positions_depend_on_distance_alone() -> None:
    table = sinusoidal(20, 8)
    products = table @ table.T
    assert jnp.allclose(jnp.diagonal(products, 3), products[0, 3], atol=FLOAT32)
    assert products[0, 1] > products[0, 2] > products[0, 3]


def test_values_are_masked_to_zero_with_a_flag() -> None:
    model = Transformer(ModelConfig(1, 8, 2, 8), None, 2, key=jax.random.key(0))
    values = jax.random.normal(jax.random.key(1), (LENGTH,), jnp.float32)
    masked = NOTHING.at[3].set(True)
    assert jnp.array_equal(
        model.token_logits(values, masked), model.token_logits(values.at[3].set(9.0), masked)
    )
    flagged = model.token_logits(values.at[3].set(0.0), NOTHING)
    assert not jnp.allclose(flagged, model.token_logits(values, masked), atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ({"width": 60, "heads": 8}, "heads must divide width: got width=60, heads=8; try heads=6"),
        ({"layers": 0}, "layers must be at least 1: got layers=0"),
    ],
)
def test_an_impossible_shape_is_refused_with_a_remedy(shape: dict, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        ModelConfig(**shape)


def test_odd_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="width=7; try width=8"):
        sinusoidal(4, 7)

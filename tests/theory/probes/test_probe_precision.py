"""The probe in the precisions that models are trained in: float32 without float64, and bfloat16."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory

LENGTH, WIDTH, SAMPLES = 6, 8, 20


@pytest.fixture(autouse=True, scope="module")
def compile_quickly():
    """Not here: what the compiler's simplifications do to NaN is the question."""


def content_attention(bias, head, tokens):
    """Scores from the tokens, the bias added, mean pool: an ordinary attention layer."""
    scores = tokens @ tokens.transpose(0, 2, 1) + bias[None]
    pooled = (jax.nn.softmax(scores, axis=-1) @ tokens).mean(axis=1)
    return jnp.mean((pooled @ head) ** 2)


def drawn(dtype, seed=0):
    tokens, head = (
        np.random.default_rng(seed + place).normal(size=shape)
        for place, shape in enumerate([(SAMPLES, LENGTH, WIDTH), WIDTH])
    )
    return jnp.asarray(tokens, dtype), jnp.asarray(head, dtype)


@pytest.fixture(params=["float32", "bfloat16"])
def precision(request):
    """Without float64, as JAX starts."""
    with jax.enable_x64(False):
        yield jnp.dtype(request.param)


def test_an_ordinary_model_is_probed_in_its_own_precision(precision):
    tokens, head = drawn(precision)
    seen = theory.probe(content_attention, head, tokens, bias=jnp.zeros((LENGTH, LENGTH), precision))
    assert seen.mean_gradient.dtype == np.float32  # sums are taken in float32
    assert np.abs(seen.mean_gradient).max() > 0
    with jax.enable_x64(True):
        exact = theory.probe(
            content_attention,
            head.astype(jnp.float64),
            tokens.astype(jnp.float64),
            bias=jnp.zeros((LENGTH, LENGTH)),
        )
    eps = float(jnp.finfo(precision).eps)
    distance = np.linalg.norm(seen.mean_gradient - exact.mean_gradient)
    assert distance < LENGTH * WIDTH * eps * np.linalg.norm(exact.mean_gradient)


def test_a_zero_head_is_no_mistake_in_any_precision(precision):
    tokens, head = drawn(precision)
    bias = jnp.zeros((LENGTH, LENGTH), precision)
    assert theory.probe(content_attention, 0 * head, tokens, bias=bias).spectrum.rank == 0


def test_a_loss_without_its_bias_is_refused_in_any_precision(precision):
    tokens, head = drawn(precision)
    with pytest.raises(ValueError, match="must depend on its bias"):
        theory.probe(
            lambda bias, head, tokens: jnp.mean((tokens @ head) ** 2),
            head,
            tokens,
            bias=jnp.zeros((LENGTH, LENGTH), precision),
        )

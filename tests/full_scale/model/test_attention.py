"""The attention core: every way of computing it is the one formula, forwards and backwards."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64, FLOAT32

from full_scale.devices.precision import single_precision
from full_scale.model import attention, attention_avx2, attention_cpu
from full_scale.model.attention import attend, attention_weights, fused, kernel_for

LENGTH = 7


TILES = {
    "cpu": ("cpu", 1 << 20),
    "cpu, rows left over": ("cpu", 4 * LENGTH**2),
    "cpu, row by row": ("cpu", 1),
    "avx2": ("avx2", 1 << 18),
    "avx2, rows left over": ("avx2", 4 * LENGTH**2),
    "avx2, a row in blocks": ("avx2", 3 * LENGTH),
}
"""A processor's kernel and what its tile takes: of 6 rows, all; 4 and then 2; one; its queries by 3, 3 and 1."""


def given_kernel(name, monkeypatch) -> None:
    """Attention with this kernel and tile, on whatever processor this is."""
    kernel, scores = TILES[name]
    monkeypatch.setattr(attention, "is_avx2", lambda: kernel == "avx2")
    monkeypatch.setattr(attention_avx2 if kernel == "avx2" else attention_cpu, "TILE", scores)


@pytest.fixture(params=["cpu", "avx2", "avx2, a row in blocks"])
def kernel(request, monkeypatch) -> None:
    """One way through each kernel's code."""
    given_kernel(request.param, monkeypatch)


@pytest.fixture(params=TILES)
def tile(request, monkeypatch) -> None:
    """Every kernel at every tile."""
    given_kernel(request.param, monkeypatch)


def projections(length, *batch, dtype=jnp.float64, seed=0):
    """Random (query, key, value), each (*batch, head, length, d_head)."""
    keys = jax.random.split(jax.random.key(seed), 3)
    return [jax.random.normal(key, (*batch, 2, length, 4), dtype) for key in keys]


def by_hand(query, key, value, length=None, causal=False):
    """Row by row in numpy: a softmax over the keys that the row may read."""
    query, key, value = map(np.asarray, (query, key, value))
    out = np.zeros_like(value)
    for head, row in np.ndindex(*query.shape[:2]):
        last = min(query.shape[1] if length is None else int(length), row + 1 if causal else query.shape[1])
        scores = key[head, :last] @ query[head, row] / np.sqrt(query.shape[-1])
        weights = np.exp(scores - scores.max())
        out[head, row] = weights @ value[head, :last] / weights.sum()
    return out


RULES = pytest.mark.parametrize(
    "rule", [{}, {"length": 5}, {"causal": True}, {"length": 5, "causal": True}], ids=str
)


def with_array(rule):
    """The rule with its length as an array."""
    return rule | ({"length": jnp.int32(rule["length"])} if "length" in rule else {})


def energy(method, rule):
    """A scalar of the attention output whose gradient is not constant."""

    def total(query, key, value, weight):
        return jnp.sum(weight * attend(query, key, value, method=method, **with_array(rule)) ** 2)

    return total


@RULES
@pytest.mark.parametrize("method", ["auto", "explicit"])
def test_attention_is_a_weighted_mean_over_the_keys_a_query_may_read(kernel, method, rule) -> None:
    inputs = projections(LENGTH)
    found = attend(*inputs, method=method, **with_array(rule))
    assert np.allclose(found, by_hand(*inputs, **rule), rtol=0, atol=EXACT_FLOAT64)


@RULES
def test_the_fast_gradient_is_that_of_explicit_scores(kernel, rule) -> None:
    inputs = [*projections(LENGTH), projections(LENGTH, seed=1)[0]]
    fast, plain = (
        jax.jit(jax.grad(energy(method, rule), argnums=(0, 1, 2)))(*inputs) for method in ("auto", "explicit")
    )
    for found, expected in zip(fast, plain, strict=True):
        assert jnp.allclose(found, expected, rtol=0, atol=EXACT_FLOAT64 * jnp.abs(expected).max())


def test_a_bias_of_zero_is_no_bias() -> None:
    inputs = projections(LENGTH)
    zero = jnp.zeros((2, LENGTH, LENGTH))
    assert jnp.allclose(attend(*inputs, bias=zero), attend(*inputs), rtol=0, atol=EXACT_FLOAT64)


def test_a_bias_adds_to_the_scores() -> None:
    query, key, value = projections(LENGTH)
    bias = jax.random.normal(jax.random.key(3), (2, LENGTH, LENGTH), jnp.float64)
    expected = jax.nn.softmax(jnp.log(attention_weights(query, key)) + bias, axis=-1)
    found = attention_weights(query, key, bias)
    assert jnp.allclose(found, expected, rtol=0, atol=EXACT_FLOAT64)
    mixed = jnp.einsum("hqk,hkd->hqd", expected, value)
    assert jnp.allclose(attend(query, key, value, bias=bias), mixed, rtol=0, atol=EXACT_FLOAT64)


def test_no_output_depends_on_padding() -> None:
    query, key, value = projections(LENGTH)
    slope = jax.grad(lambda k, v: jnp.sum(attend(query, k, v, length=jnp.int32(5)) ** 2), argnums=(0, 1))
    for part in slope(key, value):
        assert jnp.all(part[:, 5:] == 0) and jnp.any(part[:, :5] != 0, axis=(0, 2)).all()


def test_no_output_depends_on_the_future_when_causal() -> None:
    query, key, value = projections(LENGTH)
    at = LENGTH // 2
    slope = jax.grad(lambda k, v: jnp.sum(attend(query, k, v, causal=True)[:, at] ** 2), argnums=(0, 1))
    for part in slope(key, value):
        assert jnp.all(part[:, at + 1 :] == 0) and jnp.any(part[:, : at + 1] != 0, axis=(0, 2)).all()


@pytest.mark.parametrize("causal", [False, True])
def test_a_batch_is_its_sequences_one_by_one(tile, causal) -> None:
    inputs = [*projections(LENGTH, 3), projections(LENGTH, 3, seed=1)[0]]
    lengths = jnp.array([LENGTH, 3, LENGTH - 2], jnp.int32)

    def total(query, key, value, weight, last):
        return jnp.sum(weight * attend(query, key, value, length=last, causal=causal) ** 2)

    slope = jax.value_and_grad(total, argnums=(0, 1, 2))
    batched = jax.jit(jax.vmap(slope))(*inputs, lengths)
    summed = jax.jit(jax.grad(lambda *i: jax.vmap(total)(*i, lengths).sum(), argnums=(0, 1, 2)))(*inputs)
    single = jax.jit(slope)
    for row in range(3):
        value, gradient = single(*(array[row] for array in inputs), lengths[row])
        assert jnp.allclose(batched[0][row], value, rtol=EXACT_FLOAT64)
        for found, whole, expected in zip(batched[1], summed, gradient, strict=True):
            size = EXACT_FLOAT64 * jnp.abs(expected).max()
            assert jnp.allclose(found[row], expected, rtol=0, atol=size)
            assert jnp.allclose(whole[row], expected, rtol=0, atol=size)


def test_what_is_shared_by_a_batch_is_shared_by_the_map() -> None:
    query, key, value = projections(LENGTH, 2)
    shared = jax.vmap(attend, in_axes=(0, None, 0))(query, key[0], value)
    for row in range(2):
        expected = attend(query[row], key[0], value[row])
        assert jnp.allclose(shared[row], expected, rtol=0, atol=EXACT_FLOAT64)


@pytest.mark.parametrize("biased", [False, True])
def test_explicit_scores_have_second_derivatives(biased) -> None:
    query, key, value = projections(LENGTH)
    bias = jnp.zeros((2, LENGTH, LENGTH)) if biased else None
    method = "auto" if biased else "explicit"
    slope = jax.grad(lambda q: jnp.sum(attend(q, key, value, bias=bias, method=method) ** 2))
    step = 1e-5
    _, curvature = jax.jvp(slope, (query,), (value,))
    difference = (slope(query + step * value) - slope(query - step * value)) / (2 * step)
    assert jnp.allclose(curvature, difference, rtol=0, atol=1e-7 * jnp.abs(curvature).max())


def test_half_precision_inputs_keep_their_type_and_a_float32_softmax() -> None:
    inputs = projections(LENGTH, dtype=jnp.bfloat16)
    found = attend(*inputs)
    exact = by_hand(*(array.astype(jnp.float64) for array in inputs))
    assert found.dtype == jnp.bfloat16
    assert np.abs(np.asarray(found, np.float64) - exact).max() < 2**-8 * np.abs(exact).max() * 2


def test_single_precision_agrees_to_rounding() -> None:
    inputs = projections(LENGTH, dtype=jnp.float32)
    exact = by_hand(*(array.astype(jnp.float64) for array in inputs))
    assert np.allclose(attend(*inputs), exact, rtol=0, atol=FLOAT32)


@pytest.mark.parametrize(
    ("abilities", "flags", "chosen"),
    [
        ("flags : fma avx2", "", True),
        ("flags : fma avx2 avx512f", "", False),
        ("flags : fma avx2 avx512f", "--xla_cpu_max_isa=avx2", True),
        ("flags : fma avx", "", False),
        ("Features : asimd", "", False),
    ],
)
def test_the_kernel_is_chosen_by_the_processor_alone(monkeypatch, abilities, flags, chosen) -> None:
    monkeypatch.setattr(attention_avx2, "processor", lambda: abilities)
    monkeypatch.setenv("XLA_FLAGS", flags)
    assert {attention_avx2.is_avx2.__wrapped__() for _ in range(2)} == {chosen}


@pytest.mark.parametrize("length", [1, 7, 64, 511, 512, 513, 1024, 5000])
def test_the_blocks_of_a_row_are_nearly_equal_and_fit_in_a_tile(length) -> None:
    size = attention_avx2.block(length)
    assert size * length <= attention_avx2.TILE or size == 1
    assert -(-length // size) * size - length < -(-length // size)
    assert (size == length) == (length**2 <= attention_avx2.TILE)


@RULES
def test_the_accelerators_kernel_is_called_as_the_same_formula(rule) -> None:
    inputs = projections(LENGTH, dtype=jnp.float32)
    with single_precision():
        found = fused(*inputs, with_array(rule).get("length"), rule.get("causal", False))
    exact = by_hand(*(array.astype(jnp.float64) for array in inputs), **rule)
    assert np.allclose(found, exact, rtol=0, atol=FLOAT32)


def test_scores_that_are_added_for_good_are_the_bias_without_its_derivative() -> None:
    query, key, value = projections(LENGTH)
    slopes = jnp.linspace(-1, 1, 2 * LENGTH * LENGTH).reshape(2, LENGTH, LENGTH)
    as_bias = attend(query, key, value, bias=slopes)
    assert jnp.allclose(attend(query, key, value, fixed=slopes), as_bias, rtol=0, atol=EXACT_FLOAT64)
    half = attend(query, key, value, bias=slopes / 2, fixed=slopes / 2)
    assert jnp.allclose(half, as_bias, rtol=0, atol=EXACT_FLOAT64)
    with single_precision():
        found = fused(*projections(LENGTH, dtype=jnp.float32), None, False, slopes.astype(jnp.float32))
    exact = attend(*(a.astype(jnp.float64) for a in projections(LENGTH, dtype=jnp.float32)), bias=slopes)
    assert np.allclose(found, exact, rtol=0, atol=FLOAT32)


@pytest.fixture
def with_a_gpu(monkeypatch):
    """JAX as if an H100 were here: programs can be traced, not run."""
    kernels = pytest.importorskip("jax._src.cudnn.fused_attention_stablehlo")
    monkeypatch.setattr(kernels, "check_cudnn_version", lambda: 91100)
    monkeypatch.setattr(kernels, "check_compute_capability", lambda _: True)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "devices", lambda: [SimpleNamespace(compute_capability="9.0")])


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_the_gpu_s_kernel_takes_a_batch_of_sequences_and_its_gradient(
    with_a_gpu, fixed, causal, padded
) -> None:
    arrays = [jnp.ones((3, 2, 16, 8), jnp.bfloat16)] * 3
    lengths = jnp.array([16, 1, 9], jnp.int32) if padded else None
    slopes = jnp.ones((2, 16, 16), jnp.float32) if fixed else None

    def one(query, key, value, length):
        found = attend(query, key, value, fixed=slopes, length=length, causal=causal)
        return jnp.sum(found.astype(jnp.float32) ** 2)

    total = lambda *parts: jax.vmap(one, (0, 0, 0, 0 if padded else None))(*parts, lengths).sum()
    with single_precision():
        program = str(jax.make_jaxpr(jax.grad(total, argnums=(0, 1, 2)))(*arrays))
    assert "dot_product_attention_bwd" in program


def test_what_the_gpu_s_kernel_does_not_take_goes_elsewhere(with_a_gpu, monkeypatch) -> None:
    of = lambda width, dtype, length=16: jnp.zeros((2, length, width), dtype)
    slopes = jnp.zeros((2, 15, 15), jnp.float32)
    assert kernel_for(of(16, jnp.bfloat16), None) == "cudnn"
    assert kernel_for(of(16, jnp.float32), None) == "xla"
    assert kernel_for(of(12, jnp.bfloat16), None) == "xla"
    assert kernel_for(of(256, jnp.bfloat16), None) == "xla"
    assert kernel_for(of(16, jnp.bfloat16, 15), slopes) == "xla"
    for version in ("7.5", "gfx90a"):
        older = [SimpleNamespace(compute_capability=version)]
        monkeypatch.setattr(jax, "devices", older.copy)
        assert kernel_for(of(16, jnp.bfloat16), None) == "xla"

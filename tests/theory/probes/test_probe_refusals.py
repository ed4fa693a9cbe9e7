"""What the probe refuses, each with a sentence that says what was expected."""

import jax.numpy as jnp
import pytest

import theory
from tests.theory.probes.probed_losses import minimal_label_loss, minimal_setting
from theory.probes.sources import require_bias


@pytest.mark.parametrize(
    ("bias", "message"),
    [
        (jnp.zeros((4, 5)), r"bias must have shape \(\.\.\., L, L\).*got \(4, 5\)"),
        (jnp.zeros((1, 1)), "at least 2 positions"),
        (jnp.zeros(4), r"got \(4,\)"),
        (jnp.zeros((4, 4), jnp.float16), "float64 .*float32 or bfloat16: got float16"),
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

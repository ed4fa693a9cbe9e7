"""A probe printed: a line for each layer and head, in words."""

import jax
import jax.numpy as jnp
import numpy as np

import theory
from theory.probes.summary import queries_with_gradient

LENGTH, WIDTH, COUNT = 6, 4, 12
BIAS = jnp.zeros((2, 2, LENGTH, LENGTH))
TOKENS = jax.random.normal(jax.random.key(0), (COUNT, LENGTH, WIDTH))
NEIGHBOURS = theory.circulant(jnp.eye(LENGTH)[1] + jnp.eye(LENGTH)[-1])


def first_token_loss(bias, head, tokens):
    """Two layers of two heads, read at the first token."""
    for layer in bias:
        tokens = tokens + (jax.nn.softmax(layer) @ tokens[:, None]).mean(axis=1)
    return jnp.mean(jnp.tanh(tokens[:, 0] @ head))


def test_printing_a_probe_says_each_layer_and_head_and_that_a_first_token_reads_one_row():
    probed = theory.probe(
        first_token_loss, jnp.ones(WIDTH), TOKENS, bias=BIAS, directions={"neighbours": NEIGHBOURS}
    )
    lines = str(probed).splitlines()
    assert len(lines) < 14
    assert max(map(len, lines)) <= 110
    assert lines[0].endswith(f"{COUNT} samples, {LENGTH} positions")
    assert [line.split()[0] for line in lines[2:6]] == ["0.0", "0.1", "1.0", "1.1"]
    assert "SNR neighbours" in lines[1]
    np.testing.assert_array_equal(queries_with_gradient(probed.mean_gradient), [[6, 6], [1, 1]])
    assert [line.split()[1] for line in lines[2:6]] == ["6", "6", "1", "1"]


def test_what_labels_cannot_see_is_printed_as_blind():
    loss = lambda bias, head, tokens: jnp.mean(((jax.nn.softmax(bias) @ tokens).mean(axis=1) @ head) ** 2)
    probed = theory.probe(
        loss, jnp.ones(WIDTH), TOKENS, bias=BIAS[0, 0], directions={"neighbours": NEIGHBOURS}
    )
    assert str(probed).splitlines()[2].split()[0] == "all"
    assert "blind" in str(probed).splitlines()[2]

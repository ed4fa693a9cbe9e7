"""Losses that the theory has closed forms for, for tests of the probe."""

import jax

import theory

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

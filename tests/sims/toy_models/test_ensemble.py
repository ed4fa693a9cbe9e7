"""Many trainings at once are each the training it would be alone."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import theory
from sims.runs.store import UserError
from sims.toy_models import transformer as toy
from sims.toy_models.ensemble import Training, train

MODEL = toy.ToyTransformer(length=6, symbols=5, width=8, heads=2)
KEY = jax.random.key(0)


def batch(key):
    """Which of two symbols is more frequent: a bag tells."""
    tokens = jax.random.randint(key, (16, MODEL.length), 0, 4)
    return tokens, (jnp.sum(tokens == 0, axis=1) > jnp.sum(tokens == 1, axis=1)).astype(int)


TRAINING = Training(
    initial=lambda key: toy.initial(MODEL, key=key),
    batch=batch,
    loss=lambda params, data: toy.label_loss(MODEL, params, *data),
    optimizer=optax.adamw(3e-3),
)


def worst_gap(first, second):
    """Largest difference between two ensembles' parameters."""
    gaps = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), first.params, second.params)
    return max(map(float, jax.tree.leaves(gaps)))


@pytest.fixture(scope="module")
def trained():
    return train(TRAINING, seeds=3, steps=40, records=4, key=KEY)


def test_layouts_agree_to_rounding(trained):
    in_turn = train(TRAINING, seeds=3, steps=40, records=4, key=KEY, layout="in turn")
    assert worst_gap(trained, in_turn) < 1e-9
    assert trained.losses.shape == (3, 4)
    assert np.abs(trained.losses - in_turn.losses).max() < 1e-9


def test_a_seed_does_not_feel_the_others(trained):
    two = train(TRAINING, seeds=2, steps=40, records=4, key=KEY)
    assert np.abs(trained.losses[:2] - two.losses).max() < 1e-9
    assert np.abs(trained.losses[0] - trained.losses[1]).max() > 1e-3


def test_stretches_change_what_is_seen_and_not_the_run(trained):
    seen = []
    once = train(
        TRAINING, seeds=3, steps=40, records=2, key=KEY, watch=lambda step, params: seen.append(step)
    )
    assert worst_gap(trained, once) < 1e-9
    assert seen == [20, 40]
    assert np.abs(once.losses - trained.losses.reshape(3, 2, 2).mean(axis=2)).max() < 1e-9


def test_training_learns_what_a_bag_can_tell(trained):
    longer = train(TRAINING, seeds=2, steps=400, records=4, key=KEY)
    assert (longer.losses[:, -1] < 0.6 * longer.losses[:, 0]).all()


def test_a_plain_loop_is_the_oracle(trained):
    key = jax.random.fold_in(KEY, 1)
    start, data = jax.random.split(key)
    params = TRAINING.initial(start)
    state = TRAINING.optimizer.init(params)
    slope = jax.jit(jax.grad(TRAINING.loss))
    for step in range(40):
        gradient = slope(params, batch(jax.random.fold_in(data, step)))
        with jax.numpy_dtype_promotion("standard"):
            change, state = TRAINING.optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, change)
    ours = jax.tree.map(lambda leaf: leaf[1], trained.params)
    gaps = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), ours, params)
    assert max(jax.tree.leaves(gaps)) < 1e-9


@pytest.mark.heavy
def test_devices_share_the_seeds():
    script = """
import jax; jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp, numpy as np, optax
from sims.toy_models.ensemble import Training, train
training = Training(lambda key: jax.random.normal(key, (3,)), lambda key: jax.random.normal(key, (4, 3)),
                    lambda w, x: jnp.mean((x @ w - 1) ** 2), optax.sgd(0.1))
assert len(jax.devices()) == 4
shared = train(training, seeds=6, steps=10, records=2, key=jax.random.key(0))
alone = train(training, seeds=2, steps=10, records=2, key=jax.random.key(0))
assert len(shared.params.sharding.device_set) == 3, shared.params.sharding
assert np.abs(shared.losses[:2] - alone.losses).max() < 1e-12
"""
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu", "PATH": ""},
        capture_output=True,
        text=True,
        cwd=".",
    )
    assert told.returncode == 0, told.stderr


def test_the_toy_transformer_is_seen_by_the_probe():
    params = toy.initial(MODEL, key=KEY)
    flat = jnp.zeros((MODEL.layers, MODEL.heads, MODEL.length, MODEL.length))
    loss = lambda bias, params, data: toy.label_loss(MODEL, params, *data, bias)
    seen = theory.probe(loss, params, batch(KEY), bias=flat)
    assert (seen.sample_energy.gauge < 1e-20 * seen.sample_energy.key_bias).all()


def test_only_masked_tokens_are_reconstructed_and_they_are_hidden():
    params = toy.initial(MODEL, key=KEY)
    tokens, _ = batch(KEY)
    masked = jnp.zeros((16, MODEL.length)).at[:, 2].set(1.0)
    loss = lambda tokens, shown: toy.reconstruction_loss(MODEL, params, tokens, shown, 4)
    other = tokens.at[:, 2].set((tokens[:, 2] + 1) % 4)
    hidden = toy.features(MODEL, params, jnp.where(masked > 0, 4, tokens))
    assert jnp.array_equal(hidden, toy.features(MODEL, params, jnp.where(masked > 0, 4, other)))
    assert loss(tokens, masked) != loss(other, masked)
    assert loss(tokens, jnp.zeros_like(masked)) == 0.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: toy.ToyTransformer(width=10, heads=4), "got width=10, heads=4; try width=8"),
        (lambda: toy.ToyTransformer(length=1), "length must be at least 2"),
        (lambda: train(TRAINING, seeds=2, steps=10, records=4, key=KEY), "try steps=8"),
        (lambda: train(TRAINING, seeds=0, steps=10, records=5, key=KEY), "seeds must be at least 1"),
    ],
)
def test_bad_numbers_are_one_line(build, message):
    with pytest.raises(UserError, match=message):
        build()

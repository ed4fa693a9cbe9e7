"""Objectives: what is hidden, what is judged, and that padding and the future are neither."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from full_scale.data.dataset import Inputs
from full_scale.devices.precision import single_precision
from full_scale.model import ModelConfig, Transformer
from full_scale.objectives.batch_loss import Data, Target, batch_loss
from full_scale.objectives.losses import error_of, next_token_loss, reconstruction_loss
from full_scale.objectives.masking import Masking, draw_blocks, draw_channels, draw_mask
from full_scale.objectives.phases import Phase
from sims.runs.store import UserError
from tests.tolerances import FLOAT32

KEY = jax.random.key(0)
SMALL = dict(layers=1, width=8, heads=2, hidden=8)
SYMBOLS = Inputs(8, 2, symbols=5)
PIXELS = Inputs(8, 2, levels=16, mean=7.0, deviation=3.0)


def model(inputs: Inputs, **choices) -> Transformer:
    with single_precision():
        return Transformer(ModelConfig(**SMALL, **choices), inputs, key=KEY)


def tokens(seed: int = 0, limit: int = 5) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).integers(0, limit, 8), jnp.int32)


def test_masks_are_redrawn_with_their_ratio_and_spare_padding() -> None:
    masks = [
        draw_mask(10_000, key=jax.random.key(n), ratio=0.15, real_length=jnp.int32(8000)) for n in range(2)
    ]
    assert not jnp.array_equal(*masks)
    for mask in masks:
        assert not mask[8000:].any()
        assert float(mask[:8000].mean()) == pytest.approx(0.15, abs=0.02)


def test_blocks_hide_every_position_equally_often_and_neighbours_together() -> None:
    draw = lambda key: draw_blocks(200, key=key, block=8, ratio=0.3, real_length=jnp.int32(190))
    hidden = np.asarray(jax.vmap(draw)(jax.random.split(KEY, 4000)))
    assert not hidden[:, 190:].any()
    error = (0.3 * 0.7 / 4000) ** 0.5
    assert abs(hidden[:, :190].mean(axis=0) - 0.3).max() < 5 * error
    for lag in (1, 4, 8):  # in one block with probability 1 - lag/8
        together = (hidden[:, :150] & hidden[:, lag : 150 + lag]).mean()
        same = max(0, 1 - lag / 8)
        assert together == pytest.approx(0.3 * same + 0.09 * (1 - same), abs=0.01)


def test_a_hidden_channel_is_not_read_and_only_hidden_channels_count() -> None:
    series = Inputs(8, 2, channels=3)
    net, one = model(series), jnp.asarray(np.random.default_rng(0).standard_normal((8, 3)), jnp.float32)
    masked = jnp.zeros((8, 3), bool).at[:, 1].set(True)
    with single_precision():
        output = net.token_logits(one, masked)
        other = net.token_logits(one.at[:, 1].add(5.0), masked)
        loss = float(reconstruction_loss(net, one, masked))
    assert jnp.array_equal(output, other)
    assert not jnp.allclose(output, net.token_logits(one.at[:, 0].add(5.0), masked), atol=1e-3)
    assert loss == pytest.approx(float(0.5 * ((output - one)[:, 1] ** 2).mean()), rel=1e-5)
    hidden = np.asarray(draw_channels(8, 3, key=KEY, ratio=0.5, real_length=jnp.int32(6)))
    assert not hidden[6:].any() and (hidden[:6] == hidden[0]).all()


@pytest.mark.parametrize("kind", ["blocks", "channels"])
def test_a_phase_hides_what_its_masking_says(kind) -> None:
    series = Inputs(8, 2, channels=3)
    net, draw = model(series), np.random.default_rng(0)
    batch = Data(jnp.asarray(draw.standard_normal((4, 8, 3)), jnp.float32), None, jnp.zeros(4, jnp.int32))
    losses = []
    with single_precision():
        for masking in (Masking(), Masking(kind=kind)):
            target = Target.of(Phase("reconstruction", 5, masking=masking))
            losses.append(float(batch_loss(net, target, batch, key=KEY)))
    assert np.isfinite(losses).all() and losses[0] != losses[1]


def test_whole_channels_of_symbols_are_refused() -> None:
    batch = Data(tokens()[None], None, jnp.zeros(1, jnp.int32))
    target = Target.of(Phase("reconstruction", 5, masking=Masking(kind="channels")))
    with pytest.raises(UserError, match="need values of several channels: got symbols; try blocks"):
        batch_loss(model(SYMBOLS), target, batch, key=KEY)


def test_the_next_tokens_loss_reads_no_later_token_and_no_padding() -> None:
    net, one = model(SYMBOLS), tokens()
    with single_precision():
        loss = lambda padding: next_token_loss(net, one.at[6:].set(padding), length=jnp.int32(6))
        assert float(loss(1)) == pytest.approx(float(loss(3)), abs=FLOAT32)
        logits = net.token_logits(one, None, causal=True)
        changed = net.token_logits(one.at[5].set((one[5] + 1) % 5), None, causal=True)
    assert jnp.allclose(logits[:5], changed[:5], atol=FLOAT32)
    assert not jnp.allclose(logits[5], changed[5], atol=FLOAT32)


def test_the_next_tokens_loss_is_the_mean_log_likelihood_of_each_following_token() -> None:
    net, one = model(SYMBOLS), tokens()
    with single_precision():
        log_likelihood = jax.nn.log_softmax(net.token_logits(one, None, causal=True))
        expected = -jnp.mean(jnp.stack([log_likelihood[i, one[i + 1]] for i in range(7)]))
        assert float(next_token_loss(net, one)) == pytest.approx(float(expected), abs=FLOAT32)


@pytest.mark.parametrize(("error", "of"), [("l1", jnp.abs), ("l2", lambda x: 0.5 * x**2)])
def test_values_are_judged_in_standard_deviations_where_they_are_hidden(error, of) -> None:
    net, one = model(PIXELS, intensities="values"), tokens(limit=16)
    masked = jnp.arange(8) < 3
    with single_precision():
        output = net.token_logits(one, masked)[:, 0]
        expected = of(output - (one.astype(jnp.float32) - 7) / 3)[:3].mean()
        assert float(reconstruction_loss(net, one, masked, error=error)) == pytest.approx(
            float(expected), abs=FLOAT32
        )


def test_a_loss_that_the_token_head_cannot_give_is_refused_with_a_remedy() -> None:
    assert error_of(model(SYMBOLS), "auto") == error_of(model(PIXELS), "auto") == "ce"
    assert error_of(model(PIXELS, intensities="values"), "auto") == "l2"
    with pytest.raises(UserError, match="head of logits: got l1; try intensities=values"):
        error_of(model(PIXELS), "l1")
    with pytest.raises(UserError, match="head of values: got ce; try loss=l1"):
        error_of(model(PIXELS, intensities="values"), "ce")


def loss(phase: Phase, inputs: Inputs = SYMBOLS, data: Data | None = None) -> float:
    batch = data or Data(jnp.stack([tokens(0), tokens(1)]), None, jnp.array([0, 1], jnp.int32))
    with single_precision():
        return float(batch_loss(model(inputs), Target.of(phase), batch, key=KEY))


def test_both_losses_at_once_are_their_weighted_sum() -> None:
    labels, hidden = (loss(Phase(objective, 1)) for objective in ("labels", "reconstruction"))
    assert loss(Phase("both", 1, label_weight=0.3)) == pytest.approx(0.3 * labels + hidden, abs=FLOAT32)


def test_a_pairs_two_sequences_are_reconstructed_alike() -> None:
    inputs = Inputs(8, 2, symbols=5, pair=True)
    pairs = jnp.stack([jnp.stack([tokens(0), tokens(1)])])
    swapped = Data(pairs[:, ::-1], jnp.array([[5, 8]], jnp.int32), jnp.zeros(1, jnp.int32))
    phase = Phase("next_token", 1)
    pair = Data(pairs, jnp.array([[8, 5]], jnp.int32), jnp.zeros(1, jnp.int32))
    assert loss(phase, inputs, pair) == pytest.approx(loss(phase, inputs, swapped), abs=FLOAT32)


@pytest.mark.parametrize("ratio", [0.0, 1.5])
def test_impossible_mask_ratios_are_refused(ratio: float) -> None:
    with pytest.raises(UserError, match=r"mask ratio must lie in \(0, 1\]"):
        Masking(ratio)

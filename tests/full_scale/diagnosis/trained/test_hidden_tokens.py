"""What hidden tokens are worth: linear maps save what neighbours tell, and a model that learned nothing is seen."""

import jax
import numpy as np
import pytest

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.diagnosis.trained.hidden_tokens import hidden_losses
from full_scale.diagnosis.trained.linear_baselines import Hidden, baseline_losses
from full_scale.model import ModelConfig
from full_scale.objectives.masking import Masking
from full_scale.objectives.phases import Phase
from tests.full_scale.export.exported import drawn

ENTROPY = np.log(4)


def symbols(follow, rows=200, length=12, seed=0):
    """Four symbols: each one more than the last with probability `follow`, else any."""
    draw = np.random.default_rng(seed)
    tokens = draw.integers(0, 4, (rows, length))
    for at in range(1, length):
        same = draw.random(rows) < follow
        tokens[same, at] = (tokens[same, at - 1] + 1) % 4
    return tokens


def part(tokens, ratio=0.3, seed=1):
    """Single positions hidden."""
    hidden = (np.random.default_rng(seed).random(tokens.shape[:2]) < ratio)[..., None]
    values = tokens.ndim == 3
    hidden = np.broadcast_to(hidden, (*tokens.shape[:2], tokens.shape[2] if values else 1)).copy()
    real = np.ones(tokens.shape[:2], bool)
    return Hidden(tokens, real, hidden, ~hidden, None if values else tokens, 0 if values else 4)


def test_frequencies_cost_the_entropy_and_neighbours_what_they_leave_open():
    followed, free = ([part(symbols(share, seed=n)) for n in (0, 1)] for share in (0.9, 0.0))
    losses = {name: np.nanmean(each) for name, each in baseline_losses(*followed, "ce", False).items()}
    assert losses["frequencies"] == pytest.approx(ENTROPY, abs=0.02)
    assert losses["linear"] < losses["neighbours"] < ENTROPY - 0.5
    free_losses = {name: np.nanmean(each) for name, each in baseline_losses(*free, "ce", False).items()}
    assert min(free_losses.values()) > ENTROPY - 0.02
    causal = {name: np.nanmean(each) for name, each in baseline_losses(*followed, "ce", True).items()}
    assert losses["neighbours"] < causal["neighbours"] < ENTROPY - 0.5


@pytest.mark.parametrize("judge", ["l1", "l2"])
def test_values_are_filled_in_by_a_line_through_their_neighbours(judge):
    draw = np.random.default_rng(0)
    parts = [part(np.cumsum(draw.standard_normal((200, 12, 2)), axis=1), seed=n) for n in (1, 2)]
    losses = {name: np.nanmean(each) for name, each in baseline_losses(*parts, judge, False).items()}
    assert losses["neighbours"] < 0.75 * losses["frequencies"]


def test_a_sequence_with_nothing_hidden_has_no_loss():
    train, held = part(symbols(0.5)), part(symbols(0.5, rows=5, seed=2))
    held.hidden[3] = False
    losses = baseline_losses(train, held, "ce", False)
    assert all(np.isnan(each[3]) and np.isfinite(np.delete(each, 3)).all() for each in losses.values())


def dataset(tokens, inputs):
    """Parts of the same tokens."""
    split = Split(
        tokens, (np.arange(len(tokens)) % 2).astype(np.int32), np.full(len(tokens), tokens.shape[1] - 1)
    )
    return Dataset("mine", split, split, split, inputs, source="made here")


CASES = {
    "symbols": (Inputs(12, 2, symbols=4), Phase("reconstruction", 5)),
    "next token": (Inputs(12, 2, symbols=4), Phase("next_token", 5)),
    "levels": (Inputs(12, 2, levels=4, mean=1.5), Phase("reconstruction", 5)),
    "channels": (
        Inputs(12, 2, channels=2),
        Phase("reconstruction", 5, masking=Masking(0.5, "l1", "channels")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_model_that_knows_nothing_is_flagged_where_there_is_something_to_know(name):
    inputs, phase = CASES[name]
    tokens = symbols(0.9).astype(np.int32)
    if name == "channels":  # the second is the first, so that a whole hidden channel can be filled in
        one = np.random.default_rng(0).standard_normal((200, 12, 1))
        tokens = np.concatenate([one, one], axis=2).astype(np.float32)
    model = drawn(ModelConfig(1, 8, 2, 8), inputs)
    losses = hidden_losses(
        [model, drawn(model.config, inputs, 1)], phase, dataset(tokens, inputs), key=jax.random.key(0)
    )
    assert not losses.learned and losses.learnable
    assert (
        losses.model.estimate > losses.baselines["frequencies"].estimate > losses.baselines["linear"].estimate
    )
    assert losses.unit == ("mean absolute error" if name == "channels" else "nats")

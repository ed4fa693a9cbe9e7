"""A diagnosis of sequences of different lengths, padded, of one token, equal, short and long."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from full_scale.data.dataset import Inputs
from full_scale.devices.precision import single_precision
from full_scale.diagnosis import DiagnosisConfig, PilotConfig, diagnose_arrays, fits
from full_scale.diagnosis.evidence import require_finite
from full_scale.diagnosis.pattern import pattern
from full_scale.model import ModelConfig, Transformer
from full_scale.model.frozen_attention import frozen
from full_scale.objectives.batch_loss import Data, Target
from full_scale.objectives.losses import label_loss
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.objectives.phases import Phase
from sims.runs.store import UserError

LENGTH = 12


@pytest.fixture(params=[False, True], ids=["bidirectional", "causal"])
def model(request):
    with single_precision():
        config = ModelConfig(layers=2, width=8, heads=2, hidden=8, causal=request.param)
        yield Transformer(config, Inputs(LENGTH, classes=3, symbols=5), key=jax.random.key(0))


def test_attention_frozen_at_scores_far_apart_is_attention_over_the_keys_that_a_short_sequence_has(model):
    """The largest scores lie on padding, where exp(S) of all other keys is 0 in float32."""
    far = jnp.where(jnp.arange(LENGTH) >= 3, 400.0, 0.0) + jnp.linspace(0, 2, LENGTH)
    scores = jnp.broadcast_to(far.astype(jnp.float32), model.bias_shape(LENGTH))
    tokens = jax.random.randint(jax.random.key(1), (LENGTH,), 0, 5)
    with single_precision():
        asked = eqx.filter_jit(lambda *given: model.label_logits(*given, scores, frozen_uniform=True))
        held = eqx.filter_jit(frozen(model, scores).label_logits)
        np.testing.assert_allclose(held(tokens, 3), asked(tokens, 3), rtol=2e-5, atol=2e-6)


def test_the_gradient_through_a_pattern_that_reads_padding_is_finite(model):
    """Weights a hundred times larger: the mean sequence of mostly short ones attends where most end."""
    lengths = jnp.array([3, 3, 4, LENGTH], jnp.int32)
    data = Data(jax.random.randint(jax.random.key(1), (4, LENGTH), 0, 5), lengths, jnp.arange(4) % 3)
    loud = lambda tree: [
        part.weight for block in tree.blocks for part in (block.attention.query, block.attention.key)
    ]
    model = eqx.tree_at(loud, model, [100 * weight for weight in loud(model)])

    def loss(some):
        held = frozen(some, pattern(some, data))
        one = lambda tokens, length, label: label_loss(held, tokens, label, length=length)
        return jax.vmap(one)(*data).mean()

    with single_precision():
        found, slope = eqx.filter_jit(eqx.filter_value_and_grad(loss))(model)
    assert np.isfinite(found)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))


def test_long_sequences_are_averaged_over_the_same_keys_a_few_queries_at_a_time(model, monkeypatch):
    scores = jax.random.normal(jax.random.key(2), model.bias_shape(LENGTH), jnp.float32)
    tokens = jax.random.randint(jax.random.key(1), (LENGTH,), 0, 5)
    with single_precision():
        whole = eqx.filter_jit(frozen(model, scores).label_logits)(tokens, 7)
        monkeypatch.setattr("full_scale.model.frozen_attention.ROWS", 5)
        few = eqx.filter_jit(lambda *given: frozen(model, scores).label_logits(*given))(tokens, 7)
    np.testing.assert_allclose(few, whole, rtol=2e-5, atol=2e-6)


def fit(model, rate, monkeypatch=None):
    """A fit of two steps at uniform attention, by name."""
    data = Data(jnp.zeros((4, LENGTH), jnp.int32), None, jnp.arange(4) % 3)
    config = fits.FitConfig(2, 2, OptimizerConfig(learning_rate=rate, clip=1.0))
    target = Target.of(Phase("labels", steps=1))
    return fits.train_frozen("labels, attention uniform", model, target, data, config, key=jax.random.key(0))


def test_a_fit_that_leaves_the_finite_numbers_is_named_and_no_verdict_is_made(model):
    with single_precision(), pytest.raises(UserError, match="labels, attention uniform to stay finite"):
        fit(model, 1e38)


def test_a_fit_that_leaves_the_finite_numbers_is_made_again_at_a_lower_rate(model, monkeypatch):
    rates = []

    def attempted(model, target, data, config, *_, **__):
        rates.append(config.optimizer.learning_rate)
        if len(rates) < 3:
            raise fits.Diverged
        return model

    monkeypatch.setattr(fits, "attempted", attempted)
    assert fit(model, 0.16)[1] == pytest.approx(0.01)
    assert rates == pytest.approx([0.16, 0.04, 0.01])


def test_a_number_that_is_none_is_named():
    with pytest.raises(UserError, match="contrast_snr"):
        require_finite({"plateau_time": float("inf"), "contrast_snr": float("nan")})


TINY = ModelConfig(width=8, heads=2, hidden=8)
DRAW = np.random.default_rng(0)
SHAPES = {
    "most a single token": (LENGTH, np.where(np.arange(60) % 2, 1, 1 + np.arange(60) % LENGTH)),
    "longer than are weighed at once": (300, 290 + np.arange(60) % 11),
}


@pytest.mark.heavy
@pytest.mark.parametrize(("length", "lengths"), SHAPES.values(), ids=SHAPES)
def test_sequences_of_any_lengths_are_diagnosed_whole_in_finite_numbers(length, lengths):
    tokens = DRAW.integers(1, 5, (60, length)) * (np.arange(length) < lengths[:, None])
    config = DiagnosisConfig(fits=2, steps=3, batch=4, learning_rate=0.5, pilot=PilotConfig(seeds=0))
    found = diagnose_arrays(tokens, np.arange(60) % 2, lengths, TINY, config, key=jax.random.key(0))
    for each in found.values.fits:
        require_finite(vars(each))
    assert len(found.values.fits) == 2
    assert np.isfinite([found.verdict.gain.low, found.verdict.gain.high]).all()


@pytest.mark.parametrize(
    ("tokens", "said"),
    [(DRAW.integers(0, 5, (60, 2)), "at least 4 tokens"), (np.ones((60, 6), int), "3 different sequences")],
    ids=["two tokens", "all equal"],
)
def test_sequences_that_offer_nothing_to_attend_to_are_one_clear_line(tokens, said):
    with pytest.raises(UserError, match=said):
        diagnose_arrays(tokens, np.arange(60) % 2, None, TINY, key=jax.random.key(0))

"""Every engine that measures a Transformer's score gradients, against the one definition: `theory.probe`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from full_scale.data.dataset import Inputs
from full_scale.devices.precision import single_precision
from full_scale.model import ModelConfig, Transformer
from full_scale.objectives.batch_loss import Data
from full_scale.objectives.losses import label_loss, reconstruction_loss
from full_scale.objectives.masking import draw_mask
from full_scale.objectives.phases import Phase
from full_scale.probes import factored_gradients, held_out, per_sequence
from full_scale.probes.score_slopes import online_lag_profile
from tests.tolerances import EXACT_FLOAT64, FLOAT32
from theory.label_blindness.centring import doubly_centred
from theory.label_blindness.subspaces import paired_energies, visible_share
from theory.probes import joint_snr, lag_direction, lag_profile

LENGTH, COUNT = 10, per_sequence.CHUNK
CONFIG, KEY = ModelConfig(layers=2, width=8, heads=2, hidden=8), jax.random.key(5)
OBJECTIVES = {"label": "labels", "reconstruction": "reconstruction"}
NEAR = 20 * FLOAT32
"""Single precision, relative to the largest entry: sums of the same terms in another order."""


def loss_of(model: Transformer, loss: str, uniform: bool):
    """The engines' loss as `theory.probe` asks for it: masks' keys travel in the batch."""

    def mean_loss(bias, _, batch):
        def one(tokens, label, key):
            if loss == "label":
                return label_loss(model, tokens, label, bias=bias, frozen_uniform=uniform)
            masked = draw_mask(len(tokens), key=jax.random.wrap_key_data(key))
            return reconstruction_loss(model, tokens, masked, bias=bias, frozen_uniform=uniform)

        return jax.vmap(one)(*batch).mean()

    return mean_loss


@pytest.fixture(scope="module", params=list(OBJECTIVES))
def probed(request) -> tuple:
    """A small Transformer at its own attention and frozen uniform: the loss's name, data, both probes."""
    with single_precision():
        model = Transformer(CONFIG, Inputs(LENGTH, classes=3, symbols=5), key=KEY)
        tokens = jax.random.randint(jax.random.key(1), (COUNT, LENGTH), 0, 5)
        labels = jnp.arange(COUNT, dtype=jnp.int32) % 3
        keys = jax.random.key_data(jax.random.split(KEY, COUNT))
        near = {"lag 1": lag_direction(LENGTH, 1), "lag 2": lag_direction(LENGTH, 2)}
        zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
        probes = [
            theory.probe(loss_of(model, request.param, uniform), None, (tokens, labels, keys),
                         bias=zero, directions=near, leading=0)
            for uniform in (False, True)
        ]  # fmt: skip
    return request.param, model, Data(tokens, None, labels), probes


def close(measured, expected) -> None:
    measured, expected = np.asarray(measured), np.asarray(expected)
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(measured / scale, expected / scale, atol=NEAR)


@pytest.mark.heavy
@pytest.mark.parametrize("uniform", [False, True])
def test_gradients_by_sequence_are_the_probe_s(probed, uniform) -> None:
    loss, model, data, probes = probed
    expected = probes[uniform]
    with single_precision():
        directions = np.stack([lag_direction(LENGTH, lag) for lag in (1, 2)])
        gradients = per_sequence.score_gradients(
            model, OBJECTIVES[loss], data.tokens, data.labels, directions, key=KEY, frozen_uniform=uniform
        )
    close(gradients.mean, expected.mean_gradient)
    close(gradients.key_bias_energy.mean(axis=0), expected.sample_energy.key_bias)
    share = visible_share(gradients.key_bias_energy.sum(axis=0), gradients.energy.sum(axis=0))
    close(share, expected.sample_energy.visible_share)
    for index, name in enumerate(("lag 1", "lag 2")):
        close(theory.probes.unbiased_snr(gradients.along[..., index]), expected.along[name].snr)


def test_probes_while_training_are_the_probe_s(probed) -> None:
    loss, model, data, (expected, _) = probed
    with single_precision():
        measured = held_out.score_probes(model, Phase(OBJECTIVES[loss], steps=1), data, KEY)
    assert held_out.PROBED_SEQUENCES == COUNT
    close(measured[f"visible_share_{loss}"], expected.sample_energy.visible_share)
    close(measured[f"snr_{loss}"], expected.along["lag 1"].snr)


def test_factored_gradients_are_the_probe_s(probed) -> None:
    loss, model, data, (_, expected) = probed
    with single_precision():
        gradients = factored_gradients.score_gradients(model, loss == "label", data, key=KEY)
        along = np.asarray(gradients.along(lag_direction(LENGTH, 1)[None]))[:, 0]
    close(gradients.mean(), expected.mean_gradient)
    close(gradients.key_bias_energy().mean(axis=0), expected.sample_energy.key_bias)
    share = visible_share(gradients.key_bias_energy().sum(axis=0), np.asarray(gradients.energy()).sum(axis=0))
    close(share, expected.sample_energy.visible_share)
    close(theory.probes.unbiased_snr(along), expected.along["lag 1"].snr)


def test_the_joint_signal_of_one_head_is_its_own_and_of_many_weighs_them_by_noise() -> None:
    samples = np.random.default_rng(0).normal(0.3, [1.0, 2.0], (50, 2))
    each, noise = theory.probes.unbiased_snr(samples), samples.var(axis=0, ddof=1)
    assert joint_snr(samples[:, :1]) == pytest.approx(each[0])
    assert joint_snr(samples) == pytest.approx(each @ noise / noise.sum())


def test_profiles_of_all_lags_at_once_are_the_mean_of_each_lag() -> None:
    matrices = np.random.default_rng(0).normal(size=(3, 7, 7))
    profiles = online_lag_profile(jnp.asarray(matrices))
    np.testing.assert_allclose(
        profiles, np.stack([lag_profile(each) for each in matrices]), atol=EXACT_FLOAT64
    )


def test_double_centring_without_a_mask_is_the_decomposition_s() -> None:
    matrix = np.random.default_rng(0).normal(size=(7, 7))
    expected = theory.decompose(jnp.asarray(matrix)).doubly_centred
    np.testing.assert_allclose(doubly_centred(matrix), expected, atol=EXACT_FLOAT64)


def test_a_pair_of_equal_estimates_has_the_energies_of_one() -> None:
    matrix = jax.random.normal(KEY, (7, 7))
    visible, whole = paired_energies(matrix, matrix)
    assert float(visible / whole) == pytest.approx(float(theory.key_bias_share(matrix)))

"""The directions that a diagnosis looks along, and what it reads off data without a model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from full_scale.data.dataset import Inputs, Split
from full_scale.devices.precision import single_precision
from full_scale.diagnosis import contrast, directions
from full_scale.diagnosis.report import leading_text
from full_scale.model import ModelConfig, Transformer
from full_scale.model.positions import sinusoidal
from theory.label_blindness.centring import doubly_centred
from theory.probes import joint_snr

LENGTH = 12
INPUTS = Inputs(32, classes=3, symbols=5)


def model_with(positions, width=8):
    with single_precision():
        config = ModelConfig(width=width, heads=2, hidden=8, positions=positions)
        return Transformer(config, INPUTS, key=jax.random.key(0))


def test_positions_express_their_own_products_and_lose_a_random_order_of_proximity():
    model = model_with("sinusoidal")
    table = np.asarray(sinusoidal(32, 8), np.float64)
    table = table - table.mean(axis=0)
    own = (table @ np.random.default_rng(0).standard_normal((8, 8)) @ table.T)[None, None]
    lost = directions.position_projection(own, model)[0] - own  # in dimensions that hardly exist
    assert np.linalg.norm(lost) < 2 * directions.CONDITIONED * np.linalg.norm(own)
    band = doubly_centred((np.abs(np.subtract.outer(np.arange(32), np.arange(32))) == 1).astype(float))
    order = np.random.default_rng(1).permutation(32)
    kept = [
        np.linalg.norm(directions.position_projection(m[None, None], model)[0]) / np.linalg.norm(m)
        for m in (band, band[order][:, order])
    ]
    assert kept[0] > 1.5 * kept[1]


def test_rotations_express_what_depends_on_the_offset_alone():
    ring = np.subtract.outer(np.arange(32), np.arange(32)) ** 3 / 1e3
    noise = np.random.default_rng(0).standard_normal((32, 32))
    found = directions.position_projection(np.stack([ring, noise])[None].astype(float), model_with("rope"))[
        0
    ][0]
    np.testing.assert_allclose(found[0], ring, atol=2e-5 * np.abs(ring).max())
    assert np.linalg.norm(found[1]) < 0.5 * np.linalg.norm(noise)


def test_the_dominant_offset_of_an_image_is_found_in_rows_and_columns():
    index = np.arange(48)
    row, column = (np.subtract.outer(each, each) for each in np.divmod(index, 8))
    step = ((row == -2) & (column == 1)) | ((row == 2) & (column == -1))
    found = directions.dominant_offset(step.astype(float), Inputs(48, classes=2, grid=(6, 8)))
    assert found.offset == (2, -1)
    assert found.lag == 15


def test_snr_is_that_of_the_samples_without_bias():
    generator = np.random.default_rng(0)
    samples = generator.standard_normal((200_000, 2)) + np.array([0.3, 0.0])
    assert joint_snr(samples) == pytest.approx(0.3**2 / 2, rel=0.03)
    assert np.mean([joint_snr(generator.standard_normal((20, 2))) for _ in range(2_000)]) == pytest.approx(
        0, abs=0.01
    )


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_kappa_is_the_classes_difference_over_their_sum(share):
    generator = np.random.default_rng(1)
    labels = np.arange(6_000) % 2
    steps = generator.standard_normal((6_000, LENGTH + 1))
    gain = np.where(labels == 1, 1 + share, 1 - share)[:, None] / 2
    values = steps[:, 1:] + gain * steps[:, :-1]  # covariance of neighbours: the gain
    vectors = contrast.token_vectors(Split(values, labels), Inputs(LENGTH, classes=2), 6_000)
    assert contrast.kappa(vectors, labels) == pytest.approx(share, abs=0.07)
    assert contrast.leading(vectors, labels) is None


def three_classes(gains: tuple[float, ...], shares: tuple[float, ...]):
    """Neighbours' covariance by class, in so many independent channels; class shares."""
    generator, number = np.random.default_rng(2), 12_000
    labels = np.repeat(np.arange(3), np.round(number * np.array(shares)).astype(int))
    steps = generator.standard_normal((len(labels), LENGTH + 1, 2))
    gain = np.array(gains)[labels][:, None]
    return steps[:, 1:] + gain * steps[:, :-1], labels


@pytest.mark.parametrize("shares", [(1 / 3, 1 / 3, 1 / 3), (0.2, 0.3, 0.5)])
def test_of_three_classes_the_leading_contrast_is_the_fisher_ratio_of_the_theory(shares):
    gains = ((0.9, 0.2), (0.5, 0.25), (0.1, 0.6))
    values, labels = three_classes(gains, shares)
    found = contrast.leading(values, labels)
    means = np.asarray([np.diag(np.multiply(gain, LENGTH - 1)) for gain in gains])
    whole = np.einsum("c,cij->", shares, (means - np.einsum("c,cij->ij", shares, means)) ** 2)
    rate = float(theory.class_contrast_rate(jnp.asarray(shares), jnp.asarray(means), 1.0))
    assert found.share == pytest.approx(rate / whole, abs=0.03)
    assert found.apart == (0, 2)


def test_classes_along_one_line_have_one_direction_and_equal_ones_are_lost_in_noise():
    values, labels = three_classes(((0.9, 0.9), (0.5, 0.5), (0.1, 0.1)), (1 / 3, 1 / 3, 1 / 3))
    assert contrast.leading(values, labels).share > 0.95
    assert leading_text(contrast.leading(values, labels)) == "100% of its square, class 0 against 2"
    opposite, _ = three_classes(((0.5, 0.1), (0.0, 0.0), (-0.5, -0.1)), (1 / 3, 1 / 3, 1 / 3))
    assert contrast.leading(opposite, labels).share > 0.95  # where kappa has nothing to be measured by
    equal, _ = three_classes(((0.5, 0.5),) * 3, (1 / 3, 1 / 3, 1 / 3))
    assert contrast.leading(equal, labels) is None

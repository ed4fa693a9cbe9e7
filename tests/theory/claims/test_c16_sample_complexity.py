"""C16: how many sequences each loss needs to know which way to move the scores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c16_sample_complexity import claim as c16
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64, STANDARD_ERRORS


def contrast(kappa: float, spread: float) -> theory.Contrast:
    return theory.Contrast(*(jnp.asarray(number) for number in (1.0, kappa, spread, 0.0)))


def test_every_check_passes(verdict):
    assert verdict("C16").passed, verdict("C16")


@given(lengths(4))
def test_the_ratio_of_counts_is_that_of_the_signals_at_every_length(setting: Setting):
    processes = jnp.stack([setting.autocovariance(), setting.autocovariance()])

    @compiled
    def gap(processes):
        direction = theory.contrast_direction(setting.length, 1)
        pair = theory.class_contrast(direction, jax.vmap(theory.circulant)(processes))
        counts = [
            theory.sequences_needed(each(pair))
            for each in (theory.label_signal, theory.reconstruction_signal)
        ]
        return relative_gap(counts[0] / counts[1], theory.sequences_ratio(pair))

    assert gap(processes) <= EXACT_FLOAT64


def test_classes_that_agree_need_infinitely_many_labels_and_few_masks():
    agreeing = contrast(0.0, 0.5)
    assert theory.sequences_needed(theory.label_signal(agreeing)) == np.inf
    assert theory.sequences_ratio(agreeing) == np.inf
    assert theory.sequences_needed(theory.reconstruction_signal(agreeing), 3.0) == pytest.approx(4.5)


@pytest.mark.parametrize(("spread", "power"), [(10.0, -2), (1e-6, -4)])
def test_the_ratio_falls_as_classes_part_by_a_power_of_the_contrast(spread, power):
    near, far = (float(theory.sequences_ratio(contrast(kappa, spread))) for kappa in (0.02, 0.04))
    assert np.log2(far / near) == pytest.approx(power, abs=0.01)


def test_the_ratio_comes_to_its_limit_from_the_side_that_the_contrast_says():
    """1/kappa^4 bounds the ratio from above for |kappa| < 1 and from below for |kappa| > 1."""
    shares = [float(theory.sequences_ratio(contrast(kappa, 0.1)) * kappa**4) for kappa in (0.5, 2.0)]
    assert shares[0] < 1 < shares[1]


def test_an_imbalance_beyond_the_contrast_is_sure_of_the_wrong_sign():
    """The measured mean is m (kappa - tau): its sign is that of the contrast only while tau is below it."""
    pair = contrast(0.1, 0.5)
    right, hidden, wrong = (float(theory.label_signal(pair, tau)) for tau in (0.0, 0.1, 0.2))
    assert right == pytest.approx(wrong, rel=0.1)
    assert hidden == 0


def test_more_sequences_mean_fewer_wrong_signs():
    errors = [float(theory.sign_error(n, 0.04)) for n in (0, 25, 100)]
    assert errors == pytest.approx([0.5, 0.158655, 0.022750], abs=1e-6)


def test_a_millionth_of_an_error_and_a_flipped_sign_are_found(monkeypatch):
    for name in ("sequences_ratio", "label_signal", "reconstruction_signal"):
        with monkeypatch.context() as patch:
            patch.setattr(c16, name, planted(getattr(c16, name)))
            assert measure(lambda key: c16.ratio_gap(0.0, key), jax.random.key(0)) > EXACT_FLOAT64, name
    error = c16.sign_error
    for wrong in (lambda *args: 1 - error(*args), lambda *args: 1.2 * error(*args)):
        monkeypatch.setattr(c16, "sign_error", wrong)
        assert measure(lambda key: c16.sampled_deviation(False, key), jax.random.key(0)) > STANDARD_ERRORS

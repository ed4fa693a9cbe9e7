"""What a diagnosis concludes from its evidence, and how much it computes."""

import pytest

from full_scale.diagnosis.config import DiagnosisConfig, Thresholds
from full_scale.diagnosis.diagnose import fit_config
from full_scale.diagnosis.verdict import judged, needed
from full_scale.model import ModelConfig
from sims.intervals import Interval
from tests.full_scale.diagnosed import FLOORS, fits

CASES = {
    "blind labels, useful pattern": (fits(0.5, 0.95, 0.5), FLOORS, "pretrain first"),
    "labels find a pattern as good": (fits(0.5, 0.9, 0.9), FLOORS, "no need"),
    "labels find half of it": (fits(0.5, 0.9, 0.7), FLOORS, "pretrain first"),
    "labels reach it at uniform attention": (fits(0.95, 0.95, 0.94), FLOORS, "no need"),
    "a linear map reaches more": (fits(0.5, 0.9, 0.6), FLOORS | {"linear": 0.95}, "no need"),
    "nothing helps": (fits(0.5, 0.5, 0.5, top=0.0, own=0.0), FLOORS, "neither sees anything"),
    "a large gain, and initialisations disagree": (fits(0.6, 0.9, 0.6, spread=0.4), FLOORS, "pretrain first"),
    "a small gain, and initialisations disagree": (fits(0.6, 0.63, 0.6, spread=0.2), FLOORS, "undecided"),
    "no gain, and initialisations disagree": (fits(0.6, 0.61, 0.6, spread=0.2), FLOORS, "undecided"),
}


@pytest.mark.parametrize(("found", "floors", "kind"), CASES.values(), ids=CASES)
def test_the_verdict_follows_from_what_labels_reach_with_and_without_the_pattern(found, floors, kind):
    verdict = judged(found, 5_000, floors, Thresholds(), "sptlab train run")
    assert verdict.kind == kind
    assert verdict.gain.low <= verdict.gain.estimate <= verdict.gain.high
    assert len(verdict.reasons) == 2


def test_a_pattern_that_positions_cannot_express_is_named():
    reason = judged(fits(0.5, 0.5, 0.5, top=0.3, own=0.01), 5_000, FLOORS, Thresholds(), "").reasons[-1]
    assert "change the positions" in reason


def test_sequences_needed_are_nine_over_the_snr_and_unknown_where_it_may_be_zero():
    found = needed(Interval(0.09, 0.0, 0.36), Thresholds())
    assert (found.estimate, found.low, found.high) == (pytest.approx(100), pytest.approx(25), None)


def test_longer_sequences_and_larger_models_get_fewer_steps_of_smaller_batches():
    short = fit_config(DiagnosisConfig(), ModelConfig(), 64)
    long = fit_config(DiagnosisConfig(), ModelConfig(layers=3, width=64, hidden=128), 1024)
    assert (short.steps, short.batch) == (800, 50)
    assert long.steps < short.steps
    assert long.batch < short.batch
    assert long.optimizer.learning_rate < short.optimizer.learning_rate

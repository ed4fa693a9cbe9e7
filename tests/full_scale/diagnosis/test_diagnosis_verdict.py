"""What a diagnosis concludes from its evidence, and how much it computes."""

import numpy as np
import pytest

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.diagnosis import report
from full_scale.diagnosis.config import DiagnosisConfig, Thresholds
from full_scale.diagnosis.data_notes import is_rare, shortcomings
from full_scale.diagnosis.diagnose import fit_config
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.held_out import Answers, gain
from full_scale.diagnosis.verdict import PretrainingVerdict, judged, needed
from full_scale.model import ModelConfig
from sims.statistics.intervals import Interval
from tests.full_scale.diagnosis.diagnosed import FLOORS, fits

NOTHING = FLOORS | {"pairs": 0.53}
CASES = {
    "blind labels, useful pattern": (fits(0.5, 0.95, 0.5), FLOORS, "pretrain first"),
    "labels find a pattern as good": (fits(0.5, 0.9, 0.9), FLOORS, "no need"),
    "labels find half of it": (fits(0.5, 0.9, 0.7), FLOORS, "pretrain first"),
    "labels reach it at uniform attention": (fits(0.95, 0.95, 0.94), FLOORS, "no need"),
    "nothing helps, and a linear map reaches more": (
        fits(0.5, 0.5, 0.5),
        FLOORS | {"linear": 0.77, "pairs": 0.6},
        "no need",
    ),
    "nothing helps, and pairs tell the classes apart": (fits(0.5, 0.5, 0.5), FLOORS, "undecided"),
    "a linear map reaches more": (fits(0.5, 0.9, 0.6), FLOORS | {"linear": 0.95}, "no need"),
    "nothing helps": (fits(0.5, 0.5, 0.5, top=0.0, own=0.0), NOTHING, "neither sees anything"),
    "a large gain, and initialisations disagree": (fits(0.6, 0.9, 0.6, spread=0.4), FLOORS, "undecided"),
    "a small gain, and initialisations disagree": (fits(0.6, 0.63, 0.6, spread=0.2), FLOORS, "undecided"),
    "no gain, and initialisations disagree": (fits(0.6, 0.61, 0.6, spread=0.2), FLOORS, "undecided"),
}


@pytest.mark.parametrize(("found", "floors", "kind"), CASES.values(), ids=CASES)
def test_the_verdict_follows_from_what_labels_reach_with_and_without_the_pattern(found, floors, kind):
    verdict = judged(found, 5_000, floors, Thresholds(), "sptlab train run")
    assert verdict.kind == kind
    assert verdict.gain.low <= verdict.gain.estimate <= verdict.gain.high
    assert len(verdict.reasons) == 3


def test_pairs_are_named_as_the_reason_only_where_no_pattern_sees_anything():
    said = lambda found: judged(found, 5_000, FLOORS, Thresholds(), "").reasons[-1]
    assert "no fixed attention pattern tried does" in said(fits(0.5, 0.5, 0.5))
    assert "do not settle" in said(fits(0.6, 0.61, 0.6, spread=0.2))


def test_a_pattern_that_positions_cannot_express_is_named():
    reason = judged(fits(0.5, 0.5, 0.5, top=0.3, own=0.01), 5_000, NOTHING, Thresholds(), "").reasons[-1]
    assert "change the positions" in reason


def test_sequences_needed_are_nine_over_the_snr_and_unknown_where_it_may_be_zero():
    found = needed(Interval(0.09, 0.0, 0.36), Thresholds())
    assert (found.estimate, found.low, found.high) == (pytest.approx(100), pytest.approx(25), None)


def test_longer_sequences_and_larger_models_get_fewer_steps_of_smaller_batches():
    short = fit_config(DiagnosisConfig(fits=4), ModelConfig(), 64)
    long = fit_config(DiagnosisConfig(fits=4), ModelConfig(layers=3, width=64, hidden=128), 1024)
    assert (short.steps, short.batch) == (800, 50)
    assert long.steps < short.steps
    assert long.batch < short.batch
    assert long.optimizer.learning_rate < short.optimizer.learning_rate


def answers(rows, uniform=0.5, own=0.5, pattern=0.5, linear=0.5, seed=0):
    """Four fits' and two baselines' answers, right with the given probabilities, row by row."""
    draw = np.random.default_rng(seed)
    shares = {"uniform": uniform, "own": own, "pattern": pattern}
    patterns = {name: draw.random((4, rows)) < share for name, share in shares.items()}
    simple = {"constant": draw.random(rows) < 0.5, "linear": draw.random(rows) < linear}
    return Answers(draw.integers(0, 2, rows), patterns, simple)


def test_the_gains_interval_counts_rows_and_the_best_of_several_equals_is_not_favoured():
    """All reach one half: the gain is 0, though the maximum of four on the same rows is above it."""
    found = np.array([gain(answers(100, seed=seed)).estimate for seed in range(200)])
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found))
    covered = [(each.low < 0 < each.high) for each in (gain(answers(100, seed=seed)) for seed in range(60))]
    assert np.mean(covered) > 0.85
    few, many = (gain(answers(rows, pattern=0.9)) for rows in (40, 4_000))
    assert few.high - few.low > 2 * (many.high - many.low)


def test_a_gain_of_accuracies_lies_between_minus_one_and_one():
    found = gain(answers(8, uniform=0.0, own=0.0, pattern=1.0, linear=0.0, seed=3))
    assert -1 <= found.low <= found.high <= 1


def test_nothing_sees_anything_only_where_no_baseline_clearly_beats_the_constant():
    found = answers(400, linear=0.6, seed=1)
    verdict = judged(fits(0.5, 0.5, 0.5), 5_000, found.floors(), Thresholds(), "", found)
    assert verdict.kind != "neither sees anything"
    assert "a linear model of the tokens at each position" in " ".join(verdict.reasons)
    scarce = answers(20, linear=0.7, seed=1)
    assert judged(fits(0.5, 0.5, 0.5), 30, scarce.floors(), Thresholds(), "", scarce).kind == (
        "neither sees anything"
    )


def test_what_order_is_worth_is_pairs_above_the_best_baseline_that_reads_no_neighbours():
    right = np.arange(100)
    simple = {"constant": right < 50, "linear": right < 70, "bag_of_tokens": right < 60, "pairs": right < 95}
    found = Answers(right % 2, {}, simple).order()
    assert found.estimate == pytest.approx(0.25)
    assert found.low < 0.25 < found.high


def told(low, estimate, high, kind="undecided"):
    return report.worth(PretrainingVerdict(kind, (), Interval(estimate, low, high), ""))


def test_a_gain_too_wide_to_act_on_is_no_number():
    assert "-2.7 points" in told(-0.04, -0.027, -0.01, "no need")
    assert not any(mark.isdigit() for mark in told(-0.902, -0.267, 0.369))
    assert not any(mark.isdigit() for mark in told(-0.147, 0.002, 0.152))
    assert "at least +12.0 points" in told(0.12, 0.4, 0.7, "pretrain first")


def test_a_signal_of_rounding_is_blind_and_no_number_is_minus_nothing():
    tiny = Interval(*[-5.01e-08] * 3)
    assert report.signal(tiny) == "0 (blind)"
    assert report.signal(Interval(-0.0002, -0.0002, 0.08)) == "0 [0, 0.08]"
    assert report.interval_text(tiny) == "0 [0, 0]"
    assert report.points(-0.00001) == "0"


def dataset(*counts):
    """Tokens of no meaning; so many sequences of each class in every part."""
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    part = Split(np.zeros((len(labels), 6), np.int32), labels)
    return Dataset("mine", part, part, part, Inputs(6, len(counts), symbols=2), "here")


@pytest.mark.parametrize(
    ("counts", "steps", "said"),
    [((40, 40), 5, "5 optimiser steps"), ((5, 5), 100, "20 held-out"), ((40, 2, 2), 100, "2 of 3 classes")],
)
def test_too_little_to_say_anything_is_said_instead_of_a_verdict(counts, steps, said):
    missing = shortcomings(dataset(*counts), FitConfig(steps=steps))
    assert any(said in each for each in missing)
    verdict = judged(fits(0.5, 0.95, 0.5), 80, FLOORS, Thresholds(), "again", too_little=missing)
    assert verdict.kind == "undecided" and verdict.reasons[0] == missing[0]
    assert not shortcomings(dataset(40, 40, 40), FitConfig(steps=100))


def test_a_rare_class_calls_for_balanced_accuracy_which_a_constant_guess_does_not_pass():
    labels = np.repeat([0, 1], [99, 1])
    assert is_rare(labels) and not is_rare(np.repeat([0, 1], [60, 40]))
    constant = Answers(labels, {}, {"constant": labels == 0})
    assert constant.balanced(constant.simple["constant"]) == 0.5
    assert constant.floors()["constant"] == 0.99

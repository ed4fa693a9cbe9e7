"""A measured gain near 0 has a cause, a remedy and a sentence; the runs behind it are pairs of equal seeds."""

import dataclasses
import re

import pytest

from full_scale.data.dataset import Description
from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.trained.arms import ArmRuns, paired
from full_scale.diagnosis.trained.causes import TrainedDiagnosis, explained, seeds_needed, size_of
from full_scale.diagnosis.trained.hidden_tokens import HiddenLosses
from full_scale.diagnosis.trained.report import summary
from full_scale.export.stored_runs import stored_runs
from full_scale.objectives.phases import Phase
from sims.runs.store import UserError, plain
from sims.statistics.intervals import Interval
from tests.full_scale.export.test_stored_runs import HIDDEN, LABELS, stored
from tests.full_scale.training.small_runs import FAST

DATA = Description("own", "made here", "a" * 64, {"train": 80}, 12, 2, 4, 0.5)
TRAIN = "sptlab train run --task own --data mine.npz --grid arms"
LINES = Thresholds()


def around(value, half=0.01, n=5):
    return Interval(value, value - half, value + half, n=n)


def arm(test, train=None, left=100):
    return ArmRuns((test,) * 5, (test if train is None else train,) * 5, (left,) * 5, 3000)


def hidden(saved, savable):
    """Losses where frequencies cost two nats."""
    baselines = {"frequencies": around(2.0), "neighbours": around(2.1), "linear": around(2.0 - savable)}
    return HiddenLosses("nats", around(2.0 - saved), baselines, around(saved), around(savable))


KNOWS, LITTLE, MISSED, SILENT = hidden(0.8, 0.5), hidden(0.1, 0.5), hidden(0.0, 0.5), hidden(0.0, 0.0)
CASES = {
    "no room": (arm(0.99), arm(0.99), KNOWS, "labels alone reach 0.990"),
    "neither arm learns": (arm(0.51, left=None), arm(0.5, left=None), MISSED, "(0.500)"),
    "nothing to learn": (arm(0.8), arm(0.8), SILENT, "nothing to teach"),
    "nothing learned": (arm(0.8), arm(0.8), MISSED, "missed what a linear map"),
    "little learned": (arm(0.8), arm(0.8), LITTLE, "less than half of what a linear map"),
    "too few labels": (arm(0.8, 0.99), arm(0.8, 0.99), KNOWS, "labels alone answer 0.990 of the training"),
    "labels see it": (arm(0.85), arm(0.85), KNOWS, "reach 75 % after 100 of 3,000 steps in every run"),
    "of no use to labels": (arm(0.7, left=None), arm(0.7, left=None), KNOWS, "not what these labels need"),
}


@pytest.mark.parametrize("cause", CASES)
def test_a_gain_near_0_has_a_cause_that_is_said(cause):
    labels, spt, losses, words = CASES[cause]
    values = explained(DATA, around(0.0), labels, spt, losses, LINES, TRAIN)
    assert (values.size, values.cause) == ("near 0", cause)
    lines = summary("mine", values).splitlines()
    assert lines[0] == f"mine: NO GAIN: {values.advice}"
    assert lines[1] == "how sure: the gain is 0 points, 95% interval -1.0 to +1.0, over 5 seeds"
    assert lines[3].startswith("because ") and words in lines[3]
    flagged = (
        "reconstruction learned nothing beyond the frequencies of tokens: 2 nats per hidden token" in lines[4]
    )
    assert flagged == (losses in (MISSED, SILENT))
    assert TrainedDiagnosis.from_json(plain(values)) == values


def test_what_pays_has_no_cause_and_what_is_not_settled_asks_for_seeds():
    pays = explained(DATA, around(0.2), arm(0.7), arm(0.9), KNOWS, LINES, TRAIN)
    assert (pays.size, pays.cause) == ("pays", None) and "sptlab export" in pays.advice
    wide = explained(DATA, around(0.01, 0.09, 3), arm(0.7), arm(0.7), KNOWS, LINES, TRAIN)
    assert wide.advice == f"train more seeds before you decide: {TRAIN} --seeds 50"
    assert size_of(Interval(0.0, None, None, n=1), LINES) == "not settled"
    assert seeds_needed(Interval(0.0, None, None, n=1), LINES) == 5
    assert size_of(around(-0.1), LINES) == "costs"


def test_arms_are_paired_by_seed_and_settings(tmp_path):
    stored(tmp_path, "alone", (LABELS,), 0.9, test_accuracy=0.5)
    stored(tmp_path, "spt", (HIDDEN, LABELS), 0.7, test_accuracy=0.75)
    stored(tmp_path, "frozen", (HIDDEN, dataclasses.replace(LABELS, freeze=("qk",))), 0.99)
    stored(tmp_path, "reset", (HIDDEN, dataclasses.replace(LABELS, reset=("qk",))), 0.99)
    stored(tmp_path, "both", (Phase("both", 10, FAST),), 0.99)
    pair = paired(stored_runs(tmp_path), TRAIN)
    assert [run.name for run in (*pair.labels, *pair.spt)] == ["alone", "spt"]
    assert pair.gain.estimate == pytest.approx(0.25) and pair.gain.low is None
    message = "got 1 on labels alone and 0 with pretraining; train them: sptlab train run"
    with pytest.raises(UserError, match=re.escape(message)):
        paired([run for run in stored_runs(tmp_path) if run.name in ("alone", "both")], TRAIN)

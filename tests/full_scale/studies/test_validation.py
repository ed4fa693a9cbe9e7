"""The validation study: predictions come first, thresholds from one half, and earlier verdicts are kept."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from full_scale.data.dataset import Split
from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.diagnose import Diagnosis
from full_scale.diagnosis.result import Explained
from full_scale.diagnosis.verdict import judged
from full_scale.model import ModelConfig
from full_scale.stored import STORED
from full_scale.studies.validation import agreement, arms, tasks
from full_scale.studies.validation import predicted_and_measured as validation
from full_scale.training import trial
from full_scale.training.runner import TrainedRun
from sims.runs import store
from sims.statistics.intervals import Interval
from tests.full_scale.diagnosis.diagnosed import FLOORS, fits
from tests.stored_examples import completed

NUMBERS = dict.fromkeys(
    ("snr_label_expressible", "snr_reconstruction_expressible"), completed(Interval, {"estimate": 0.1})
)


def study_row(name, predicted, measured, half, accuracy=0.9):
    interval = lambda gain: Interval(gain, gain - 0.01, gain + 0.01)
    row = {
        "task": name, "half": half, "verdict": "no need", "predicted_gain": interval(predicted),
        "right": "pretrain first" if measured >= 0.04 else "no need", "measured_gain": interval(measured),
        "sequences": 5_000, "floors": FLOORS,
        "evidence": fits(accuracy - predicted, accuracy, accuracy - predicted),
    }  # fmt: skip
    return agreement.Row.from_json(completed(agreement.Row, row))


def test_thresholds_come_from_one_half_and_are_scored_on_the_other():
    rows = [study_row(str(gain), gain, gain - 0.03, "choose") for gain in (0.0, 0.05, 0.1, 0.3)]
    rows += [study_row(f"test {gain}", gain, gain - 0.03, "test") for gain in (0.01, 0.05, 0.35)]
    found = agreement.summary(rows)
    assert found.thresholds["gain"] == 0.06
    assert found.right["choose"].estimate == found.right["test"].estimate == 1
    assert found.spearman.estimate == pytest.approx(1)
    wrong = agreement.summary([*rows, study_row("miss", 0.3, 0.0, "test")])
    assert wrong.misses == ("miss",)
    assert wrong.thresholds == found.thresholds
    assert "MISS" in agreement.table(agreement.Values(**vars(wrong), missing={}, config={}))


@pytest.mark.parametrize(
    ("gain", "reached", "right"),
    [
        (0.3, (0.6, 0.9), "pretrain first"),
        (0.0, (0.9, 0.9), "no need"),
        (0.0, (0.52, 0.52), "neither sees anything"),
    ],
)
def test_what_training_bears_out(gain, reached, right):
    both = dict(zip(arms.ARMS, reached, strict=True))
    assert agreement.truth(Interval(gain, gain - 0.02, gain + 0.02), both, 0.5) == right


def test_a_task_whose_miss_changed_the_diagnosis_tests_nothing_and_fresh_tasks_were_never_trained():
    first = {row["task"] for row in store.load(STORED, "validation_first").values["rows"]}
    halves = {name: validation.in_half(name) for name in tasks.tasks(tasks.Files())}
    fresh = {name for name, half in halves.items() if half == "fresh"}
    assert halves["mirror-image"] == "choose"
    assert len(fresh) >= 6 and not fresh & first


def test_an_earlier_study_is_taken_over_and_its_verdicts_stand_beside_the_new_ones():
    before = agreement.earlier(STORED / "validation_first.json")
    found = before["mirror-image"]
    assert found.before.verdict == "neither sees anything" and found.before.half == "test"
    values = {
        "verdict": {"kind": "pretrain first", "gain": {"estimate": 0.2}}, "floors": FLOORS,
        "data": {"sizes": {"train": 4_000}}, "fits": fits(0.5, 0.7, 0.5), "numbers": NUMBERS,
    }  # fmt: skip
    prediction = Explained.from_json(completed(Explained, values))
    row = agreement.row("mirror-image", prediction, {}, found, "choose")
    assert row.right == row.verdict == "pretrain first"
    assert row.measured_gain == found.measured_gain and row.before == found.before


def test_backwards_shows_every_window_in_both_directions():
    real = np.arange(12).reshape(3, 4)
    split = Split(np.concatenate([real, real + 100]), np.repeat(np.array([1, 0], np.int32), 3))
    found = tasks.both_ways(split)
    np.testing.assert_array_equal(found.tokens[found.labels == 1], real)
    np.testing.assert_array_equal(found.tokens[found.labels == 0], real[:, ::-1])


@pytest.mark.parametrize("n", [4, 12])
def test_rank_correlations_are_spearmans_also_with_ties(n):
    pairs = np.random.default_rng(0).integers(0, 5, (20, n, 2)).astype(float)
    expected = [stats.spearmanr(*each.T).statistic for each in pairs]
    np.testing.assert_allclose(agreement.rank_correlations(pairs), expected, atol=1e-12)


def test_both_arms_of_the_study_take_equal_steps():
    config, task = arms.TrainingConfig(), tasks.Digits()
    labels, spt = (arms.trial(config, ModelConfig(), task, arm, 1e-2, 0) for arm in arms.ARMS)
    assert labels.steps == spt.steps == config.steps
    assert [phase.objective for phase in spt.phases] == ["reconstruction", "labels"]
    assert spt.phases[0].steps == 2 * spt.phases[1].steps


@pytest.mark.heavy
def test_predictions_are_stored_before_anything_is_trained_and_not_made_again(tmp_path, monkeypatch):
    made, folder = [], tmp_path / "validation"

    def predicted(dataset, model, config, **_):
        made.append(dataset.name)
        evidence = fits(0.5, 0.9, 0.5)
        found = judged(evidence, 1_257, FLOORS, Thresholds(), "")
        values = {"floors": FLOORS, "verdict": found, "data": dataset.describe(), "fits": evidence}
        return Diagnosis(Explained.from_json(completed(Explained, values | {"numbers": NUMBERS})), {})

    def trained(configs, *_, **__):
        assert (folder / "predictions" / "digits.json").exists()
        gained = lambda config: 0.5 + 0.3 * (len(config.phases) == 2)
        names = ("train_accuracy", "validation_accuracy", "test_accuracy")
        values = lambda each: completed(trial.Values, dict.fromkeys(names, gained(each)))
        return [TrainedRun(trial.Values.from_json(values(each)), {}) for each in configs]

    monkeypatch.setattr(validation, "diagnose", predicted)
    monkeypatch.setattr(arms, "run_all", trained)
    config = dataclasses.replace(validation.ValidationConfig.smoke(), names=("digits", "mnist-7x7"))
    for _ in range(2):
        found = validation.run(config, folder)
    assert made == ["digits"]
    (row,) = found.values["rows"]
    assert row["verdict"] == row["right"] == "pretrain first"
    assert row["measured_gain"]["estimate"] == pytest.approx(0.3)
    assert "expected" in found.values["missing"]["mnist-7x7"]
    assert "digits" in agreement.table(agreement.Values.from_json(found.values))

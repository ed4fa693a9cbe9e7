"""The pilot: what it measures, when it stops, what it concludes, and what it costs."""

import dataclasses

import jax
import numpy as np
import pytest

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.data.splits import for_pretraining, with_fewer_labels
from full_scale.devices.precision import single_precision
from full_scale.diagnosis import DiagnosisConfig, PilotConfig, Thresholds, diagnose
from full_scale.diagnosis.held_out import Answers
from full_scale.diagnosis.pilot import fewer_labels, runs, sequential
from full_scale.diagnosis.pilot.gain import measured_gain
from full_scale.diagnosis.pilot.neighbours import nats_saved
from full_scale.diagnosis.pilot.remedies import Remedy, cheapest
from full_scale.diagnosis.pilot.runs import Plan, Trained
from full_scale.diagnosis.pilot.sequential import Pilot, cost_share, piloted
from full_scale.diagnosis.pilot.verdict import judged_by_pilot
from full_scale.diagnosis.report import summary
from full_scale.diagnosis.result import read
from full_scale.model import ModelConfig, Transformer
from full_scale.objectives.batch_loss import Data
from paper_figs.report import diagnosis_page as page
from sims.runs.store import Result, UserError, plain
from sims.statistics.intervals import Interval

ROWS = 400
TELLS, SILENT = Interval(0.2, 0.1, 0.3), Interval(-0.01, -0.02, 0.0)


def right(share, seeds=2, rows=ROWS, seed=0):
    return np.random.default_rng(seed).random((seeds, rows)) < share


def pilot(labels, spt, half=0.01):
    gain = Interval(spt - labels, spt - labels - half, spt - labels + half, n=2)
    accuracy = {"labels": (labels,) * 2, "spt": (spt,) * 2}
    return Pilot(gain, accuracy, 900, 32, {"labels": 0.02, "spt": 0.02}, stopped=True, cost=0.4)


def answers(pairs=0.5, linear=0.5):
    labels = np.arange(2000) % 2
    known = {"constant": np.arange(2000) < 1000}
    known |= {name: np.arange(2000) < 2000 * share for name, share in (("pairs", pairs), ("linear", linear))}
    return Answers(labels, {}, known)


def dataset(tokens, symbols=5):
    """Parts of the same tokens, labels by turns."""
    labels = (np.arange(len(tokens)) % 2).astype(np.int32)
    part = Split(tokens, labels)
    inputs = Inputs(tokens.shape[1], classes=2, symbols=symbols)
    return Dataset("mine", part, part, part, inputs, source="made here")


CASES = {
    "pretraining leads": (pilot(0.6, 0.8), answers(0.8), TELLS, "pretrain first"),
    "labels lead": (pilot(0.7, 0.6), answers(0.7), TELLS, "no need"),
    "equal": (pilot(0.7, 0.7), answers(0.7), TELLS, "no need"),
    "no gain seen, and a large one ruled out": (pilot(0.7, 0.7, half=0.05), answers(0.7), TELLS, "no need"),
    "equal, as far as so few rows tell": (pilot(0.7, 0.7, half=0.09), answers(0.7), TELLS, "undecided"),
    "a gain seen that may be none": (pilot(0.7, 0.73, half=0.02), answers(0.7), TELLS, "undecided"),
    "labels lead, and pairs tell more, but not much more than a linear map": (
        pilot(0.8, 0.7),
        answers(1.0, 0.8),
        TELLS,
        "no need",
    ),
    "labels lead, and pairs tell much more than anything": (
        pilot(0.7, 0.6),
        answers(1.0),
        TELLS,
        "pretrain first",
    ),
    "the same, and tokens tell nothing of each other": (pilot(0.7, 0.6), answers(1.0), SILENT, "no need"),
    "blind, and pairs tell": (pilot(0.5, 0.5), answers(1.0), TELLS, "pretrain first"),
    "blind, pairs tell, tokens do not": (pilot(0.5, 0.5), answers(1.0), SILENT, "undecided"),
    "blind, and a linear map tells": (pilot(0.5, 0.5), answers(0.6, 0.9), TELLS, "no need"),
    "nothing tells": (pilot(0.5, 0.5), answers(), TELLS, "neither sees anything"),
}


@pytest.mark.parametrize(("found", "known", "neighbours", "kind"), CASES.values(), ids=CASES)
def test_the_verdict_is_the_pilots_where_it_saw_something_and_the_baselines_else(
    found, known, neighbours, kind
):
    verdict = judged_by_pilot(found, known, neighbours, Thresholds(), "sptlab train run")
    assert verdict.kind == kind
    if kind == "pretrain first":
        assert verdict.gain.low > 0


def test_pretrain_first_names_the_commands_that_end_in_a_file():
    command = "sptlab train run --task own --data mine.npz --grid arms"
    verdict = judged_by_pilot(pilot(0.6, 0.8), answers(0.8), TELLS, Thresholds(), command)
    assert f"{command}; then" in verdict.advice
    assert verdict.advice.endswith("safetensors by: sptlab export report --task own --out encoder")


def test_data_that_cannot_answer_are_undecided_whatever_the_pilot_measured():
    verdict = judged_by_pilot(pilot(0.6, 0.8), answers(), TELLS, Thresholds(), "", ["two rows tell nothing"])
    assert verdict.kind == "undecided" and verdict.reasons[0] == "two rows tell nothing"


def test_the_gains_interval_holds_the_truth_as_often_as_it_says():
    draw, held = np.random.default_rng(0), 0
    for _ in range(300):
        shares = 0.5 + 0.01 * draw.standard_normal(3), 0.55 + 0.01 * draw.standard_normal(3)
        labels, spt = (draw.random((3, 4 * ROWS)) < each[:, None] for each in shares)
        interval = measured_gain(labels, spt)
        held += interval.low <= 0.05 <= interval.high
    assert held >= 0.93 * 300


def test_an_arm_counts_by_its_best_run_and_runs_left_behind_widen_its_own_end_only():
    good, bad = right(0.9, 1), right(0.6, 1, seed=1)
    alike = measured_gain(np.concatenate([good, good]), right(0.5, 2, seed=2))
    behind = measured_gain(np.concatenate([good, bad]), right(0.5, 2, seed=2))
    assert behind.estimate == alike.estimate < -0.3
    assert behind.high == alike.high and behind.low < alike.low - 0.1


def test_of_equal_runs_none_looks_better_than_it_is():
    gains = [
        measured_gain(right(0.5, 1, seed=2 * i), right(0.5, 9, seed=2 * i + 1)).estimate for i in range(200)
    ]
    assert abs(np.mean(gains)) < 5.5 * np.std(gains) / np.sqrt(200)
    assert (
        np.mean([right(0.5, 9, seed=i).mean(axis=1).max() for i in range(20)]) > 0.53
    )  # which is not nothing


def test_it_stops_where_the_arms_are_apart_and_goes_on_at_each_arms_best_rate_where_they_are_not(monkeypatch):
    looked, shares = [], {}

    def run(arm, dataset, model, plan, seed, rate, **more):
        looked.append((arm, seed, rate))
        worse = 0.2 * (rate == (plan.rates[0] if arm == "spt" else plan.rates[1]))
        some = right(shares[arm] - worse, 1, seed=len(looked))[0]
        return Trained(arm, seed, rate, float(some.mean()), some)

    monkeypatch.setattr(sequential, "run", run)
    small, config = dataset(np.zeros((30, 6), np.int64)), DiagnosisConfig(pilot=PilotConfig(seeds=2))
    for spt, looks in ((0.9, 1), (0.6, 2)):
        shares.update(labels=0.5, spt=spt)
        looked.clear()
        found, _ = piloted(small, ModelConfig(), config, 0)
        assert (found.runs, found.stopped, len(looked)) == (looks + 1, looks == 1, 2 * looks + 2)
        slow, fast = Plan.of(config.pilot, ModelConfig(), 6).rates
        assert found.rates == {"labels": slow, "spt": fast}
        assert looked[4:] == [("labels", 1, slow), ("spt", 1, fast)][: 2 * looks - 2]
    assert piloted(small, ModelConfig(), DiagnosisConfig(), 0)[0].runs == 2  # so short, it looks once


@pytest.mark.parametrize(
    ("gain", "is_open"), [((-0.01, -0.05, 0.05), False), ((0.03, -0.01, 0.07), True), ((0.0, -0.09, 0.09), True)]
)  # fmt: skip
def test_a_large_gain_ruled_out_is_an_answer_where_none_was_seen(gain, is_open):
    assert sequential._is_open(Interval(*gain), Thresholds()) is is_open


@pytest.mark.parametrize(
    ("length", "most"), [(16, 0.47), (63, 0.47), (64, 0.7), (255, 0.7), (256, 0.35), (4096, 0.35)]
)
def test_its_steps_and_sequences_stay_below_training_both_arms_and_half_of_it_from_256_tokens(length, most):
    assert cost_share(PilotConfig(), ModelConfig(), length) == pytest.approx(most, rel=0.05)
    plan = Plan.of(PilotConfig(), ModelConfig(), length)
    assert plan.steps == 2 * plan.last and plan.last % plan.per_call == 0


def test_neighbours_tell_nats_where_tokens_follow_each_other_and_none_where_they_do_not():
    draw = np.random.default_rng(0)
    follow = dataset((draw.integers(0, 5, (300, 1)) + np.arange(12)) % 5)
    assert nats_saved(follow).low > 1
    assert nats_saved(dataset(draw.integers(0, 5, (300, 12)))).estimate < 0.03


def test_neighbours_of_values_and_of_padding_are_counted():
    draw = np.random.default_rng(0)
    tokens = np.cumsum(draw.standard_normal((200, 12)), axis=1).astype(np.float32)
    walk = dataset(tokens, None)
    assert nats_saved(walk).low > 0.1
    short = Split(tokens, walk.train.labels, np.full(200, 1, np.int32))
    assert nats_saved(dataclasses.replace(walk, train=short, validation=short, test=short)).estimate == 0


@pytest.mark.heavy
def test_a_diagnosis_without_fits_trains_stores_and_shows_a_pilot(tmp_path):
    draw = np.random.default_rng(0)
    small = dataset(draw.integers(0, 5, (60, 6)))
    config = DiagnosisConfig(pilot=PilotConfig(seeds=1, steps=4, batch=4))
    model, done = ModelConfig(width=8, heads=2, hidden=8), []
    given = dict(key=jax.random.key(0), folder=tmp_path, report=lambda *steps: done.append(steps))
    found = diagnose(small, model, config, **given)
    assert done[-1] == (16, 16)
    again = diagnose(small, model, config, **given | {"report": None})
    assert again.values == found.values == read(plain(found.values))
    assert found.values.fits == () and found.values.pilot.steps == 4
    said = summary("mine", found.values)
    assert "accuracy in the pilot" in said and "4 optimiser steps teach the model nothing" in said
    shown = page.render(Result("mine", plain(found.values), found.arrays, {}))
    assert "Both arms, trained small" in shown and "What each loss sees" not in shown


def remedy(name, low):
    return Remedy(name, Interval(low + 0.05, low, low + 0.1), (0.6,))


def test_the_cheapest_remedy_whose_whole_interval_lies_above_the_line_is_named():
    tried = (remedy("mimetic", -0.02), remedy("rope", 0.1), remedy("joint", 0.3))
    assert cheapest(tried, Interval(0.4, 0.35, 0.45), 0.02) == "rope"
    assert cheapest(tried[:1], Interval(0.4, 0.35, 0.45), 0.02) == "spt"
    blocks = remedy("blocks", 0.4)
    assert cheapest((blocks,), Interval(0.4, 0.35, 0.45), 0.02) == "spt"
    assert cheapest((blocks,), Interval(0.0, -0.05, 0.05), 0.02) == "blocks"
    assert cheapest(tried[:1], Interval(0.03, -0.01, 0.07), 0.02) is None


def test_with_fewer_labels_both_arms_are_judged_on_the_same_rows_and_pretraining_reads_all(monkeypatch):
    trained_on = []

    def run(arm, small, *given, **more):
        trained_on.append((arm, len(small.train), 0 if small.unlabelled is None else len(small.unlabelled)))
        share = 0.5 + 0.3 * (arm == "spt" or small.unlabelled is None)
        some = right(share, 1, seed=len(trained_on))[0]
        return Trained(arm, 0, 0.02, float(some.mean()), some)

    for module in (sequential, fewer_labels):
        monkeypatch.setattr(module, "run", run)
    small = dataset(np.zeros((40, 6), np.int64))
    config = DiagnosisConfig(pilot=PilotConfig(seeds=2, label_shares=(0.5, 0.25)))
    found, _ = piloted(small, ModelConfig(), config, 0)
    order = [arm for arm, *_ in trained_on[:6]]
    assert trained_on[6:] == [(arm, rows, 40 - rows) for rows in (10, 20) for arm in order]
    assert [(each.share, each.labelled) for each in found.fewer_labels] == [(0.25, 10), (0.5, 20), (1.0, 40)]
    quarter, whole = found.fewer_labels[0], found.fewer_labels[-1]
    assert quarter.gain.low > 0.15 > abs(quarter.beside_all.estimate) and whole.gain == found.gain
    assert found.cost == pytest.approx(18 * 700 * 25 / (2 * 1500 * 50))
    said = fewer_labels.sentence(found.fewer_labels)
    assert "with 25% of the labels (10) pretraining first reaches" in said and "all 40 (" in said
    assert Pilot.from_json(plain(found)) == found


def test_labels_are_taken_away_class_by_class_and_fewer_lie_within_more():
    part = Split(np.arange(60).reshape(30, 2), np.repeat([0, 1, 2], [20, 9, 1]).astype(np.int32))
    whole = Dataset("mine", part, part, part, Inputs(2, 3, symbols=60), source="made here")
    half, quarter = (with_fewer_labels(whole, share) for share in (0.5, 0.25))
    assert np.bincount(half.train.labels).tolist() == [10, 4, 1]
    assert set(quarter.train.tokens[:, 0]) < set(half.train.tokens[:, 0])
    every = for_pretraining(quarter)
    assert len(every) == 30 and sorted(every.tokens[:, 0]) == list(range(0, 60, 2))
    assert len({each.sha256() for each in (whole, half, quarter)}) == 3


@pytest.mark.heavy
def test_pretraining_reads_what_has_no_label_and_labels_alone_do_not():
    small = dataset(np.random.default_rng(0).integers(0, 5, (40, 6)).astype(np.int32))
    more = dataclasses.replace(small, unlabelled=Split(small.train.tokens[::-1] * 0, -np.ones(40, np.int32)))
    plan, model = Plan(4, 4, (0.02,)), ModelConfig(width=8, heads=2, hidden=8)
    losses = {}
    with single_precision():
        for name, data in (("without", small), ("with", more)):
            pools = runs.Pools(Data.of(data.train), Data.of(for_pretraining(data)))
            for arm in ("labels", "spt"):
                phases = runs.phases(arm, plan, 0.02, False)
                start = Transformer(model, small.inputs, key=jax.random.key(0))
                end = runs.through(start, phases, pools, plan.batch, plan.per_call, jax.random.key(1))
                losses[name, arm] = np.asarray(end.token_head.weight), np.asarray(end.label_head.weight)
    same = lambda arm, at: np.array_equal(losses["with", arm][at], losses["without", arm][at])
    assert same("labels", 1) and not same("spt", 0)


@pytest.mark.heavy
def test_remedies_that_the_model_lacks_are_trained_on_the_rows_and_initialisations_of_labels_alone():
    small = dataset(np.random.default_rng(0).integers(0, 5, (40, 6)))
    model = ModelConfig(width=8, heads=2, hidden=8, positions="rope")
    config = DiagnosisConfig(pilot=PilotConfig(seeds=1, steps=4, batch=4, remedies=True))
    done = []
    with single_precision():
        found, _ = piloted(small, model, config, 0, done.append)
    assert [each.name for each in found.remedies] == ["mimetic", "alibi", "joint", "blocks"]
    assert sum(done) == (2 * 2 + 6) * 4
    assert Pilot.from_json(plain(found)) == found


def test_neither_pilot_nor_fits_is_refused_with_what_to_ask_for():
    with pytest.raises(UserError, match=r"needs a pilot or fits: .*; try fits=4"):
        DiagnosisConfig(fits=0, pilot=PilotConfig(seeds=0))

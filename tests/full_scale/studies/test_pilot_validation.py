"""The study pilot-validation: what its sets are, when a verdict is right, and that predictions came first."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.data.splits import for_pretraining
from full_scale.model import ModelConfig
from full_scale.stored import STORED
from full_scale.studies import pilot_validation as study
from full_scale.studies.pilot_validation import agreement, arms, predicted_and_measured, predictions, sets
from full_scale.studies.pilot_validation.sets import Sized, chosen
from full_scale.studies.validation.tasks import Files
from full_scale.tasks.drawn import RunDensity
from sims.runs import store
from sims.runs.cache import Session
from sims.runs.store import UserError
from sims.statistics.intervals import Interval

FIRST = predicted_and_measured._FIRST
REGISTERED = Path(study.__file__).parent / "registered"


def part(first, count):
    tokens = np.arange(first, first + count)[:, None] * np.ones((1, 3), np.int64)
    return Split(tokens, (np.arange(count) % 2).astype(np.int32))


WHOLE = Dataset("mine", part(0, 400), part(400, 100), part(500, 100), Inputs(3, 2, 700), "made here")


def rows_of(split):
    return set(split.tokens[:, 0].tolist())


def test_a_size_keeps_so_many_training_sequences_and_is_judged_on_what_is_left():
    small = Sized("splice", RunDensity(), 150)
    trained, asked = small.for_training(WHOLE), small.for_prediction(WHOLE)
    assert len(trained.train) == 150 and len(trained.test) == 100 + 250
    assert not rows_of(trained.train) & rows_of(trained.test)
    assert rows_of(asked.train) == rows_of(trained.train)
    assert len(asked.validation) == len(asked.test) == 32
    assert not rows_of(asked.test) & rows_of(asked.train)
    whole = Sized("splice", RunDensity())
    assert whole.for_training(WHOLE) is WHOLE and rows_of(whole.for_prediction(WHOLE).test) == rows_of(
        WHOLE.test
    )


def test_fewer_labels_pretrain_on_all_sequences_and_keep_what_is_held_out():
    few = Sized("splice", RunDensity(), 150, "labels")
    trained, asked = few.for_training(WHOLE), few.for_prediction(WHOLE)
    assert few.key == "splice@150-labels"
    assert len(trained.train) == 150 and len(for_pretraining(trained)) == 400
    assert rows_of(trained.test) == rows_of(WHOLE.test) == rows_of(asked.test)
    assert rows_of(asked.train) == rows_of(trained.train)


def test_a_depth_changes_the_model_alone():
    deep, usual = Sized("splice", RunDensity(), 4, "layers"), ModelConfig()
    assert deep.key == "splice@4-layers" and deep.for_training(WHOLE) is WHOLE
    assert deep.model(usual) == dataclasses.replace(usual, layers=4)
    assert Sized("splice", RunDensity(), 4).model(usual) is usual


def test_what_is_left_of_groups_is_no_test():
    assert len(Sized("watch", RunDensity(), 150).for_training(WHOLE).test) == 100


def test_lengths_stay_with_their_sequences():
    lengths = lambda split: dataclasses.replace(split, lengths=1 + split.tokens[:, 0] % 3)
    parts = {name: lengths(getattr(WHOLE, name)) for name in ("train", "validation", "test")}
    made = Sized("splice", RunDensity(), 150).for_training(dataclasses.replace(WHOLE, **parts))
    assert (made.test.lengths == 1 + made.test.tokens[:, 0] % 3).all()


def test_sets_are_named_with_their_size_and_others_refused(tmp_path):
    whole, small = chosen(("splice", "docs-order@500"), tmp_path, Files())
    assert (whole.key, whole.is_real, whole.is_fresh) == ("splice", True, True)
    assert (small.key, small.size, small.is_real, small.is_fresh) == ("docs-order@500", 500, False, False)
    for wrong in ("nothing", "splice@many", "splice@5-heads", "splice@-labels", "splice@", "splice@0"):
        with pytest.raises(UserError, match=r"expected sets among .*, with @SIZE, @SIZE-labels or"):
            chosen((wrong,), tmp_path, Files())


@pytest.mark.parametrize(
    ("verdict", "gain", "right"),
    [
        ("pretrain first", 0.03, True), ("pretrain first", 0.01, False), ("no need", 0.03, False),
        ("no need", -0.2, True), ("neither sees anything", 0.0, True), ("undecided", 0.01, True),
        ("undecided", 0.03, False), ("undecided", -0.03, False),
    ],
)  # fmt: skip
def test_a_verdict_is_right_where_training_bears_it_out(verdict, gain, right):
    assert agreement.is_right(verdict, gain) is right


def row(name, gain, predicted, *, real=True, seconds=2.0):
    around = lambda middle: Interval(middle, middle - 0.02, middle + 0.02, n=3)
    kinds = {
        "pilot": ("pretrain first" if predicted > 0.02 else "no need", around(predicted), seconds),
        "statistic": ("no need", around(0.1), 0.1),
        "constant": ("no need", Interval(0.0, None, None), 0.0),
    }
    by_method = {method: predictions.Prediction(*each) for method, each in kinds.items()}
    asked = predictions.Predictions(name, {"train": 9}, 8, {"constant": 0.5}, around(0.0), by_method)
    accuracy = {"labels": (0.5, 0.5), "spt": (0.5 + gain - 0.01, 0.5 + gain + 0.01)}
    came_to = arms.Measured(name, {"labels": 0.01, "spt": 0.01}, accuracy, {}, 100, 10.0)
    return agreement.row(asked, {"revision": "a", "dirty": False}, came_to, True, real)


def test_a_score_counts_sets_with_a_gain_and_without_apart():
    rows = [row("a", 0.1, 0.11), row("b", 0.1, 0.0), row("c", 0.0, 0.01), row("d", -0.01, -0.02, real=False)]
    found = agreement.score(rows, "pilot")
    assert (found.right.estimate, found.right_with_gain.estimate) == (0.75, 0.5)
    assert (found.right_without.estimate, found.right_without.n) == (1.0, 2)
    assert (found.covered.estimate, found.covered.n) == (0.75, 4)
    assert (found.rank.n, found.rank_real.n, found.cost) == (4, 3, 0.2)
    constant = agreement.score(rows, "constant")
    assert (constant.right_with_gain.estimate, constant.covered.n) == (0.0, 0)
    assert agreement.score(rows, "statistic").covered.n == 0  # it predicts something else than the gain


def test_a_folder_of_sets_that_is_not_there_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(UserError, match=r"expected a folder of data sets for --data: .*nowhere is none"):
        study.Config(data=tmp_path / "nowhere")
    assert study.Config(data=tmp_path).data == tmp_path


@pytest.mark.heavy
def test_predictions_are_stored_before_training_and_kept(tmp_path):
    session = Session(tmp_path, "sptlab study pilot-validation", 0)
    config = dataclasses.replace(study.Config.smoke(), names=("run-density-32@100", "splice"))
    found = study.stage(session, dataclasses.replace(config, train=False), lambda *_, **__: None)
    kept = (tmp_path / study.FOLDER / "predictions" / "run-density-32@100.json").read_bytes()
    assert found.values["untrained"] == ["run-density-32@100"] and "splice" in found.values["missing"]
    values = study.Values.from_json(study.stage(session, config, lambda *_, **__: None).values)
    assert (tmp_path / study.FOLDER / "predictions" / "run-density-32@100.json").read_bytes() == kept
    assert len(values.rows) == 1 and values.untrained == ()
    assert set(values.rows[0].measured.accuracy) == set(arms.ARMS)
    assert "run-density-32@100" in study.result_text(values)


@pytest.mark.parametrize("which", ["first", "second"])
def test_every_stored_row_was_predicted_by_clean_code_in_a_file_that_is_registered(which):
    stored = study.stored + "_first" * (which == "first")
    values = study.Values.from_json(store.load(STORED, stored).values)
    first = {each.predictions.set for each in study.Values.from_json(store.load(STORED, FIRST).values).rows}
    assert values.rows
    for each in values.rows:
        kept = store.load(REGISTERED / which, each.predictions.set)
        assert predictions.Predictions.from_json(kept.values) == each.predictions
        assert each.commit == kept.record["commit"] and each.commit["dirty"] is False
        chose = each.predictions.set.partition("@")[0] in sets.CHOSEN_ON
        assert each.fresh == (not chose and (which == "first" or each.predictions.set not in first))


def test_training_of_the_first_study_is_not_repeated_and_counts_apart():
    assert set(predicted_and_measured._first(study.Config())) == {
        each.predictions.set for each in study.Values.from_json(store.load(STORED, FIRST).values).rows
    }
    deeper = dataclasses.replace(study.Config(), model=ModelConfig(layers=2))
    assert predicted_and_measured._first(deeper) == {}

"""The study of the paper's tasks: sizes, arms, what is measured of them, and that a killed one goes on."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import sptlab
from full_scale.comparison import compare
from full_scale.data.dataset import Inputs
from full_scale.studies import grids, paper
from full_scale.studies.grids.variants import LABEL_ONLY, QK_ONLY_LONGER, SPT, SPT_LONGER, TWICE
from full_scale.studies.paper import Config, table
from full_scale.studies.paper.sizes import TIERS
from full_scale.tasks.digits import Digits
from full_scale.training import runner, trial
from full_scale.training.trial_config import TrialConfig
from sims.runs import store
from sims.runs.cache import Session
from sims.runs.store import Result, UserError
from sims.statistics.intervals import Interval
from tests.paper_figs.example_studies import paper_study
from tests.stored_examples import completed

TASKS = {"image", "pathfinder", "listops", "text"}
AMOS = {"image": (0.5, "l1"), "pathfinder": (0.5, "l2"), "listops": (0.10, "auto"), "text": (0.15, "auto")}


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_has_the_four_tasks_with_the_masks_of_amos(tier: int) -> None:
    sizes = TIERS[tier]
    assert {size.task for size in sizes} == TASKS
    assert {size.task: (size.masking.ratio, size.masking.loss) for size in sizes} == AMOS
    assert all(size.model.layers <= 4 and 32 <= size.model.width <= 64 for size in sizes)


def test_a_tier_holds_the_smaller_ones_in_their_order() -> None:
    assert [tier for tier, _ in Config(tier=2).sizes()] == [1] * 4 + [2] * 4


def test_with_few_labels_a_size_is_named_for_them_and_takes_the_place_of_the_whole() -> None:
    sizes = [size for _, size in Config(tasks=("image",), labelled=(500, 2_000)).sizes()]
    assert [size.name for size in sizes] == ["image 8x8, 500 labels", "image 8x8, 2,000 labels"]
    assert [size.data({"image": Path("x.npz")}, Path()).labelled_most for size in sizes] == [500, 2_000]
    values = paper.Values.from_json(paper_study().values)
    assert [table.labelled for table in values.sizes.values()] == [None, None, 500, 2_000]
    with pytest.raises(UserError, match="labelled must be at least 2: got 1"):
        Config(labelled=(500, 1))


def test_arms_are_chosen_by_name_and_an_unknown_one_is_refused() -> None:
    assert [arm.name for arm in table.variants(1, (2,), ("rope",))] == ["label_only", "spt", "rope"]
    every = {arm.name for arm in table.variants(1, (1, 2, 4))}
    assert {"label_only_twice", "label_only_decayed", "mimetic", "both", "depth_2", "depth_4"} <= every
    with pytest.raises(UserError, match=r"expected arms among qk_only, .*: got ropes"):
        table.variants(1, (2,), ("ropes",))
    with pytest.raises(UserError, match=r"expected arms among qk_only, .*: got ropes"):
        paper.stage(Session(Path("nowhere"), "", 0), Config(arms=("ropes",)), pytest.fail)


def trials() -> dict[str, TrialConfig]:
    size = TIERS[1][0]
    plan = Config(cifar=Path("x.npz")).plan(size, size.data({"image": Path("x.npz")}, Path()), 0)
    return {arm.name: plan.trial(arm, 0, 1e-3) for arm in plan.variants}


def test_all_arms_take_equal_steps_but_those_that_are_to_take_more() -> None:
    steps = {name: one.steps for name, one in trials().items()}
    assert steps.pop(TWICE.name) == 2 * steps[LABEL_ONLY.name]
    assert steps.pop(QK_ONLY_LONGER.name) == steps.pop(SPT_LONGER.name) > steps[SPT.name]
    assert set(steps.values()) == {steps[LABEL_ONLY.name]}


def test_more_decay_changes_the_decay_only() -> None:
    known = trials()
    plain, decayed = (known[name].phases[0] for name in ("label_only", "label_only_decayed"))
    assert decayed.optimizer.weight_decay == 0.1 > plain.optimizer.weight_decay
    assert dataclasses.replace(decayed, optimizer=plain.optimizer) == plain


def test_arms_that_are_not_tuned_take_labels_alones_rate_or_spts(monkeypatch) -> None:
    """At the higher rate labels alone do better here, SPT at the lower."""
    size = TIERS[1][0]
    plan = Config(rates=(1e-3, 1e-2)).plan(size, size.data({"image": Path("x.npz")}, Path()), 0)

    def judged(configs, *_, **__):
        rate = [one.phases[-1].optimizer.learning_rate for one in configs]
        better = [(r > 2e-3) == (len(one.phases) == 1) for r, one in zip(rate, configs, strict=True)]
        scores = [{"validation_accuracy": 0.9 if good else 0.1} for good in better]
        values = [trial.Values.from_json(completed(trial.Values, score)) for score in scores]
        return [runner.TrainedRun(each, {"training_loss": np.zeros(1)}) for each in values]

    monkeypatch.setattr(grids.tuning, "run_all", judged)
    rates, tried = grids.tuning.tuned_rates(plan, Path(), None, command="", jobs=1)
    assert {arm.name for arm in rates} == {arm.name for arm in plan.variants}
    assert {rate for arm, rate in rates.items() if arm.pretrained} == {1e-3}
    assert {rate for arm, rate in rates.items() if not arm.pretrained} == {1e-2}
    assert len(tried) == 4


def test_near_attention_is_1_for_uniform_attention_and_length_over_2_for_the_two_neighbours() -> None:
    length = 16
    inputs = Inputs(length, 2, symbols=5)
    assert table.near_attention(np.full((length, length), 1 / length), inputs) == pytest.approx(1)
    ring = np.eye(length, k=1) + np.eye(length, k=-1)
    inside = ring / ring.sum(axis=1, keepdims=True)
    assert table.near_attention(inside, inputs) == pytest.approx(length / 2, rel=0.1)
    assert table.near_attention(np.eye(length, k=3), inputs) == 0


def test_near_attention_of_an_image_counts_the_row_below_and_not_the_end_of_the_row_before() -> None:
    inputs = Inputs(16, 2, levels=256, grid=(4, 4))
    below = np.eye(16, k=4)
    assert table.near_attention(below, inputs) > 0
    wrapped = np.zeros((16, 16))
    wrapped[4, 3] = wrapped[8, 7] = 1.0  # neighbours in raster order, far apart in the image
    assert table.near_attention(wrapped, inputs) == 0


def test_a_run_has_left_its_plateau_at_the_first_evaluation_above_it_and_not_at_the_start() -> None:
    curves = {
        "steps": np.array([0, 100, 200, 300]),
        "spt_validation_accuracy": np.array([[0.9, 0.5, 0.56, 0.6], [0.5, 0.5, 0.54, 0.5]]),
    }
    values = paper.Values.from_json(paper_study().values).sizes["image 8x8"].grid
    scores = dataclasses.replace(values.arms["spt"].test_accuracy, per_seed=(0.7, 0.2))
    arms = {"spt": dataclasses.replace(values.arms["spt"], test_accuracy=scores)}
    left = table._left("spt", dataclasses.replace(values, floor={"constant": 0.5}, arms=arms), curves, 0.6)
    assert left.steps == (200, None)
    assert left.never_share.estimate == 0.5 == left.beats_floors_share.estimate


def test_missing_images_are_one_line_that_says_where_to_read_more(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["study", "paper", "--tasks", "image", "--out", "out", "--quiet"]
    for more, says in (
        (["--cifar", "none.npz"], "none.npz is not there"),
        ([], "see what it reads: sptlab data prepare image"),
    ):
        assert sptlab.main([*command, *more]) == 2
        error = capsys.readouterr().err.strip()
        assert "\n" not in error and says in error


def test_the_comparison_has_the_measured_gain_beside_the_one_that_was_predicted() -> None:
    rows = [row for row in compare.run({"paper": paper_study()})[0].by_task if row.result == "paper"]
    gains = {row.setting: row for row in rows if row.name == "gain" and row.task == "image"}
    assert gains["8x8, as diagnosed"].prediction_source == "diagnosis"
    assert gains["8x8"].transformer == gains["8x8, as diagnosed"].transformer
    assert {"snr_label", "snr_reconstruction", "gain", "prior_share"} <= {row.name for row in rows}
    assert "8x8, rope" in {row.setting for row in rows if row.name == "prior_share"}


def test_the_text_says_what_was_predicted_and_how_many_runs_stayed() -> None:
    text = paper.result_text(paper.Values.from_json(paper_study().values))
    assert "image 8x8: predicted" in text and "never left" in text


def test_a_call_keeps_what_earlier_calls_stored_of_other_sizes(tmp_path: Path, monkeypatch) -> None:
    session = Session(tmp_path, "sptlab study paper", 0)
    values = paper.Values.from_json(paper_study().values)
    made = {f"{size.task}": values.sizes["text 128"] for size in TIERS[1]}
    monkeypatch.setattr(paper, "predicted", lambda *_, **__: values.predictions["text 128"])
    monkeypatch.setattr(Config, "data", lambda *_: Digits())
    monkeypatch.setattr(
        table, "measured", lambda named, *_, **__: (made[named[0]], {"steps": np.arange(3.0)})
    )
    first = paper.stage(session, Config(tasks=("image", "listops")), lambda *_, **__: None)
    assert list(first.values["sizes"]) == ["image 8x8", "listops 64"] and first.values["complete"]
    second = paper.stage(session, Config(tasks=("text", "listops")), lambda *_, **__: None)
    assert set(second.values["sizes"]) == {"image 8x8", "listops 64", "text 128"}
    assert set(second.values["predictions"]) == set(second.values["sizes"])
    assert set(second.arrays) == {"image-8x8_steps", "listops-64_steps", "text-128_steps"}
    only = paper.stage(session, Config(predict=True), lambda *_, **__: None)
    assert only.name == "paper_predictions" and not only.values["sizes"]
    monkeypatch.setattr(paper, "predicted", lambda name, *_, **__: pytest.fail(f"{name} is predicted again"))
    paper.stage(session, Config(), lambda *_, **__: None)  # trains on what --predict stored


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "paper/trials").glob("*.npz"))}


@pytest.mark.slow
def test_a_killed_study_goes_on_to_the_same_result_and_keeps_its_predictions(
    tmp_path: Path, monkeypatch
) -> None:
    def study(out: str) -> Result:
        assert (
            sptlab.main(["study", "paper", "--preset", "smoke", "--quiet", "--out", str(tmp_path / out)]) == 0
        )
        return store.load(tmp_path / out / "results", "paper")

    monkeypatch.chdir(tmp_path)
    whole = study("whole")
    saved = runner.run_stored
    calls = []

    def killed(config, *rest):
        calls.append(config)
        if len(calls) == 6:
            raise KeyboardInterrupt
        saved(config, *rest)

    monkeypatch.setattr(runner, "run_stored", killed)
    sptlab.main(["study", "paper", "--preset", "smoke", "--quiet", "--out", str(tmp_path / "cut")])
    predictions = lambda: {
        path.name: path.read_bytes() for path in (tmp_path / "cut/paper/predictions").glob("*.json")
    }
    first = predictions()
    assert len(first) == 2 and not (tmp_path / "cut" / "results" / "paper.json").exists()
    monkeypatch.setattr(runner, "run_stored", saved)
    again = study("cut")
    without_place = lambda values: json.dumps(values, sort_keys=True)
    assert without_place(again.values["sizes"]) == without_place(whole.values["sizes"])
    assert predictions() == first
    assert sorted(files(tmp_path / "cut").values()) == sorted(files(tmp_path / "whole").values())


def test_intervals_of_predictions_are_read_back() -> None:
    made = paper.Values.from_json(paper_study().values).predictions["image 8x8"]
    assert isinstance(made.numbers["gain"], Interval)

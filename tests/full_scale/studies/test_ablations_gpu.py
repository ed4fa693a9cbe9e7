"""The study of one GPU, at toy size: calls go on from each other, and nothing too long is begun."""

import dataclasses

import jax
import numpy as np
import pytest

from full_scale.studies import ablations_gpu
from full_scale.studies.ablations_gpu import budget as gpu_budget
from full_scale.studies.ablations_gpu import table as gpu_table
from full_scale.studies.ablations_gpu.budget import Budget, RunStore
from full_scale.studies.ablations_gpu.tasks import STUDIED, reported
from full_scale.studies.ablations_gpu.units import RunValues
from full_scale.training import runner
from sims.runs import store
from sims.runs.store import Result, UserError
from tests.stored_examples import completed

KEY = jax.random.key(0)
SMOKE = ablations_gpu.Config.smoke()
TASK = SMOKE.units("smoke", key=KEY)


class OneByOne(Budget):
    """A budget of a given number of reports instead of seconds."""

    def __init__(self, reports: int) -> None:
        super().__init__(1e6)
        self.reports = reports

    def report_progress(self, label, accuracy) -> None:
        self.reports -= 1
        if self.reports <= 0:
            self.end = self.started


class Trainer:
    """In place of training: every step is counted, numbers follow from the config, a stopped run goes on."""

    def __init__(self) -> None:
        self.done: dict[str, int] = {}
        self.resumed = 0

    def __call__(self, config, folder, command, report) -> None:
        name, own = runner.name_of(config), config.phases[-1].steps
        if len(config.phases) > 1:
            assert runner.finished(config.prefix(1), folder)
        self.resumed += name in self.done
        while self.done.get(name, 0) < own:
            self.done[name] = self.done.get(name, 0) + config.per_call
            report(config.per_call, 0.5)
        score = int(runner.digest(config)[:4], 16) / 2**16
        accuracies = dict.fromkeys(("test_accuracy", "train_accuracy", "validation_accuracy"), score)
        values = completed(runner.trial.Values, accuracies)
        curve = np.linspace(0, score, 3)
        names = ("training_loss", "validation_accuracy", "proximity_index")
        record = {"commit": {}, "config_hash": "", **runner.expected(config)}
        store.save(folder, Result(name, values, dict.fromkeys(names, curve), record))


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Calls that end after 10 reports each, until nothing is left; and one call without an end."""
    patch, trainer = pytest.MonkeyPatch(), Trainer()
    patch.setattr(runner, "run_stored", trainer)
    patch.setattr(gpu_table, "attention_free_accuracies", lambda dataset: {"constant": dataset.chance})
    cut, whole = (RunStore(tmp_path_factory.mktemp(name)) for name in ("cut", "whole"))
    lefts = []
    while not lefts or lefts[-1]:
        assert not ablations_gpu.trained(TASK, cut, OneByOne(10), command="test")
        lefts.append(gpu_table.table(TASK, cut, {}).left)
    assert trainer.resumed
    patch.setattr(runner, "run_stored", Trainer())
    ablations_gpu.trained(TASK, whole, OneByOne(10**6), command="test")
    tables = [gpu_table.values([TASK], kept, Budget(1.0), {"smoke": {}}) for kept in (cut, whole)]
    patch.undo()
    return lefts, tables, cut


@pytest.mark.heavy
def test_a_call_that_was_cut_is_finished_by_the_next_to_the_same_numbers(calls) -> None:
    lefts, (cut, whole), _ = calls
    assert len(lefts) > 2 and lefts == sorted(lefts, reverse=True) and lefts[-1] == 0
    assert cut.complete and whole.complete
    for one, other in zip(cut.tasks["smoke"].runs, whole.tasks["smoke"].runs, strict=True):
        assert one.curve == other.curve
        assert one.test_accuracy == other.test_accuracy


@pytest.mark.heavy
def test_every_arm_is_in_the_table_with_its_cost_and_its_provenance(calls) -> None:
    table = calls[1][0].tasks["smoke"]
    expected = {"label_only", "spt", "qk_only", "no_qk", "alibi", "rope", "tied_qk", "tied_qkvo", "depth_2"}
    assert set(table.arms) == expected
    assert {len(each.seeds) for each in table.arms.values()} == {2}
    assert len({each.steps for each in table.arms.values()}) == 1
    assert {"qk_share", "prior_share", "depth_share", "fit_gap"} <= {
        name for name, _, _ in table.shares.named()
    }
    assert all(run.versions and run.device for run in table.runs)
    text = gpu_table.result_text(calls[1][0])
    assert "MFU" in text and "toy size" in text and "0 runs left" in text


@pytest.mark.heavy
def test_what_travels_is_small_since_models_go_once_nothing_needs_them(calls) -> None:
    kept = calls[2]
    assert not list(kept.trials.glob("*.npz"))
    assert sum(file.stat().st_size for file in kept.folder.rglob("*") if file.is_file()) < 400_000


def test_a_run_that_would_not_fit_is_not_begun() -> None:
    first = TASK.units({})[0]
    budget = Budget(60.0)
    assert budget.fits("smoke", first, first.steps, {})  # one too long for any call is begun first
    budget.clock(first)
    assert not budget.fits("smoke", first, 10**9, {})
    measured = {
        first.trial: RunValues.from_json(
            completed(RunValues, {"flops": 1.0, "steps": 1, "seconds_per_step": 1e9})
        )
    }
    assert not Budget(60.0).begun and budget.estimate("smoke", first, 1, measured) > 1e9


def test_the_plan_puts_what_chooses_rates_first_then_the_core_and_needs_no_data(
    monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(gpu_budget, "load", lambda task: (_ for _ in ()).throw(UserError("no data")))
    monkeypatch.setattr(gpu_table, "done_before", lambda task, kept: {})
    tasks = [ablations_gpu.Config().units(name, key=KEY) for name in ("image", "listops")]
    found = gpu_table.planned(tasks, RunStore(tmp_path), Budget(600.0))
    image = [line.run for line in found.plan if line.task == "image"]
    assert [run.split()[1] for run in image[:7]] == ["tuning"] * 3 + ["pretraining"] + ["tuning"] * 3
    assert image[7:12] == ["label_only arm", "spt pretraining", "spt arm", "qk_only arm", "no_qk arm"]
    assert {line.state for line in found.plan} == {"this call", "later"}
    assert "minutes estimated" in gpu_table.result_text(found)


def test_the_study_trains_in_half_precision_with_the_models_of_the_presets() -> None:
    for name, studied in STUDIED.items():
        assert studied.preset.model.precision == "bfloat16"
        assert name == "smoke" or studied.preset.model.copies == "independent"
    assert reported("image")["masked SPT"] == "74.22*" and reported("smoke") == {}
    with pytest.raises(UserError, match="expected tasks among"):
        ablations_gpu.Config(("imag",))
    with pytest.raises(UserError, match="minutes must be positive"):
        dataclasses.replace(SMOKE, minutes=0.0)

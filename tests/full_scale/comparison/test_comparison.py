"""Equal compute for both arms, honest summaries, and the stored study."""

from pathlib import Path

import jax
import pytest

import full_scale
from full_scale.studies import arm_comparison, tuning
from full_scale.studies.arm_comparison import Plan, summary, trial_seeds
from full_scale.studies.arms import ARMS, Budget, Settings, phases, trial
from full_scale.studies.experiments import EXPERIMENTS, DocsOrderArms
from full_scale.studies.settings import CHOSEN, chosen
from full_scale.studies.tuning.sweep import SweepConfig, SweepRow, best
from full_scale.training import trial as training
from full_scale.training.runner import TrainedRun
from sims.runs import store
from sims.runs.store import UserError
from tests.full_scale.training.small_runs import DATA, MODEL
from tests.stored_examples import completed

SETTINGS = Settings(1e-3, 0.1)
STORED = Path(full_scale.__file__).parent / "stored"


@pytest.mark.parametrize("steps", [150, 1500, 3000])
def test_both_arms_take_the_same_steps_batches_and_model(steps: int) -> None:
    budget = Budget(steps)
    runs = [trial(arm, SETTINGS, budget, task=DATA, model=MODEL, seed=0) for arm in ARMS]
    assert {run.steps for run in runs} == {steps}
    assert len({(run.batch, run.model, run.every) for run in runs}) == 1
    assert [phase.objective for phase in runs[1].phases] == ["reconstruction", "labels"]
    assert [phase.objective for phase in phases("label_only", SETTINGS, budget)] == ["labels"]


@pytest.mark.parametrize("steps", [0, 100, 175])
def test_steps_that_are_no_whole_evaluations_of_three_or_more_are_refused(steps: int) -> None:
    with pytest.raises(UserError, match=f"multiple of 50, at least 150: got {steps}; try "):
        Budget(steps)


def test_more_seeds_keep_the_earlier_ones() -> None:
    few, many = (trial_seeds(count, key=jax.random.key(0)) for count in (2, 5))
    assert many[:2] == few
    assert len(set(many)) == 5
    assert trial_seeds(2, key=jax.random.key(1)) != few


def test_the_adiabatic_runs_freeze_attention_and_the_arms_do_not() -> None:
    plan = Plan(DATA, MODEL, Budget(300), dict.fromkeys(ARMS, SETTINGS), (0,), (0,))
    assert all(phase.frozen_uniform for run in plan.adiabatic("labels") for phase in run.phases)
    assert not any(phase.frozen_uniform for arm in ARMS for run in plan.arm(arm) for phase in run.phases)
    assert len(plan.trials()) == 4


def test_neighbouring_runs_differ_in_their_program() -> None:
    plan = Plan(DATA, MODEL, Budget(300), dict.fromkeys(ARMS, SETTINGS), (0, 1), (0, 1, 2))
    kinds = lambda trials: [tuple((p.objective, p.frozen_uniform) for p in one.phases) for one in trials]
    everything = kinds(plan.trials())
    assert len(everything) == 10 and all(everything[n] != everything[n + 1] for n in range(0, 10, 2))
    assert kinds(plan.trials(("labels",)))[4:] == [(("labels", True),)] * 3


def test_a_comparison_fits_nothing_that_it_does_not_read(monkeypatch, tmp_path) -> None:
    asked = []
    monkeypatch.setattr(arm_comparison, "run_all", lambda trials, *_, **__: asked.extend(trials) or [])
    plan = Plan(DATA, MODEL, Budget(300), dict.fromkeys(ARMS, SETTINGS), (0,), (0,))
    with pytest.raises(ValueError, match="shorter"):  # no results come back
        arm_comparison.run(plan, tmp_path, command="test")
    assert asked == [*plan.arm("label_only"), *plan.arm("spt"), *plan.adiabatic("labels")]


def fake(plateau: int | None, accuracy: float) -> TrainedRun:
    values = {"plateau_steps": plateau} | dict.fromkeys(
        ("test_accuracy", "train_accuracy", "validation_accuracy"), accuracy
    )
    return TrainedRun(training.Values.from_json(completed(training.Values, values)), {})


def test_a_seed_that_never_leaves_counts_as_longest_not_as_missing() -> None:
    left = summary([fake(100, 0.9), fake(None, 0.5), fake(None, 0.5)], SETTINGS).plateau_steps
    assert left.median is None
    assert left.never_share.estimate == pytest.approx(2 / 3)
    assert summary([fake(100, 0.9), fake(300, 0.9), fake(None, 0.5)], SETTINGS).plateau_steps.median == 300


def test_the_sweep_judges_by_validation_accuracy_then_training_loss() -> None:
    row = lambda rate, accuracy, loss: SweepRow("spt", rate, 0.1, (accuracy,), (accuracy,), (loss,), (None,))
    assert best([row(1e-3, 0.6, 0.1), row(3e-3, 0.7, 0.9)]).learning_rate == 3e-3
    assert best([row(1e-3, 0.5, 0.69), row(3e-3, 0.5, 0.68)]).learning_rate == 3e-3


def test_both_arms_are_swept_over_the_same_grid_with_seeds_of_its_own() -> None:
    assert len(SweepConfig().grid()) == 10
    assert not set(SweepConfig().seeds) & set(trial_seeds(10, key=jax.random.key(0)))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_smoke_size_and_says_what_it_shows(name: str) -> None:
    experiment = EXPERIMENTS[name]
    assert experiment.Config.smoke().seeds < experiment.Config().seeds
    assert getattr(experiment.Config.smoke(), "jobs", 1) == 1
    assert experiment.description


def test_impossible_plans_are_refused_with_a_remedy() -> None:
    with pytest.raises(UserError, match="steps must be a multiple of 50, at least 150: got 170; try 150"):
        DocsOrderArms(steps=170)
    with pytest.raises(UserError, match="seeds must be at least 1: got 0; try 3"):
        DocsOrderArms(seeds=0)


def test_the_settings_in_use_are_the_stored_studys_best() -> None:
    assert tuning.chosen(tuning.Values.from_json(store.load(STORED, "study").values)) == CHOSEN
    assert chosen("docs-order", 5) == CHOSEN["docs-order", 2]


def test_the_stored_sweep_chose_by_its_own_rule() -> None:
    values = tuning.Values.from_json(store.load(STORED, "study").values)
    for part in [*values.depths.values(), values.digits]:
        for arm in ARMS:
            assert best([row for row in part.sweep if row.arm == arm]) == part.arms[arm].settings

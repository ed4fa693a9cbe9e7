"""Grids: equal steps, shares that can be undefined, rates chosen without test data, and one command."""

import jax
import numpy as np
import pytest

import sptlab
from full_scale.studies import ablations, grids
from full_scale.studies.grids import GridConfig, tuning
from full_scale.studies.grids.plan import GridPlan
from full_scale.studies.grids.shares import share, shares
from full_scale.studies.grids.variants import LABEL_ONLY, PRIORS, QK_ONLY, QK_ONLY_LONGER, SPT, Variant, grid
from full_scale.studies.presets import preset_named
from full_scale.tasks.order import DocsOrder
from full_scale.training import trial
from full_scale.training.runner import TrainedRun
from sims.runs.store import UserError
from tests.stored_examples import completed

KEY = jax.random.key(0)
PLAN = GridConfig("cpu", "all", seeds=2).plan(key=KEY)


@pytest.mark.parametrize("steps", [None, 600])
def test_every_arm_takes_the_same_steps(steps: int | None) -> None:
    plan = GridConfig("cpu", "all", seeds=1, steps=steps).plan(key=KEY)
    equal = [variant for variant in plan.variants if not variant.longer]
    assert {plan.trial(variant, 0).steps for variant in equal} == {steps or 3000}


def test_the_longer_arm_trains_its_labels_as_long_as_labels_alone_do() -> None:
    before, after = PLAN.trial(QK_ONLY_LONGER, 0).phases
    assert after.steps == PLAN.trial(LABEL_ONLY, 0).steps
    assert before == PLAN.trial(QK_ONLY, 0).phases[0]


def test_arms_that_pretrain_share_it_and_depth_and_priors_change_the_model_only() -> None:
    pretrained = [variant for variant in PLAN.variants if variant.pretrained]
    assert len({PLAN.trial(variant, 0).prefix(1) for variant in pretrained}) == 1
    base = PLAN.trial(LABEL_ONLY, 0)
    for variant in (*PRIORS, *(v for v in PLAN.variants if v.name.startswith("depth"))):
        other = PLAN.trial(variant, 0)
        assert other.phases == base.phases
        assert other.model != base.model


def test_labels_alone_run_at_their_own_tuned_settings() -> None:
    alone, spt = (PLAN.trial(variant, 0).phases[-1].optimizer for variant in (LABEL_ONLY, SPT))
    assert alone == preset_named("cpu").label_only
    assert spt == preset_named("cpu").labels.optimizer


def test_a_share_is_the_ratio_of_paired_gains() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (3, 8))
    label_only, spt = 0.5 + noise[0], 0.9 + noise[1]
    half = label_only + 0.5 * (spt - label_only) + 0.1 * noise[2]
    found = share(half, spt, label_only)
    assert found.low < 0.5 < found.high
    assert found.estimate == pytest.approx(0.5, abs=0.01)
    worse = share(label_only - 0.1 + noise[2], spt, label_only)
    assert worse.low < worse.estimate == pytest.approx(-0.25, abs=0.05)
    assert worse.high < 0


def test_a_share_of_no_gain_is_undefined_with_its_reason() -> None:
    flat = np.array([0.5, 0.51, 0.49])
    found = share(flat, flat[::-1].copy(), flat)
    assert found.estimate is None
    assert found.reason == "SPT's gain is not clearly above 0"
    assert share(flat[:1], flat[:1] + 0.4, flat[:1]).reason == "one seed: no interval"
    assert "undefined: SPT's gain" in found.text()


def test_every_named_share_of_the_theory_is_there() -> None:
    arms = grid("core", 1, (1, 2))
    rising = {v.name: np.array([0.5, 0.52, 0.51]) + 0.1 * n for n, v in enumerate(arms)}
    found = shares(rising, rising)
    assert {"qk_share", "prior_share", "depth_share", "fit_gap", "gain"} <= {
        name for name, _, _ in found.named()
    }
    assert set(found.prior_share) == {v.name for v in PRIORS}
    assert set(found.depth_share) == {"depth_2"}
    assert set(found.share) == {"no_qk", "qk_only_longer", "qk_embeddings_only"}


def fake_results(configs: list, *_, **__) -> list[TrainedRun]:
    """Accuracy falls with the distance of the rate from 3e-3; everything else is as a run stores it."""
    found = []
    for config in configs:
        rate = config.phases[-1].optimizer.learning_rate
        score = 0.9 - abs(np.log(rate / 3e-3)) / 10 + 0.01 * (config.seed % 7)
        names = ("test_accuracy", "train_accuracy", "validation_accuracy")
        values = {**dict.fromkeys(names, float(score)), "plateau_steps": None}
        curve = np.linspace(1, 0, 3)
        arrays = {"training_loss": curve, "validation_accuracy": curve, "steps": np.arange(3)}
        values = trial.Values.from_json(completed(trial.Values, values))
        found.append(TrainedRun(values, {**arrays, "proximity_index": np.ones((3, 1, 4))}))
    return found


def test_each_arm_gets_its_best_rate_and_transfer_takes_that_of_spt(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(tuning, "run_all", fake_results)
    plan = GridPlan(
        preset_named("cpu"), DocsOrder(), (LABEL_ONLY, SPT, QK_ONLY), (0,), 600, (1e-3, 3e-3, 1e-2)
    )
    rates, rows = tuning.tuned_rates(plan, tmp_path, None, command="test", jobs=1)
    assert set(rates.values()) == {3e-3} and set(rates) == {LABEL_ONLY, SPT, QK_ONLY}
    assert len(rows) == 6
    assert tuning.TUNING_SEED not in GridConfig(seeds=50).plan(key=KEY).seeds
    assert plan.trial(QK_ONLY, 0, 3e-3).prefix(1) == plan.trial(SPT, 0, 3e-3).prefix(1)


def test_a_grid_s_table_shows_floors_intervals_flops_and_shares(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(grids, "run_all", fake_results)
    monkeypatch.setattr(grids, "attention_free_accuracies", lambda dataset: {"constant": 0.5})
    values, arrays = grids.compute(
        GridConfig("smoke", "arms", seeds=2).plan(key=KEY), tmp_path, command="test"
    )
    text = grids.result_text(values)
    assert [line.split()[0] for line in text.splitlines()[4:7]] == ["label_only", "spt", "both"]
    assert "constant 0.500" in text and "FLOPs" in text and "fit_gap" in text
    assert arrays["spt_proximity_index"].shape == (2, 3)
    assert values.arms["both"].flops > values.arms["label_only"].flops


def test_the_command_line_understands_a_grid_without_the_word_run() -> None:
    command = sptlab.parse(["train", "--grid", "transfer", "--seeds", "3"])
    assert command.name == "run"
    assert command.config == GridConfig(grid="transfer", seeds=3)
    assert command.config.stored_as == "transfer_cpu_docs-order"
    with pytest.raises(UserError, match="did you mean cpu"):
        GridConfig("cpuu").plan(key=KEY)


def test_the_study_of_two_cores_asks_every_question_on_every_task() -> None:
    config = ablations.Config()
    for name in ("docs-order", "shuffle-runs", "digits"):
        plan = ablations.plan(config, name, key=KEY)
        assert {"qk_only", "no_qk", "alibi", "rope", "depth_4"} <= {v.name for v in plan.variants}
        assert len(plan.seeds) == 5
        assert plan.preset.label_only.warmup == plan.preset.labels.optimizer.warmup == 0.2
    with pytest.raises(UserError, match="expected tasks among"):
        ablations.Config(("digit",))


def test_a_variant_without_pretraining_trains_labels_for_all_steps() -> None:
    frozen = Variant("x", freeze=("qk",))
    (phase,) = PLAN.trial(frozen, 0).phases
    assert (phase.objective, phase.steps, phase.freeze) == ("labels", 3000, ("qk",))

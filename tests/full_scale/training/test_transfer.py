"""Transfer: phases that runs share are computed once, and what is reset, kept or frozen is what was asked."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from full_scale.devices.precision import single_precision
from full_scale.objectives.phases import Phase
from full_scale.studies.grids.variants import FROZEN, NO_QK, QK_ONLY, grid
from full_scale.tasks.task import load
from full_scale.training import models, runner, trial
from full_scale.training.runner import prefixes, run_all, sources
from full_scale.training.trial import TrialConfig, initial_model, stored_model
from tests.full_scale.training.small_runs import DATA, FAST, MODEL

BEFORE = Phase("reconstruction", 10, FAST)


def run_of(*labels: Phase) -> TrialConfig:
    return TrialConfig(DATA, MODEL, (BEFORE, *labels), 0, batch=4, every=5)


WHOLE = run_of(Phase("labels", 10, FAST))
SCORES = run_of(Phase("labels", 10, FAST, reset=QK_ONLY.reset))
FIXED = run_of(Phase("labels", 10, FAST, reset=QK_ONLY.reset, freeze=FROZEN[0].freeze))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    """The three runs, their pretraining computed once."""
    folder = tmp_path_factory.mktemp("shared")
    configs = [WHOLE, SCORES, FIXED]
    return folder, dict(zip(configs, run_all(configs, folder, command="test", jobs=1), strict=True))


@pytest.mark.heavy
def test_going_on_from_a_stored_prefix_is_bitwise_running_through(shared) -> None:
    with single_precision():
        values, arrays = trial.run(SCORES, load(DATA))
    stored = shared[1][SCORES]
    assert stored.values == values
    assert stored.arrays.keys() == arrays.keys()
    assert all(stored.arrays[name].tobytes() == arrays[name].tobytes() for name in arrays)


@pytest.mark.heavy
def test_shared_pretraining_is_one_run_of_its_own(shared) -> None:
    folder, _ = shared
    assert len(list(folder.glob("*.json"))) == 4
    assert runner.finished(WHOLE.prefix(1), folder)
    assert runner.stored_prefix(run_of(Phase("labels", 5, FAST)), folder) == WHOLE.prefix(1)


def test_every_run_comes_after_the_one_it_goes_on_from(tmp_path: Path) -> None:
    third = TrialConfig(DATA, MODEL, (*WHOLE.phases, Phase("labels", 5, FAST)), 0, batch=4, every=5)
    alone = TrialConfig(DATA, MODEL, WHOLE.phases, 1, batch=4, every=5)
    found = sources([third, alone, WHOLE, SCORES], tmp_path)
    order = list(found)
    assert found[third] == WHOLE and found[WHOLE] == WHOLE.prefix(1) and found[alone] is None
    assert all(source is None or order.index(source) < order.index(run) for run, source in found.items())
    assert prefixes(third) == [third.prefix(2), third.prefix(1)]


@pytest.mark.heavy
def test_reset_parts_are_new_draws_and_the_others_are_the_pretrained_ones(shared) -> None:
    _, results = shared
    dataset = load(DATA)
    with single_precision():
        begun = initial_model(FIXED, dataset)
        pretrained = stored_model(FIXED, dataset, results[FIXED].arrays, 1)
        end = stored_model(FIXED, dataset, results[FIXED].arrays)
        renewed = models.renewed(pretrained, FIXED, dataset, 1)
    weight = lambda model: model.blocks[0].attention.query.weight
    assert jnp.array_equal(weight(renewed), weight(pretrained))
    assert jnp.array_equal(weight(end), weight(pretrained))  # frozen, too
    assert not jnp.array_equal(weight(pretrained), weight(begun))
    for of in (lambda m: m.encoder.table, lambda m: m.blocks[0].attention.value.weight):
        assert not jnp.array_equal(of(renewed), of(pretrained))
        assert not jnp.array_equal(of(renewed), of(begun))


def test_the_arms_of_the_transfer_grid_part_the_model_between_them() -> None:
    assert set(QK_ONLY.reset) | set(NO_QK.reset) >= {"qk", "vo", "mlp", "norms", "embeddings", "head"}
    assert not set(QK_ONLY.reset) & set(NO_QK.reset)
    names = [variant.name for variant in grid("transfer", 2, (1, 2))]
    assert {"vo_only", "no_mlp", "qk_layer_0_only", "qk_layer_1_only", "spt_frozen"} <= set(names)
    assert len(set(names)) == len(names)
    layer = next(v for v in grid("transfer", 2, ()) if v.name == "qk_layer_0_only")
    assert "qk.1" in layer.reset and "qk" not in layer.reset


def test_progress_counts_shared_steps_once(tmp_path: Path, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(runner, "run_stored", lambda config, *_: jax.block_until_ready(0))
    monkeypatch.setattr(runner, "finished", lambda *_: False)
    monkeypatch.setattr(runner, "loaded", lambda *_: object.__new__(runner.TrainedRun))
    run_all([WHOLE, SCORES], tmp_path, command="test", report=lambda *at, **_: seen.append(at), jobs=1)
    assert seen[-1] == (30, 30)

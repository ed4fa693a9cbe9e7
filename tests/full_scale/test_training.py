"""Training: the schedule, bitwise resumption, what is recorded, and what stops it."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from full_scale.dataset import on_device
from full_scale.precision import single_precision
from full_scale.tasks import load
from full_scale.training import checkpoint, trial
from full_scale.training.train import OptimizerConfig, Phase, Schedule, accuracy, advance, begin
from full_scale.training.trial import plateau_steps, snapshot_slot, stored_model
from sims.store import UserError
from tests.full_scale.small_runs import DATA, FAST, MODEL, small_trial

CONFIG = small_trial()


@pytest.fixture(scope="module")
def finished():
    with single_precision():
        return trial.run(CONFIG, load(DATA))


class Killed(Exception):
    """Stands for a SIGKILL between two chunks."""


@pytest.mark.parametrize("after", [1, 4, 6])
def test_a_killed_run_goes_on_to_the_bitwise_same_result(
    finished, tmp_path: Path, monkeypatch, after: int
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    seen = []

    def kill(steps: int) -> None:
        seen.append(steps)
        if len(seen) == after + 1:  # the first report is of what was resumed
            raise Killed

    with single_precision():
        with pytest.raises(Killed):
            trial.run(CONFIG, load(DATA), checkpoint=tmp_path, report=kill)
        resumed = []
        values, arrays = trial.run(CONFIG, load(DATA), checkpoint=tmp_path, report=resumed.append)
    assert resumed[0] == after * CONFIG.every
    assert values == finished[0]
    for name, array in finished[1].items():
        assert array.tobytes() == arrays[name].tobytes(), name


def test_another_seed_gives_another_result(finished) -> None:
    with single_precision():
        _, arrays = trial.run(small_trial(seed=1), load(DATA))
    assert not np.array_equal(arrays["training_loss"], finished[1]["training_loss"], equal_nan=True)


def test_the_result_does_not_depend_on_the_default_precision(finished) -> None:
    with jax.enable_x64(False), single_precision():
        values, arrays = trial.run(CONFIG, load(DATA))
    assert values == finished[0]
    assert arrays["model_0"].tobytes() == finished[1]["model_0"].tobytes()


def test_the_schedule_is_optax_warm_up_and_cosine() -> None:
    phase = Phase("labels", 100, OptimizerConfig(learning_rate=0.3, warmup=0.2))
    expected = optax.warmup_cosine_decay_schedule(0.0, 0.3, 20, 100)
    with single_precision():
        ours = [float(Schedule.of(phase).rate(jnp.int32(step))) for step in range(0, 101, 5)]
        theirs = [float(expected(step)) for step in range(0, 101, 5)]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert max(ours) == pytest.approx(0.3)


def test_reconstruction_training_lowers_its_loss(finished) -> None:
    loss = finished[1]["training_loss"]
    assert loss[4] < loss[1] - 0.1


def test_frozen_attention_leaves_queries_and_keys_without_a_gradient() -> None:
    dataset = load(DATA)
    model = trial.initial_model(CONFIG, dataset)
    static = eqx.filter(model, eqx.is_array, inverse=True)
    phase = Phase("reconstruction", 10, OptimizerConfig(1e-2, 0.0, weight_decay=0.0), frozen_uniform=True)
    with single_precision():
        state, _ = advance(
            begin(model, phase), static, phase, *on_device(dataset.train)[::2], 4, 10, key=jax.random.key(0)
        )
    before, after = model.blocks[0].attention, state.model.blocks[0].attention
    assert jnp.array_equal(before.query.weight, after.query.weight)
    assert jnp.array_equal(before.key.weight, after.key.weight)
    assert not jnp.array_equal(before.value.weight, after.value.weight)


def test_the_stored_model_is_the_trained_one(finished) -> None:
    values, arrays = finished
    dataset = load(DATA)
    with single_precision():
        model = stored_model(CONFIG, dataset, arrays)
        assert float(accuracy(model, *on_device(dataset.test)[::2])) == values["test_accuracy"]
        initial = stored_model(CONFIG, dataset, arrays, 0)
        assert jnp.array_equal(
            initial.label_head.weight, trial.initial_model(CONFIG, dataset).label_head.weight
        )


def test_snapshots_are_evenly_spaced_and_the_last_is_the_end() -> None:
    slots = {row: snapshot_slot(CONFIG, row, 8) for row in range(1, 9)}
    assert slots == {1: None, 2: 1, 3: None, 4: 2, 5: None, 6: 3, 7: None, 8: 4}


def test_the_plateau_ends_at_the_first_evaluation_of_three_quarters() -> None:
    assert plateau_steps(np.array([0.5, 0.6, 0.75, 0.7]), 50) == 100
    assert plateau_steps(np.array([0.5, 0.6, 0.7499]), 50) is None


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step() -> None:
    wild = OptimizerConfig(learning_rate=1e30, warmup=0.0)
    config = trial.TrialConfig(DATA, MODEL, (Phase("labels", 20, wild),), 0, batch=4, every=5)
    with (
        single_precision(),
        pytest.raises(UserError, match=r"finite training loss: got (nan|inf) within steps \d+-\d+; lower"),
    ):
        trial.run(config, load(DATA))


def test_a_damaged_checkpoint_is_named_with_the_remedy(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    keeper = checkpoint.Checkpoints(tmp_path / "run")
    keeper.save(3, {"a": np.arange(4.0)})
    assert keeper.restore({"a": np.zeros(4)})[0] == 3
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            path.write_bytes(b"not a checkpoint")
    with pytest.raises(UserError, match="delete that folder"):
        keeper.restore({"a": np.zeros(4)})


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: OptimizerConfig(learning_rate=0.0), "learning rate must be positive: got 0.0; try 1e-3"),
        (lambda: OptimizerConfig(warmup=1.0), "warmup is a share"),
        (lambda: trial.TrialConfig(DATA, MODEL, (Phase("labels", 7, FAST),), 0, every=5), "try 5"),
    ],
)
def test_impossible_settings_are_refused_with_a_remedy(build, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        build()

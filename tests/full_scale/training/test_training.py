"""Training: schedules, bitwise resumption, what is recorded, and what stops it."""

import dataclasses
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from full_scale.data.dataset import Split
from full_scale.devices.precision import single_precision
from full_scale.objectives.batch_loss import Data
from full_scale.objectives.optimizers import OptimizerConfig, Schedule
from full_scale.objectives.phases import Phase
from full_scale.tasks.task import load
from full_scale.training import checkpoint, step, trial
from full_scale.training.step import accuracy, advance, begin
from full_scale.training.trial import RunPaths, TrialConfig, plateau_steps, stored_model
from sims.runs.store import UserError
from tests.full_scale.training.small_runs import DATA, FAST, MODEL, small_trial

CONFIG = small_trial()


@pytest.fixture(scope="module")
def finished():
    with single_precision():
        return trial.run(CONFIG, load(DATA))


@pytest.fixture
def saving(monkeypatch):
    """A checkpoint after every call."""
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoint, "MAX_SAVING_SHARE", float("inf"))


class Killed(Exception):
    """Stands for a SIGKILL between two calls."""


def killed_after(calls: int, config: TrialConfig, places: RunPaths) -> None:
    """Run until so many calls are done."""
    seen = []

    def kill(*_) -> None:
        seen.append(1)
        if len(seen) == calls + 1:  # the first report is of what was resumed
            raise Killed

    with single_precision(), pytest.raises(Killed):
        trial.run(config, load(DATA), paths=places, report=kill)


def same(one: tuple, other: tuple) -> None:
    """Bitwise the same values and arrays."""
    assert one[0] == other[0]
    assert one[1].keys() == other[1].keys()
    for name, array in one[1].items():
        assert array.tobytes() == other[1][name].tobytes(), name


@pytest.mark.heavy
def test_pretraining_also_reads_sequences_without_a_label_and_labels_do_not(finished) -> None:
    whole = load(DATA)
    constant = Split(np.zeros_like(whole.train.tokens), np.full(len(whole.train), -1, np.int32))
    with single_precision():
        values, arrays = trial.run(CONFIG, dataclasses.replace(whole, unlabelled=constant))
    before = finished[1]["pretraining"] & (finished[1]["steps"] > 0)
    loss = lambda of: of["training_loss"][before].mean()
    assert loss(arrays) < 0.9 * loss(finished[1])  # half of what is read is easy
    assert values.data.sha256 != finished[0].data.sha256
    labels = dataclasses.replace(CONFIG, phases=CONFIG.phases[1:])
    with single_precision():
        runs = [trial.run(labels, each) for each in (whole, dataclasses.replace(whole, unlabelled=constant))]
    assert runs[0][1]["model_0"].tobytes() == runs[1][1]["model_0"].tobytes()


@pytest.mark.heavy
@pytest.mark.parametrize("after", [1, 6])
def test_a_killed_run_goes_on_to_the_bitwise_same_result(
    finished, tmp_path: Path, saving, after: int
) -> None:
    places = RunPaths(tmp_path / "state", tmp_path / "run.jsonl")
    killed_after(after, CONFIG, places)
    resumed = []
    with single_precision():
        again = trial.run(CONFIG, load(DATA), paths=places, report=lambda steps, _: resumed.append(steps))
    assert resumed[0] == after * CONFIG.per_call
    same(again, finished)
    steps = [json.loads(line)["step"] for line in places.metrics.read_text().splitlines()]
    assert steps == list(range(0, CONFIG.steps + 1, CONFIG.every))


@pytest.mark.heavy
def test_a_run_killed_between_two_evaluations_goes_on_from_there(tmp_path: Path, saving, monkeypatch) -> None:
    monkeypatch.setattr(TrialConfig, "per_call", 4)
    phases = (Phase("reconstruction", 8, FAST), Phase("labels", 8, FAST, freeze=("qk",)))
    config = TrialConfig(DATA, MODEL, phases, 0, batch=4, every=8)
    with single_precision():
        expected = trial.run(config, load(DATA))
    for after in (1, 3):
        places = RunPaths(tmp_path / str(after))
        killed_after(after, config, places)
        with single_precision():
            same(trial.run(config, load(DATA), paths=places), expected)


def test_another_seed_gives_another_result(finished) -> None:
    with single_precision():
        _, arrays = trial.run(small_trial(seed=1), load(DATA))
    assert not np.array_equal(arrays["training_loss"], finished[1]["training_loss"], equal_nan=True)


def test_the_result_does_not_depend_on_the_default_precision(finished) -> None:
    with jax.enable_x64(False), single_precision():
        values, arrays = trial.run(CONFIG, load(DATA))
    assert values == finished[0]
    assert arrays["model_0"].tobytes() == finished[1]["model_0"].tobytes()


def rates(config: OptimizerConfig, steps: range) -> list[float]:
    with single_precision():
        return [float(Schedule.of(config, 100).rate(jnp.int32(step))) for step in steps]


def test_the_cosine_schedule_is_optax_warm_up_and_cosine() -> None:
    expected = optax.warmup_cosine_decay_schedule(0.0, 0.3, 20, 100)
    ours = rates(OptimizerConfig(learning_rate=0.3, warmup=0.2), range(0, 101, 5))
    with single_precision():
        theirs = [float(expected(step)) for step in range(0, 101, 5)]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert max(ours) == pytest.approx(0.3)


def test_the_constant_schedule_stays_at_its_peak_after_warming_up() -> None:
    found = rates(OptimizerConfig(0.3, warmup=0.2, schedule="constant"), range(0, 101, 10))
    np.testing.assert_allclose(found, [0, 0.15, *[0.3] * 9], atol=1e-6)


def test_clipping_bounds_the_global_norm_and_leaves_shorter_gradients() -> None:
    with single_precision():
        schedule = Schedule.of(OptimizerConfig(clip=1.0), 10)
        gradient = {"a": jnp.array([3.0, 0.0], jnp.float32), "b": jnp.array([4.0], jnp.float32)}
        assert float(optax.tree.norm(schedule.bounded(gradient))) == pytest.approx(1)
        small = jax.tree.map(lambda leaf: leaf / 10, gradient)
        assert float(optax.tree.norm(schedule.bounded(small))) == pytest.approx(0.5)


def test_reconstruction_training_lowers_its_loss(finished) -> None:
    loss = finished[1]["training_loss"]
    assert loss[4] < loss[1] - 0.1


def trained(phase: Phase):
    """The small model before and after a phase."""
    model = trial.initial_model(CONFIG, load(DATA))
    static = eqx.filter(model, eqx.is_array, inverse=True)
    with single_precision():
        data = Data.of(load(DATA).train)
        state, _ = advance(begin(model, phase), static, phase, data, 4, phase.steps, key=jax.random.key(0))
    return model, state.model


@pytest.mark.parametrize("how", [{"frozen_uniform": True}, {"freeze": ("qk",)}])
def test_frozen_attention_and_frozen_parts_keep_queries_and_keys_and_the_caller_its_model(how) -> None:
    decay = 0.0 if "frozen_uniform" in how else 0.1  # a frozen part does not even decay
    model, after = trained(Phase("reconstruction", 10, OptimizerConfig(1e-2, 0.0, decay), **how))
    before, after = model.blocks[0].attention, after.blocks[0].attention
    assert jnp.array_equal(before.query.weight, after.query.weight)
    assert jnp.array_equal(before.key.weight, after.key.weight)
    assert not jnp.array_equal(before.value.weight, after.value.weight)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_array)))


def test_the_stored_model_is_the_trained_one(finished) -> None:
    values, arrays = finished
    dataset = load(DATA)
    with single_precision():
        model = stored_model(CONFIG, dataset, arrays)
        assert float(accuracy(model, Data.of(dataset.test))) == values.test_accuracy
        initial = stored_model(CONFIG, dataset, arrays, 0)
        fresh = trial.initial_model(CONFIG, dataset)
        assert jnp.array_equal(initial.label_head.weight, fresh.label_head.weight)


def test_accuracy_counts_each_sequence_once_however_chunks_fall(monkeypatch) -> None:
    dataset = load(DATA)
    with single_precision():
        model, data = trial.initial_model(CONFIG, dataset), Data.of(dataset.test).rows(slice(11))
        right = [
            model.label_logits(one).argmax() == label
            for one, label in zip(data.tokens, data.labels, strict=True)
        ]
        for chunk in (4, 11, 200):
            monkeypatch.setattr(step, "CHUNK", chunk)
            assert float(accuracy(model, data)) == pytest.approx(sum(right) / 11)


def test_snapshots_are_evenly_spaced_in_each_phase_and_its_end_is_one() -> None:
    slots = {row: CONFIG.slot(5 * row) for row in range(9)}
    assert slots == {0: 0, 1: None, 2: 1, 3: None, 4: 2, 5: None, 6: 3, 7: None, 8: 4}


def test_the_plateau_ends_at_the_first_evaluation_of_three_quarters() -> None:
    assert plateau_steps(np.array([0.5, 0.6, 0.75, 0.7]), 50) == 100
    assert plateau_steps(np.array([0.5, 0.6, 0.7499]), 50) is None


def test_a_loss_that_is_not_finite_names_the_step_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, saving
) -> None:
    wild = OptimizerConfig(learning_rate=1e30, warmup=0.5)
    config = TrialConfig(DATA, MODEL, (Phase("labels", 20, wild),), 0, batch=4, every=5)
    with single_precision():
        message = r"finite training loss: got (nan|inf) at step \d+; no checkpoint .*; lower the"
        with pytest.raises(UserError, match=message):
            trial.run(config, load(DATA))
        good = TrialConfig(DATA, MODEL, (Phase("labels", 5, FAST), *config.phases), 0, batch=4, every=5)
        with pytest.raises(UserError, match=f"of step 5, is kept in {tmp_path}"):
            trial.run(good, load(DATA), paths=RunPaths(tmp_path))
    assert checkpoint.Checkpoints(tmp_path).newest() == 5


def test_a_damaged_checkpoint_is_named_with_the_remedy(tmp_path: Path) -> None:
    keeper = checkpoint.Checkpoints(tmp_path / "run")
    keeper.save(3, {"a": np.arange(4.0)})
    assert keeper.newest() == 3
    assert np.array_equal(keeper.restore(3, {"a": np.zeros(4)})["a"], np.arange(4.0))
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            path.write_bytes(b"not a checkpoint")
    with pytest.raises(UserError, match="delete that folder"):
        keeper.restore(3, {"a": np.zeros(4)})


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: OptimizerConfig(learning_rate=0.0), "learning rate must be positive: got 0.0; try 1e-3"),
        (lambda: OptimizerConfig(warmup=1.0), "warmup is a share"),
        (lambda: OptimizerConfig(clip=0.0), "clip must be positive: got 0.0; try 1"),
        (lambda: OptimizerConfig(betas=(0.9, 1.0)), "betas must lie in"),
        (lambda: TrialConfig(DATA, MODEL, (Phase("labels", 7, FAST),), 0, every=5), "try 5"),
        (lambda: TrialConfig(DATA, MODEL, (Phase("labels", 5, FAST, reset=("qk",)),), 0, every=5), "fresh"),
        (lambda: TrialConfig(DATA, MODEL, (Phase("labels", 5, FAST, freeze=("kq",)),), 0, every=5), "qk"),
        (
            lambda: TrialConfig(DATA, MODEL, (Phase("labels", 5, FAST),), 0, every=5, probe_every=7),
            "probe_every must be a multiple of 5: got 7; try 5",
        ),
    ],
)
def test_impossible_settings_are_refused_with_a_remedy(build, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        build()

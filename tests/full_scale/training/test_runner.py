"""Many runs side by side give what one after another gives, once, and stop at the first error."""

import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from full_scale.devices import workers
from full_scale.training import runner
from full_scale.training.runner import name_of, run_all
from full_scale.training.step import OptimizerConfig, Phase
from full_scale.training.trial import TrialConfig
from sims.runs import store, validity
from sims.runs.provenance import REPOSITORY
from sims.runs.store import UserError
from tests.full_scale.training.small_runs import DATA, MODEL, small_trial

CONFIGS = [small_trial(seed, steps=10) for seed in range(2)]


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("one")
    return folder, run_all(CONFIGS, folder, command="test", jobs=1)


@pytest.mark.heavy
def test_a_run_gives_the_bitwise_same_result_whatever_runs_beside_it(one_by_one, tmp_path: Path) -> None:
    beside = run_all(CONFIGS, tmp_path / "both", command="test", jobs=2)[1]
    alone = run_all(CONFIGS[1:], tmp_path / "one", command="test", jobs=2)[0]
    assert beside.values == alone.values
    assert all(beside.arrays[name].tobytes() == alone.arrays[name].tobytes() for name in alone.arrays)
    here = one_by_one[1][1].arrays["training_loss"]  # on all cores: another order of sums
    np.testing.assert_allclose(here, alone.arrays["training_loss"], rtol=1e-3)


def test_stored_runs_are_not_repeated(one_by_one, monkeypatch) -> None:
    folder, results = one_by_one
    monkeypatch.setattr(runner.trial, "run", lambda *_, **__: pytest.fail("ran again"))
    seen = []
    again = run_all(CONFIGS, folder, command="test", report=lambda *at, **_: seen.append(at), jobs=1)
    assert [result.values for result in again] == [result.values for result in results]
    assert seen[-1] == (40, 40)


@pytest.mark.parametrize("part", ["sources", "versions", "device"])
def test_a_run_of_other_code_versions_or_device_is_not_taken(one_by_one, monkeypatch, part) -> None:
    folder, name = one_by_one[0], name_of(CONFIGS[0])
    assert runner.finished(CONFIGS[0], folder)
    made = validity.made_by(*runner.CODE) | {part: "another"}
    monkeypatch.setattr(validity, "made_by", lambda *_: made)
    assert name_of(CONFIGS[0]) != name and not runner.finished(CONFIGS[0], folder)
    monkeypatch.setattr(runner, "name_of", lambda _: name)
    assert not runner.finished(CONFIGS[0], folder)


def test_checkpoints_of_finished_runs_are_gone(one_by_one) -> None:
    assert not list((one_by_one[0] / "checkpoints").glob("*/*"))


def test_runs_are_told_apart_by_everything_that_decides_them() -> None:
    configs = [small_trial(0), small_trial(1), small_trial(0, steps=10)]
    assert len({name_of(config) for config in configs}) == 3
    assert name_of(small_trial(0)) == name_of(small_trial(0))


def test_progress_counts_the_steps_of_all_runs(tmp_path: Path) -> None:
    seen = []
    run_all(CONFIGS[:1], tmp_path, command="test", report=lambda *at, **_: seen.append(at), jobs=1)
    assert seen[0] == (0, 20)
    assert seen[-1] == (20, 20)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.heavy
def test_the_error_of_a_worker_reaches_the_user_as_one_line(tmp_path: Path) -> None:
    wild = (Phase("labels", 10, OptimizerConfig(1e30, 0.0)),)
    configs = [TrialConfig(DATA, MODEL, wild, seed, batch=8, every=5) for seed in range(2)]
    with pytest.raises(UserError, match="finite training loss"):
        run_all(configs, tmp_path, command="test", jobs=2)
    assert not list(tmp_path.glob("*.json"))


def test_two_runs_of_one_config_at_once_are_refused(tmp_path: Path) -> None:
    held = store.lock(tmp_path / "checkpoints" / name_of(CONFIGS[0]))
    with held, pytest.raises(UserError, match="another run is writing there"):
        run_all(CONFIGS[:1], tmp_path, command="test", jobs=1)


@pytest.mark.heavy
def test_a_worker_whose_parent_is_gone_ends_itself() -> None:
    begun = "from full_scale.devices import workers as w; print('begun', flush=True)"
    script = (
        f"{begun}; ours, theirs = w.multiprocessing.Pipe(); ours.close(); w.say(theirs, None); print('alive')"
    )
    root = REPOSITORY
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert (done.returncode, done.stdout) == (1, b"begun\n")


def test_until_one_run_has_begun_the_others_wait_for_what_it_compiles() -> None:
    waiting = {"a": None, "b": None, "c": "a"}
    assert workers.ready(waiting, {}, begun=False) == ["a"]
    assert workers.ready({"b": None, "c": "a"}, {"a": Future()}, begun=False) == []
    assert workers.ready({"b": None, "c": "a"}, {"a": Future()}, begun=True) == ["b"]
    assert workers.ready({"b": None, "c": "a"}, {}, begun=False) == ["b"]

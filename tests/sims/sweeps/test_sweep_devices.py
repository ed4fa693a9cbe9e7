"""One trial per GPU where there are GPUs. None is needed here: the tests ask who is told to use which."""

import os
from types import SimpleNamespace

import jax
import pytest

from sims.runs.keys import stage_key
from sims.sweeps import cluster, devices, local, trial
from sims.sweeps.trial import Outcome, Setup, Trial, program_of, work
from tests.sims.sweeps import toy_trials

MODULE = toy_trials.__name__
TOY = Trial("toy_trials", toy_trials.run, toy_trials.Config(seconds=0.0), 0)


@pytest.fixture
def machine(monkeypatch):
    """A machine with JAX for CUDA, in whose environment nothing is said about devices."""
    for name in ("JAX_PLATFORMS", "CUDA_VISIBLE_DEVICES", "NPROC"):
        monkeypatch.setenv(name, "")  # so that what a test sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setattr(devices, "find_spec", lambda name: name)
    monkeypatch.setattr(trial, "threadpool_limits", lambda limit: None)  # it would outlast the test
    return monkeypatch


def test_gpus_are_those_the_environment_leaves_visible(machine):
    machine.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert devices.gpus() == ("2", "5")
    machine.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices.gpus() == ()


def test_gpus_are_those_the_machine_lists_and_none_where_jax_could_not_use_them(machine):
    done = SimpleNamespace(stdout="0\n1\n")
    machine.setattr(devices.shutil, "which", lambda name: name)
    machine.setattr(devices.subprocess, "run", lambda *_, **__: done)
    assert devices.gpus() == ("0", "1")
    machine.setenv("JAX_PLATFORMS", "cpu")
    assert devices.gpus() == ()
    machine.delenv("JAX_PLATFORMS")
    machine.setattr(devices, "find_spec", lambda name: None)
    assert devices.gpus() == ()


def test_a_machine_without_the_tool_that_lists_gpus_has_none(machine):
    machine.setattr(devices.shutil, "which", lambda name: None)
    assert devices.gpus() == ()


@pytest.mark.parametrize(("rank", "gpu"), [(0, "2"), (1, "5"), (2, "2")])
def test_each_worker_sees_its_own_gpu_only_and_takes_one_thread(machine, rank, gpu):
    Setup(program_of(MODULE), gpus=("2", "5"))(MODULE, rank)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == gpu
    assert os.environ["NPROC"] == "1"


def test_by_default_there_is_one_worker_per_gpu_or_else_per_core(monkeypatch):
    started = []

    class Worker(local.Worker):
        def begin(self, trial):
            started.append(self.rank)
            raise InterruptedError

    monkeypatch.setattr(local, "Worker", Worker)
    monkeypatch.setattr(local, "cores", lambda: 3)
    counts = []
    monkeypatch.setattr(cluster, "local_cluster", lambda count, **options: counts.append((count, options)))
    for found in (("0", "1"), ()):
        monkeypatch.setattr(cluster, "gpus", lambda found=found: found)
        monkeypatch.setattr(cluster, "cores", lambda: 3)
        monkeypatch.setattr(local, "gpus", lambda found=found: found)
        with pytest.raises(InterruptedError):
            next(local.outcomes([TOY] * 9, identity=program_of(MODULE)))
        with pytest.raises(TypeError):  # None is no context manager
            next(cluster.outcomes([TOY] * 9, identity=program_of(MODULE)))
    assert started == [1, 2]  # the highest rank begins
    assert counts == [(2, {"one_gpu_each": True}), (3, {"one_gpu_each": False})]


@pytest.mark.parametrize(("resources", "asked"), [({"GPU": 1.0}, True), ({}, False)])
def test_a_trial_asks_dask_for_a_gpu_where_a_worker_offers_one(resources, asked):
    workers = {"tcp://a": {"resources": {}}, "tcp://b": {"resources": resources}}
    client = SimpleNamespace(status="running", scheduler_info=lambda: {"workers": workers})
    assert cluster.offers_gpus(client) is asked


def test_a_trial_in_a_worker_is_the_single_simulation_of_its_settings_and_seed(machine, tmp_path):
    machine.setenv(toy_trials.JOURNAL, str(tmp_path / "journal"))
    found = work(TOY, Setup(program_of(MODULE)), 0)
    values, arrays = toy_trials.run(TOY.config, key=stage_key("toy_trials", 0))
    assert isinstance(found, Outcome)
    assert found.values == values and found.device == "cpu" and found.seconds > 0
    assert found.arrays["numbers"].tobytes() == jax.device_get(arrays["numbers"]).tobytes()

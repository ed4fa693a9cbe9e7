"""Which GPU a worker takes, and how much of its memory. None is needed here: the environment says it all."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from sims.sweeps import cluster, devices, local, trial
from sims.sweeps.trial import Outcome, Setup, Trial, program_of
from tests.sims.sweeps import toy_trials

MODULE = toy_trials.__name__
TOY = Trial("toy_trials", toy_trials.run, toy_trials.Config(seconds=0.0), 0)
PREALLOCATE = "XLA_PYTHON_CLIENT_PREALLOCATE"
SAID = ("JAX_PLATFORMS", "CUDA_VISIBLE_DEVICES", "NPROC", PREALLOCATE)


class NotedClient:
    """A context that notes how many workers were asked for."""

    def __init__(self, workers, seen):
        seen.append(workers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


@pytest.fixture
def machine(monkeypatch):
    """A machine with JAX for CUDA, in whose environment nothing is said about devices."""
    for name in SAID:
        monkeypatch.setenv(name, "")  # so that what a test sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setattr(devices, "find_spec", lambda name: name)
    monkeypatch.setattr(trial, "threadpool_limits", lambda limit: None)  # it would outlast the test
    return monkeypatch


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("GPU-8932f937,MIG-7a1f", ("GPU-8932f937", "MIG-7a1f")),
        ("-1", ()),
        ("3,-1,1", ("3",)),
        ("NoDevFiles", ("NoDevFiles",)),
    ],
)
def test_gpus_are_named_as_cuda_reads_them(machine, said, found):
    machine.setenv("CUDA_VISIBLE_DEVICES", said)
    assert devices.gpus() == found


@pytest.mark.parametrize(
    ("platforms", "found"), [("", ("0",)), ("cuda,cpu", ("0",)), ("gpu", ("0",)), ("cpu", ()), ("tpu", ())]
)
def test_gpus_count_only_where_jax_is_left_to_use_them(machine, platforms, found):
    machine.setenv("JAX_PLATFORMS", platforms)
    machine.setattr(devices, "listed", lambda: ("0",))
    assert devices.gpus() == found


@pytest.mark.parametrize(
    "failure", [subprocess.TimeoutExpired("nvidia-smi", 30), subprocess.CalledProcessError(9, "nvidia-smi")]
)
def test_a_driver_that_does_not_answer_has_no_gpus(machine, failure):
    def fail(*_, **__):
        raise failure

    machine.setattr(devices.shutil, "which", lambda name: name)
    machine.setattr(devices.subprocess, "run", fail)
    assert devices.gpus() == ()


@pytest.mark.parametrize(
    ("gpus", "workers", "said"),
    [(("2", "5"), 2, None), (("2", "5"), 3, "false"), (("0",), 2, "false"), ((), 4, None)],
)
def test_workers_that_share_a_gpu_do_not_reserve_its_memory(machine, gpus, workers, said):
    Setup(program_of(MODULE), gpus=gpus, workers=workers)(MODULE, 0)
    assert os.environ.get(PREALLOCATE) == said
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == (gpus[0] if gpus else None)


def test_what_the_user_says_of_memory_and_of_a_machine_without_gpus_stays(machine):
    machine.setenv(PREALLOCATE, "true")
    Setup(program_of(MODULE), gpus=("0",), workers=2)(MODULE, 1)
    assert os.environ[PREALLOCATE] == "true"
    machine.setenv("CUDA_VISIBLE_DEVICES", "7")
    Setup(program_of(MODULE))(MODULE, 0)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7"


@pytest.mark.parametrize(("asked", "count"), [(None, 2), (5, 5), (1, 1), (20, 9)])
def test_both_engines_tell_every_worker_the_users_gpus_and_how_many_it_has_beside_it(machine, asked, count):
    machine.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    setups = []

    class Worker(local.Worker):
        def begin(self, trial):
            setups.append(self.setup)
            raise InterruptedError

    machine.setattr(local, "Worker", Worker)
    machine.setattr(cluster, "local_cluster", lambda workers, **_: NotedClient(workers, setups))
    machine.setattr(cluster, "computed", lambda client, trials, setup: iter([setups.append(setup)]))
    with pytest.raises(InterruptedError):
        next(local.outcomes([TOY] * 9, identity=program_of(MODULE), workers=asked))
    list(cluster.outcomes([TOY] * 9, identity=program_of(MODULE), workers=asked))
    assert [(setup.gpus, setup.workers) for setup in setups if setup != count] == [(("4", "6"), count)] * 2
    assert count in setups


@pytest.mark.parametrize(("name", "rank"), [(0, 0), (3, 3), ("tcp://10.0.0.2:4711", 0)])
def test_a_dask_worker_started_here_takes_the_gpu_of_its_number(machine, name, rank):
    distributed = pytest.importorskip("distributed")
    machine.setattr(distributed, "get_worker", lambda: SimpleNamespace(name=name))
    machine.setattr(cluster, "work", lambda trial, setup, rank: Outcome({"rank": rank}, {}, "cpu", 0.0))
    assert cluster.work_here(TOY, Setup(program_of(MODULE))).values == {"rank": rank}


def test_a_scheduler_elsewhere_leaves_gpus_to_its_workers(machine):
    pytest.importorskip("distributed")
    machine.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    setups = []
    machine.setattr(cluster, "connected", lambda scheduler: NotedClient(scheduler, []))
    machine.setattr(cluster, "until_workers_join", lambda client, say: iter(()))
    machine.setattr(cluster, "computed", lambda client, trials, setup: iter([setups.append(setup)]))
    list(cluster.outcomes([TOY], identity=program_of(MODULE), scheduler="tcp://10.0.0.1:8786"))
    assert setups[0].gpus == ()


@pytest.mark.heavy
def test_no_experiment_touches_a_device_before_its_worker_has_chosen_one():
    """A worker unpickles its trial, which imports the experiment, and only then is told its GPU."""
    code = (
        "import pickle, sys; from sims import EXPERIMENTS; from sims.sweeps.trial import Trial; "
        "found = [Trial(name, each.run, each.Config(), 0) for name, each in EXPERIMENTS.items()]; "
        "pickle.loads(pickle.dumps(found)); from jax._src import xla_bridge; "
        "sys.exit(xla_bridge.backends_are_initialized())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Several devices and processes train as one does; each test bounds the time of its processes."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from full_scale.devices import hosts, mesh, workers
from full_scale.devices.precision import single_precision
from sims.runs.store import UserError
from tests.full_scale.devices import several_devices
from tests.tolerances import FLOAT32

EIGHT = "--xla_force_host_platform_device_count=8"
SECONDS = 300  # on a busy machine; some ten are enough on a quiet one
SCRIPT = [sys.executable, "-m", "tests.full_scale.devices.several_devices"]


def started(folder: Path, job: str, *more: str, flags: str = "") -> subprocess.Popen:
    """A job in a process of its own."""
    quick = os.environ.get("XLA_FLAGS", "")  # conftest.py's, to compile in half the time
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": f"{quick} {flags}"}
    environment |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    command = ["timeout", "-k", "5", str(SECONDS), *SCRIPT, job, str(folder), *more]
    kind = dict(stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return subprocess.Popen(command, env=environment, **kind)


def done(*processes: subprocess.Popen) -> list[int]:
    """Their exit codes; what they complained of is shown where a test fails."""
    for process in processes:
        print(process.communicate()[1])
    return [process.returncode for process in processes]


@pytest.fixture(scope="module")
def alone() -> tuple:
    """The same steps on one device."""
    with single_precision():
        return several_devices.trained(mesh.SINGLE_DEVICE)


@pytest.fixture(scope="module")
def eight(tmp_path_factory) -> Path:
    """What eight devices gave, after a run of theirs was killed."""
    folder = tmp_path_factory.mktemp("eight")
    assert done(started(folder, "killed", flags=EIGHT)) in ([-signal.SIGKILL], [128 + signal.SIGKILL])
    assert done(started(folder, "eight", flags=EIGHT)) == [0]
    return folder


def require_same(found: Path, alone: tuple) -> None:
    """Losses of every step and final parameters, up to the order of sums.

    The keys' bias is left out: its gradient is 0, and AdamW makes whole steps of what rounding leaves.
    """
    losses, model, _ = alone
    stored = np.load(found)
    np.testing.assert_allclose(stored["losses"], losses, rtol=FLOAT32)
    for number, leaf in enumerate(model):
        if number == several_devices.KEY_BIAS:
            continue
        np.testing.assert_allclose(stored[f"arr_{number}"], leaf, rtol=100 * FLOAT32, atol=100 * FLOAT32)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["whole", "sharded"])
def test_eight_devices_train_as_one_does(eight: Path, alone: tuple, name: str) -> None:
    require_same(eight / f"{name}.npz", alone)


@pytest.mark.heavy
def test_sharded_parameters_and_moments_take_a_fraction_of_each_device(eight: Path) -> None:
    assert float(np.load(eight / "whole.npz")["share"]) == 1
    assert float(np.load(eight / "sharded.npz")["share"]) < 0.2


@pytest.mark.heavy
def test_gradients_of_the_first_devices_rows_alone_are_told_apart(eight: Path, alone: tuple) -> None:
    with pytest.raises(AssertionError):
        require_same(eight / "fault.npz", alone)


@pytest.mark.heavy
def test_a_run_on_eight_devices_goes_on_after_sigkill_to_the_bitwise_same_result(eight: Path) -> None:
    assert json.loads((eight / "resumed.json").read_text())[0] > 0
    resumed, whole = (np.load(eight / f"{name}.npz") for name in ("trial-resumed", "uninterrupted-run"))
    for name in whole.files:
        assert resumed[name].tobytes() == whole[name].tobytes(), name
    values = [(eight / f"{name}.json").read_text() for name in ("trial-resumed", "uninterrupted-run")]
    assert values[0] == values[1]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.mark.heavy
@pytest.mark.parametrize("processes", [2, 4])
def test_processes_over_loopback_train_as_one_does(tmp_path: Path, alone: tuple, processes: int) -> None:
    port, numbers = free_port(), range(processes)
    together = [started(tmp_path, "together", f"{port},{processes},{number}") for number in numbers]
    assert done(*together) == [0] * processes
    require_same(tmp_path / f"processes-{processes}.npz", alone)
    if processes == 2:  # a trial with checkpoints, then again from the last one
        first, again = (np.load(tmp_path / f"trial-{name}.npz") for name in ("together", "again"))
        for name in first.files:
            assert first[name].tobytes() == again[name].tobytes(), name


@pytest.mark.heavy
def test_a_lost_process_is_one_line_of_those_that_are_left(tmp_path: Path) -> None:
    port = free_port()
    left, gone = (started(tmp_path, "lost", f"{port},2,{number}") for number in range(2))
    said = left.communicate()[1]
    assert gone.wait() in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert left.returncode == 2
    (line,) = [line for line in said.splitlines() if not line.startswith("[Gloo] Rank")]
    assert line.startswith("sptlab: expected 2 processes, lost process 1: ")
    assert line.endswith("with the same command: they go on from the last checkpoint")


def test_a_batch_that_devices_cannot_share_is_one_line() -> None:
    class Three(mesh.Layout):
        devices = 3

    with pytest.raises(UserError, match="3 devices share evenly: got 8; try 9"):
        Three().require_shares(8)


def test_more_devices_than_there_are_is_one_line() -> None:
    with pytest.raises(UserError, match=r"expected 1 to 1 devices.*got 2; try --devices all"):
        mesh.over(2)


def test_a_coordinator_that_does_not_answer_is_one_line() -> None:
    nobody = hosts.Hosts(f"127.0.0.1:{free_port()}", 2, 1, seconds=0)
    with pytest.raises(UserError, match=r"expected the first process at 127.0.0.1.*Connection refused"):
        hosts.begin(nobody)


@pytest.mark.parametrize("wrong", [("here", 2, 0), ("here:1", 2, 2), ("here:1", None, 0), (None, 2, None)])
def test_processes_that_are_not_told_apart_are_refused(wrong: tuple) -> None:
    with pytest.raises(UserError, match="expected --"):
        hosts.Hosts(*wrong)


def test_arrays_are_split_along_their_longest_axis_that_divides(monkeypatch) -> None:
    monkeypatch.setattr(mesh, "SMALLEST", 16)
    assert mesh.split_axis((8, 16), 8) == mesh.PartitionSpec(None, "batch")
    assert mesh.split_axis((16, 9), 8) == mesh.PartitionSpec("batch")
    assert mesh.split_axis((9, 9), 8) == mesh.split_axis((8,), 8) == mesh.REPLICATED


def test_there_is_a_worker_for_every_gpu(monkeypatch) -> None:
    monkeypatch.setattr(workers, "gpus", lambda: ("0", "1", "2"))
    assert workers.side_by_side() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    seen = []
    for rank in range(3):
        workers.take_device(rank)
        seen.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert seen == ["0", "1", "2"]

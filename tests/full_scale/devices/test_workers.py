"""Workers do every job after the one it needs, and a run that is stopped leaves no process and no warning."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from full_scale.devices import workers
from sims.runs.errors import UserError
from tests.full_scale.devices import slow_jobs

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.heavy  # workers take seconds to start
LINE = "sptlab: interrupted; the same command goes on where this one stopped\n"


@pytest.mark.parametrize(
    ("number", "whole_group", "code", "line"),
    [
        (signal.SIGINT, True, 130, LINE),
        (signal.SIGTERM, False, 143, LINE),
        (signal.SIGTERM, True, 143, LINE),
        (signal.SIGKILL, False, -9, ""),
    ],
)
def test_a_run_that_is_stopped_leaves_no_worker_and_no_warning(tmp_path, number, whole_group, code, line):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # heard also in a shell's background
    driver = subprocess.Popen(
        [sys.executable, "-c", slow_jobs.DRIVER, "compare", str(tmp_path)],
        cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    while len(pids := [path.read_text() for path in tmp_path.glob("*.pid")]) < 2 or not all(pids):
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.02)
    (os.killpg if whole_group else os.kill)(driver.pid, number)
    out, err = driver.communicate(timeout=60)  # a worker that is left would hold stderr open
    assert (driver.returncode, out, err) == (code, "", line)
    assert_ended(pids)


def assert_ended(pids: list[str]) -> None:
    """Within seconds each process is gone, or only waits to be counted as ended."""
    deadline = time.monotonic() + 30
    while any(runs(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """Whether the process still computes."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_jobs_are_done_each_after_the_one_it_needs_and_steps_add_up(tmp_path):
    first, second = ((str(tmp_path), rank, "works") for rank in (1, 2))
    seen = []
    workers.in_workers(slow_jobs.work, {second: first, first: None}, lambda *at: seen.append(at), 2)
    assert seen[-1] == (6, 0.5)
    assert [steps for steps, _ in seen] == sorted(steps for steps, _ in seen)


def test_what_goes_wrong_in_a_worker_is_told_in_one_line(tmp_path):
    for fate, line in (("fails", "expected a job that works"), ("dies", "a worker process ended before")):
        with pytest.raises(UserError, match=line):
            workers.in_workers(slow_jobs.work, {(str(tmp_path), 0, fate): None}, lambda *_: None, 1)

"""A sweep that is interrupted, or whose driver is killed, leaves no worker and no half result."""

import os
import signal
import time
from types import SimpleNamespace

import pytest

from sims.runs import store
from tests.sims.sweeps import toy_trials
from tests.sims.sweeps.toy_sweep import assert_no_worker_is_left, noted, stored_when

pytestmark = pytest.mark.heavy  # workers take seconds to start


def test_a_worker_in_a_long_trial_ends_with_a_driver_that_is_killed(journal, drive, tmp_path):
    (tmp_path / "long.toml").write_text("[grid]\nseconds = [600]\n")
    driver = drive("--sweep", tmp_path / "long.toml", "--out", tmp_path, "--quiet")
    while not noted(journal, "begins"):
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert_no_worker_is_left(journal)


def test_ctrl_c_is_one_line_and_ends_every_worker(journal, drive, sweep_file, tmp_path):
    interrupted = drive("--sweep", sweep_file, "--workers", 2, "--out", tmp_path, "--quiet")
    stored_when(interrupted, tmp_path / "trials" / "toy_trials", 1)
    os.killpg(interrupted.pid, signal.SIGINT)
    out, err = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, out) == (130, "")
    assert err == "sptlab: interrupted; the same command goes on where this one stopped\n"
    assert_no_worker_is_left(journal)


def test_an_interrupted_simulation_starts_anew_and_disturbs_no_other(here, journal, tmp_path, monkeypatch):
    other = tmp_path / "results" / "blindness.json"
    store.save(other.parent, store.Result("blindness", {"x": 1}, {}, {}))
    before = other.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(toy_trials, "time", SimpleNamespace(sleep=raise_interrupt))
        assert here("--out", tmp_path)[0] == 130
    assert sorted(path.name for path in other.parent.iterdir()) == ["blindness.json"]
    assert [here("--out", tmp_path)[0] for _ in range(2)] == [0, 0]
    assert (len(noted(journal, "begins")), len(noted(journal, "ends"))) == (2, 1)
    assert other.read_bytes() == before


def raise_interrupt(_: float) -> None:
    raise KeyboardInterrupt

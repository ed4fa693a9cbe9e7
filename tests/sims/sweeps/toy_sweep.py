"""A sweep of toy trials for the tests: its file, its trials, what they noted, and its driver."""

import subprocess
import time
from pathlib import Path

import psutil

from sims.sweeps.grid import configurations
from sims.sweeps.sweep import SweepFolders
from sims.sweeps.trial import Trial
from tests.sims.sweeps import toy_trials

SWEEP = """\
seeds = 2
[grid]
size = [8, 16, 24]
[[trials]]
fate = "kills its worker once"
seed = 5
[[trials]]
fate = "kills its worker"
seed = 5
[[trials]]
fate = "is wrong"
seed = 5
"""
DRIVER = """
import sims, sptlab
from tests.sims.sweeps import toy_trials as toy
sims.EXPERIMENTS["toy_trials"] = sims.Experiment(toy.Config, toy.run, "a toy", 1)
raise SystemExit(sptlab.main())
"""


def noted(journal: Path, what: str) -> list[tuple[int, str]]:
    """Process and trial of each such line."""
    lines = [line.split() for line in journal.read_text().splitlines()] if journal.exists() else []
    return [(int(pid), name) for pid, noted, name in lines if noted == what]


def trials_of(file: Path) -> list[Trial]:
    found = configurations(file, toy_trials.Config(), 0)
    return [Trial("toy_trials", toy_trials.run, config, seed) for config, seed in found]


def place(folder: Path) -> SweepFolders:
    return SweepFolders(folder / "trials", folder)


def stored_when(process: subprocess.Popen, folder: Path, count: int) -> dict[Path, int]:
    """The trials stored once there are so many, with the time each was written."""
    while len(list(folder.glob("*.json"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}


def assert_no_worker_is_left(journal: Path) -> None:
    """Within seconds of the driver's end no process is left that has computed a trial."""
    deadline = time.monotonic() + 30
    while any(psutil.pid_exists(pid) for pid, _ in noted(journal, "begins")):
        assert time.monotonic() < deadline
        time.sleep(0.05)

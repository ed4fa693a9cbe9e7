"""Programs of these tests run once or twice: optimising them costs more than it saves. Sweeps of toy trials.

Rooms are imported inside the fixtures: what is imported before the tests are collected has no types checked.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True, scope="module")
def compile_quickly():
    """No optimisation while the module runs."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def sweep_file(tmp_path_factory):
    """The toy sweep's TOML file."""
    from tests.sims.sweeps.toy_sweep import SWEEP

    path = tmp_path_factory.mktemp("file") / "phase.toml"
    path.write_text(SWEEP)
    return path


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """The file in which trials note that they begin and end."""
    from tests.sims.sweeps.toy_trials import JOURNAL

    monkeypatch.setenv(JOURNAL, str(tmp_path / "journal"))
    return tmp_path / "journal"


@pytest.fixture
def drive(journal):
    """Start `sptlab simulate toy-trials` in a process group of its own; none outlives the test."""
    from tests.sims.sweeps.toy_sweep import DRIVER

    started = []

    def drive(*arguments):
        command = [sys.executable, "-c", DRIVER, "simulate", "toy-trials", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        started.append(subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes))
        signal.signal(signal.SIGINT, before)
        return started[-1]

    yield drive
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def here(front_door, monkeypatch):
    """Run `sptlab simulate toy-trials` in this process: for what fails before a worker starts."""
    import sims
    from tests.sims.sweeps import toy_trials

    toy = sims.Experiment(toy_trials.Config, toy_trials.run, "a toy", 1)
    monkeypatch.setitem(sims.EXPERIMENTS, "toy_trials", toy)
    return lambda *arguments: front_door("simulate", "toy-trials", "--quiet", *arguments)

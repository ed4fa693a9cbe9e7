"""A sweep that cannot be computed as asked is one line that says why, before a worker starts."""

import sys

import pytest

from sims.runs import store
from sims.sweeps import cluster, local
from sims.sweeps.trial import program_of
from tests.front_door.command_line import complaint
from tests.sims.sweeps import toy_trials
from tests.sims.sweeps.toy_sweep import trials_of


def test_a_second_driver_in_the_same_folder_is_one_line(here, sweep_file, tmp_path):
    with store.lock(tmp_path):
        assert "another run is writing there" in complaint(here("--sweep", sweep_file, "--out", tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", 2), "--workers is for sweeps: add --sweep FILE"),
        (("--engine", "dask"), "--engine dask is for sweeps: add --sweep FILE"),
        (("--sweep", "x.toml", "--scheduler", "tcp://h:1"), "--scheduler is for --engine dask: add it"),
        (("--sweep", "x.toml", "--workers", 0), "--workers must be at least 1: got 0; try 2"),
        (("--sweep", "x.toml"), "expected a TOML file for --sweep: x.toml is not there; check the path"),
        (("--sweep", "x.toml", "--engine", "slurm"), "--engine must be one of local, dask: got slurm"),
    ],
)
def test_a_mistake_in_the_options_of_a_sweep_is_one_line(here, arguments, message):
    assert message in complaint(here(*arguments))


def test_a_scheduler_that_is_not_there_is_one_line(here, sweep_file, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://127.0.0.1:9"):
        command = ("--sweep", sweep_file, "--out", tmp_path, "--engine", "dask", "--scheduler", address)
        assert f"expected a Dask scheduler at {address}, found: " in complaint(here(*command))


def test_without_the_extra_the_line_says_how_to_install_it(here, sweep_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    line = complaint(here("--sweep", sweep_file, "--out", tmp_path, "--engine", "dask"))
    assert "pip install 'sptlab[cluster]'" in line


@pytest.mark.heavy
def test_a_worker_of_other_code_stops_the_sweep_in_one_line(sweep_file, tmp_path, journal):
    ours = program_of(toy_trials.__name__)
    wrong = {**ours, "versions": {**ours["versions"], "jax": "0.1"}}
    batches = local.outcomes(trials_of(sweep_file)[:1], identity=wrong, workers=1)
    with pytest.raises(
        store.UserError, match=r"found one with jax .* where the driver has 0\.1; install the same"
    ):
        list(batches)
    assert not journal.exists()

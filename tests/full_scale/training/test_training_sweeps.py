"""Sweeps of training: Dask's workers train what the workers of this machine train."""

import csv
from functools import partial

import pytest

from sims.sweeps import cluster, local, sweep
from sims.sweeps.trial import Trial
from tests.full_scale.training import small_runs

TRIAL = Trial("swept", small_runs.run, small_runs.Swept(), 0)


@pytest.mark.heavy
def test_a_sweep_of_training_gives_the_same_table_on_dask_and_here(tmp_path) -> None:
    rows = {}
    for engine in (local, cluster):
        folder = tmp_path / engine.__name__
        place = sweep.SweepFolders(folder / "trials", folder)
        outcomes = partial(engine.outcomes, workers=1)
        done = sweep.run([TRIAL], outcomes, place, command="test", report=lambda *_: None)
        assert (done.trials, done.failed) == (1, {})
        (rows[engine],) = csv.DictReader((folder / "sweep.csv").open())
        del rows[engine]["commit"]  # another one may be made meanwhile
    assert rows[local] == rows[cluster] and float(rows[local]["test_accuracy"]) > 0.3
    arrays = [next((tmp_path / e.__name__ / "trials").glob("*.npz")).read_bytes() for e in (local, cluster)]
    assert arrays[0] == arrays[1]

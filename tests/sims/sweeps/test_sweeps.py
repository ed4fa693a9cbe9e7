"""Sweeps on real workers: nothing lost, nothing twice, the same table from every engine."""

import contextlib
import csv
import os
import re
import signal
from collections import Counter
from pathlib import Path

import psutil
import pytest

from sims.runs import store
from sims.sweeps import cluster, local, sweep
from sims.sweeps.trial import DIED, Trial
from tests.sims.sweeps import toy_trials
from tests.sims.sweeps.toy_sweep import SWEEP, assert_no_worker_is_left, noted, place, stored_when, trials_of

pytestmark = pytest.mark.heavy  # workers take seconds to start


def kill_a_busy_worker(journal: Path, after: int):
    """A hook that kills, once, a worker in the middle of a trial when so many trials have finished."""
    killed: list[tuple[int, str]] = []

    def report(done: int, of: int) -> None:
        busy = set(noted(journal, "begins")) - set(noted(journal, "ends"))
        busy = {(pid, name) for pid, name in busy if "finishes" in name and psutil.pid_exists(pid)}
        if done >= after and busy and not killed:
            killed.append(busy.pop())
            os.kill(killed[0][0], signal.SIGKILL)

    return report, killed


def assert_whole(folder: Path, trials: list[Trial], summary: sweep.Summary) -> None:
    """One row per trial in order; what cannot finish is named with the reason, all else is stored."""
    rows = list(csv.DictReader((folder / "sweep.csv").open()))
    assert [row["key"] for row in rows] == [trial.key for trial in trials]
    reasons = {row["fate"]: row["error"] for row in rows if row["error"]}
    assert list(reasons) == ["kills its worker", "is wrong"]
    assert reasons["kills its worker"] == DIED
    assert reasons["is wrong"].startswith("ZeroDivisionError: a size of 0 (toy_trials.py:")
    assert sorted(summary.failed.values()) == sorted(reasons.values())
    results = store.load_all(folder / "trials")
    assert set(results) == {row["key"] for row in rows if not row["error"]}
    assert all(float(row["moment.second"]) > 0 for row in rows if not row["error"])


@pytest.fixture(scope="module")
def undisturbed(sweep_file, tmp_path_factory):
    """A sweep on local workers, and its folder; only its own trials kill workers."""
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(toy_trials.JOURNAL, str(folder / "journal"))
        patch.setattr(local, "ATTEMPTS", 2)
        engine = lambda trials, identity: local.outcomes(trials, identity=identity, workers=2)
        summary = sweep.run(
            trials_of(sweep_file), engine, place(folder), command="test", report=lambda *_: None
        )
    return folder, summary


def test_local_workers_that_die_lose_nothing_and_what_cannot_finish_is_named(undisturbed, sweep_file):
    folder, summary = undisturbed
    assert_whole(folder, trials_of(sweep_file), summary)
    begun = Counter(name for _, name in noted(folder / "journal", "begins"))
    assert len(begun) == len(trials_of(sweep_file))
    assert {name: times for name, times in begun.items() if times > 1} == {
        name: 2 for name in begun if "kills_its_worker" in name
    }


def test_dask_gives_the_same_table_with_a_worker_killed_and_listens_on_loopback_only(
    undisturbed, sweep_file, journal, tmp_path, monkeypatch
):
    monkeypatch.setattr(cluster, "ATTEMPTS", 1)  # Dask gives up at once what dies, innocent or not
    kill, killed = kill_a_busy_worker(journal, after=2)
    heard: list[tuple[str, int]] = []

    def report(done: int, of: int) -> None:
        if done and not heard:
            heard.extend(listening(psutil.Process()))
        kill(done, of)

    engine = lambda trials, identity: cluster.outcomes(trials, identity=identity, workers=2)
    summary = sweep.run(trials_of(sweep_file), engine, place(tmp_path), command="test", report=report)
    assert_whole(tmp_path, trials_of(sweep_file), summary)
    assert killed
    assert len(heard) >= 3 and {address for address, _ in heard} == {"127.0.0.1"}
    expected = undisturbed[0]
    assert rows_of(tmp_path) == rows_of(expected)
    for path in (expected / "trials").glob("*.npz"):
        assert (tmp_path / "trials" / path.name).read_bytes() == path.read_bytes()


def listening(process: psutil.Process) -> list[tuple[str, int]]:
    """Address and port of every socket on which the process or one it started listens."""
    connections = []
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            connections += each.net_connections("inet")
    return [tuple(each.laddr) for each in connections if each.status == psutil.CONN_LISTEN]


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The table, less the commit: another one may be made while the tests run."""
    rows = list(csv.DictReader((folder / "sweep.csv").open()))
    return [{name: cell for name, cell in row.items() if name != "commit"} for row in rows]


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_a_driver_that_is_killed_goes_on_where_it_stopped(undisturbed, journal, drive, tmp_path, engine):
    calm = tmp_path / "calm.toml"
    calm.write_text(SWEEP[: SWEEP.index("[[trials]]")].replace("seeds = 2", "seeds = 4"))
    command = ("--sweep", calm, "--workers", 2, "--out", tmp_path, "--quiet", "--engine", engine)
    folder, table = tmp_path / "trials" / "toy_trials", tmp_path / "sweeps" / "toy_trials" / "calm"
    killed = drive(*command)
    before = stored_when(killed, folder, 3)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert_no_worker_is_left(journal)
    assert not (table / "sweep.csv").exists()
    finished = drive(*command)
    out, err = finished.communicate()
    assert (finished.returncode, err) == (0, "")
    held = {path: time for path, time in before.items() if path.stat().st_mtime_ns == time}
    assert held == before
    assert re.match(r"12 trials, [3-8] of them stored before\n", out)
    begun = Counter(name for _, name in noted(journal, "begins"))
    cut_short = 2 * 2  # of each worker: a result on its way to the driver, and the trial after it
    assert len(begun) == 12 and sum(begun.values()) <= 12 + cut_short
    assert sum(times == 1 for times in begun.values()) >= len(before)  # what is stored is not begun again
    assert [row for row in rows_of(table) if row["seed"] in "01"] == rows_of(undisturbed[0])[:6]


def test_what_is_stored_is_not_computed_again_whatever_the_engine(undisturbed, sweep_file, tmp_path):
    folder, before = undisturbed
    asked = []

    def engine(trials, identity):
        asked.append(trials)
        yield []

    for damage in ("missing", "torn", "other code"):
        trial = trials_of(sweep_file)[len(asked)]
        damage_result(folder / "trials" / f"{trial.key}.json", damage)
        sweep.run(trials_of(sweep_file), engine, place(folder), command="test", report=lambda *_: None)
        assert [each.seed for each in asked[-1]][-2:] == [5, 5]
        assert trial.key in {each.key for each in asked[-1]}
        assert len(asked[-1]) == len(before.failed) + len(asked)


def damage_result(path: Path, damage: str) -> None:
    content = path.read_text()
    if damage == "missing":
        path.unlink()
    else:
        path.write_text(
            content[:99] if damage == "torn" else content.replace('"sources": "', '"sources": "0')
        )

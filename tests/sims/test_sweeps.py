"""Sweeps on real workers: nothing lost, nothing twice, the same table from every engine."""

import contextlib
import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import sims
import sptlab
from sims import store
from sims.sweeps import cluster, local, sweep
from sims.sweeps.grid import configurations
from sims.sweeps.identity import identity
from sims.sweeps.sweep import Place
from sims.sweeps.trial import DIED, Trial
from tests.sims import toy_trials

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.timeout(600)  # workers take seconds to start on a machine that is busy
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
import sys, sims, sptlab
from tests.sims import toy_trials as toy
sims.EXPERIMENTS["toy_trials"] = sims.Experiment(toy.Config, toy.run, "a toy", 1)
sys.exit(sptlab.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "phase.toml"
    path.write_text(SWEEP)
    return path


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """The file in which trials note that they begin and end."""
    monkeypatch.setenv(toy_trials.JOURNAL, str(tmp_path / "journal"))
    return tmp_path / "journal"


def noted(journal: Path, what: str) -> list[tuple[int, str]]:
    """Process and trial of each such line."""
    lines = [line.split() for line in journal.read_text().splitlines()] if journal.exists() else []
    return [(int(pid), name) for pid, noted, name in lines if noted == what]


def trials_of(file: Path) -> list[Trial]:
    found = configurations(file, toy_trials.Config(), 0)
    return [Trial("toy_trials", toy_trials.run, config, seed) for config, seed in found]


def place(folder: Path) -> Place:
    return Place(folder / "trials", folder)


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
def undisturbed(file, tmp_path_factory):
    """A sweep on local workers, and its folder; only its own trials kill workers."""
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(toy_trials.JOURNAL, str(folder / "journal"))
        patch.setattr(local, "ATTEMPTS", 2)
        engine = lambda trials, identity: local.outcomes(trials, identity=identity, workers=2)
        summary = sweep.run(trials_of(file), engine, place(folder), command="test", report=lambda *_: None)
    return folder, summary


def test_local_workers_that_die_lose_nothing_and_what_cannot_finish_is_named(undisturbed, file):
    folder, summary = undisturbed
    assert_whole(folder, trials_of(file), summary)
    begun = Counter(name for _, name in noted(folder / "journal", "begins"))
    assert len(begun) == len(trials_of(file))
    assert {name: times for name, times in begun.items() if times > 1} == {
        name: 2 for name in begun if "kills_its_worker" in name
    }


def test_dask_gives_the_same_table_with_a_worker_killed_and_listens_on_loopback_only(
    undisturbed, file, journal, tmp_path, monkeypatch
):
    monkeypatch.setattr(cluster, "ATTEMPTS", 1)  # Dask gives up at once what dies, innocent or not
    kill, killed = kill_a_busy_worker(journal, after=2)
    heard: list[tuple[str, int]] = []

    def report(done: int, of: int) -> None:
        if done and not heard:
            heard.extend(listening(psutil.Process()))
        kill(done, of)

    engine = lambda trials, identity: cluster.outcomes(trials, identity=identity, workers=2)
    summary = sweep.run(trials_of(file), engine, place(tmp_path), command="test", report=report)
    assert_whole(tmp_path, trials_of(file), summary)
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


@pytest.fixture
def drive(journal):
    """Start `sptlab simulate toy-trials` in a process group of its own; none outlives the test."""
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


def stored_when(process: subprocess.Popen, folder: Path, count: int) -> dict[Path, int]:
    """The trials stored once there are so many, with the time each was written."""
    while len(list(folder.glob("*.json"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}


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


def test_a_worker_in_a_long_trial_ends_with_a_driver_that_is_killed(journal, drive, tmp_path):
    (tmp_path / "long.toml").write_text("[grid]\nseconds = [600]\n")
    driver = drive("--sweep", tmp_path / "long.toml", "--out", tmp_path, "--quiet")
    while not noted(journal, "begins"):
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert_no_worker_is_left(journal)


def test_ctrl_c_is_one_line_and_ends_every_worker(journal, drive, file, tmp_path):
    interrupted = drive("--sweep", file, "--workers", 2, "--out", tmp_path, "--quiet")
    stored_when(interrupted, tmp_path / "trials" / "toy_trials", 1)
    os.killpg(interrupted.pid, signal.SIGINT)
    out, err = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, out) == (130, "")
    assert err == "sptlab: interrupted; the same command goes on where this one stopped\n"
    assert_no_worker_is_left(journal)


def assert_no_worker_is_left(journal: Path) -> None:
    """Within seconds of the driver's end no process is left that has computed a trial."""
    deadline = time.monotonic() + 30
    while any(psutil.pid_exists(pid) for pid, _ in noted(journal, "begins")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def here(capsys, monkeypatch):
    """Run `sptlab simulate toy-trials` in this process: for what fails before a worker starts."""
    toy = sims.Experiment(toy_trials.Config, toy_trials.run, "a toy", 1)
    monkeypatch.setitem(sims.EXPERIMENTS, "toy_trials", toy)
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)

    def here(*arguments):
        code = sptlab.main(["simulate", "toy-trials", "--quiet", *map(str, arguments)])
        return code, *capsys.readouterr()

    return here


def complaint(outcome) -> str:
    code, _, err = outcome
    assert (code, err.count("\n")) == (2, 1), err
    return err


def test_what_is_stored_is_not_computed_again_whatever_the_engine(undisturbed, file, tmp_path):
    folder, before = undisturbed
    asked = []

    def engine(trials, identity):
        asked.append(trials)
        yield []

    for damage in ("missing", "torn", "other code"):
        trial = trials_of(file)[len(asked)]
        damage_result(folder / "trials" / f"{trial.key}.json", damage)
        sweep.run(trials_of(file), engine, place(folder), command="test", report=lambda *_: None)
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


def test_a_second_driver_in_the_same_folder_is_one_line(here, file, tmp_path):
    with store.lock(tmp_path):
        assert "another run is writing there" in complaint(here("--sweep", file, "--out", tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", 2), "--workers is for sweeps: add --sweep FILE"),
        (("--engine", "dask"), "--engine dask is for sweeps: add --sweep FILE"),
        (("--sweep", "x.toml", "--scheduler", "tcp://h:1"), "--scheduler is for --engine dask: add it"),
        (("--sweep", "x.toml", "--workers", 0), "--workers must be at least 1: got 0; try 2"),
        (("--sweep", "x.toml"), "expected a sweep in x.toml, found: No such file or directory"),
        (("--sweep", "x.toml", "--engine", "slurm"), "Expected one of ('local', 'dask')"),
    ],
)
def test_a_mistake_in_the_options_of_a_sweep_is_one_line(here, arguments, message):
    assert message in complaint(here(*arguments))


def test_a_scheduler_that_is_not_there_is_one_line(here, file, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://127.0.0.1:9"):
        command = ("--sweep", file, "--out", tmp_path, "--engine", "dask", "--scheduler", address)
        assert f"expected a Dask scheduler at {address}, found: " in complaint(here(*command))


def test_without_the_extra_the_line_says_how_to_install_it(here, file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    line = complaint(here("--sweep", file, "--out", tmp_path, "--engine", "dask"))
    assert "pip install 'sptlab[cluster]'" in line


def test_a_worker_of_other_code_stops_the_sweep_in_one_line(file, tmp_path, journal):
    wrong = {**identity(toy_trials.__name__), "jax": "0.1"}
    batches = local.outcomes(trials_of(file)[:1], identity=wrong, workers=1)
    with pytest.raises(
        store.UserError, match=r"found one with jax .* where the driver has 0\.1; install the same"
    ):
        list(batches)
    assert not journal.exists()

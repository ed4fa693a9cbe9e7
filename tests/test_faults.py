"""Killed, interrupted, out of disk, or given bad input: one line, nothing half-written, and it goes on."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import sptlab
from full_scale.stored import with_shipped
from full_scale.training import checkpoint
from paper_figs.export import macros
from sims.runs import store

ROOT = Path(__file__).resolve().parent.parent
SMOKE = ("reproduce", "--preset", "smoke", "--quiet")
ENGLISH = "It was the best of times, it was the worst of times, it was the age of wisdom. "


@pytest.fixture(scope="module")
def environment():
    """The compiled programs of all tests, so that only the first run of a machine compiles."""
    return os.environ | {"JAX_PLATFORMS": "cpu"}


@contextlib.contextmanager
def interrupts_heard():
    """What is started within hears Ctrl-C, also when this runs in the background of a shell, deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def start(environment):
    """Start a command in a process group of its own; none outlives the tests."""
    started = []

    def start(*arguments, before=()):
        command = [*before, sys.executable, str(ROOT / "sptlab.py"), *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with interrupts_heard():
            process = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def finish(start):
    """Run a command to its end: exit code, stdout, stderr."""

    def finish(*arguments, **options):
        process = start(*arguments, **options)
        out, err = process.communicate()
        return process.returncode, out, err

    return finish


@pytest.fixture(scope="module")
def undisturbed(finish, tmp_path_factory):
    """A smoke run that nothing disturbs: its folder, and its seconds without compiling."""
    code, _, err = finish(*SMOKE, "--out", tmp_path_factory.mktemp("compiling"))
    assert (code, err) == (0, "")
    out, started = tmp_path_factory.mktemp("undisturbed"), time.monotonic()
    assert finish(*SMOKE, "--out", out)[0] == 0
    return out, time.monotonic() - started


@pytest.fixture
def here(capsys, monkeypatch):
    """Run a command to its end in this process: for what fails before anything is computed."""
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)

    def here(*arguments):
        code = sptlab.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return here


def complaint(outcome) -> str:
    """The one line of an error."""
    code, _, err = outcome
    assert (code, err.count("\n")) == (2, 1), err
    assert err.startswith("sptlab: ")
    return err


def assert_nothing_half_written(out: Path) -> None:
    """Every file of the folder is whole: no leftovers, and every stored result loads."""
    assert not list(out.rglob("*.partial"))
    store.load_all(out / "results")


def assert_same_report(out: Path, expected: Path) -> None:
    """Byte for byte the same numbers."""
    assert (out / "summary.json").read_bytes() == (expected / "summary.json").read_bytes()
    names = sorted(path.name for path in (expected / "results").iterdir())
    assert sorted(path.name for path in (out / "results").iterdir()) == names
    for name in names:
        assert (out / "results" / name).read_bytes() == (expected / "results" / name).read_bytes(), name


@pytest.mark.heavy
def test_a_run_is_whole_and_a_run_elsewhere_gives_the_same_bytes(undisturbed):
    out, _ = undisturbed
    assert_nothing_half_written(out)
    assert (out / "index.html").stat().st_size > 10_000
    assert_same_report(out, next(out.parent.glob("compiling*")))


@pytest.mark.heavy
def test_the_report_has_a_macro_for_every_stored_number(undisturbed):
    out, _ = undisturbed
    written = (out / "figures" / "numbers.tex").read_text()
    assert r"\newcommand{\sptDocsOrderGain}" in written
    assert written == macros.document(with_shipped(store.load_all(out / "results"), out))


@pytest.mark.heavy
def test_a_second_run_computes_nothing_again_and_changes_nothing(undisturbed, finish):
    out, _ = undisturbed
    before = {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()}
    summary = (out / "summary.json").read_bytes()
    code, _, _ = finish(*SMOKE, "--out", out)
    assert code == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()} == before
    assert (out / "summary.json").read_bytes() == summary


def kill_three_times_and_finish(start, finish, command, out, moments):
    """SIGKILL to the main process at each moment, a new run at once after each."""
    for moment in moments:
        process = start(*command, "--out", out)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return finish(*command, "--out", out)


@pytest.mark.heavy
def test_killed_at_three_random_moments_it_goes_on_and_gives_the_same_summary(
    undisturbed, start, finish, tmp_path
):
    expected, seconds = undisturbed
    # Early enough that each kill hits a run that still computes.
    moments = [random.Random(2026 + kill).uniform(0.15, 0.45) * seconds for kill in range(3)]
    code, _, err = kill_three_times_and_finish(start, finish, SMOKE, tmp_path, moments)
    assert (code, err) == (0, "")
    assert_nothing_half_written(tmp_path)
    assert_same_report(tmp_path, expected)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_full_run_killed_at_three_random_moments_gives_the_same_summary(start, finish, tmp_path):
    command, started = ("reproduce", "--quiet"), time.monotonic()
    assert finish(*command, "--out", tmp_path / "undisturbed")[0] == 0
    seconds = time.monotonic() - started
    moments = [random.Random(kill).uniform(0.05, 0.6) * seconds for kill in range(3)]
    code, _, err = kill_three_times_and_finish(start, finish, command, tmp_path / "killed", moments)
    assert (code, err) == (0, "")
    assert_same_report(tmp_path / "killed", tmp_path / "undisturbed")


@pytest.mark.heavy
def test_ctrl_c_leaves_one_line_and_nothing_half_written(undisturbed, start, tmp_path):
    process = start(*SMOKE, "--out", tmp_path)
    while not (tmp_path / "results" / "adiabatic_toy.json").exists():
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "sptlab: interrupted; the same command goes on where this one stopped\n"
    assert_nothing_half_written(tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a size in bytes; called again, it grows."""
    mounted = tmp_path / "disk"
    mounted.mkdir()

    def resize(size: int) -> Path:
        again = "remount," if os.path.ismount(mounted) else ""
        mount = ["mount", "-t", "tmpfs", "-o", f"{again}size={size}", "tmpfs", str(mounted)]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip(
                "needs the right to mount a tmpfs; the file size limit below tests the same without it"
            )
        return mounted

    yield resize
    subprocess.run(["umount", "-l", str(mounted)], capture_output=True)


def size_of(out: Path) -> int:
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


@pytest.mark.heavy
def test_a_full_disk_is_one_line_and_the_run_goes_on_once_there_is_space(undisturbed, finish, small_disk):
    expected, _ = undisturbed
    for share in (0.02, 0.6):
        out = small_disk(int(share * size_of(expected))) / "report"
        assert "No space left on device" in complaint(finish(*SMOKE, "--out", out))
        assert_nothing_half_written(out)
    small_disk(20 * size_of(expected))
    assert finish(*SMOKE, "--out", out)[0] == 0
    assert_same_report(out, expected)


@pytest.mark.heavy
def test_a_disk_that_fills_while_training_is_one_line_and_training_goes_on(
    here, finish, small_disk, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    letters = np.random.default_rng(0).choice(list("abcdefgh  "), 20_000)
    (tmp_path / "text.txt").write_text("".join(letters))
    small = ("--jobs", 1, "--seeds", 1, "--steps", 150, "--length", 16, "--width", 8, "--heads", 2)
    command = ("train", "docs-order", "--quiet", *small, "--text", tmp_path / "text.txt", "--out")
    command = (*command, small_disk(65536) / "report")
    assert "No space left on device" in complaint(here(*command))
    small_disk(2**26)
    # in a process of its own, as a user's is: Orbax's threads of the first may still print their failures here
    assert finish(*command)[0] == 0


@pytest.mark.heavy
def test_a_file_that_may_not_grow_is_one_line_and_leaves_nothing(finish, tmp_path):
    limited = ("bash", "-c", 'ulimit -f 1; exec "$@"', "limited")
    line = complaint(finish("verify", "--claims", "C3", "--quiet", "--out", tmp_path, before=limited))
    assert "File too large" in line
    assert "free the space or choose another --out" in line
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.mark.parametrize("command", [SMOKE, ("simulate", "blindness", "--quiet")])
def test_an_out_that_cannot_be_a_folder_is_one_line(here, tmp_path, command):
    (tmp_path / "file").write_text("in the way")
    line = complaint(here(*command, "--out", tmp_path / "file" / "report"))
    assert "expected a folder for --out" in line
    assert "choose another --out" in line
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_read_only_out_is_one_line(here, small_disk):
    disk = small_disk(65536)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "is read-only; choose another --out" in complaint(here(*SMOKE, "--out", disk / "report"))


def test_two_runs_into_one_folder_the_second_is_refused_and_disturbs_nothing(here, tmp_path):
    with store.lock(tmp_path):
        line = complaint(here(*SMOKE, "--out", tmp_path))
    assert "another run is writing there" in line
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not there; check the path"),
        (b"", "is empty"),
        (b"caf\xe9 " * 10_000, "expected UTF-8 text"),
        (ENGLISH.encode(), "expected at least 12800 letters"),
    ],
)
def test_a_text_that_will_not_do_is_one_line_that_says_why(here, tmp_path, content, message):
    text = tmp_path / "text.txt"
    if content is not None:
        text.write_bytes(content)
    line = complaint(here("train", "docs-order", "--quiet", "--text", text, "--out", tmp_path / "report"))
    assert message in line
    assert not list((tmp_path / "report").rglob("*.json"))


def test_a_damaged_result_is_one_line_that_names_it(here, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "claims.json").write_text('{"name": ')
    line = complaint(here("figures", "--out", tmp_path))
    assert "claims.json" in line
    assert "delete it and run the command again" in line

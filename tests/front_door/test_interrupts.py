"""While a command runs: Ctrl-C is heard wherever it falls, and progress is told on stderr only."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import sptlab
from sims.cli import interrupts
from sims.cli.progress import progress
from tests.front_door.command_line import raising

ROOT = Path(__file__).resolve().parents[2]


def test_ctrl_c_is_one_line_and_says_that_the_run_goes_on(front_door, monkeypatch):
    monkeypatch.setattr(sptlab.Compare, "__call__", raising(KeyboardInterrupt()))
    code, out, err = front_door("compare")
    assert (code, out) == (130, "")
    assert err == "sptlab: interrupted; the same command goes on where this one stopped\n"


def test_ctrl_c_that_a_library_swallows_ends_the_run_at_its_next_report(front_door, monkeypatch):
    def swallow(_):
        with progress("compare", quiet=True) as report:
            with contextlib.suppress(KeyboardInterrupt):  # as a bare `except` around an import does
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
            report(1, 2)
        return 0

    monkeypatch.setattr(sptlab.Compare, "__call__", swallow)
    monkeypatch.setattr(interrupts, "INTERRUPTED", threading.Event())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert front_door("compare")[0] == 130
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_inside_the_garbage_collector_is_sent_again(front_door, monkeypatch):
    class Collected:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    def collect(_):
        Collected()
        time.sleep(5)
        return 0

    monkeypatch.setattr(sptlab.Compare, "__call__", collect)
    monkeypatch.setattr(interrupts, "INTERRUPTED", threading.Event())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code, _, err = front_door("compare")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, err) == (130, "sptlab: interrupted; the same command goes on where this one stopped\n")


INTERRUPTED_PROCESS = """
import atexit, os, sys, sptlab
def interrupt(arguments):
    print("shown before")
    raise KeyboardInterrupt
sptlab.parse = interrupt
atexit.register(os.abort)
sys.argv = ["sptlab", "compare"]
sys.exit(sptlab.main())
"""


def test_an_interrupted_process_ends_before_a_clean_up_that_may_crash():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_PROCESS], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (130, "shown before\n")
    assert done.stderr == "sptlab: interrupted; the same command goes on where this one stopped\n"


SEMAPHORE_PROCESS = """
import multiprocessing, sys, sptlab
def interrupt(arguments):
    sptlab.kept = multiprocessing.get_context("spawn").Lock()
    raise KeyboardInterrupt
sptlab.parse = interrupt
sys.argv = ["sptlab", "compare"]
sys.exit(sptlab.main())
"""


def test_an_interrupted_process_frees_what_its_workers_shared():
    done = subprocess.run([sys.executable, "-c", SEMAPHORE_PROCESS], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 130
    assert done.stderr == "sptlab: interrupted; the same command goes on where this one stopped\n"


def test_progress_tells_the_time_left_on_stderr_only(capsys):
    with progress("reproduce", quiet=False) as report:
        for done in range(11):
            report(done, 10, "docs_order")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "reproduce docs_order  50%, about 1 s left" in printed.err


def test_quiet_shows_no_progress(capsys):
    with progress("reproduce", quiet=True) as report:
        report(1, 2, "docs_order")
    assert capsys.readouterr() == ("", "")

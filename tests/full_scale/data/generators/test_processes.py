"""Processes that generate: every result comes once, errors are told, and nothing is left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from full_scale.data.generators import processes
from sims.runs.errors import UserError

ROOT = Path(__file__).resolve().parents[4]
SHARING = """
from multiprocessing import resource_tracker
shared = []
resource_tracker.register = lambda name, kind: shared.append(kind)
from full_scale.data.generators.processes import in_processes
assert sorted(in_processes(divmod, [(7, 2), (9, 3), (5, 4)], 2)) == [(0, (3, 1)), (1, (3, 0)), (2, (1, 1))]
print(shared)
"""

pytestmark = pytest.mark.heavy


def test_an_error_or_a_death_in_a_process_is_raised_in_the_driver():
    with pytest.raises(ZeroDivisionError):
        list(processes.in_processes(divmod, [(1, 1), (1, 0)], 2))
    with pytest.raises(UserError, match="a process that generates ended early"):
        list(processes.in_processes(os._exit, [(1,)], 1))


def test_every_result_comes_once_and_no_semaphore_is_shared():
    done = subprocess.run([sys.executable, "-c", SHARING], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")

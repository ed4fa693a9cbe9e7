"""Jobs for workers of the tests: each writes its process into a folder; some then sleep, fail or die."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from sims.runs.errors import UserError

DRIVER = """
import sys, sptlab
from full_scale.devices import workers
from tests.full_scale.devices import slow_jobs
def compute(_):
    jobs = {(sys.argv[2], rank, "sleeps"): None for rank in range(2)}
    workers.in_workers(slow_jobs.work, jobs, lambda steps, accuracy: None, 2)
sptlab.Compare.refuse = lambda self: None
sptlab.Compare.__call__ = compute
sptlab.look = lambda arguments: None
sptlab.parse = lambda arguments: sptlab.Compare()
raise SystemExit(sptlab.main())
"""


def work(job: tuple[str, int, str], report: Callable[[int, float | None], None]) -> None:
    """Say that it has begun, report a step, and meet the job's fate."""
    folder, rank, fate = job
    report(1, None)
    (Path(folder) / f"{rank}.pid").write_text(str(os.getpid()))
    if fate == "sleeps":
        time.sleep(600)
    if fate == "fails":
        raise UserError("expected a job that works: got one that fails")
    if fate == "dies":
        os._exit(1)
    report(2, 0.25 * rank)

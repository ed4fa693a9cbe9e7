"""What the main commands cost on this machine, in CPU seconds and by the clock, nothing compiled or stored before.

    python -m benchmarks.commands                       (about a quarter of an hour; run it on an idle machine)
    python -m benchmarks.commands --names reproduce     one of them; the other rows are kept

CPU seconds are user and system time of the command and of the processes that it starts and waits for.
"""

import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tyro

from benchmarks import turns

STORED = Path(__file__).parent / "stored" / "commands.json"
ROOT = Path(__file__).resolve().parents[1]
_SPTLAB = (sys.executable, str(ROOT / "sptlab.py"))
COMMANDS = {
    "reproduce": (*_SPTLAB, "reproduce", "--quiet", "--out", "{out}"),
    "verify": (*_SPTLAB, "verify", "--quiet"),
    "diagnose": (*_SPTLAB, "diagnose", "docs-order", "--quiet", "--out", "{out}"),
    "test": (sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"),
}


@dataclasses.dataclass(frozen=True)
class Config:
    """What is measured."""

    names: tuple[str, ...] = tuple(COMMANDS)
    """Of the commands: reproduce, verify, diagnose, test."""
    stored: Path = STORED
    """File of the result."""


def spent() -> float:
    """CPU seconds of the processes that this one has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(name: str) -> dict[str, object]:
    """CPU seconds and wall seconds of one command; of `reproduce` those of its stages, too."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [part.format(out=out) for part in COMMANDS[name]]
        environment = os.environ | {"XDG_CACHE_HOME": folder, "PYTHONPATH": str(ROOT)}
        before, began = spent(), time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False)
        row: dict[str, object] = {
            "command": name,
            "cpu_seconds": round(spent() - before, 1),
            "wall_seconds": round(time.perf_counter() - began, 1),
            "exit_status": done.returncode,
            "processor": turns.processor_name(),
            "load_average": os.getloadavg()[0],
        }
        if (clock := out / "timings.json").exists():
            row["stages"] = json.loads(clock.read_text())
        return row


def main(config: Config) -> None:
    """Measure, print and store."""
    rows = json.loads(config.stored.read_text())["rows"] if config.stored.exists() else []
    rows = {row["command"]: row for row in rows}
    for name in config.names:
        rows[name] = measured(name)
        print(
            f"{name:10} {rows[name]['cpu_seconds']} CPU seconds, {rows[name]['wall_seconds']} s by the clock"
        )
        turns.store(config.stored, list(rows.values()))


if __name__ == "__main__":
    main(tyro.cli(Config))

"""What the main commands cost on this machine, in CPU seconds and by the clock, nothing compiled or stored before.

    python -m benchmarks.commands                       (about a quarter of an hour; run it on an idle machine)
    python -m benchmarks.commands --names reproduce     one of them; the other rows are kept
    python -m benchmarks.commands --beside ../earlier   another checkout in turn with this one

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
_SPTLAB = (sys.executable, "{root}/sptlab.py")
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
    beside: Path | None = None
    """Another checkout of the repository, measured right before this one in the same environment."""
    stored: Path = STORED
    """File of the result."""


def spent() -> float:
    """CPU seconds of the processes that this one has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(name: str, root: Path = ROOT) -> dict[str, object]:
    """CPU seconds and wall seconds of one command of a checkout; of `reproduce` those of its stages, too."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [part.format(out=out, root=root) for part in COMMANDS[name]]
        environment = os.environ | {"XDG_CACHE_HOME": folder, "PYTHONPATH": str(root)}
        before, began = spent(), time.perf_counter()
        done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, check=False)
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
        earlier = measured(name, config.beside.resolve()) if config.beside else None
        rows[name] = measured(name)
        for which, row in (("beside", earlier), ("here", rows[name])):
            if row:
                print(f"{name:10} {which:6} {row['cpu_seconds']} CPU s, {row['wall_seconds']} s by the clock")
        if earlier:
            rows[name]["beside"] = {
                key: earlier[key] for key in ("cpu_seconds", "wall_seconds", "exit_status")
            }
        turns.store(config.stored, list(rows.values()))


if __name__ == "__main__":
    main(tyro.cli(Config))

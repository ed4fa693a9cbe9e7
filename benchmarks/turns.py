"""Sides that take turns: each a process of its own, so that none shares the other's threads or memory."""

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Collection, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sims.runs.compilation_cache import processor
from sims.runs.store import write_atomic


class Side:
    """A process that answers every number of steps it is told with one line of JSON."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def turn(self, steps: int) -> Any:
        """What the next steps took; None when the process has ended."""
        print(steps, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()  # type: ignore[union-attr]  # piped above
        return json.loads(answer) if answer else None

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()


def taken(sides: Collection[str], rounds: int) -> Iterator[str]:
    """Whose turn it is: A B C, C B A, and so on, so that a drift of the machine favours nobody."""
    for number in range(rounds):
        yield from sides if number % 2 == 0 else list(sides)[::-1]


def without_omp_policy() -> dict[str, str]:
    """This process's environment; the side decides how OpenMP waits, and JAX stays on the processor."""
    return {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"} | {
        "JAX_PLATFORMS": "cpu"
    }


def processor_name() -> str:
    """The processor's name and the widest vectors it has, as far as they are told."""
    told = processor()
    vectors = "AVX-512" if "avx512f" in told else "AVX2" if "avx2" in told else "neither AVX2 nor AVX-512"
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
    return f"{model}, {vectors}"


def store(path: Path, rows: list[dict], **conditions: object) -> None:
    """Rows and the conditions they were measured under, as JSON."""
    record: dict[str, object] = {name: version(name) for name in ("jax", "torch") if find_spec(name)}
    record |= {
        "python": platform.python_version(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }
    record |= conditions
    write_atomic(path, (json.dumps({"provenance": record, "rows": rows}, indent=1) + "\n").encode())

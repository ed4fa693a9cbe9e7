"""How far a run has come, on stderr: a bar with the time left, or lines where there is no terminal."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from sims.commands.interrupts import raise_if_interrupted

Report = Callable[..., None]


@contextlib.contextmanager
def progress(title: str, quiet: bool) -> Iterator[Report]:
    """A hook (done, total, label) on stderr: a bar with the time left; off a terminal, a line per step."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    lines = not quiet and not console.is_terminal
    bar = Progress(*columns, console=console, disable=quiet or lines, transient=True)
    task, tell, reached = bar.add_task(title, total=1.0), teller(title), 0.0

    def report(done: float | int, total: float | int, label: str = "", note: str = "") -> None:
        nonlocal reached
        raise_if_interrupted()
        reached = max(reached, done / max(total, 1))  # a stage in two parts may start again at 0
        bar.update(task, completed=reached, description=f"{title} {label} {note}".strip())
        if lines:
            tell(reached, label, note)

    with bar:
        yield report


def teller(title: str) -> Callable[[float, str, str], None]:
    """A hook (share, label, note) that prints a line for every tenth of every label."""
    started = time.perf_counter()
    said: set[tuple[str, int]] = set()

    def tell(reached: float, label: str, note: str) -> None:
        if (label, int(10 * reached)) in said:
            return
        said.add((label, int(10 * reached)))
        left = (time.perf_counter() - started) * (1 - reached) / reached if reached else 0
        about = f", about {left:.0f} s left" if left else ""
        told = f", {note}" if note else ""
        print(f"{title} {label} {100 * reached:3.0f}%{told}{about}", file=sys.stderr, flush=True)

    return tell


def share_of(report: Report, label: str, before: float, seconds: float | int, total: float | int) -> Report:
    """A stage's hook inside the whole run's."""
    return lambda done, of, *_, **__: report(before + seconds * done / max(of, 1), total, label)

"""What a run will take and how far it is, on stderr: a bar with the time left, or lines off a terminal."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from sims.cli import cost
from sims.cli.interrupts import raise_if_interrupted

Report = Callable[..., None]


_BELIEVED = 0.1  # the share done from which the time left follows from the run alone


class Clock:
    """The time left of a run: at first as estimated before it, from a tenth on by its own speed."""

    def __init__(self) -> None:
        self.started, self.expected, self.stored = time.perf_counter(), 0.0, 0.0

    def begin(self, expected: float, stored: float = 0.0) -> None:
        """The run begins to compute what is not stored, which should take so many seconds."""
        self.started, self.expected, self.stored = time.perf_counter(), expected, stored

    def left(self, done: float) -> float:
        """Seconds left when the share `done` is done; 0 where nothing is known."""
        elapsed = time.perf_counter() - self.started
        done = (done - self.stored) / (1 - self.stored) if self.stored < 1 else 1.0
        by_speed = elapsed * (1 - done) / done if done else 0.0
        if not self.expected:
            return by_speed
        trust = min(1.0, done / _BELIEVED)
        return trust * by_speed + (1 - trust) * max(self.expected - elapsed, 0.0)


@contextlib.contextmanager
def progress(
    title: str, quiet: bool, seconds: Callable[[], float] | None = None, *, side_by_side: int = 2
) -> Iterator[Report]:
    """A hook (done, total, label) on stderr; with `seconds`, it first says what the run will take here.

    `seconds` are those of the reference machine; the first report, which says that computing begins, has them
    measured against this one. A stored result reports nothing, and costs nothing.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    lines = not quiet and not console.is_terminal
    bar = Progress(*columns, console=console, disable=quiet or lines, transient=True)
    clock = Clock()
    task, report_line, reached, begun = (
        bar.add_task(title, total=1.0, left=""),
        _teller(title, clock),
        0.0,
        False,
    )

    def report(done: float | int, total: float | int, label: str = "", note: str = "") -> None:
        nonlocal reached, begun
        raise_if_interrupted()
        if not begun and not quiet:
            begun = True
            stored = min(done / max(total, 1), 1.0)  # what was stored before is not computed again
            _announce(
                title, clock, lambda: (1 - stored) * seconds() if seconds else 0.0, stored, side_by_side
            )
        reached = max(reached, done / max(total, 1))  # a stage in two parts may start again at 0
        left = f"{remaining(clock.left(reached))}"
        bar.update(task, completed=reached, description=f"{title} {label} {note}".strip(), left=left)
        if lines:
            report_line(reached, label, note)

    with bar:
        yield report


def _announce(
    title: str, clock: Clock, seconds: Callable[[], float], stored: float, side_by_side: int
) -> None:
    """Start the clock, and say what the run will take where that is worth saying."""
    known = seconds()
    expected = cost.here(known, side_by_side=side_by_side) if known else 0.0
    clock.begin(expected, stored)
    if expected > cost.WORTH_SAYING:
        line = f"{title}: about {cost.duration(expected)} on this machine, by a test of its speed just now"
        print(line, file=sys.stderr, flush=True)


def remaining(seconds: float) -> str:
    """`about 3 min left`, or nothing."""
    return f"about {cost.duration(seconds)} left" if seconds else ""


def _teller(title: str, clock: Clock) -> Callable[[float, str, str], None]:
    """A hook (share, label, note) that prints a line for every tenth of every label."""
    printed: set[tuple[str, int]] = set()

    def report_line(reached: float, label: str, note: str) -> None:
        if (label, int(10 * reached)) in printed:
            return
        printed.add((label, int(10 * reached)))
        parts = [f"{title} {label} {100 * reached:3.0f}%", note, remaining(clock.left(reached))]
        print(", ".join(part for part in parts if part), file=sys.stderr, flush=True)

    return report_line


def share_of(
    report: Report,
    label: str,
    before: float,
    seconds: float | int,
    total: float | int,
    *,
    keep_label: bool = False,
) -> Report:
    """A stage's hook inside the whole run's; it shows its own label, or those of the stage's parts."""

    def within(done: float | int, of: float | int, inner: str = "", note: str = "") -> None:
        report(before + seconds * done / max(of, 1), total, inner if keep_label else label, note)

    return within

"""Tiers of the tests: what `make test` leaves out is counted and named at its end, and never times out early.

No mark: in `make test`. `heavy`: many seconds on a slow machine; in `make test-all` and `.ci/run`.
`slow`: many minutes; in `make slow`.
"""

from collections import Counter
from collections.abc import Sequence

import pytest

COMMANDS = {
    "heavy": "`make test-all` runs them, and .ci/run",
    "slow": "`make slow` runs them",
}
HEAVY_SECONDS = 3600  # only a test that hangs meets it: no machine's speed may decide a test
LEFT_OUT = pytest.StashKey[list[tuple[str, str]]]()
"""(tier, file) of every test left out, in the process that shows the summary."""


def tier(item: pytest.Item) -> str | None:
    """The slower tier that a test is marked with; `slow` where both are."""
    return next((name for name in ("slow", "heavy") if item.get_closest_marker(name)), None)


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is left out so far."""
    config.stash[LEFT_OUT] = []


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """A heavy test without a limit of its own gets one that a slow machine does not meet."""
    for item in items:
        if tier(item) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(HEAVY_SECONDS))


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note the marked tests that the run's `-m` leaves out; what `-k` does not name is nobody's loss."""
    config = items[0].config
    chosen = config.getoption("keyword")
    found = [] if chosen else [(tier(item), item.location[0]) for item in items]
    config.stash[LEFT_OUT] += [(name, path) for name, path in found if name]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells its controller, which collects nothing itself."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """Every worker collects all tests, so that one's list is that of all."""
    told = getattr(node, "workeroutput", {}).get("left_out", [])
    node.config.stash[LEFT_OUT] = [tuple(one) for one in told] or node.config.stash[LEFT_OUT]


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """The last lines: how many tests were left out, from which files, and what runs them."""
    for line in summary(config.stash[LEFT_OUT]):
        terminalreporter.write_line(line)


def summary(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """A line per tier with a number and a command, and the files with their numbers below."""
    lines = []
    for name, command in COMMANDS.items():
        files = Counter(path for kind, path in left_out if kind == name)
        if files:
            lines.append(f"left out: {files.total()} {name} tests; {command}")
            lines += [f"  {count:4} {path}" for path, count in sorted(files.items())]
    return lines

"""Every number in the README is that of the stored study, from which its table is written."""

import re
from pathlib import Path

import pytest

from sims import store

ROOT = Path(__file__).resolve().parent.parent
ARMS = {"label_only": "labels alone", "spt": "SPT, then labels"}


def bounded(interval: dict) -> str:
    """Estimate and 95% interval to three digits."""
    return f"{interval['estimate']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def row(where: str, arm: str, part: dict) -> str:
    """One line of the README's table."""
    found = part["arms"][arm]
    plateau = found["plateau_steps"]
    never = sum(steps is None for steps in plateau["per_seed"])
    median = "never" if plateau["median"] is None else f"{plateau['median']:,.0f}"
    accuracy = bounded(found["test_accuracy"])
    return f"| {where} | {ARMS[arm]} | {accuracy} | {median} | {never} of {len(plateau['per_seed'])} |"


def table(values: dict) -> list[str]:
    """The README's table of the study, line by line."""
    parts = {
        f"docs-order, {depth} layer{'s' * (depth != '1')}": part for depth, part in values["depths"].items()
    }
    parts["digits (control), 1 layer"] = values["digits"]
    return [row(where, arm, part) for where, part in parts.items() for arm in ARMS]


def longer(values: dict) -> str:
    """What the README says of the longer label-only runs."""
    runs = values["depths"]["1"]["label_only_longer"]
    left = sum(steps is not None for steps in runs["plateau_steps"])
    return f"{left} of {len(runs['plateau_steps'])} label-only runs of {runs['steps']:,} steps left"


@pytest.fixture(scope="module")
def values() -> dict:
    return store.load(ROOT / "full_scale" / "stored", "study").values


def test_the_table_in_the_readme_is_that_of_the_stored_study(values) -> None:
    readme = (ROOT / "README.md").read_text()
    lines = table(values)
    assert len(lines) == 6
    for line in lines:
        assert line in readme
    with_interval = [line for line in readme.splitlines() if re.search(r"\| \d\.\d+ \[\d", line)]
    assert sorted(with_interval) == sorted(lines)


def test_the_longer_runs_in_the_readme_are_those_of_the_stored_study(values) -> None:
    assert longer(values) in " ".join((ROOT / "README.md").read_text().split())


if __name__ == "__main__":  # prints the lines to paste after a new study
    stored = store.load(ROOT / "full_scale" / "stored", "study").values
    print("\n".join([*table(stored), longer(stored)]))

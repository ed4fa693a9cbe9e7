"""Fixtures of the figures' and the page's tests: example results, drawn once."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from paper_figs import EXPERIMENT_FIGURES, FIGURES
from paper_figs.report import page
from sims.runs.store import Result
from tests.paper_figs.example_transformer import example_results
from tests.paper_figs.report.browser import Browser, executable


@pytest.fixture(scope="session")
def results() -> dict[str, Result]:
    return example_results()


@pytest.fixture(scope="session")
def figures(results: dict[str, Result]) -> dict[str, Figure]:
    return {name: figure.draw(results) for name, figure in FIGURES.items()}


@pytest.fixture(scope="session")
def captions(results: dict[str, Result]) -> dict[str, str]:
    there = {name: figure for name, figure in FIGURES.items() if set(figure.needs) <= set(results)}
    return {name: figure.caption(results) for name, figure in there.items()}


@pytest.fixture(scope="session")
def images(figures: dict[str, Figure], results: dict[str, Result]) -> dict[str, dict[str, Any]]:
    """The pictures of the page's figures and of the first screen's."""
    first = EXPERIMENT_FIGURES["overview"].draw(results)
    return {name: page.picture(figure) for name, figure in {**figures, "overview": first}.items()}


@pytest.fixture(scope="session")
def report(results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with index.html and summary.json."""
    folder = tmp_path_factory.mktemp("report")
    page.write(results, folder)
    return folder


@pytest.fixture(scope="session")
def index(report: Path) -> Path:
    return report / "index.html"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium; without it the tests skip, except in CI, where they fail."""
    if executable() is None:
        message = "chromium is not installed; on Debian: apt-get install chromium, or set CHROMIUM"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    with Browser(tmp_path_factory.mktemp("profile")) as one:
        yield one

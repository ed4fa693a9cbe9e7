"""The rooms import in one direction: theory <- sims <- full_scale <- paper_figs <- sptlab."""

import ast
import importlib
from pathlib import Path

import pytest

import full_scale.studies
from sims.runs import closure
from sims.runs.typed import Stored

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("theory", "sims", "full_scale", "paper_figs", "sptlab")
FORBIDDEN_IN_THEORY = {"optax", "matplotlib", "pathlib", "os", "time", "datetime", "subprocess"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc"}


def sources(room: str) -> list[Path]:
    return [ROOT / "sptlab.py"] if room == "sptlab" else sorted((ROOT / room).rglob("*.py"))


def imported(source: str) -> set[str]:
    """Top-level names that a module imports, anywhere in it, functions included."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "rooms use absolute imports, so that this test sees them"
            names.add((node.module or "").split(".")[0])
    return names


def trespasses(room: str, source: str) -> set[str]:
    """The rooms to the right of this one that a module of it imports."""
    return imported(source) & set(ROOMS[ROOMS.index(room) + 1 :])


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_to_its_left(room):
    assert sources(room)
    for path in sources(room):
        assert not trespasses(room, path.read_text()), path


def test_an_import_to_the_right_is_noticed_even_inside_a_function():
    assert trespasses("theory", "def f():\n    from sims.runs.store import load\n") == {"sims"}


def test_the_theory_has_no_files_clock_plots_or_training():
    for path in sources("theory"):
        assert not imported(path.read_text()) & FORBIDDEN_IN_THEORY, path


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_has_a_vague_name_and_none_defers_its_annotations(room):
    for path in sources(room):
        assert path.stem not in VAGUE, path
        assert "from __future__ import annotations" not in path.read_text(), path


def is_stored(module: str, name: str | None) -> bool:
    """Whether what is imported is a type of a stored result."""
    kind = getattr(importlib.import_module(module), name or "", None)
    return isinstance(kind, type) and issubclass(kind, Stored)


def test_a_figure_shows_stored_results_and_imports_of_a_study_their_types_alone():
    for path in set(sources("paper_figs")) - set(
        (ROOT / "paper_figs" / "cli").glob("*.py")
    ):  # commands compute
        uses = closure.parsed(path.read_bytes()).uses
        of_studies = [use for use in uses if use[0].startswith(full_scale.studies.__name__)]
        assert not [use for use in of_studies if not is_stored(*use)], path

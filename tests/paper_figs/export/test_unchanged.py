"""A figure is drawn again where what decides it has changed, and only there."""

import dataclasses
import os

import numpy as np
import pytest

from paper_figs.export import unchanged
from paper_figs.export.unchanged import Drawn, fingerprint
from paper_figs.style.venues import VENUES
from sims.runs.store import Result

RESULT = Result("one", {"n": 1}, {"curve": np.arange(3.0)}, {"seed": 0})


def draw(drawn: list[str]):
    """A figure of two files, which notes that it was drawn."""
    drawn.append("drawn")
    return {"pdf": b"vector", "txt": b"caption"}


def origin(result: Result = RESULT, venue: str = "icml") -> str:
    """What a figure of this result and venue is drawn from."""
    return fingerprint({"one": result}, draw, VENUES[venue])


def test_an_unchanged_figure_is_left_as_it_lies_there(tmp_path):
    drawn: list[str] = []
    assert Drawn(tmp_path).files("a", origin(), lambda: draw(drawn)) == {"pdf": b"vector", "txt": b"caption"}
    os.utime(tmp_path / "a.pdf", (1, 1))
    assert Drawn(tmp_path).files("a", origin(), lambda: draw(drawn)) is None
    assert ((tmp_path / "a.pdf").stat().st_mtime, drawn) == (1, ["drawn"])
    assert Drawn(tmp_path).read("a") == {"pdf": b"vector", "txt": b"caption"}


@pytest.mark.parametrize(
    "changed",
    [
        {"values": {"n": 2}},
        {"arrays": {"curve": np.array([0.0, 1.0, 3.0])}},
        {"record": {"seed": 1}},
    ],
    ids=lambda each: next(iter(each)),
)
def test_another_result_is_another_figure(changed):
    assert origin(dataclasses.replace(RESULT, **changed)) != origin()


def test_another_venue_other_code_or_another_version_is_another_figure(monkeypatch):
    before = origin()
    assert origin(venue="slides") != before
    for name, other in (("sources_hash", "other"), ("versions", {"numpy": "0"})):
        with monkeypatch.context() as patch:
            patch.setattr(unchanged, name, lambda *_, other=other: other)
            unchanged._program.cache_clear()
            assert origin() != before
    unchanged._program.cache_clear()
    assert origin() == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "a.pdf").write_bytes(b"other"),
        lambda folder: (folder / "a.txt").unlink(),
        lambda folder: (folder / ".drawn.json").write_text("no json"),
        lambda folder: (folder / ".drawn.json").unlink(),
    ],
    ids=["a file that is not ours", "a file removed", "a spoilt note", "no note"],
)
def test_what_is_not_whole_is_drawn_again(tmp_path, spoil):
    drawn: list[str] = []
    Drawn(tmp_path).files("a", origin(), lambda: draw(drawn))
    spoil(tmp_path)
    Drawn(tmp_path).files("a", origin(), lambda: draw(drawn))
    assert len(drawn) == 2
    assert (tmp_path / "a.pdf").read_bytes() == b"vector"


def test_anew_draws_what_has_not_changed(tmp_path):
    drawn: list[str] = []
    Drawn(tmp_path).files("a", origin(), lambda: draw(drawn))
    Drawn(tmp_path, anew=True).files("a", origin(), lambda: draw(drawn))
    assert len(drawn) == 2

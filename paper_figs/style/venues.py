"""Where figures are shown, and how large everything is there: a two-column paper, NeurIPS, slides.

The venue holds inside `with at(VENUES["slides"]):`. Units: inches for sizes, points for text."""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

COLUMN_WIDTH = 3.25  # inches: one column of a two-column paper
FULL_WIDTH = 6.75  # inches: both columns
ROOM_FOR_LETTERS = 0.87  # share of its own width down to which a figure keeps its letters, as at NeurIPS


@dataclass(frozen=True)
class Venue:
    """Where a figure is shown: its sizes in inches, its letters in points."""

    name: str
    full: float
    """Width of a wide figure: the text of a page, or a slide."""
    column: float
    """Width of a narrow one."""
    text: float
    """Points of titles and labels."""
    small: float
    """Points of ticks and legends."""
    family: str = "STIXGeneral"
    mathematics: str = "stix"
    thick: float = 1.0
    """Lines, markers and gaps over those of a paper."""
    tall: float = 1.0
    """Heights over those of a two-column paper."""
    highest: float = 9.0
    dpi: int = 200
    """Of the PNG; layouts are settled at it."""
    width: float | None = None
    """Of every figure, where it is chosen; heights follow."""

    def size(self, wide: bool, height: float) -> tuple["Venue", float, float]:
        """A figure's width and height here, of `height` in a two-column paper, and the venue with its letters.

        A chosen width takes the height along, and the letters where less than `ROOM_FOR_LETTERS` is left."""
        own = self.full if wide else self.column
        chosen, width, high = self, self.width or own, height * self.tall
        if width != own:
            chosen, high = self.shrunk(min(1.0, width / own / ROOM_FOR_LETTERS)), high * width / own
        if high > self.highest:  # smaller letters rather than panels without room
            chosen, high = chosen.shrunk(self.highest / high), self.highest
        return chosen, width, high

    def shrunk(self, by: float) -> "Venue":
        """The same with smaller letters, lines and gaps."""
        sizes = {name: by * getattr(self, name) for name in ("text", "small", "thick")}
        return dataclasses.replace(self, **sizes)


VENUES = {
    # Column 3.25 and text 6.75 inches in ICML's style file; text of 5.5 inches in NeurIPS's.
    "icml": Venue("icml", FULL_WIDTH, COLUMN_WIDTH, 8.0, 7.0),
    "neurips": Venue("neurips", 5.5, COLUMN_WIDTH, 7.5, 6.5, tall=1.06),
    "slides": Venue(
        "slides", 40 / 3, 6.5, 15.0, 13.0, "DejaVu Sans", "dejavusans", 2.0, 1.9, highest=7.5, dpi=144
    ),
}
_venue: ContextVar[Venue] = ContextVar("venue", default=VENUES["icml"])


@contextlib.contextmanager
def at(venue: Venue) -> Iterator[None]:
    """Figures drawn meanwhile are for this venue."""
    token = _venue.set(venue)
    try:
        yield
    finally:
        _venue.reset(token)


def venue() -> Venue:
    """Where figures are drawn for."""
    return _venue.get()


def square(height: float) -> float:
    """The height in which square panels fill a wide figure: as narrow as the venue."""
    return min(height, height * venue().full / FULL_WIDTH / venue().tall) if not is_wide() else height


def is_wide() -> bool:
    """Whether the venue is wider than high: rows of panels stand side by side there."""
    return venue().full > venue().highest


def points(size: float | int) -> float:
    """A length in points of a paper's figure, as thick as the venue wants it."""
    return size * venue().thick

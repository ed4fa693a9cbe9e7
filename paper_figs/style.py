"""How every figure looks: sizes, colours, line styles, by venue. Stateless: matplotlib's global settings are
changed for the length of one call and restored; the venue holds inside `with at(VENUES["slides"]):`.

Rules: one colour per quantity everywhere; theory dashed and black, measurement solid; bands are confidence
intervals or ranges of seeds, the caption says which; every pair of curves also differs by marker or line
style, so that the figure reads in grey. Units: inches for sizes, points for text."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

COLUMN_WIDTH = 3.25  # inches: one column of a two-column paper
FULL_WIDTH = 6.75  # inches: both columns


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


def points(size: float | int) -> float:
    """A length in points of a paper's figure, as thick as the venue wants it."""
    return size * venue().thick


# Okabe and Ito's colours, which stay apart for every common kind of colour vision.
BLACK, VERMILLION, BLUE, GREEN = "#000000", "#D55E00", "#0072B2", "#009E73"
PURPLE, ORANGE = "#B2578C", "#E69F00"
GREY = "#6B6B6B"
RULE = SHADE = "#E4E6E9"  # lines between rows; ranges that bear a prediction out


@dataclass(frozen=True)
class Look:
    """How one quantity is drawn in every figure."""

    color: str
    linestyle: str | tuple[int, tuple[float, ...]]
    marker: str
    filled: bool

    def line(self, *, markers: bool = True, every: int | None = None) -> dict[str, Any]:
        """Keyword arguments of `Axes.plot`."""
        look: dict[str, Any] = {"color": self.color, "linestyle": self.linestyle}
        if markers:
            look |= {
                "marker": self.marker,
                "markerfacecolor": self.color if self.filled else "white",
                "markevery": every,
            }
        return look


LABELS = Look(VERMILLION, "-", "o", filled=False)
RECONSTRUCTION = Look(BLUE, "-", "s", filled=True)
CONTROL = Look(PURPLE, (0, (1.0, 1.0)), "^", filled=False)
MEASUREMENT = Look(GREEN, "-", "D", filled=True)
THEORY = Look(BLACK, (0, (4.0, 2.0)), "x", filled=True)
REFERENCE = Look(GREY, (0, (1.0, 1.5)), "", filled=False)

ARMS = {"label_only": LABELS, "spt": RECONSTRUCTION}
ARM_NAMES = {"label_only": "labels only", "spt": "SPT, then labels"}

# Zero is white; in grey, positive is dark and negative a middle grey.
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#9C6B00", ORANGE, "#F8E2B4", "#FFFFFF", "#A9CBE4", BLUE, "#052B4A"], N=255
)
# Light to dark without turning: order survives in grey.
POSITIVE = LinearSegmentedColormap.from_list("positive", ["#FFFFFF", "#D9E8F3", "#6BA9D2", BLUE, "#052B4A"])

SETTINGS: dict[str, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.borderaxespad": 0.3,
    "image.interpolation": "nearest",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,  # whole TrueType fonts: text in the PDF can be searched, copied and edited
    "pdf.compression": 6,
    "svg.fonttype": "path",
    "svg.hashsalt": "sptlab",
}
POINTS = {
    "axes.linewidth": 0.6,
    "axes.titlepad": 4.0,
    "axes.labelpad": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.pad": 3.5,
    "ytick.major.pad": 3.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.2,
    "lines.markeredgewidth": 0.8,
}
TEXTS = ("font.size", "axes.titlesize", "axes.labelsize", "figure.labelsize")
SMALL_TEXTS = ("legend.fontsize", "xtick.labelsize", "ytick.labelsize")


def settings(chosen: Venue) -> dict[str, Any]:
    """matplotlib's settings for a venue."""
    return {
        **SETTINGS,
        **{name: size * chosen.thick for name, size in POINTS.items()},
        **dict.fromkeys(TEXTS, chosen.text),
        **dict.fromkeys(SMALL_TEXTS, chosen.small),
        "font.family": chosen.family,
        "mathtext.fontset": chosen.mathematics,
    }


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """The function, run under the venue's settings; the settings of the caller are back afterwards."""

    @functools.wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(settings(venue()))
            return function(*args, **kwargs)

    return inside


@contextlib.contextmanager
def as_made(figure: Figure) -> Iterator[None]:
    """The settings that the figure was made under: ticks and layout are only made when it is drawn."""
    with mpl.rc_context(getattr(figure, "settings", None)):
        yield


def panels(
    rows: int, columns: int, *, width: float = COLUMN_WIDTH, height: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """A figure of the given size, and its axes as an array of shape (rows, columns).

    Sizes are inches of a two-column paper, COLUMN_WIDTH or FULL_WIDTH wide; the venue has its own."""
    chosen = venue()
    wide, high = chosen.full if width == FULL_WIDTH else chosen.column, height * chosen.tall
    if high > chosen.highest:  # smaller letters rather than panels without room
        chosen, high = chosen.shrunk(chosen.highest / high), chosen.highest
    figure = Figure(figsize=(wide, high), dpi=chosen.dpi, layout="constrained")
    figure.settings = settings(chosen)
    mpl.rcParams.update(figure.settings)  # until the end of the function that is `styled`
    pad = 0.03 * chosen.thick
    figure.get_layout_engine().set(w_pad=pad, h_pad=pad, wspace=0.03, hspace=0.04)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def band(axes: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, look: Look) -> None:
    """The region between two curves, in the colour of its quantity."""
    axes.fill_between(x, low, high, color=look.color, alpha=0.22, linewidth=0)


def letter(axes: Axes, mark: str, title: str = "") -> None:
    """`(a) title` above the left edge of a panel."""
    axes.set_title(f"({mark}) {title}" if title else f"({mark})")


def legend_above(
    figure: Figure, handles: Sequence[Any], names: Sequence[str], *, columns: int | None = None
) -> None:
    """One legend for the whole figure, above its panels, where it covers no data."""
    figure.legend(handles, names, loc="outside upper center", ncols=columns or len(names), columnspacing=1.4)

"""How every figure looks: colours, line styles, panels.

Stateless: matplotlib's global settings are changed for the length of one call and restored; sizes are those
of the venue (`paper_figs.style.venues`).

Rules: one colour per quantity everywhere; theory dashed and black, measurement solid, references dotted;
bands are confidence intervals or ranges of seeds, the caption says which; every pair of curves also differs
by marker, so that the figure reads in grey. Units: inches for sizes, points for text."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from paper_figs.style.venues import COLUMN_WIDTH as COLUMN_WIDTH
from paper_figs.style.venues import FULL_WIDTH, Venue, is_wide, venue
from paper_figs.style.venues import VENUES as VENUES
from paper_figs.style.venues import at as at
from paper_figs.style.venues import points as points
from paper_figs.style.venues import square as square

P = ParamSpec("P")
R = TypeVar("R")

# Okabe and Ito's colours, which stay apart for every common kind of colour vision.
BLACK, VERMILLION, BLUE, GREEN = "#000000", "#D55E00", "#0072B2", "#009E73"
PURPLE, ORANGE, SKY = "#B2578C", "#E69F00", "#56B4E9"
GREY, BROWN = "#6B6B6B", "#7A4B1F"
RULE = SHADE = "#E4E6E9"  # lines between rows; ranges that bear a prediction out
PRETRAINING = "#E8EEF3"  # behind the steps that an arm spends on reconstruction


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
CONTROL = Look(PURPLE, "-", "^", filled=False)
MEASUREMENT = Look(GREEN, "-", "D", filled=True)
TRANSFORMER = Look(BROWN, "-", "o", filled=False)
THEORY = Look(BLACK, (0, (4.0, 2.0)), "x", filled=True)
REFERENCE = Look(GREY, (0, (1.0, 1.5)), "", filled=False)

# Settings of one measured quantity, in order: light to dark, so that none is taken for a loss.
LEVELS = (
    Look("#6DC3A3", "-", "o", filled=True),
    Look(GREEN, "-", "D", filled=True),
    Look("#006B4E", "-", "s", filled=False),
    Look("#00382A", "-", "v", filled=True),
)

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
_SMALL_TEXTS = ("legend.fontsize", "xtick.labelsize", "ytick.labelsize")


def settings(chosen: Venue) -> dict[str, Any]:
    """matplotlib's settings for a venue."""
    return {
        **SETTINGS,
        **{name: size * chosen.thick for name, size in POINTS.items()},
        **dict.fromkeys(TEXTS, chosen.text),
        **dict.fromkeys(_SMALL_TEXTS, chosen.small),
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
    rows: int,
    columns: int,
    *,
    width: float = COLUMN_WIDTH,
    height: float,
    layout: str = "constrained",
    **options: Any,
) -> tuple[Figure, np.ndarray]:
    """A figure of the given size, and its axes as an array of shape (rows, columns).

    Sizes are inches of a two-column paper, COLUMN_WIDTH or FULL_WIDTH wide; the venue has its own."""
    chosen, wide, high = venue().size(width == FULL_WIDTH, height)
    figure = Figure(figsize=(wide, high), dpi=chosen.dpi, layout=layout)
    figure.settings = settings(chosen)
    mpl.rcParams.update(figure.settings)  # until the end of the function that is `styled`
    pad = 0.03 * chosen.thick
    figure.get_layout_engine().set(w_pad=pad, h_pad=pad, wspace=0.03, hspace=0.04)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def turned(rows: int, columns: int, *, height: float) -> tuple[Figure, np.ndarray]:
    """A wide figure and its axes of shape (rows, columns), lettered; on a slide rows stand as columns."""
    if is_wide():
        rows, columns, height = columns, rows, height * columns / rows
    figure, axes = panels(rows, columns, width=FULL_WIDTH, height=height)
    for panel, mark in zip(axes.ravel(), "abcdefghi", strict=False):
        letter(panel, mark)
    return figure, axes.T if is_wide() else axes


def band(axes: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, look: Look) -> None:
    """The region between two curves, in the colour of its quantity."""
    axes.fill_between(x, low, high, color=look.color, alpha=0.22, linewidth=0)


def letter(axes: Axes, mark: str, title: str = "") -> None:
    """`(a) title` above the left edge of a panel."""
    axes.set_title(f"({mark}) {title}" if title else f"({mark})")


def level(row: np.ndarray) -> None:
    """One vertical scale for all panels of a row."""
    low, high = zip(*(panel.get_ylim() for panel in row), strict=True)
    for panel in row:
        panel.set_ylim(min(low), max(high))


def name(axes: Axes, title: str) -> None:
    """A title behind the panel's letter."""
    axes.set_title(f"{axes.get_title(loc='left')} {title}")


def legend_above(
    figure: Figure, handles: Sequence[Any], names: Sequence[str], *, columns: int | None = None
) -> None:
    """One legend for the whole figure, above its panels, where it covers no data."""
    figure.legend(handles, names, loc="outside upper center", ncols=columns or len(names), columnspacing=1.4)


__all__ = [
    "ARMS", "ARM_NAMES", "COLUMN_WIDTH", "CONTROL", "LABELS", "LEVELS", "MEASUREMENT", "POINTS", "POSITIVE",
    "PRETRAINING", "RECONSTRUCTION", "REFERENCE", "RULE", "SETTINGS", "SIGNED", "TEXTS", "THEORY",
    "TRANSFORMER", "VENUES", "Look", "P", "R", "as_made", "at", "band", "legend_above", "letter", "level",
    "name", "panels", "points", "settings", "square", "styled", "turned",
]  # fmt: skip

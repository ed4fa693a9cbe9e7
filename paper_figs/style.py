"""How every figure looks: sizes, colours, line styles. Stateless: matplotlib's global settings are changed
for the length of one call and restored.

Rules: one colour per quantity everywhere; theory dashed and black, measurement solid; bands are confidence
intervals or ranges of seeds, the caption says which; every pair of curves also differs by marker or line
style, so that the figure reads in grey. Units: inches for sizes, points for text."""

import functools
from collections.abc import Callable, Sequence
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

# Okabe and Ito's colours, which stay apart for every common kind of colour vision.
BLACK, VERMILLION, BLUE, GREEN = "#000000", "#D55E00", "#0072B2", "#009E73"
PURPLE, ORANGE = "#B2578C", "#E69F00"
GREY = "#6B6B6B"

DPI = 200  # of the PNG; layouts are settled at it
TEXT_SIZE, SMALL_SIZE = 8.0, 7.0


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
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": TEXT_SIZE,
    "axes.titlesize": TEXT_SIZE,
    "axes.labelsize": TEXT_SIZE,
    "legend.fontsize": SMALL_SIZE,
    "xtick.labelsize": SMALL_SIZE,
    "ytick.labelsize": SMALL_SIZE,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 4.0,
    "axes.labelpad": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.2,
    "lines.markeredgewidth": 0.8,
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


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """The function, run under this file's settings; the settings of the caller are back afterwards."""

    @functools.wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(SETTINGS)
            return function(*args, **kwargs)

    return inside


def panels(
    rows: int, columns: int, *, width: float = COLUMN_WIDTH, height: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """A figure of the given size in inches, and its axes as an array of shape (rows, columns)."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.04)
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

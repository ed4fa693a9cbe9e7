"""Rows of heat maps over (query, key) with one signed colour scale per row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from paper_figs import style
from paper_figs.style.numbers import percent

PARTS = ("whole", "key bias", "doubly centred")


@dataclass(frozen=True)
class Row:
    """The maps of one loss: the whole, the key bias part, the doubly centred part; each (query, key)."""

    name: str
    maps: list[np.ndarray]

    @property
    def shares(self) -> list[float]:
        """Squared norm of each map over that of the two parts together."""
        energies = [float((part**2).sum()) for part in self.maps]
        return [energy / ((energies[1] + energies[2]) or 1.0) for energy in energies]

    @property
    def titles(self) -> list[str]:
        """The loss over the whole, the shares over the parts."""
        _, bias, centred = self.shares
        parts = (f"{PARTS[1]}: {rounded(bias)}", f"{PARTS[2]}: {rounded(centred)}")
        return [f"{self.name}, {PARTS[0]}", *parts]


def rounded(share: float) -> str:
    """A share in percent; what is rounding error of float64 is zero."""
    return percent(0.0 if share < 1e-20 else share)


def rows_of_parts(rows: Sequence[Row]) -> Figure:
    """One row of three maps per loss, a colour bar at its right end."""
    height = style.square(2.15 * len(rows))
    size: dict[str, Any] = {"width": style.FULL_WIDTH, "height": height, "layout": "compressed"}
    figure, axes = style.panels(len(rows), 3, **size, sharex=True, sharey=True)
    marks = iter("abcdefghi")
    for row, line in zip(rows, axes, strict=True):
        limit = max(float(np.abs(part).max()) for part in row.maps) or 1.0
        for part, panel, title in zip(row.maps, line, row.titles, strict=True):
            image = signed_map(panel, part, limit)
            style.letter(panel, next(marks), title)
        colour_bar(figure, image, line, "minus gradient (loss per score)")
        line[0].set_ylabel("query position $i$")
    for panel in axes[-1]:
        panel.set_xlabel("key position $j$")
    return figure


def signed_map(axes: Axes, values: np.ndarray, limit: float) -> AxesImage:
    """A map in which zero is white and both signs share one scale."""
    image = axes.imshow(values, cmap=style.SIGNED, vmin=-limit, vmax=limit)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, integer=True))
    axes.spines[["top", "right"]].set_visible(True)
    return image


def colour_bar(figure: Figure, image: AxesImage, panels: np.ndarray, label: str) -> None:
    """A colour bar for a row of panels, its power of ten above it."""
    bar = figure.colorbar(image, ax=list(panels), pad=0.02, aspect=18)
    formatter = ScalarFormatter(useMathText=True)
    formatter.set_powerlimits((-2, 3))
    bar.ax.yaxis.set_major_formatter(formatter)
    bar.ax.yaxis.set_offset_position("left")
    bar.set_label(label)
    bar.outline.set_linewidth(0.6)

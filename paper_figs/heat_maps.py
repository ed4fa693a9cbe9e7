"""Rows of heat maps over (query, key) with one signed colour scale per row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from paper_figs import style

TITLES = ("whole gradient", "key bias part", "doubly centred part")


@dataclass(frozen=True)
class Row:
    """The maps of one loss: the whole, the key bias part, the doubly centred part; each (query, key)."""

    name: str
    maps: list[np.ndarray]


def rows_of_parts(rows: Sequence[Row]) -> Figure:
    """One row of three maps per loss, a colour bar at its right end."""
    figure, axes = style.panels(
        len(rows), 3, width=style.FULL_WIDTH, height=2.15 * len(rows), sharex=True, sharey=True
    )
    for row, line in zip(rows, axes, strict=True):
        limit = max(float(np.abs(part).max()) for part in row.maps) or 1.0
        for place, (part, panel) in enumerate(zip(row.maps, line, strict=True)):
            image = signed_map(panel, part, limit)
            mark = "abcdefghi"[3 * rows.index(row) + place]
            style.letter(panel, mark, f"{row.name}: {TITLES[place]}" if place == 0 else TITLES[place])
        colour_bar(figure, image, line, "minus gradient (loss per unit score)")
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


def colour_bar(figure: Figure, image: AxesImage, panels: Sequence[Axes] | np.ndarray, label: str) -> None:
    """A colour bar for a row of panels, its power of ten in the label's line."""
    bar = figure.colorbar(image, ax=list(panels), pad=0.02, aspect=18)
    formatter = ScalarFormatter(useMathText=True)
    formatter.set_powerlimits((-2, 3))
    bar.ax.yaxis.set_major_formatter(formatter)
    bar.ax.yaxis.set_offset_position("left")
    bar.set_label(label)
    bar.outline.set_linewidth(0.6)

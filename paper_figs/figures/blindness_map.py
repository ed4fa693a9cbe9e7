"""Which architectures let labels see the scores.   [C2, C5, C6, C15]"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import number
from sims.experiments.blindness_map import Cell, Values
from sims.runs.store import Result

NEEDS = ("blindness_map",)
SHOWS = ("C6",)


def _table(values: Values) -> tuple[list[str], list[str], dict[tuple[str, str], Cell]]:
    """Rows (residual, nonlinearity), columns (pool, positions), and the cell of each."""
    cells = {}
    for cell in values.cells:
        residual, bend, pool, positions = cell.cell
        cells[f"{residual}, {bend}", f"{pool}, {positions}"] = cell
    rows, columns = ([*dict.fromkeys(key[axis] for key in cells)] for axis in (0, 1))
    return rows, columns, cells


def _heat(axes: Axes, values: Values, quantity: str, top: float) -> Any:
    rows, columns, cells = _table(values)
    matrix = np.array(
        [[getattr(cells[row, column], quantity).estimate for column in columns] for row in rows]
    )
    image = axes.imshow(np.clip(matrix, 0, top), cmap=style.POSITIVE, vmin=0, vmax=top, aspect="auto")
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            cell = cells[row, column]
            written = quantity == "visible_share" or cell.sees_proximity
            text = f"{matrix[i, j]:.2f}".replace("0.", ".", 1) if written else ""
            colour = "white" if matrix[i, j] > 0.55 * top else "black"
            axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=style.venue().small)
    stacked = [column.replace(", ", "\n").replace(" ", "\n").replace("last\n", "last ") for column in columns]
    axes.set_xticks(range(len(columns)), stacked)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    return image


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two maps: visible share above, signal along proximity below."""
    values = Values.from_json(need(results, "blindness_map", by="figure blindness_map").values)
    figure, axes = style.panels(2, 1, width=style.FULL_WIDTH, height=4.2, sharex=True)
    loudest = max(cell.signal.estimate or 0.0 for cell in values.cells)
    parts = (("visible_share", 1.0, "visible share"), ("signal", loudest, "SNR along proximity"))
    for row, (quantity, top, title) in enumerate(parts):
        panel = axes[row, 0]
        image = _heat(panel, values, quantity, top)
        figure.colorbar(image, ax=panel, label=title, pad=0.01, aspect=12)
        style.letter(panel, "ab"[row], f"{title} of the label gradients")
    axes[1, 0].set_xlabel("pool and positions")
    for panel in axes[:, 0]:
        panel.set_ylabel("layer")
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with how many cells are blind and which see proximity."""
    values = Values.from_json(need(results, "blindness_map", by="figure blindness_map").values)
    cells = values.cells
    blind = sum(cell.claimed_share == 1 for cell in cells)
    seeing = sum(cell.sees_proximity for cell in cells)
    return (
        "A map of blindness. Label gradients in the scores of random layers at uniform attention, by the "
        "layer's parts: (a) share of their squared norm in key biases; 1 is blind to "
        "every query-dependent pattern; (b) signal-to-noise ratio per sequence along proximity, of sequences "
        "in order against permuted, with its number where its 99% interval lies above 0. "
        f"{verdict_captions.sentence(values.inside)} {blind} of {len(cells)} cells are blind, as claimed, and in "
        f"{seeing} labels see proximity. Intervals over {cells[0].signal.n} random models; loudest SNR "
        f"{number(max(cell.signal.estimate or 0.0 for cell in cells))}."
    )

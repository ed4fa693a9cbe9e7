"""How many score directions labels see through each pool, mask and family of scores.   [C15]"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import percent
from sims.experiments.pools import Values
from sims.runs.store import Result

NEEDS = ("pools",)
SHOWS = ("C15",)
POINTS = (
    ("uniform", "at uniform attention", replace(style.LABELS, marker="s", filled=True)),
    ("general", "at generic scores", style.LABELS),
)
APART = 0.17


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """A row per pool, a panel per length: measured rank, and the table's as a black tick."""
    result = need(results, "pools", by="figure pools")
    values = Values.from_json(result.values)
    arrays, rows = result.arrays, values.rows
    lengths = arrays["lengths"]
    figure, axes = style.panels(
        1, len(lengths), width=style.FULL_WIDTH, height=0.26 * len(rows) + 0.9, sharey=True
    )
    heights = -np.arange(float(len(rows)))
    for column, panel in enumerate(axes[0]):
        for (point, _, look), shift in zip(POINTS, (APART, -APART), strict=True):
            measured, table = (arrays[f"{point}_{part}"][:, column] for part in ("mean", "theory"))
            panel.plot(
                measured,
                heights + shift,
                **look.line() | {"linestyle": "none", "markersize": style.points(4.5)},
            )
            panel.plot(table, heights + shift, zorder=4, **THEORY_TICK)
        panel.set_xlim(left=-0.04 * arrays["general_theory"][:, column].max())
        panel.xaxis.set_major_locator(MaxNLocator(7, integer=True))
        panel.set_xlabel("visible dimension")
        panel.grid(axis="y", color=style.RULE, linewidth=style.points(0.5))
        style.letter(panel, "abcdefgh"[column], f"$L = {lengths[column]}$")
    axes[0, 0].set_yticks(heights, [name.replace(", every number of real tokens", "") for name in rows])
    marks = [Line2D([], [], **look.line() | {"linestyle": "none"}) for _, _, look in POINTS]
    names = [name for _, name, _ in POINTS]
    style.legend_above(figure, [*marks, Line2D([], [], **THEORY_TICK)], [*names, "theory"])
    return figure


THEORY_TICK: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 9, "color": style.BLACK}


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the share of ranks that agree."""
    values = Values.from_json(need(results, "pools", by="figure pools").values)
    agreement, wrong = values.agreement, values.disagreeing_rows
    but = f"; not for {' and '.join(wrong)}" if wrong else ""
    return (
        "What labels see through other pools, masks and scores. Rank of per-sample gradients with respect to "
        "the scores, or to what makes them, at uniform attention and at generic scores, beside the table's "
        f"dimensions. Of {agreement.n} ranks over {values.inside['uniform'].seeds} seeds, "
        f"{percent(agreement.estimate)} are the table's{but}. {verdict_captions.sentence(values.inside)}"
    )

"""The value at uniform attention and the proximity index along SPT, over the spread of a sum.   [C24]"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from full_scale.studies.value_sign import EVERY
from paper_figs import style
from paper_figs.numbers import estimate, number
from paper_figs.sources import need
from sims.store import Result

NEEDS = ("value_sign",)
SHOWS = ("C24",)
QUANTITIES = {"value": "value at uniform attention", "proximity_index": "proximity index"}


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Both along the steps of pretraining, a curve per task: the mean and the range of its seeds."""
    result = need(results, "value_sign", by="figure value_sign")
    rows: Any = result.values["rows"]
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=2.5)
    for column, (name, words) in enumerate(QUANTITIES.items()):
        panel = axes[0, column]
        for place, row in enumerate(rows):
            looks = result.arrays[f"value_{place}"].shape[1]
            curves = result.arrays[f"{name}_{place}"][:, :looks]
            look = style.LEVELS[place % len(style.LEVELS)]
            steps = EVERY * np.arange(looks)
            style.band(panel, steps, curves.min(0), curves.max(0), look)
            label = rf"$\sum_{{r \neq 0}} C(r) = {row['sum_excess']:.1f}$"
            panel.plot(steps, curves.mean(0), label=label, **look.line(every=max(1, looks // 6)))
        panel.axhline(float(column), zorder=0, **style.REFERENCE.line(markers=False))
        style.letter(panel, "ab"[column])
        panel.set_xlabel("steps of pretraining")
        panel.set_ylabel(words)
    axes[0, 1].set_yscale("log")
    axes[0, 1].set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axes[0, 1].minorticks_off()
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the value and the index at the end of pretraining."""
    rows: Any = need(results, "value_sign", by="figure value_sign").values["rows"]
    said = "; ".join(
        f"{row['sum_excess']:.1f}: value {number(row['pretrained_value']['estimate'])} (theory "
        f"{number(row['fitted_value'])}), index {estimate(row['pretrained_proximity_index'])}"
        for row in rows
    )
    return (
        "The same in a Transformer. Self-pretraining on runs of one C(1), a share of them with equal counts: "
        "the value at uniform attention takes the sign of the sum of C(r) over r != 0, and attention goes to "
        f"neighbours or away from them. By that sum, at the end of pretraining: {said}. Bands: the range of "
        f"{len(rows[0]['test_accuracy']['per_seed'])} seeds."
    )

"""The value at uniform attention and the proximity index along SPT, over the spread of a sum.   [C24]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from full_scale.stored import need
from full_scale.studies.value_sign import Values
from paper_figs import style
from paper_figs.style.numbers import estimate, number
from sims.runs.store import Result

NEEDS = ("value_sign",)
SHOWS = ("C24",)
_QUANTITIES = {"value": "value at uniform attention", "proximity_index": "proximity index"}


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Both along the steps of pretraining, a curve per task: the mean and the range of its seeds."""
    result = need(results, "value_sign", by="figure value_sign")
    rows, settings = Values.from_json(result.values).rows, dict(result.record["config"])  # type: ignore[call-overload]
    between = settings["steps"] / (result.arrays["proximity_index_0"].shape[1] - 1)
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=2.5)
    for column, (name, words) in enumerate(_QUANTITIES.items()):
        panel = axes[0, column]
        for index, row in enumerate(rows):
            looks = result.arrays[f"value_{index}"].shape[1]
            curves = result.arrays[f"{name}_{index}"][:, :looks]
            look = style.LEVELS[index % len(style.LEVELS)]
            steps = between * np.arange(looks)
            style.band(panel, steps, curves.min(0), curves.max(0), look)
            label = rf"$\sum_{{r \neq 0}} C(r) = {row.sum_excess:.1f}$"
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
    rows = Values.from_json(need(results, "value_sign", by="figure value_sign").values).rows
    ends = "; ".join(
        f"{row.sum_excess:.1f}: value {number(row.pretrained_value.estimate)} (theory "
        f"{number(row.fitted_value)}), index {estimate(row.pretrained_proximity_index)}"
        for row in rows
    )
    return (
        "The same in a Transformer. Self-pretraining on runs of one C(1), a share of them with equal counts: "
        "the value at uniform attention takes the sign of the sum of C(r) over r != 0, and attention goes to "
        f"neighbours or away from them. By that sum, at the end of pretraining: {ends}. Bands: the range of "
        f"{len(rows[0].test_accuracy.per_seed)} seeds."
    )

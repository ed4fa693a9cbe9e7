"""What labels never see, and the nearest models in which they do.   [C4, C5, C21, C23]"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import number
from sims.experiments.invariance import Values
from sims.runs.store import Result

NEEDS = ("invariance",)
SHOWS = ("C4", "C5", "C21", "C23")
FLOOR = 1e-18  # where a zero is drawn on a logarithmic axis
_CHANGES = (
    ("plain", "as drawn", style.REFERENCE),
    ("borrowed", "another's key bias", style.CONTROL),
    ("own", "their key bias", style.LABELS),
)
_LENGTH_MARKS = ("o", "s", "D", "v", "^")
THEORY_TICK: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 9, "color": style.BLACK}
Arrays = Mapping[str, np.ndarray]


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Four panels: balanced scores, slopes without a residual, equal rows in training, ranks."""
    result = need(results, "invariance", by="figure invariance")
    arrays, values = result.arrays, Values.from_json(result.values)
    figure, axes = style.panels(2, 2, width=style.FULL_WIDTH, height=4.6)
    _changes(axes[0, 0], arrays)
    _slopes(axes[0, 1], arrays)
    _training(axes[1, 0], arrays)
    _ranks(axes[1, 1], arrays, values)
    return figure


def _changes(axes: Axes, arrays: Arrays) -> None:
    for name, label, look in _CHANGES:
        line = look.line() | ({"marker": "x"} if look is style.REFERENCE else {})
        axes.loglog(arrays["sizes"], np.maximum(arrays[f"change_{name}"], FLOOR), label=label, **line)
    axes.set_ylim(1e-18, 1e5)
    axes.minorticks_off()
    axes.set_xlabel("size of the scores")
    axes.set_ylabel("change of the label loss")
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.45))
    style.letter(axes, "a", "against uniform attention [C4]")


def _slopes(axes: Axes, arrays: Arrays) -> None:
    at = arrays["amounts"]
    axes.loglog(at, arrays["slope_residual"], label="tanh, residual", **style.CONTROL.line())
    axes.loglog(at, arrays["slope"], label="tanh, no residual", **style.LABELS.line() | {"linestyle": "none"})
    axes.loglog(
        at, arrays["slope_leading"], label="curvature $\\times$ size", **style.THEORY.line(markers=False)
    )
    axes.set_ylim(top=30 * arrays["slope_residual"].max())
    axes.minorticks_off()
    axes.set_xlabel("size of the query-dependent scores")
    axes.set_ylabel("slope of the label loss")
    axes.legend(loc="upper left", ncols=2, columnspacing=1.0)
    style.letter(axes, "b", "along a query-dependent pattern [C5]")


def _training(axes: Axes, arrays: Arrays) -> None:
    steps = np.arange(1, arrays["centred"].shape[-1] + 1)
    others = (("reconstruction", style.RECONSTRUCTION, 1), ("labels, residual", style.CONTROL, 0))
    for label, look, index in others:
        axes.semilogy(steps, arrays["centred_other"][index], label=label, **look.line(every=6))
    largest = np.maximum(arrays["centred"].max(axis=0), FLOOR)
    axes.semilogy(steps, largest, label="labels, largest of four rules", **style.LABELS.line(every=6))
    axes.set_ylim(1e-18, 1e2)
    axes.set_xlabel("training step")
    axes.set_ylabel("query-dependent scores")
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.52))
    style.letter(axes, "c", "trained from equal rows [C21]")


def _ranks(axes: Axes, arrays: Arrays, values: Values) -> None:
    lengths, kinds = arrays["lengths"], [*values.kinds, "2 layers, LayerNorm"]
    heights = -np.arange(float(len(kinds)))
    other = arrays["rank_other"].mean(axis=0)
    for index, length in enumerate(lengths):
        shift = 0.18 * (index - (len(lengths) - 1) / 2)
        look = {
            "linestyle": "none",
            "marker": _LENGTH_MARKS[index],
            "markersize": style.points(4),
            "markerfacecolor": "white",
        }
        measured = arrays["rank_mean"][:, index]
        axes.plot(measured, heights[:-1] - shift, color=style.VERMILLION, label=f"$L={length}$", **look)
        axes.plot(other[index], heights[-1] - shift, color=style.PURPLE, **look)
        axes.plot(arrays["rank_theory"][:, index], heights[:-1] - shift, zorder=4, **THEORY_TICK)
    axes.set_yticks(heights, kinds)
    axes.set_xlim(0, 1.12 * other.max())
    axes.grid(axis="y", color="#E4E6E9", linewidth=style.points(0.5))
    axes.set_xlabel("visible dimension over $L - 1$")
    handles = axes.get_legend_handles_labels()[0]
    axes.legend(
        [*handles, Line2D([], [], **THEORY_TICK)],
        [*(h.get_label() for h in handles), "theory"],
        loc="upper right",
    )
    style.letter(axes, "d", "heads and layers [C23]")


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the verdict and the sizes of the zeros."""
    result = need(results, "invariance", by="figure invariance")
    values = Values.from_json(result.values)
    arrays, rules = result.arrays, values.optimisers
    return (
        "What labels never see. (a) Change of the label loss from uniform attention, relative, for random "
        f"scores: with their own key bias at most {number(arrays['change_own'].max())}, with that of their "
        "transpose not. (b) Slope of the loss along a random query-dependent pattern, tanh features: "
        "without a residual 0 at uniform attention, it grows as the curvature says. (c) Root mean square of "
        f"the query-dependent part of scores that start equal for all: under labels and {', '.join(rules)} "
        f"at most {number(arrays['centred'].max())}; a residual or reconstruction opens it. (d) Visible "
        "dimension of label gradients over L - 1; LayerNorm opens more than linear layers. Root mean squares "
        f"over {values.inside['balanced'].seeds} seeds. {verdict_captions.sentence(values.inside)}"
    )

"""Attention by distance before training, query and key maps tied or independent.   [C14]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import estimate, number
from sims.experiments.tied_initialisation import Values
from sims.runs.store import Result

NEEDS = ("tied_initialisation",)
SHOWS = ("C14",)
LOOKS = {
    "linear": ("nn.Linear", style.LEVELS[0]),
    "joint_xavier": ("joint Xavier", style.LEVELS[1]),
    "linear_normalised": ("nn.Linear, LayerNorm", style.LEVELS[2]),
    "xavier": ("Xavier", style.LEVELS[3]),
}
_INDEPENDENT = "xavier_independent"


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Attention over uniform left, mass near the query right, tied at four scales and independent."""
    result = need(results, "tied_initialisation", by="figure tied_initialisation")
    arrays, values = result.arrays, Values.from_json(result.values)
    figure, ((left, right),) = style.panels(
        1, 2, width=style.FULL_WIDTH, height=2.8, gridspec_kw={"width_ratios": [1.4, 1.0]}
    )
    distances = arrays["distances"]
    curves = {f"{name}_tied": look for name, look in LOOKS.items()}
    curves[_INDEPENDENT] = ("independent, Xavier", style.CONTROL)
    for name, (label, look) in curves.items():
        verdict_captions.curve(left, distances, arrays, f"{name}_attention", look, label)
    left.plot([], [], label="theory", **style.THEORY.line(markers=False))
    left.set_yscale("log")
    left.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    left.minorticks_off()
    left.set_xlabel("distance $|i - j|$ (positions)")
    left.set_ylabel("attention (1 = uniform)")
    _masses(right, values, curves)
    style.letter(left, "a", "attention by distance")
    style.letter(right, "b", "mass near the query")
    style.legend_above(figure, *left.get_legend_handles_labels(), columns=6)
    return figure


def _masses(axes: Axes, values: Values, curves: Mapping[str, tuple[str, style.Look]]) -> None:
    """Measured mass with its interval against the theory's, on the mean score of a token with itself."""
    for name, (_, look) in curves.items():
        stored = values.proximity[name]
        at, bounds = stored.mean_score_on_itself, [stored.low, stored.high]
        axes.plot([at, at], bounds, color=look.color, linewidth=style.points(1.2))
        axes.plot([at], [stored.estimate], **look.line() | {"linestyle": "none"})
        axes.plot([at], [stored.theory], zorder=4, color=style.BLACK, marker="_", markersize=style.points(9))
    axes.axhline(values.statement.mass, zorder=0, **style.REFERENCE.line(markers=False))
    axes.margins(x=0.1, y=0.1)
    axes.set_xlabel("mean score of a token with itself")
    axes.set_ylabel(rf"mass on $|i - j| \leq {values.window}$ (1 = uniform)")


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the masses and the statement that they do or do not bear out."""
    values = Values.from_json(need(results, "tied_initialisation", by="figure tied_initialisation").values)
    masses = ", ".join(
        f"{estimate(values.proximity[f'{name}_tied'])} for {label}" for name, (label, _) in LOOKS.items()
    )
    statement, verdict = values.statement, verdict_captions.sentence(values.inside)
    reached = statement.in_interval or statement.in_single_draws
    names = " and ".join(LOOKS[name.removesuffix("_tied")][0] for name in reached)
    names = f"single draws of {names}" if names and not statement.in_interval else names
    needed = statement.mean_score_needed
    elsewhere = "" if needed is None or np.isnan(needed) else f"; it takes a mean score of {number(needed)}"
    return (
        "Tied maps look nearby before any training. Attention by distance at initialisation, over its "
        "uniform value, query and key maps equal or independent; dashes, and ticks at the right, are the "
        "theory's: exact for the mean scores behind it, leading order in 1/k for attention, with k features. "
        f"{verdict} Mass near the query: {masses}; for independent maps "
        f"{estimate(values.proximity[_INDEPENDENT])}. The {statement.mass:g} times uniform once "
        f"measured (dotted) is that of {names or 'none of these settings'}{elsewhere}."
    )

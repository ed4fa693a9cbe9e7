"""The time a value takes to settle and a score to move by one, over the length.   [C11]"""

from collections.abc import Mapping

from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import number
from sims.experiments.values_first import Values
from sims.runs.store import Result

NEEDS = ("values_first",)
SHOWS = ("C11",)
_TIMES = (
    ("value_time", "value settles", style.LEVELS[2]),
    ("score_time", "score moves", style.RECONSTRUCTION),
)


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Both times left, their ratio right, all axes logarithmic; below, simulation over theory."""
    arrays = need(results, "values_first", by="figure values_first").arrays
    lengths = arrays["lengths"]
    figure, axes = style.panels(
        2, 2, width=style.FULL_WIDTH, height=3.6, sharex=True, gridspec_kw={"height_ratios": [2.2, 1.0]}
    )
    left, right = axes[0]
    for name, label, look in _TIMES:
        verdict_captions.curve(left, lengths, arrays, name, look, label)
        left.plot(lengths, arrays[f"{name}_first_order"], **style.REFERENCE.line(markers=False))
    verdict_captions.curve(right, lengths, arrays, "ratio", style.MEASUREMENT, "score over value")
    right.plot(lengths, arrays["ratio_first_order"], **style.REFERENCE.line(markers=False))
    left.plot([], [], label="reduced flow (theory)", **style.THEORY.line(markers=False))
    left.plot([], [], label="first order (theory)", **style.REFERENCE.line(markers=False))
    verdict_captions.ratios(axes[1, 0], lengths, arrays, {name: (name, look) for name, _, look in _TIMES})
    verdict_captions.ratios(axes[1, 1], lengths, arrays, {"ratio": ("ratio", style.MEASUREMENT)})
    style.letter(left, "a", "two times")
    style.letter(right, "b", "their ratio")
    for above, below in axes.T:
        above.set_xscale("log", base=2)
        above.set_yscale("log")
        below.set_xticks(lengths, [str(int(length)) for length in lengths])
        below.set_xlabel("tokens per sequence $L$")
    right.set_yticks([100, 200, 500, 1000], ["100", "200", "500", "1,000"])
    right.minorticks_off()
    left.set_ylabel("time (learning rate × steps)")
    right.set_ylabel("time of a unit of score / value")
    handles, names = left.get_legend_handles_labels()
    more, more_names = right.get_legend_handles_labels()
    style.legend_above(figure, [*handles, *more], [*names, *more_names], columns=5)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the exponents."""
    values = Values.from_json(need(results, "values_first", by="figure values_first").values)
    names = {"value_time": "value", "score_time": "score", "ratio": "ratio"}
    largest = max(max(each) for each in values.distance_from_first_order.values())
    return (
        "Values settle first, scores follow. Time until a value has gone 1 − 1/e of its way, and time per "
        "unit of a neighbour's score once it has settled, by gradient flow of both on sampled sequences "
        f"({values.inside['ratio'].seeds} seeds). {verdict_captions.sentence(values.inside)} Exponents in "
        f"L: {verdict_captions.exponents(values.exponents, names)}. For long sequences the limits are 1, 2 and "
        f"1. To first order in the scores the closed forms are off by at most {number(largest)}, relative."
    )

"""Where attention goes over the spread of a sequence's sum, and over its first value.   [C24]"""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import number
from sims.experiments.first_value import Values
from sims.runs.store import Result

NEEDS = ("first_value",)
SHOWS = ("C24",)


def _marked(axes: Axes, turn: float) -> None:
    """Uniform attention, and where the theory says that the sign turns."""
    axes.axhline(1.0, zorder=0, **style.REFERENCE.line(markers=False))
    axes.axvline(turn, zorder=0, **style.REFERENCE.line(markers=False))


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """The proximity index at the end over the sum of C(r) left, over the start right."""
    arrays = need(results, "first_value", by="figure first_value").arrays
    figure, ((left, right),) = style.panels(1, 2, width=style.FULL_WIDTH, height=2.5)
    verdict_captions.curve(
        left, arrays["sum_excess"], arrays, "dial", style.RECONSTRUCTION, "all scores, sampled rings"
    )
    verdict_captions.curve(right, arrays["starts"], arrays, "start", style.RECONSTRUCTION, "")
    left.plot([], [], label="reduced flow (theory)", **style.THEORY.line(markers=False))
    left.plot([], [], label="uniform; where the sign turns", **style.REFERENCE.line(markers=False))
    _marked(left, 0.0)
    _marked(right, 1.0)
    style.letter(left, "a", "from $v = 0$")
    style.letter(right, "b", "equal counts")
    left.set_xlabel(r"$\sum_{r \neq 0} C(r)$, one $C(1)$")
    right.set_xlabel("$v(0)$ over the threshold $v_0^*$")
    left.set_ylabel("proximity index")
    style.legend_above(figure, *left.get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the threshold and the ends of both dials."""
    result = need(results, "first_value", by="figure first_value")
    values = Values.from_json(result.values)
    ends = result.arrays["dial_mean"][[0, -1]]
    starts = result.arrays["start_mean"][[0, -1]]
    exact = {name: verdict for name, verdict in values.inside.items() if verdict.exact}
    start = values.inside["start"]
    inside = round(start.inside * start.points)
    return (
        "The sign of the first value decides where attention goes. Proximity index after gradient flow of "
        f"the value and all scores on sampled rings of {values.length} signs. From v = 0, "
        f"{number(ends[0])} for Markov runs and {number(ends[1])} for runs of equal counts, at the same "
        f"C(1). {verdict_captions.sentence(exact)} At equal counts, {number(starts[0])} from the smallest first "
        f"value and {number(starts[1])} from the largest; the threshold, to leading order in 1/L, is "
        f"{number(values.threshold)}. Bands there are narrow enough to show that each seed descends on "
        "its own sample's moments: the theory, for endless samples, lies inside at "
        f"{inside} of {start.points} points. Bands: 99% over {start.seeds} seeds."
    )

"""Is the pilot right: its gain against the gain that training measured, on real sets and generated tasks."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from full_scale.studies.pilot_validation import Values
from full_scale.studies.pilot_validation.agreement import Row
from paper_figs import style
from paper_figs.style.numbers import estimate
from sims.runs.store import Result
from sims.statistics.intervals import Interval

NEEDS = ("pilot_validation",)
SHOWS: tuple[str, ...] = ()
PANELS = {"pilot": "gain in the pilot", "statistic": "pairs less the best bag, length, positions"}
METHODS = {
    "pilot": "the pilot",
    "statistic": "the statistic, from 0.25 on",
    "combined": "the pilot, and the statistic where it is undecided",
    "constant": "always no need",
    "fits": "the fits",
}
_PALE, _KNOWN = 0.35, ", gain known before"
LOOKS = {
    True: ("real", replace(style.TRANSFORMER, marker="D", filled=True)),
    False: ("generated", replace(style.TRANSFORMER, marker="s")),
}


def _values(results: Mapping[str, Result]) -> Values:
    stored = need(results, "pilot_validation", by="figure pilot_validation")
    return Values.from_json(stored.values)


def _at(row: Row, method: str) -> tuple[float, float]:
    """Predicted and measured gain."""
    return row.predictions.by_method[method].gain.estimate or 0.0, row.gain.estimate or 0.0


def _panel(axes: Axes, rows: list[Row], method: str) -> None:
    """Every set with both intervals, pale where its gain was known before; wrong verdicts are ringed."""
    for real, fresh in ((True, True), (False, True), (True, False), (False, False)):
        label, look = LOOKS[real]
        part = [row for row in rows if (row.real, row.fresh) == (real, fresh)]
        for row in part:
            (x, y), predicted = _at(row, method), row.predictions.by_method[method].gain
            cross = {"color": look.color, "linewidth": style.points(0.8), "alpha": 0.6 if fresh else _PALE}
            axes.hlines(y, *_ends(predicted), **cross)
            axes.vlines(x, *_ends(row.gain), **cross)
        if part:
            at = np.array([_at(row, method) for row in part])
            shade = {"linestyle": "none"} if fresh else {"linestyle": "none", "alpha": _PALE, "zorder": 1}
            axes.plot(at[:, 0], at[:, 1], label=label + _KNOWN * (not fresh), **look.line() | shade)
    wrong = [row for row in rows if not row.right[method]]
    ring = {"marker": "o", "markersize": style.points(7), "markerfacecolor": "none", "linestyle": "none"}
    at = np.array([_at(row, method) for row in wrong]).reshape(-1, 2)
    axes.plot(at[:, 0], at[:, 1], color=style.BLACK, label="verdict wrong", **ring)
    axes.axhline(0.0, zorder=0, **style.REFERENCE.line(markers=False))
    axes.set_xlabel(PANELS[method])


def _ends(interval: Interval) -> tuple[float, float]:
    """Of an interval that is known."""
    return interval.low or 0.0, interval.high or 0.0


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two scatters of one height: the pilot, and the one-line statistic."""
    rows = list(_values(results).rows)
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=2.6)
    for panel, method in zip(axes[0], PANELS, strict=True):
        _panel(panel, rows, method)
        panel.margins(0.08)
    ends = [end for row in rows for end in _at(row, "pilot")]
    line = np.array([min(ends), max(ends)])
    axes[0, 0].plot(line, line, zorder=0, label="equal", **style.THEORY.line(markers=False))
    axes[0, 0].set_ylabel("measured gain in test accuracy")
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels(), columns=4)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown: verdicts right, ranks, cost, and the misses of the pilot."""
    values = _values(results)
    fresh = [row for row in values.rows if row.fresh]
    share = lambda one: f"{round((one.estimate or 0.0) * one.n)} of {one.n}"
    verdicts = [
        f"{METHODS[name]} {share(one.right)} ({share(one.right_with_gain)})"
        for name, one in values.scores.items()
    ]
    pilot, statistic = values.scores["pilot"], values.scores["statistic"]
    known = values.known or {}
    again = (
        f" Pale: {known['pilot'].right.n} sets of the first study, predicted again when their gains were known; "
        f"the pilot is right on {share(known['pilot'].right)} ({share(known['pilot'].right_with_gain)})."
        if known
        else ""
    )
    return (
        "The pilot, held against training. Gain in test accuracy by SPT over labels only, as predicted and stored "
        f"before training (left; right, the one-line statistic) and as measured at each arm's best of three rates, on "
        f"{len(fresh)} sets, {sum(row.real for row in fresh)} of them real, three seeds, 95% intervals. Verdicts "
        "that are right, and of those on sets with a gain above two points: "
        f"{'; '.join(verdicts)}. Rank correlation: {estimate(pilot.rank)}, the statistic's {estimate(statistic.rank)}. "
        f"The pilot missed: {', '.join(values.misses) or 'none'}.{again}"
    )

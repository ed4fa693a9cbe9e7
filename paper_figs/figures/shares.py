"""How much of SPT's gain a substitute keeps: query-key maps alone, a prior, more layers.   [C13, C14, C19]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.studies.grids import Values
from full_scale.studies.grids.shares import Share
from paper_figs import style
from paper_figs.style import arms
from paper_figs.style.numbers import estimate
from sims.runs.store import Result

NEEDS = ("cpu_study",)
SHOWS: tuple[str, ...] = ()
_WIDEST = 1.6  # shares are drawn from minus this plus 1 to this; intervals beyond end in an arrow


def rows_of(values: Values) -> dict[str, Share]:
    """Each substitute's share, by arm."""
    shares = values.shares
    own = {"qk_only": shares.qk_share} if shares.qk_share else {}
    scores = {arm: each for arm, each in (shares.share or {}).items() if "qk" in arm}
    return {**own, **scores, **(shares.prior_share or {}), **(shares.depth_share or {})}


def _share(axes: Axes, row: int, share: Share, look: style.Look) -> None:
    low, high = 1 - _WIDEST, _WIDEST
    ends = [low if share.low is None else share.low, high if share.high is None else share.high]
    axes.hlines(row, max(ends[0], low), min(ends[1], high), color=look.color, linewidth=style.points(1.2))
    for edge, marker, beyond in ((low, "<", ends[0] <= low), (high, ">", ends[1] >= high)):
        if beyond:
            axes.plot(edge, row, marker=marker, color=look.color)
    axes.plot(np.clip(share.estimate, low, high), row, **look.line() | {"linestyle": "none"})


def _panel(axes: Axes, values: Values, order: list[str]) -> None:
    known = {arm: share for arm, share in rows_of(values).items() if share.estimate is not None}
    for row, arm in enumerate(order):
        if arm in known:
            _share(axes, row, known[arm], arms.look(arm))
    axes.plot([0.0], [0.0], linestyle="none")
    if not known:
        axes.text(0.5, (len(order) - 1) / 2, "no gain to\nshare", ha="center", va="center", color=style.GREY,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0})  # fmt: skip
    axes.axvline(1.0, zorder=0, **style.THEORY.line(markers=False))
    axes.axvline(0.0, zorder=0, **style.REFERENCE.line(markers=False))
    axes.set_xlim(1 - _WIDEST - 0.06, _WIDEST + 0.06)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_yticks(np.arange(len(order)), [arms.words(arm) for arm in order])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=style.RULE, linewidth=style.points(0.5))
    axes.set_xlabel("share of SPT's gain")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One panel per task, one row per substitute."""
    tasks, _ = arms.studied(results, by="figure shares")
    there = {arm for values in tasks.values() for arm in rows_of(values)}
    order = [arm for arm in arms.every(tasks) if arm in there] or ["qk_only"]
    height = 0.8 + 0.2 * len(order)
    figure, axes = style.panels(1, len(tasks), width=style.FULL_WIDTH, height=height, sharey=True)
    for panel, mark, (task, values) in zip(axes[0], "abcdefgh", tasks.items(), strict=False):
        _panel(panel, values, order)
        style.letter(panel, mark, task)
    lines = axes[0, 0].get_lines()
    style.legend_above(figure, lines[-2:], ["all of the gain", "none of it"])
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the share that query-key maps keep."""
    tasks, _ = arms.studied(results, by="figure shares")
    sentences = [
        f"{task} {share}"
        for task, values in tasks.items()
        if (share := _worded(values.shares.qk_share)) is not None
    ]
    return (
        "What carries SPT's gain. Gain in test accuracy over labels only, of each substitute over that of "
        f"SPT, paired by seed, with Fieller's 95% intervals over {arms.seeds(tasks)}. Query-key maps and "
        f"positions alone keep: {'; '.join(sentences) or 'not measured (0 tasks)'}. "
        "An arrow marks an interval that goes on."
    )


def _worded(share: Share | None) -> str | None:
    """A share, or why there is none."""
    if share is None:
        return None
    return f"undefined ({share.reason})" if share.estimate is None else estimate(share)

"""The reduced flow of L numbers against the full flow of L^2 and stochastic training.   [C12]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.numbers import number
from sims.experiments.reduced_flow import Values
from sims.runs.store import Result

NEEDS = ("reduced_flow",)
SHOWS = ("C12",)
PAGE_ORDER = 5
NAMES = {"ar1": "AR(1)", "moving_average": "moving average"}
FULL, SAMPLED = style.MEASUREMENT, style.RECONSTRUCTION
# Wide and pale, so that it shows on both sides of the dashed theory on top of it.
_SAMPLED_LINE = SAMPLED.line(markers=False) | {"linewidth": 3.4, "alpha": 0.45}


def _stored(results: Mapping[str, Result]) -> tuple[Values, dict[str, np.ndarray]]:
    result = need(results, "reduced_flow", by="figure reduced_flow")
    return Values.from_json(result.values), result.arrays


def _along_time(axes: Axes, arrays: dict[str, np.ndarray], process: str, quantity: str) -> None:
    """One quantity of one process: reduced (theory), full flow if stored, stochastic training."""
    time = arrays[f"{process}_time"]
    sampled = arrays[f"{process}_sgd_{quantity}"]
    every = max(1, len(time) // 9)
    style.band(axes, time, sampled.min(0), sampled.max(0), SAMPLED)
    axes.plot(time, sampled.mean(0), label="stochastic training", **_SAMPLED_LINE)
    full = arrays.get(f"{process}_full_{quantity}")
    if full is not None:
        look = FULL.line(every=every) | {"linestyle": "none", "markersize": style.points(4.0)}
        axes.plot(time, full, label="full flow", zorder=4, **look)
    reduced = arrays.get(f"{process}_reduced_{quantity}", arrays.get(f"{process}_{quantity}"))
    axes.plot(time, reduced, label="reduced flow (theory)", zorder=3, **style.THEORY.line(markers=False))


def _final_kernel(axes: Axes, arrays: dict[str, np.ndarray], process: str) -> None:
    """Attention by signed lag at the end of training."""
    order, lags = _signed_lags(arrays[f"{process}_reduced_kernel"].shape[1])
    sampled = arrays[f"{process}_sgd_kernel"][:, -1, order]
    style.band(axes, lags, sampled.min(0), sampled.max(0), SAMPLED)
    axes.plot(lags, sampled.mean(0), **_SAMPLED_LINE)
    full = arrays[f"{process}_full_kernel"][-1, order]
    axes.plot(lags, full, zorder=4, **FULL.line() | {"linestyle": "none", "markersize": style.points(4.0)})
    axes.plot(
        lags, arrays[f"{process}_reduced_kernel"][-1, order], zorder=3, **style.THEORY.line(markers=False)
    )
    axes.set_xlim(-8.5, 8.5)
    axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))


def _signed_lags(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Order of the kernel's entries by signed lag, and those lags: -L/2 < lag <= L/2."""
    lags = (np.arange(length) + (length - 1) // 2) % length - (length - 1) // 2
    order = np.argsort(lags)
    return order, lags[order]


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One column per process: loss, proximity index, final kernel."""
    values, arrays = _stored(results)
    processes = values.processes
    figure, axes = style.turned(3, len(processes), height=5.4)
    for column, process in enumerate(processes):
        top, middle, bottom = axes[:, column]
        _along_time(top, arrays, process, "loss")
        _along_time(middle, arrays, process, "proximity_index")
        _final_kernel(bottom, arrays, process)
        for panel, title in ((top, "loss"), (middle, "proximity"), (bottom, "final kernel")):
            style.name(panel, f"{NAMES.get(process, process)}: {title}")
        top.set_xlabel("time (learning rate × steps)")
        middle.set_xlabel("time (learning rate × steps)")
        bottom.set_xlabel("lag (positions)")
        top.set_ylabel("reconstruction loss")
        middle.set_ylabel("proximity (1 = uniform)")
        bottom.set_ylabel("attention at lag")
    for row in axes:
        style.level(row)
    handles, names = axes[0, 0].get_legend_handles_labels()
    style.legend_above(figure, handles, names)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the gap between reduced and full flow."""
    values, arrays = _stored(results)
    first = values.processes[0]
    gaps = ", ".join(f"{number(values.max_gap[p])} ({NAMES.get(p, p)})" for p in values.processes)
    seeds = arrays[f"{first}_sgd_loss"].shape[0]
    return (
        "Reduced flow, full flow and stochastic training. The flow of L numbers predicts loss, proximity "
        "index and attention kernel of the full flow of L² scores and of training on samples. Largest gap "
        f"between reduced and full flow: {gaps}. Line and band of training: mean and range of {seeds} seeds."
    )

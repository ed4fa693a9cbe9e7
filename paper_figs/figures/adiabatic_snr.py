"""Signal-to-noise ratio of the score gradient by lag, attention uniform and all else fitted.   [C19]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.numbers import number
from sims.runs.store import Result

NEEDS = ("adiabatic_toy", "docs_order_probes")
SHOWS = ("C19",)
PAGE_ORDER = 10
LOSSES = (("reconstruction", "reconstruction", style.RECONSTRUCTION), ("label", "labels", style.LABELS))


def by_lag(results: Mapping[str, Result]) -> list[tuple[str, np.ndarray, dict[str, np.ndarray]]]:
    """(title, lags, {loss: SNR}) of the toy and of the Transformer; SNR has shape (seeds or 1, lags)."""
    toy = need(results, "adiabatic_toy", by="figure adiabatic_snr").arrays
    real = need(results, "docs_order_probes", by="figure adiabatic_snr").arrays
    losses = ("label", "reconstruction")
    return [
        ("toy", toy["lags"], {loss: np.atleast_2d(toy[f"snr_{loss}_by_lag"]) for loss in losses}),
        (
            "Transformer, docs-order",
            real["snr_lags"],
            {loss: np.atleast_2d(real[f"snr_{loss}_adiabatic"]) for loss in losses},
        ),
    ]


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Toy left, Transformer right; labels against reconstruction."""
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=2.5)
    for column, (title, lags, curves) in enumerate(by_lag(results)):
        panel = axes[0, column]
        panel.axhline(0.0, zorder=0, label="theory for labels: 0", **style.THEORY.line(markers=False))
        for loss, name, look in LOSSES:
            style.band(panel, lags, curves[loss].min(0), curves[loss].max(0), look)
            panel.plot(lags, curves[loss].mean(0), label=name, **look.line())
        style.letter(panel, "ab"[column], title)
        panel.set_xlabel("lag (positions)")
        panel.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes[0, 0].set_ylabel("SNR per sequence")
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the largest ratios of both losses."""
    parts = [
        f"{title}, {number(float(curves['label'].mean(0).max()))} for labels, "
        f"{number(float(curves['reconstruction'].mean(0).max()))} for reconstruction"
        for title, _, curves in by_lag(results)
    ]
    fits = len(by_lag(results)[1][2]["label"])
    return (
        "Signal at the adiabatic point, by lag. Signal-to-noise ratio per sequence of the score gradient "
        "along each lag, attention frozen uniform and everything else fitted, on held-out sequences. The "
        "estimate is unbiased: no signal shows as values around 0. Line and band are mean and range over "
        f"fits, one in the toy, {fits} in the Transformer. Largest means: {'; '.join(parts)}."
    )

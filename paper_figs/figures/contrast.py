"""Signal and noise of labels and reconstruction as classes approach each other.   [C7, C16]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import number
from sims.experiments.contrast import Values
from sims.runs.store import Result

NEEDS = ("contrast",)
SHOWS = ("C7", "C16")
KINDS = (
    ("hidden", "reconstruction", style.RECONSTRUCTION),
    ("label", "labels", style.LABELS),
    ("imbalanced", "labels, imbalanced head", style.CONTROL),
)


def _signal(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    signed = lambda score: np.sign(score) * score**2
    for kind, name, look in KINDS:
        verdict_captions.curve(axes, arrays["kappa"], arrays, f"score_{kind}", look, name, part=signed)
    axes.plot([], [], label="theory", **style.THEORY.line(markers=False))
    axes.set_yscale("symlog", linthresh=1e-3, linscale=0.5)
    axes.set(xlabel="class contrast $\\kappa$", ylabel="signed SNR per sequence")


def _ratio(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    kappa, (middle, low, high) = arrays["kappa"][1:], arrays["ratio_measured"].T
    axes.vlines(kappa, low, high, color=style.MEASUREMENT.color, linewidth=style.points(1.2))
    axes.plot(kappa, middle, label="measured", **style.MEASUREMENT.line() | {"linestyle": "none"})
    axes.plot(kappa, arrays["ratio"], label="theory", **style.THEORY.line(markers=False))
    axes.set(xscale="log", yscale="log", xlabel="class contrast $\\kappa$")
    axes.set_ylabel("$n^*$ labels / $n^*$ reconstruction")
    axes.set_xticks(kappa, [f"{each:.2f}" for each in kappa])
    nice = [count for count in (10, 20, 50, 100, 200, 500, 1000) if low.min() < count < high.max()]
    axes.set_yticks(nice, [str(count) for count in nice])
    axes.minorticks_off()


def _wrong(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    counts, last = arrays["counts"], len(arrays["kappa"]) - 1
    for kind, name, look in KINDS[:2]:
        law, share = arrays[f"wrong_{kind}_theory"][last], arrays[f"wrong_{kind}"][last]
        axes.plot(counts, share, label=name, **look.line() | {"linestyle": "none"})
        axes.plot(counts, law, **style.THEORY.line(markers=False))
    axes.set(xscale="log", xlabel="sequences", ylabel="chance of a wrong sign")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """SNR over contrast, ratio of counts, wrong signs at the largest contrast."""
    arrays = need(results, "contrast", by="figure contrast").arrays
    figure, axes = style.panels(1, 3, width=style.FULL_WIDTH, height=2.6)
    parts = ((_signal, "signal"), (_ratio, "sequences needed"), (_wrong, "wrong signs"))
    for column, (part, title) in enumerate(parts):
        part(axes[0, column], arrays)
        style.letter(axes[0, column], "abc"[column], title)
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the exponents and the ratios of counts."""
    values = Values.from_json(need(results, "contrast", by="figure contrast").values)
    ratios = values.count_ratio
    inside = sum(each.inside for each in ratios)
    fits = verdict_captions.exponents(values.kappa_exponent, {"label": "labels", "hidden": "reconstruction"})
    close = ratios[0]
    return (
        "The contrast law. Gradients along lag 1, two AR(1) classes, sequence by sequence: (a) mean squared "
        "over variance, with the mean's sign, of a balanced and of an imbalanced head and of reconstruction; "
        "(b) sequences labels need over those reconstruction needs; (c) share of batches with a wrong sign "
        f"at the largest contrast. {verdict_captions.sentence(values.inside)} Leading order, for a batch's mean "
        f"is not quite normal, are the wrong signs. Of the ratios {inside} of {len(ratios)} lie in their 99% "
        f"intervals; for the closest classes {number(close.estimate)} is measured and "
        f"{number(close.predicted)} predicted. Exponents of the SNR in the contrast: {fits}."
    )

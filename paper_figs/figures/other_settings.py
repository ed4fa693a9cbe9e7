"""Six settings beside the paper's: the law of each, and drawn sequences.   [C25 to C30]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from sims.experiments.other_settings import Values
from sims.runs.store import Result

NEEDS = ("other_settings",)
SHOWS = ("C25", "C26", "C27", "C28", "C29", "C30")
PAGE_ORDER = 12
Arrays = Mapping[str, np.ndarray]


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Six panels: classes, a head on one position, first steps, many masks, open ends, an image in raster order."""
    arrays = need(results, "other_settings", by="figure other_settings").arrays
    figure, axes = style.panels(2, 3, width=style.FULL_WIDTH, height=4.2)
    _classes(axes[0, 0], arrays)
    _dimensions(axes[0, 1], arrays)
    _steps(axes[0, 2], arrays)
    _masks(axes[1, 0], arrays)
    _lines(axes[1, 1], arrays)
    _image(axes[1, 2], arrays)
    axes[0, 0].plot(
        [], [], label="reconstruction, drawn", **style.RECONSTRUCTION.line() | {"linestyle": "none"}
    )
    axes[0, 0].plot([], [], label="law", **style.THEORY.line(markers=False))
    axes[0, 0].plot([], [], label="leading order", **style.REFERENCE.line(markers=False))
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels(), columns=4)
    return figure


def _classes(axes: Axes, arrays: Arrays) -> None:
    verdict_captions.curve(axes, arrays["classes"], arrays, "classes", style.LABELS, "labels, drawn")
    axes.set_xticks(arrays["classes"])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("classes")
    axes.set_ylabel("escape rate")
    style.letter(axes, "a", "off the plateau [C25]")


def _dimensions(axes: Axes, arrays: Arrays) -> None:
    lengths = arrays["cls_lengths"]
    verdict_captions.curve(axes, lengths, arrays, "cls", style.LABELS, "")
    axes.set_xticks(lengths)
    axes.set_ylim(0, 1.1 * arrays["cls_mean"].max())
    axes.set_xlabel("tokens per sequence $L$")
    axes.set_ylabel("visible dimension")
    style.letter(axes, "b", "head on one position [C26]")


def _steps(axes: Axes, arrays: Arrays) -> None:
    verdict_captions.curve(axes, arrays["common"], arrays, "step", style.LABELS, "")
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("common part of the encodings")
    axes.set_ylabel("visible share")
    style.letter(axes, "c", "first step of labels [C27]")


def _masks(axes: Axes, arrays: Arrays) -> None:
    rates = arrays["mask_rates"]
    scaled = {name: 1e3 * array for name, array in arrays.items() if name.startswith("masks_")}
    verdict_captions.curve(axes, rates, scaled, "masks", style.RECONSTRUCTION, "")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("mask rate")
    axes.set_ylabel(r"pull of lag 1 ($\times 10^{3}$)")
    style.letter(axes, "d", "many masks [C28]")


def _lines(axes: Axes, arrays: Arrays) -> None:
    lengths = arrays["lengths"]
    axes.plot(lengths, arrays["line_leading"], **style.REFERENCE.line(markers=False))
    verdict_captions.curve(axes, lengths, arrays, "line", style.RECONSTRUCTION, "")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(lengths, [str(int(length)) for length in lengths])
    shares = (0.003, 0.01, 0.03)
    axes.set_yticks(shares, map(str, shares))
    axes.minorticks_off()
    axes.set_xlabel("tokens per line $L$")
    axes.set_ylabel("visible share")
    style.letter(axes, "e", "open ends [C29]")


def _image(axes: Axes, arrays: Arrays) -> None:
    side = _side(arrays)
    lags = np.arange(1, 2 * side + 2)
    raster = {name: 1e4 * array[: len(lags)] for name, array in arrays.items() if name.startswith("image_")}
    axes.axhline(0.0, zorder=0, color=style.GREY, linewidth=style.points(0.5))
    verdict_captions.curve(axes, lags, raster, "image", style.RECONSTRUCTION, "")
    axes.set_xticks([1, side, 2 * side])
    axes.set_xlabel("lag in raster order")
    axes.set_ylabel(r"pull ($\times 10^{4}$)")
    style.letter(axes, "f", f"image of {side} × {side} [C30]")


def _side(arrays: Arrays) -> int:
    """Rows and columns of the image: one lag of raster order, 0, is left out."""
    return round((len(arrays["image_mean"]) + 1) ** 0.5)


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the verdict."""
    result = need(results, "other_settings", by="figure other_settings")
    values, arrays = Values.from_json(result.values), result.arrays
    return (
        "Six settings beside the paper's. Points and 99% bands: drawn sequences; dashed: the laws. (a) Rate at which "
        "labels leave the plateau, the classes' total contrast held fixed. (b) Rank of label gradients behind a head "
        "on one position: L − 1. (c) What labels see of the first step that they ask for, through absolute encodings. "
        "(d) Pull of reconstruction along lag 1 where many tokens are hidden. (e) What labels see of reconstruction on "
        "a line; dotted: to leading order in 1/L. "
        f"(f) Pull on an image at each lag of raster order: neighbours lie at lag 1 and a row of {_side(arrays)} "
        f"apart. {verdict_captions.sentence(values.inside)}"
    )

"""The page of a diagnosis: verdict, reasons, figures and numbers in one file, from the stored result.

No clock, no script, no address outside the file: the same result gives the same bytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paper_figs import style
from paper_figs.heat_maps import colour_bar, signed_map
from paper_figs.page import FOLDER, environment, picture
from sims.store import Result, write_atomic

LOOKS = {"label": style.LABELS, "reconstruction": style.RECONSTRUCTION}
NAMES = {"label": "labels", "reconstruction": "reconstruction"}
ACCURACIES = {
    "uniform": "uniform attention",
    "own": "labels' own pattern",
    "pattern": "reconstruction's pattern",
}
SMALLEST = 1e-5  # SNRs below are drawn here, on a logarithmic axis


def write(result: Result, path: Path) -> Path:
    """Write the page and return its path. Raises StoreError when it cannot be written."""
    write_atomic(path, render(result).encode())
    return path


def render(result: Result) -> str:
    """The page's HTML."""
    figures = {"snr": snr_by_offset, "maps": maps, "worth": worth}
    images = {name: picture(draw(result)) for name, draw in figures.items()}
    values: Any = result.values
    made = environment()
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    css = Markup((FOLDER / "page.css").read_text())
    return made.get_template("diagnosis.html").render(
        name=result.name,
        values=values,
        record=result.record,
        images=images,
        captions=captions(values),
        style=css,
    )


@style.styled
def snr_by_offset(result: Result) -> Figure:
    """SNR of both losses' score gradients along each distance, with intervals over initialisations."""
    figure, axes = style.panels(1, 1, width=style.FULL_WIDTH, height=2.4)
    panel: Axes = axes[0, 0]
    values: Any = result.values
    names, index = values["directions"], np.arange(len(values["directions"]))
    for shift, (loss, look) in zip((-0.12, 0.12), LOOKS.items(), strict=True):
        intervals = values["snr_by_offset"][loss]
        at = lambda end, each: max(SMALLEST, each[end] or 0.0)
        points, low, high = (
            np.array([at(end, each) for each in intervals]) for end in ("estimate", "low", "high")
        )
        panel.vlines(index + shift, low, np.maximum(high, low), color=look.color, linewidth=style.points(1.0))
        panel.plot(index + shift, points, label=NAMES[loss], **(look.line() | {"linestyle": ""}))
    panel.set_yscale("log")
    panel.set_ylabel("SNR per sequence")
    panel.set_xticks(index, names, rotation=45, ha="right")
    style.legend_above(figure, *panel.get_legend_handles_labels())
    return figure


@style.styled
def maps(result: Result) -> Figure:
    """Minus the mean gradient of both losses, the part positions can express, the pattern learned."""
    titles = {
        "descent_label": "labels",
        "descent_reconstruction": "reconstruction",
        "expressible": "expressible",
    }
    figure, axes = style.panels(1, 4, width=style.FULL_WIDTH, height=1.95, sharex=True, sharey=True)
    for panel, mark, (name, title) in zip(axes[0], "abc", titles.items(), strict=False):
        matrix = result.arrays[name]
        inside = matrix[~np.eye(len(matrix), dtype=bool)]
        signed_map(panel, matrix, float(np.abs(inside).max()) or 1.0)
        style.letter(panel, mark, title)
        panel.set_xlabel("key $j$")
    weights = result.arrays["attention_reconstruction"] * len(result.arrays["attention_reconstruction"])
    image = axes[0, 3].imshow(weights, cmap=style.POSITIVE, vmin=0)
    style.letter(axes[0, 3], "d", "its pattern")
    axes[0, 3].set_xlabel("key $j$")
    axes[0, 0].set_ylabel("query $i$")
    colour_bar(figure, image, axes[0, 3:], "over uniform")
    return figure


@style.styled
def worth(result: Result) -> Figure:
    """Held-out label accuracy by what attention is frozen at; sequences needed against those there are."""
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=1.9)
    values: Any = result.values
    numbers, left, right = values["numbers"], axes[0, 0], axes[0, 1]
    floors = {name.replace("_", " "): value for name, value in values["floors"].items()}
    for place, value in enumerate(floors.values()):
        left.plot(
            value,
            place,
            **(style.REFERENCE.line() | {"marker": "|", "markersize": style.points(8.0), "linestyle": ""}),
        )
    for place, name in enumerate(ACCURACIES, start=len(floors)):
        look = style.RECONSTRUCTION if name == "pattern" else style.LABELS
        interval(left, numbers[f"accuracy_{name}_held_out"], place, look)
    left.set_yticks(range(len(floors) + 3), [*floors, *ACCURACIES.values()])
    left.set_xlabel("held-out accuracy")
    style.letter(left, "a")
    for place, (loss, look) in enumerate(LOOKS.items()):
        interval(right, numbers[f"needed_{loss}"], place, look)
    right.axvline(values["data"]["sizes"]["train"], **style.REFERENCE.line(markers=False))
    right.set_xscale("log")
    right.set_ylim(-0.6, 1.6)
    right.set_yticks(range(2), NAMES.values())
    right.set_xlabel("sequences needed; dotted: those there are")
    style.letter(right, "b")
    return figure


def interval(axes: Axes, found: Mapping[str, Any], place: int, look: style.Look) -> None:
    """An estimate with its interval; an open end runs on, and without an estimate only the end is drawn."""
    low, high, estimate = found["low"], found["high"], found["estimate"]
    if low is None and estimate is None:
        axes.annotate(
            "not known at any number", (0.04, place), xycoords=("axes fraction", "data"), va="center"
        )
        return
    start = estimate if low is None else low
    end = high if high is not None else 30 * max(start, estimate or start)
    axes.hlines(place, start, end, color=look.color, linewidth=style.points(1.0))
    if estimate is not None:
        axes.plot(estimate, place, **(look.line() | {"linestyle": ""}))


def captions(values: Mapping[str, Any]) -> dict[str, str]:
    """What each figure shows."""
    fits, near = len(values["fits"]), values["nearest"]
    return {
        "snr": "Signal-to-noise ratio per sequence of the score gradients at uniform attention, by distance. "
        "Labels and reconstruction were fitted with attention frozen uniform; bars are 95% intervals over "
        f"{fits} initialisations; proximity is {near}.",
        "maps": "Where descent would move attention. Minus the mean gradient in the scores for labels (a) "
        "and reconstruction (b), the part of (b) that positions can express (c), and the pattern of "
        "attention that reconstruction then learns (d); first layer, heads added (d: averaged), one "
        "initialisation; the scale leaves out the diagonal.",
        "worth": "What the pattern is worth to the labels, and what it takes to see it. (a) Held-out "
        "accuracy with attention uniform, or kept to one pattern for all sequences that labels or "
        "reconstruction learn; below, models without attention. (b) Sequences after which the gradient along "
        "reconstruction's first step is known at three standard errors.",
    }

"""Where every text and panel of a figure stands, in pixels: what a moved label changes.

    python -m tests.paper_figs.figures.placement

writes placements.json anew: look at the figures first. Stored with matplotlib's version, for which it holds.
"""

import json
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from paper_figs import EXPERIMENT_FIGURES, FIGURES, style
from tests.paper_figs.example_studies import studied

STORED = Path(__file__).parent / "placements.json"
WATCHED = (
    "visible_share",
    "reduced_flow",
    "prediction_measurement",
    "arm_accuracies",
    "shares",
    "validation",
)
WITHIN = 1.5  # pixels at 200 dots per inch
Placement = dict[str, list[list[float]]]


@style.styled
def placement(figure: Figure) -> Placement:
    """Boxes (x0, y0, x1, y1) of all texts by their words, and of all panels."""
    with style.as_made(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    renderer, boxes = canvas.get_renderer(), {}  # type: ignore[var-annotated]
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent(renderer).extents
            boxes.setdefault(text.get_text(), []).append([round(float(end), 1) for end in box])
    panels = [[round(float(end), 1) for end in axes.get_window_extent().extents] for axes in figure.axes]
    return {**{words: sorted(found) for words, found in sorted(boxes.items())}, "(panels)": panels}


def moved(one: Placement, other: Placement) -> list[str]:
    """The texts that stand elsewhere, or that only one of the two has."""
    apart = lambda a, b: (
        len(a) != len(b)
        or any(abs(x - y) > WITHIN for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True))
    )
    return [words for words in {**one, **other} if apart(one.get(words, []), other.get(words, []))]


def drawn(name: str) -> Figure:
    """A watched figure of the example results."""
    return (FIGURES | EXPERIMENT_FIGURES)[name].draw(studied())


def main() -> None:
    """Store every watched figure's placement."""
    found = {name: placement(drawn(name)) for name in WATCHED}
    STORED.write_text(json.dumps({"matplotlib": mpl.__version__, "figures": found}, indent=0) + "\n")


if __name__ == "__main__":
    main()

"""No text of a figure lies on other text or is cut at the edge, and no legend lies on a curve."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from paper_figs import FIGURES, style

EVERY = pytest.mark.parametrize("name", FIGURES)
SLACK = 0.5  # pixels at 200 dpi


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Text]]:
    """The texts that are really drawn meanwhile."""
    seen: list[Text] = []
    plain = Text.draw

    def draw(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            seen.append(self)
        return plain(self, renderer, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", draw)
        yield seen


def drawn_texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, np.ndarray]]:
    """(text, box in pixels as x0, y0, x1, y1) of everything drawn at 200 dpi."""

    @style.styled
    def boxes():
        figure.set_dpi(200)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        with recorded(monkeypatch) as seen:
            canvas.draw()
        renderer = canvas.get_renderer()
        return [(text.get_text(), text.get_window_extent(renderer).extents) for text in dict.fromkeys(seen)]

    return boxes()


def overlap(one: np.ndarray, other: np.ndarray) -> bool:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    return bool((high - low > SLACK).all())


@EVERY
def test_no_two_texts_overlap(name, figures, monkeypatch):
    texts = drawn_texts(figures[name], monkeypatch)
    assert len(texts) > 5
    clashes = [(a, b) for (a, one), (b, other) in itertools.combinations(texts, 2) if overlap(one, other)]
    assert not clashes


@EVERY
def test_no_text_is_cut_at_the_edge(name, figures, monkeypatch):
    texts = drawn_texts(figures[name], monkeypatch)
    width, height = figures[name].get_size_inches() * 200
    cut = [
        t
        for t, (x0, y0, x1, y1) in texts
        if min(x0, y0) < -SLACK or x1 > width + SLACK or y1 > height + SLACK
    ]
    assert not cut


@EVERY
def test_no_legend_covers_a_curve(name, figures):
    figure = figures[name]
    FigureCanvasAgg(figure).draw()
    legends = [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]
    for legend, axes in itertools.product(legends, figure.axes):
        box = legend.get_window_extent()
        for line in axes.get_lines():
            points = line.get_transform().transform(line.get_xydata())
            assert not box.count_contains(points), line.get_label()


@EVERY
def test_every_panel_shows_data(name, figures):
    for axes in figures[name].axes:
        if axes.get_label() != "<colorbar>":
            assert axes.images or any(len(line.get_xdata()) for line in axes.get_lines())


def test_an_overlap_is_noticed(monkeypatch):
    figure = Figure(figsize=(3, 3))
    figure.text(0.5, 0.5, "one text")
    figure.text(0.52, 0.5, "another")
    (_, one), (_, other) = drawn_texts(figure, monkeypatch)
    assert overlap(one, other)

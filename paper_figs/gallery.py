"""The figures by name, and their files NAME.pdf (vector) and NAME.png: the same results, the same bytes."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from paper_figs import (
    adiabatic_gradients,
    adiabatic_snr,
    attention_maps,
    circulant_loss,
    gradient_decomposition,
    learning_curves,
    prediction_measurement,
    proximity_training,
    reduced_flow,
    style,
    visible_share,
)
from paper_figs.sources import need
from sims.store import Result, UserError, write_atomic


@dataclass(frozen=True)
class Source:
    """A figure: the results it needs, and how to draw it and say what it shows."""

    name: str
    needs: tuple[str, ...]
    draw: Callable[[Mapping[str, Result]], Figure]
    caption: Callable[[Mapping[str, Result]], str]


def settled(draw: Callable[[Mapping[str, Result]], Figure]) -> Callable[[Mapping[str, Result]], Figure]:
    """`draw`, its layout computed once: every format shows the same one, and is written sooner."""

    @style.styled
    def drawn(results: Mapping[str, Result]) -> Figure:
        figure = draw(results)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        return figure

    return drawn


FIGURES = {
    module.__name__.rpartition(".")[2]: Source(
        module.__name__.rpartition(".")[2], module.NEEDS, settled(module.draw), module.caption
    )
    for module in (
        visible_share,
        gradient_decomposition,
        circulant_loss,
        reduced_flow,
        learning_curves,
        attention_maps,
        proximity_training,
        adiabatic_gradients,
        adiabatic_snr,
        prediction_measurement,
    )
}


def chosen(names: Iterable[str] | None) -> list[Source]:
    """The figures of these names, all for None. Raises UserError for an unknown name."""
    wanted = list(FIGURES) if names is None else list(names)
    for name in wanted:
        if name not in FIGURES:
            raise UserError(f"expected a figure out of {', '.join(FIGURES)}; got {name}")
    return [FIGURES[name] for name in wanted]


@style.styled
def pdf(figure: Figure) -> bytes:
    """The figure as PDF: fonts embedded whole, no date."""
    return _printed(FigureCanvasPdf(figure).print_pdf, metadata={"CreationDate": None, "Creator": "sptlab"})


@style.styled
def png(figure: Figure) -> bytes:
    """The figure as PNG at 200 dots per inch."""
    figure.set_dpi(style.DPI)
    return _printed(FigureCanvasAgg(figure).print_png, metadata={"Software": "sptlab"})


@style.styled
def svg(figure: Figure) -> bytes:
    """The figure as SVG for the page: text as outlines, heat maps at the resolution of the PNG, no date."""
    figure.set_dpi(style.DPI)
    return _printed(FigureCanvasSVG(figure).print_svg, metadata={"Date": None, "Creator": "sptlab"})


def _printed(write: Callable[..., object], **options: object) -> bytes:
    buffer = io.BytesIO()
    write(buffer, **options)
    return buffer.getvalue()


def write_figures(
    results: Mapping[str, Result],
    folder: Path,
    names: Iterable[str] | None = None,
    report: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write NAME.pdf and NAME.png for every name (default: all) and return their paths.

    Raises UserError naming the command to run when a result is missing, before anything is written, and
    StoreError when a file cannot be written."""
    sources = chosen(names)
    for source in sources:
        for name in source.needs:
            need(results, name, by=f"figure {source.name}")
    tell = report or (lambda done, total: None)
    written: list[Path] = []
    for done, source in enumerate(sources):
        tell(done, len(sources))
        figure = source.draw(results)
        for suffix, data in (("pdf", pdf(figure)), ("png", png(figure))):
            written.append(Path(folder) / f"{source.name}.{suffix}")
            write_atomic(written[-1], data)
    tell(len(sources), len(sources))
    return written

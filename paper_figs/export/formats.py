"""A figure as the bytes of a file: the same figure, the same bytes."""

import io
from collections.abc import Callable

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from paper_figs import style


@style.styled
def pdf(figure: Figure) -> bytes:
    """The figure as PDF: fonts embedded whole, heat maps at the resolution of the PNG, no date."""
    figure.set_dpi(style.venue().dpi)  # writing a PDF leaves it at 72
    return _printed(
        figure, FigureCanvasPdf(figure).print_pdf, metadata={"CreationDate": None, "Creator": "sptlab"}
    )


@style.styled
def png(figure: Figure) -> bytes:
    """The figure as PNG at the venue's dots per inch."""
    figure.set_dpi(style.venue().dpi)
    return _printed(figure, FigureCanvasAgg(figure).print_png, metadata={"Software": "sptlab"})


@style.styled
def svg(figure: Figure) -> bytes:
    """The figure as SVG for the page: text as outlines, heat maps at the resolution of the PNG, no date."""
    figure.set_dpi(style.venue().dpi)
    return _printed(figure, FigureCanvasSVG(figure).print_svg, metadata={"Date": None, "Creator": "sptlab"})


def _printed(figure: Figure, write: Callable[..., object], **options: object) -> bytes:
    buffer = io.BytesIO()
    with style.as_made(figure):
        write(buffer, **options)
    return buffer.getvalue()

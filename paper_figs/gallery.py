"""The figures by name, and their files NAME.pdf (vector) and NAME.png: the same results, the same bytes."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from paper_figs import (
    adiabatic_gradients,
    adiabatic_snr,
    attention_maps,
    blindness_map,
    boundaries,
    causal,
    circulant_loss,
    contrast,
    escape,
    forgetting,
    gradient_decomposition,
    initialisation_law,
    invariance,
    learning_curves,
    mask_ratio,
    plateau,
    pools,
    prediction_measurement,
    proximity_training,
    reduced_flow,
    style,
    tied_initialisation,
    toy_tasks,
    values_first,
    visible_share,
)
from paper_figs.sources import missing, need
from sims.store import Result, UserError, write_atomic


@dataclass(frozen=True)
class Source:
    """A figure: the results it needs, and how to draw it and say what it shows."""

    name: str
    needs: tuple[str, ...]
    shows: tuple[str, ...]
    """Labels of the claims that it makes visible."""
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


def source(module: ModuleType) -> Source:
    """The figure that a module draws, under the module's name."""
    name = module.__name__.rpartition(".")[2]
    return Source(name, module.NEEDS, module.SHOWS, settled(module.draw), module.caption)


PAGE_MODULES = (
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
EXPERIMENT_MODULES = (
    values_first,
    initialisation_law,
    tied_initialisation,
    pools,
    boundaries,
    causal,
    escape,
    contrast,
    forgetting,
    blindness_map,
    plateau,
    mask_ratio,
    toy_tasks,
    invariance,
)

FIGURES = {figure.name: figure for figure in map(source, PAGE_MODULES)}
"""Those of the page, which `reproduce` draws."""
EXPERIMENT_FIGURES = {figure.name: figure for figure in map(source, EXPERIMENT_MODULES)}
"""Those of single experiments, drawn where these are stored."""


def drawable(results: Mapping[str, Result]) -> list[str]:
    """The figures that have all they need. Raises UserError where none has, naming a command to run."""
    known = FIGURES | EXPERIMENT_FIGURES
    found = [name for name, one in known.items() if not missing(results, one.needs)]
    if not found:
        first = next(iter(FIGURES.values()))
        for name in first.needs:
            need(results, name, by=f"figure {first.name}")
    return found


def chosen(names: Iterable[str] | None) -> list[Source]:
    """The figures of these names, the page's for None. Raises UserError for an unknown name."""
    wanted, known = list(FIGURES) if names is None else list(names), FIGURES | EXPERIMENT_FIGURES
    for name in wanted:
        if name not in known:
            raise UserError(f"expected a figure out of {', '.join(known)}; got {name}")
    return [known[name] for name in wanted]


def figure_of(label: str) -> Source:
    """The figure that makes a claim visible. Raises UserError, with the claims that have one."""
    every = (EXPERIMENT_FIGURES | FIGURES).values()
    for figure in every:
        if label in figure.shows:
            return figure
    labels = sorted({claim for figure in every for claim in figure.shows}, key=lambda claim: int(claim[1:]))
    raise UserError(f"expected a claim with a figure ({', '.join(labels)}); got {label}")


def write_figure(results: Mapping[str, Result], figure: Source, path: Path) -> None:
    """Write one figure as PDF, PNG or SVG, by the file's ending.

    Raises UserError for another ending or a missing result, StoreError when the file cannot be written."""
    writers = {".pdf": pdf, ".png": png, ".svg": svg}
    ending = Path(path).suffix.lower()
    if ending not in writers:
        raise UserError(
            f"expected a file that ends in {', '.join(writers)}; got {path}; try {figure.name}.pdf"
        )
    for name in figure.needs:
        need(results, name, by=f"figure {figure.name}")
    write_atomic(path, writers[ending](figure.draw(results)))


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
    """Write NAME.pdf and NAME.png for every name (default: the page's) and return their paths.

    Raises UserError naming the command to run when a result is missing, before anything is written, and
    StoreError when a file cannot be written."""
    sources = chosen(names)
    for each in sources:
        for name in each.needs:
            need(results, name, by=f"figure {each.name}")
    tell = report or (lambda done, total: None)
    written: list[Path] = []
    for done, each in enumerate(sources):
        tell(done, len(sources))
        figure = each.draw(results)
        for suffix, data in (("pdf", pdf(figure)), ("png", png(figure))):
            written.append(Path(folder) / f"{each.name}.{suffix}")
            write_atomic(written[-1], data)
    tell(len(sources), len(sources))
    return written

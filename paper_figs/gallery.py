"""The figures by name, and their files: NAME.pdf (vector), NAME.png, and the caption NAME.txt and NAME.tex.

The same results give the same bytes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from matplotlib.figure import Figure

from paper_figs import (
    adiabatic_gradients,
    adiabatic_snr,
    arm_accuracies,
    arm_curves,
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
    macros,
    mask_ratio,
    plateau,
    pools,
    prediction_measurement,
    proximity_training,
    reduced_flow,
    score_slider,
    shares,
    style,
    tied_initialisation,
    toy_tasks,
    toy_to_transformer,
    validation,
    values_first,
    visible_share,
)
from paper_figs.formats import pdf, png, svg
from paper_figs.sources import missing, need
from paper_figs.tex import latex
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
        with style.as_made(figure):
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
    score_slider,
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
    arm_accuracies,
    arm_curves,
    shares,
    toy_to_transformer,
    validation,
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


def write_figures(
    results: Mapping[str, Result],
    folder: Path,
    names: Iterable[str] | None = None,
    report: Callable[[int, int], None] | None = None,
    venue: style.Venue = style.VENUES["icml"],
) -> list[Path]:
    """Write NAME.pdf, NAME.png and the caption NAME.txt and NAME.tex for every name (default: the page's).

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
        for ending, data in files(each, results, venue).items():
            written.append(Path(folder) / f"{each.name}.{ending}")
            write_atomic(written[-1], data)
    tell(len(sources), len(sources))
    return written


def files(source: Source, results: Mapping[str, Result], venue: style.Venue) -> dict[str, bytes]:
    """A figure's files by their endings."""
    with style.at(venue):
        figure = source.draw(results)
        drawn = {"pdf": pdf(figure), "png": png(figure)}
    caption = source.caption(results)
    return {**drawn, "txt": f"{caption}\n".encode(), "tex": f"{latex(caption)}\n".encode()}


def write_numbers(results: Mapping[str, Result], folder: Path) -> Path:
    """Write numbers.tex, a macro for each stored number, and return its path."""
    path = Path(folder) / "numbers.tex"
    write_atomic(path, macros.document(results).encode())
    return path

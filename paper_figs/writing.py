"""The figures' files: NAME.pdf (vector), NAME.png, and the caption NAME.txt and NAME.tex.

The same results give the same bytes."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from paper_figs import macros
from paper_figs.formats import pdf, png, svg
from paper_figs.gallery import Source, chosen
from paper_figs.sources import need
from paper_figs.tex import latex
from paper_figs.venues import VENUES, Venue, at
from sims.store import Result, UserError, write_atomic


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
    venue: Venue = VENUES["icml"],
    drawn: dict[str, Figure] | None = None,
) -> list[Path]:
    """Write NAME.pdf, NAME.png and the caption NAME.txt and NAME.tex for every name (default: the page's).

    Raises UserError naming the command to run when a result is missing, before anything is written, and
    StoreError when a file cannot be written. `drawn` gets the figures, for the page to show them again."""
    sources = chosen(names)
    for each in sources:
        for name in each.needs:
            need(results, name, by=f"figure {each.name}")
    tell = report or (lambda done, total: None)
    written: list[Path] = []
    for done, each in enumerate(sources):
        tell(done, len(sources))
        with at(venue):
            figure = each.draw(results)
        if drawn is not None:
            drawn[each.name] = figure
        for ending, data in files(figure, each.caption(results), venue).items():
            written.append(Path(folder) / f"{each.name}.{ending}")
            write_atomic(written[-1], data)
    tell(len(sources), len(sources))
    return written


def files(figure: Figure, caption: str, venue: Venue) -> dict[str, bytes]:
    """A figure's files by their endings."""
    with at(venue):
        pictures = {"pdf": pdf(figure), "png": png(figure)}
    return {**pictures, "txt": f"{caption}\n".encode(), "tex": f"{latex(caption)}\n".encode()}


def write_numbers(results: Mapping[str, Result], folder: Path) -> Path:
    """Write numbers.tex, a macro for each stored number, and return its path."""
    path = Path(folder) / "numbers.tex"
    write_atomic(path, macros.document(results).encode())
    return path

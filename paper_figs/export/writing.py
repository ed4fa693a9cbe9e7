"""The figures' files: NAME.pdf (vector), NAME.png, and the caption NAME.txt and NAME.tex.

The same results give the same bytes."""

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs.export import macros
from paper_figs.export.formats import pdf, png, svg
from paper_figs.export.tex import latex
from paper_figs.export.unchanged import Drawn, fingerprint
from paper_figs.figures import Source, chosen
from paper_figs.style.venues import VENUES, Venue, at
from sims.runs.store import Result, UserError, write_atomic

ENDINGS = ("pdf", "png", "txt", "tex")


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
    anew: bool = False,
) -> list[Path]:
    """Write NAME.pdf, NAME.png and the caption NAME.txt and NAME.tex for every name (default: the page's).

    What has not changed is left as it lies there (`paper_figs.export.unchanged`), but where `anew`. Raises
    UserError naming the command to run when a result is missing, before anything is written, and StoreError when a
    file cannot be written. `drawn` gets the figures that were drawn, for the page to show them again."""
    sources = chosen(names)
    for each in sources:
        for name in each.needs:
            need(results, name, by=f"figure {each.name}")
        if not each.is_drawable(results):
            raise UserError(
                f"expected what figure {each.name} shows in the stored results {', '.join(each.needs)}: found none of "
                "it; leave the figure out, or make more of the study"
            )
    progress = report or (lambda done, total: None)
    made = {} if drawn is None else drawn
    there = Drawn(Path(folder), anew)
    for done, each in enumerate(sources):
        progress(done, len(sources))
        there.files(
            each.name, origin(results, each, venue), functools.partial(_drawn, results, each, venue, made)
        )
    progress(len(sources), len(sources))
    return [Path(folder) / f"{each.name}.{ending}" for each in sources for ending in ENDINGS]


def origin(results: Mapping[str, Result], figure: Source, *settings: object) -> str:
    """One hash of what decides a figure: what it reads, the code that draws and writes it, its settings."""
    return fingerprint({name: results[name] for name in figure.needs}, write_figures, *settings)


def _drawn(
    results: Mapping[str, Result], each: Source, venue: Venue, made: dict[str, Figure]
) -> dict[str, bytes]:
    """The figure's files; it reads no result that it does not say it needs. `made` gets the figure."""
    own = {name: results[name] for name in each.needs}
    with at(venue):
        made[each.name] = each.draw(own)
    return files(made[each.name], each.caption(own), venue)


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

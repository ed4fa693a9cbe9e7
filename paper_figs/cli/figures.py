"""`sptlab figures`: figures from stored results, with captions and numbers."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import tyro

from full_scale.cli.making import COMMANDS, STORED
from sims.cli import declarations
from sims.cli.command import Storing
from sims.cli.names import dashed_name, require, split
from sims.cli.progress import progress
from sims.runs.errors import UserError

_TO_THE_INCH = {"mm": 25.4, "cm": 2.54, "in": 1.0}
_NARROWEST, _WIDEST = 60 / 25.4, 400 / 25.4  # inches
_SMALLEST = 6.0  # points


@dataclasses.dataclass(frozen=True)
class Figures(Storing):
    """Draw figures from results in --out and those that come with the repository: PDF, PNG and caption.

    Each is as wide as a column or as the text of the venue, and says which. numbers.tex beside them has a macro for
    every stored number with its interval, for a paper to quote. What has not changed is left as it is.
    """

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[FIGURE ...]")] = ()
    """Figures to draw; default: all whose results are stored."""
    list: bool = False
    """List the figures with what they show and whether their results are stored, and draw none."""
    anew: bool = False
    """Draw also what has not changed."""
    style: Literal["icml", "neurips", "slides"] = "icml"
    """Widths, fonts and sizes; slides are 16:9. neurips and slides have folders of their own."""
    width: str | None = None
    """Width of every figure: one-column, two-columns (of --style), or a size such as 90mm, 9cm or 3.5in; default: each
    its own of the two."""
    line: ClassVar[str] = "figures"

    @property
    def computes(self) -> bool:
        """The list needs no JAX."""
        return not self.list

    def refuse(self) -> None:
        """Raise UserError for an unknown figure, or for results that are not where --out says."""
        super().refuse()
        _inches(self.width)
        for name in split(self.names):
            self._require_stored(require(name, declarations.figures(), "figure"))
        if not self.names and not self.list:
            self.require_results()

    def _require_stored(self, name: str) -> None:
        """Raise UserError for a result that a figure needs and that is not stored, with the command that makes it."""
        for need in _missing(name, self.results):
            out = "" if self.out == Storing.out else f" --out {self.out}"
            raise UserError(
                f"expected the stored result {need} for figure {dashed_name(name)}: found none in {self.out}; "
                f"make it with: {COMMANDS.get(need, 'sptlab reproduce')}{out}"
            )

    def __call__(self) -> int:
        if self.list:
            print("\n".join(_lines(self.results)))
            return 0
        from full_scale.stored import with_shipped
        from paper_figs import EXPERIMENT_FIGURES, FIGURES, drawable, write_figures, write_numbers
        from paper_figs.style import VENUES
        from sims.runs import store

        names = [require(name, FIGURES | EXPERIMENT_FIGURES, "figure") for name in split(self.names)]
        own = store.load_all(self.results)
        results = with_shipped(own, self.out)
        if not names:
            self.say_what_is_there(own, results)
        folder = self.out / "figures" / ("" if self.style == "icml" else self.style) / (self.width or "")
        venue = _venue(VENUES[self.style], self.width)
        drawn: dict[str, Any] = {}
        with store.lock(self.out), progress("figures", self.quiet) as report:
            wanted = names or drawable(results)
            write_figures(results, folder, wanted, report=report, venue=venue, drawn=drawn, anew=self.anew)
            write_numbers(results, self.out / "figures")
        print("\n".join(_written(folder, wanted, drawn, venue)))
        return 0


def _inches(width: str | None) -> float | None:
    """The size that --width names, None where it names columns. Raises UserError for what is no width."""
    if width in (None, "one-column", "two-columns"):
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(mm|cm|in)", width)
    inches = float(match[1]) / _TO_THE_INCH[match[2]] if match else 0.0
    if not _NARROWEST <= inches <= _WIDEST:
        raise UserError(
            f"--width must be one-column, two-columns or {_NARROWEST * 25.4:.0f} to {_WIDEST * 25.4:.0f} mm, as in "
            f"90mm, 9cm or 3.5in: got {width}; try --width 90mm"
        )
    return inches


def _venue(venue: Any, width: str | None) -> Any:
    """The venue with all figures as wide as --width says."""
    columns = {"one-column": venue.column, "two-columns": venue.full}
    return dataclasses.replace(venue, width=columns.get(width or "", _inches(width)))


def _missing(name: str, results: Path) -> list[str]:
    """The results that a figure needs and that are neither in the folder nor shipped; looking loads no JAX."""
    needs = declarations.value(f"{declarations.FIGURES}.{name}", "NEEDS")
    beside = results.parent / "validation"  # where a validation study of one's own is
    return [need for need in needs
            if not any((folder / f"{need}.json").is_file() for folder in (results, STORED, beside))]  # fmt: skip


def _lines(results: Path) -> list[str]:
    """A line per figure: its name, what it shows, and the command that makes what is missing."""
    rows, width = [], max(map(len, declarations.figures())) + 2
    for name in declarations.figures():
        shows = re.sub(r"\s*\[.*", "", declarations.first_line(f"{declarations.FIGURES}.{name}")).rstrip(".")
        commands = [COMMANDS.get(need, "sptlab reproduce") for need in _missing(name, results)]
        rows.append(f"{dashed_name(name):{width}} {shows}" + (f"; first: {commands[0]}" if commands else ""))
    return rows


def _written(folder: Path, names: Iterable[str], drawn: Mapping[str, Any], venue: Any) -> list[str]:
    """A line per file that was drawn, with its size in print; and how many had not changed."""
    rows = []
    for name, figure in drawn.items():
        wide, high = figure.get_size_inches()
        across = {venue.full: ", the width of the text", venue.column: ", one column"}.get(wide, "")
        letters = figure.settings["xtick.labelsize"]
        less = f"; letters of {letters:.1f} pt, few journals take less than 6: try a larger --width"
        small = less if letters < _SMALLEST else ""
        rows.append(
            f"written to {folder / name}.pdf (.png, .txt, .tex): {wide:.2f} x {high:.2f} in "
            f"({25.4 * wide:.0f} x {25.4 * high:.0f} mm){across}{small}"
        )
    if left := [name for name in names if name not in drawn]:
        rows.append(f"unchanged in {folder}: {', '.join(map(dashed_name, left))} (--anew draws them again)")
    return rows

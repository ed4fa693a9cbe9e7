"""`sptlab derive`: derivations as text, LaTeX or HTML, and a claim's figure."""

import dataclasses
import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro

from sims.cli import declarations
from sims.cli.command import Command, require_file
from sims.cli.names import require, split
from sims.cli.progress import progress
from sims.runs.errors import UserError

_FORMATS = (".pdf", ".png", ".svg")


@dataclasses.dataclass(frozen=True)
class Derive(Command):
    """Show how claims are derived, each step checked by sympy. Exit status 1 when one does not hold."""

    claims: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[CLAIM ...]")] = ()
    """Claims to derive, for example C8."""
    all: bool = False
    """Every claim; as LaTeX a whole article: statements, key steps, notation, and figures that are drawn already."""
    full: bool = False
    """The article with every step and the lists of checks."""
    list: bool = False
    """List the claims, and derive none."""
    format: Literal["text", "latex", "html"] = "text"
    """text for the terminal; latex for a paper that loads amsmath; html for a browser."""
    out: Path | None = None
    """Write to this file instead of the terminal."""
    figure: Path | None = None
    """Also draw the figure of the claim to this file: .pdf, .png or .svg."""
    report: Path = Path("report")
    """Folder of the results that the figure is drawn from, and of the article's figures."""
    line: ClassVar[str] = "derive"

    @property
    def computes(self) -> bool:
        """The list needs no JAX."""
        return not self.list

    def refuse(self) -> None:
        """Raise UserError for unknown claims, or where the derivations cannot be written."""
        super().refuse()
        if not self.list:
            derivation_labels(self.claims, self.all)
        if self.full and not (self.all and self.format == "latex"):
            raise UserError(
                "--full is for the article: expected --all --format latex with it; add them or drop it"
            )
        require_file(self.out, "--out")
        require_file(self.figure, "--figure")
        named = split(self.claims)
        if self.figure is not None and len(named) != 1:
            raise UserError(f"--figure draws one claim: got {', '.join(named) or 'none'}; name one")
        if self.figure is not None and self.figure.suffix not in _FORMATS:
            raise UserError(
                f"expected a file that ends in {', '.join(_FORMATS)} for --figure: got {self.figure}; "
                f"try {self.figure.with_suffix('.pdf')}"
            )

    def __call__(self) -> int:
        if self.list:
            print("\n".join(f"{label:4} {title}" for label, title in declarations.claims().items()))
            return 0
        from sims.runs import store
        from theory.symbolic import document

        labels = derivation_labels(self.claims, self.all)
        if self.figure:
            write_claim_figure(labels[0], self.figure, self.report)
        with progress("derive", self.quiet or len(labels) == 1) as report:
            sections = document.sections(labels, report=report)
        article = self.all and self.format == "latex"
        figures = drawn_figures(self.report / "figures", (self.out or Path()).parent) if article else {}
        text = document.rendered(sections, self.format, whole=self.all, full=self.full, figures=figures)
        if self.out:
            store.write_atomic(self.out, text.encode())
        print(f"written to {self.out}" if self.out else text)
        return 0 if document.holds(sections) else 1


def derivation_labels(chosen: tuple[str, ...], every: bool) -> list[str]:
    """The derivations asked for, or a UserError that says how to ask."""
    known = declarations.claims()
    if not chosen and not every:
        raise UserError(f"name a claim, for example `sptlab derive C8`, or --all ({', '.join(known)})")
    named = [require(label, known, "claim") for label in split(chosen)]
    return list(known) if every else named


def write_claim_figure(label: str, path: Path, report: Path) -> None:
    """Draw a claim's figure from what is stored."""
    from paper_figs import figure_of, write_figure
    from sims.runs import store

    write_figure(store.load_all(report / "results"), figure_of(label), path)


def drawn_figures(folder: Path, beside: Path) -> dict[str, list[tuple[str, str]]]:
    """Files and captions of the figures that lie in a folder, by the first claim that each shows.

    Paths are those from `beside`, the article's folder.
    """
    if not folder.is_dir():
        return {}
    from paper_figs import EXPERIMENT_FIGURES, FIGURES

    figures: dict[str, list[tuple[str, str]]] = {}
    for name, figure in (FIGURES | EXPERIMENT_FIGURES).items():
        file, caption = folder / f"{name}.pdf", folder / f"{name}.tex"
        if figure.shows and file.exists() and caption.exists():
            path = os.path.relpath(file, beside)
            figures.setdefault(figure.shows[0], []).append((path, caption.read_text().strip()))
    return figures

"""The page while `reproduce` still trains: claims' verdicts, toys' figures, and what is still coming."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from paper_figs.report.figure_placement import drawable
from paper_figs.report.page import FOLDER, environment, picture
from sims.runs.store import Result, write_atomic
from sims.runs.verification import Values

_HEADING = "<h1>First results</h1>"  # of such a page, and of no whole one


def write(out: Path, results: Mapping[str, Result], coming: Sequence[str]) -> None:
    """Write OUT/index.html from the first results, unless a whole page is there, which takes its place."""
    path = Path(out) / "index.html"
    if not path.exists() or _HEADING in path.read_text():
        write_atomic(path, render(results, coming).encode())


def render(results: Mapping[str, Result], coming: Sequence[str]) -> str:
    """The HTML: a line per claim, every figure whose results are there, the names of the stages to come."""
    figures = {
        name: (picture(figure.draw(results)), figure.caption(results))
        for name, figure in drawable(results).items()
    }
    claims = Values.from_json(results["claims"].values).claims
    return (
        environment()
        .get_template("first_page.html")
        .render(
            claims=claims,
            holding=sum(claim.passed for claim in claims),
            figures=figures,
            coming=[name.replace("_", "-") for name in coming],
            style=(FOLDER / "page.css").read_text(),
        )
    )

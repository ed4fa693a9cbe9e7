"""The report page: one self-contained index.html and summary.json with every number it shows.

No clock, no address outside the file: the same results give the same bytes. Its scripts stand inline; without
them all text and figures are there, but for the slider and the dial."""

import base64
import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from paper_figs.export.formats import svg
from paper_figs.export.unchanged import Drawn
from paper_figs.export.writing import origin
from paper_figs.figures import Source
from paper_figs.report import html_filters, measures
from paper_figs.report.argument import PARTS, TAKES, contents
from paper_figs.report.figure_placement import drawable, figures_by_section, of_claim
from paper_figs.report.mathematics import mathml, typeset
from paper_figs.report.summary import summarise, with_shipped
from paper_figs.style import arms
from sims.runs.store import Result, write_atomic
from theory import glossary

FOLDER = Path(__file__).parent / "templates"
LARGEST_BYTES = 5_000_000
_SIZE = re.compile(rb'<svg[^>]* width="([0-9.]+)pt" height="([0-9.]+)pt"')
_SCRIPTS = ("scheme", "page", "slider")
REFERENCE = "api/index.html"  # written by `make docs`


def write(
    results: Mapping[str, Result],
    out: Path,
    drawn: Mapping[str, Figure] = MappingProxyType({}),
    anew: bool = False,
) -> Path:
    """Write OUT/summary.json and OUT/index.html and return the page's path; `drawn` is not drawn again.

    Nor is what has not changed since the last page, whose pictures lie in OUT/figures/page, but where `anew`.
    Raises UserError naming the command to run when a result is missing, StoreError when a file cannot be written.
    """
    everything = with_shipped(results)
    summary = summarise(everything)
    images = pictures(everything, drawn, Drawn(Path(out) / "figures" / "page", anew))
    text = render(summary, images, reference=(Path(out) / REFERENCE).exists())
    write_atomic(Path(out) / "summary.json", _summary_json(summary))
    path = Path(out) / "index.html"
    write_atomic(path, text.encode())
    return path


def pictures(
    results: Mapping[str, Result], drawn: Mapping[str, Figure], there: Drawn
) -> dict[str, dict[str, Any]]:
    """Every figure whose results are stored, and beside some the same for a phone."""
    images = {}
    for name, figure in drawable(results).items():
        made = there.files(
            name, origin(results, figure), functools.partial(_drawings, results, figure, drawn)
        )
        one, *narrow = (
            picture_of(data) for _, data in sorted((made or there.read(name)).items(), reverse=True)
        )
        images[name] = one | ({"narrow": narrow[0]} if narrow else {})
    return images


def _drawings(results: Mapping[str, Result], figure: Source, drawn: Mapping[str, Figure]) -> dict[str, bytes]:
    """The figure as SVG, and as it is for a phone, by their endings."""
    own = {name: results[name] for name in figure.needs}
    wide = {"svg": svg(drawn.get(figure.name) or figure.draw(own))}
    return wide | ({"narrow.svg": svg(figure.draw_narrow(own))} if figure.draw_narrow else {})


def _summary_json(summary: Mapping[str, Any]) -> bytes:
    """The summary's bytes: sorted, no NaN."""
    text = json.dumps(summary, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def render(
    summary: Mapping[str, Any], images: Mapping[str, Mapping[str, Any]], *, reference: bool = False
) -> str:
    """The page's HTML from the summary and the pictures of the figures; `reference`: it links to that."""
    names = {
        "states": measures.STATES,
        "arms": measures.ARMS,
        "tasks": measures.TASKS,
        "kinds": measures.KINDS,
        "is_further": measures.is_further,
        "tie": measures.TIE,
        "glossary": glossary.WORDS,
        "address": REFERENCE if reference else "",
        "slider_json": embedded(summary["slider"]),
        "scripts": {name: Markup((FOLDER / f"page_{name}.js").read_text()) for name in _SCRIPTS},
        "style": Markup((FOLDER / "page.css").read_text()),
    }
    template = environment().get_template("page.html")
    return template.render(summary=summary, images=images, **names, **outline(summary))


def outline(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The page's sections with their numbers, and where each figure stands."""
    sections = contents(name for name in ("slider", "cpu_study", "paper", "validation") if summary[name])
    figures = list(summary["figures"])
    return {
        "parts": PARTS,
        "contents": sections,
        "takes": TAKES,
        "place": {section.name: number for number, section in enumerate(sections, start=1)},
        "figures_at": figures_by_section(figures),
        "claim_figures": {claim["claim"]: of_claim(claim["claim"], figures) for claim in summary["claims"]},
    }


def embedded(content: Any) -> Markup:
    """JSON that may stand inside a script element: no sign in it can end the element."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))


def environment() -> jinja2.Environment:
    """The templates' environment: everything escaped, unknown names refused."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "num": html_filters.number_html,
        "percent": html_filters.percent_html,
        "interval": html_filters.interval_html,
        "setting": html_filters.setting,
        "range_of": html_filters.range_html,
        "mathml": mathml,
        "typeset": typeset,
        "breakable": html_filters.breakable,
        "words": measures.words,
        "linked": lambda text: Markup(glossary.linked(str(escape(text)))),
        "linked_block": lambda text: Markup(glossary.linked(str(text))),
        "anchor": glossary.anchor,
        "arm": arms.words,
        "share": arms.share_words,
        "seen": html_filters.alt_text,
        "plain": html_filters.plain_json,
        "lead": html_filters.lead,
        "rest": html_filters.rest,
    }
    return made


def picture(figure: Figure) -> dict[str, Any]:
    """The figure as a data address, and its size in CSS pixels."""
    return picture_of(svg(figure))


def picture_of(data: bytes) -> dict[str, Any]:
    """An SVG as a data address, and its size in CSS pixels: 96 for the 72 points of an inch."""
    width, height = (round(float(side) * 96 / 72) for side in _SIZE.search(data).groups())  # type: ignore[union-attr]
    address = f"data:image/svg+xml;base64,{base64.b64encode(data).decode()}"
    return {"address": address, "width": width, "height": height}

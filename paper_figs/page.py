"""The report page: one self-contained index.html and summary.json with every number it shows.

No clock, no address outside the file: the same results give the same bytes. Its scripts stand inline; without
them all text and figures are there, but for the slider and the dial."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from paper_figs import arms, measures, shown
from paper_figs.argument import PARTS, contents
from paper_figs.formats import svg
from paper_figs.mathematics import mathml, typeset
from paper_figs.places import drawable, of_claim, places
from paper_figs.summary import summarise, with_shipped
from sims.store import Result, write_atomic

FOLDER = Path(__file__).parent
LARGEST_BYTES = 5_000_000
SCRIPTS = ("scheme", "page", "slider")
REFERENCE = "api/index.html"  # written by `make docs`


def write(
    results: Mapping[str, Result], out: Path, drawn: Mapping[str, Figure] = MappingProxyType({})
) -> Path:
    """Write OUT/summary.json and OUT/index.html and return the page's path; `drawn` is not drawn again.

    Raises UserError naming the command to run when a result is missing, StoreError when a file cannot be
    written."""
    everything = with_shipped(results)
    summary = summarise(everything)
    images = pictures(everything, drawn)
    text = render(summary, images, reference=(Path(out) / REFERENCE).exists())
    write_atomic(Path(out) / "summary.json", summary_json(summary))
    path = Path(out) / "index.html"
    write_atomic(path, text.encode())
    return path


def pictures(results: Mapping[str, Result], drawn: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    """Every figure whose results are stored."""
    return {
        name: picture(drawn.get(name) or figure.draw(results)) for name, figure in drawable(results).items()
    }


def summary_json(summary: Mapping[str, Any]) -> bytes:
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
        "address": REFERENCE if reference else "",
        "slider_json": embedded(summary["slider"]),
        "scripts": {name: Markup((FOLDER / f"page_{name}.js").read_text()) for name in SCRIPTS},
        "style": Markup((FOLDER / "page.css").read_text()),
    }
    template = environment().get_template("page.html")
    return template.render(summary=summary, images=images, **names, **outline(summary))


def outline(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The page's sections with their numbers, and where each figure stands."""
    sections = contents(name for name in ("slider", "cpu_study", "validation") if summary[name])
    figures = list(summary["figures"])
    return {
        "parts": PARTS,
        "contents": sections,
        "place": {section.name: number for number, section in enumerate(sections, start=1)},
        "figures_at": places(figures),
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
        "num": shown.shown_number,
        "interval": shown.shown_interval,
        "setting": shown.setting,
        "range_of": shown.shown_range,
        "mathml": mathml,
        "typeset": typeset,
        "breakable": shown.breakable,
        "words": measures.words,
        "arm": arms.words,
        "share": arms.share_words,
        "seen": shown.seen,
        "plain": shown.plain_json,
        "lead": shown.lead,
        "rest": shown.rest,
    }
    return made


def picture(figure: Any) -> dict[str, Any]:
    """The figure as a data address, and its size in CSS pixels."""
    width, height = (round(96 * side) for side in figure.get_size_inches())
    data = base64.b64encode(svg(figure)).decode()
    return {"address": f"data:image/svg+xml;base64,{data}", "width": width, "height": height}

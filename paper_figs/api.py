"""The reference of `theory`: one page from its docstrings, with the claims they cite; it loads nothing.

    python -m paper_figs.api report/api

Rendered by pdoc, of the optional extra `docs`; formulas are set as in the report.
"""

import inspect
import re
import sys
from pathlib import Path
from typing import Any

from markupsafe import Markup

import theory
from paper_figs.mathematics import mathml, typeset
from sims.store import UserError, write_atomic
from theory.claims import CLAIMS

TEMPLATES = Path(__file__).parent / "templates"
MARKDOWN = str.maketrans({sign: f"&#{ord(sign)};" for sign in "_*[]~"})
CODE = re.compile(r"(`[^`]*`)")
CITED = re.compile(r"(?<=[\[ ])(C\d+)(?=\]|, C\d)")
QUALIFIED = re.compile(r'(<span class="n">[\w.]+</span><span class="o">\.</span>)+(?=<span class="n">[A-Z])')


def write(folder: Path) -> Path:
    """Write index.html into the folder and return its path.

    Raises UserError when pdoc is not installed."""
    path = folder / "index.html"
    write_atomic(path, page().encode())
    return path


def page() -> str:
    """The whole page: module, functions with signatures, formulas and examples, claims."""
    try:
        import pdoc.doc
        import pdoc.render
    except ImportError as error:
        raise UserError("the reference page needs pdoc: it is missing; pip install 'sptlab[docs]'") from error
    pdoc.render.configure(docformat="numpy", search=False, show_source=False, template_directory=TEMPLATES)
    pdoc.render.env.filters |= {"prepared": prepared, "linked": linked, "short": short}
    pdoc.render.env.filters |= {"mathml": mathml, "typeset": typeset}
    module = pdoc.doc.Module(theory)
    pdoc.render.env.globals |= {"claims": CLAIMS, "chapters": chapters(module)}
    return pdoc.render.html_module(module, {"theory": module})


def chapters(module: Any) -> list[tuple[str, str, list[Any]]]:
    """(name, docstring, public names) of each module of `theory`; its tables come last."""
    found: dict[str, list[Any]] = {}
    for name in theory.__all__:
        found.setdefault(module.get(name).taken_from[0], []).append(module.get(name))
    tables = found.pop("theory")
    told = [(name, inspect.getdoc(sys.modules[name]) or "", found[name]) for name in sorted(found)]
    return [*told, ("theory", "", tables)]


def prepared(docstring: str) -> str:
    """Markdown of a docstring: formulas set decently, and none of their signs read as emphasis."""
    blocks = re.split(r"(^>>> .*?(?:\n\s*\n|\Z))", docstring, flags=re.MULTILINE | re.DOTALL)
    return "".join(block if block.startswith(">>> ") else words(block) for block in blocks)


def words(block: str) -> str:
    """The same of what is no example; names in backticks stay as they are."""
    parts = CODE.split(block)
    return "".join(part if part.startswith("`") else typeset(part).translate(MARKDOWN) for part in parts)


def linked(html: str) -> Markup:
    """[C8] leads to the claim."""
    cited = lambda found: f'<a href="#{found[1]}">{found[1]}</a>' if found[1] in CLAIMS else found[1]
    return Markup(CITED.sub(cited, html.replace("&#91;", "[").replace("&#93;", "]")))


def short(signature: str) -> Markup:
    """A signature without the modules that its types come from: Float[Array, 'query key']."""
    return Markup(QUALIFIED.sub("", signature))


def main(arguments: list[str]) -> int:
    """Write the page into the folder named."""
    folder = Path(arguments[0] if arguments else "report/api")
    try:
        print(f"reference of theory: {write(folder)}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

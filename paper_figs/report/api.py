"""The reference of what users call: a page per package from its docstrings, and worked examples; it loads nothing.

    python -m paper_figs.report.api report/api

`theory` is the first page, with the claims that docstrings cite.

Rendered by pdoc, of the optional extra `docs`; formulas are set as in the report.
"""

import functools
import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from markupsafe import Markup

import theory
from paper_figs.report.mathematics import mathml, typeset
from sims.runs.store import UserError, write_atomic
from theory.claims import CLAIMS

_TEMPLATES = Path(__file__).parent / "templates"
EXAMPLES = _TEMPLATES / "examples.md"
PAGES: dict[str, str | None] = {
    "index.html": "theory",
    "processes.html": "sims.processes",
    "tasks.html": "sims.tasks",
    "probes.html": "full_scale.probes",
    "diagnosis.html": "full_scale.diagnosis",
    "examples.html": None,
}
"""The package whose public names a page holds; None: the worked examples."""
_WORKED = "worked examples"
_MARKDOWN = str.maketrans({sign: f"&#{ord(sign)};" for sign in "_*[]~"})
CODE = re.compile(r"(`[^`]*`)")
CITED = re.compile(r"(?<=[\[ ])(C\d+)(?=\]|, C\d)")
_QUALIFIED = re.compile(r'(<span class="n">[\w.]+</span><span class="o">\.</span>)+(?=<span class="n">[A-Z])')

_BETWEEN = r"(?:</?span[^>]*>|[\s,\[\]])*"
_KEY = re.compile(
    _BETWEEN.join((r'<span class="n">Key', "Array", "''", "UInt32", "Array", "'2'", "UInt32", "Array", "'4'"))
    + r"</span><span class=\"p\">\]"
)
_KEY_NAME = '<span class="n">PRNGKeyArray</span><span class="p">'
"""jaxtyping writes a random key as the union of the three forms that it may have."""
_ONLY_KEY = re.compile(rf'<span class="n">Union</span><span class="p">\[</span>({re.escape(_KEY_NAME)})\]')

_SETTINGS = re.compile(
    r'(=</span> <span class="n">\w+Config</span><span class="p">)\(.*?</span>(?=,</span><span class="param">)'
)
"""A default that is a class of settings with all its own defaults, which its fields show."""


def write(folder: Path) -> Path:
    """Write every page into the folder and return the path of the first, index.html.

    Raises UserError when pdoc is not installed."""
    for name, package in PAGES.items():
        write_atomic(folder / name, page(package).encode())
    return folder / next(iter(PAGES))


def page(package: str | None = "theory") -> str:
    """A whole page: modules, functions with signatures, formulas and examples; None: the worked examples.

    The claims stand on the page of `theory`."""
    try:
        import pdoc.doc
        import pdoc.render
    except ImportError as error:
        raise UserError("the reference page needs pdoc: it is missing; pip install 'sptlab[docs]'") from error
    pdoc.render.configure(docformat="numpy", search=False, show_source=False, template_directory=_TEMPLATES)
    pdoc.render.env.filters |= {"prepared": prepared, "linked": linked, "short": short, "moved": moved}
    pdoc.render.env.filters |= {"mathml": mathml, "typeset": typeset}
    documented = theory if package is None else importlib.import_module(package)
    sections = [("", EXAMPLES.read_text(), [])] if package is None else chapters(documented)
    module = pdoc.doc.Module(documented)
    pdoc.render.env.globals |= {
        "title": package or _WORKED,
        "pages": {name: other or _WORKED for name, other in PAGES.items()},
        "claims": CLAIMS if package == "theory" else {},
        "home": "" if package == "theory" else "index.html",
        "chapters": sections,
        "anchor": functools.partial(anchor, names=[m.name for _, _, members in sections for m in members]),
    }
    return pdoc.render.html_module(module, {documented.__name__: module})


def chapters(package: ModuleType) -> list[tuple[str, str, list[Any]]]:
    """(name, docstring, public names) of each module that defines some; the package's own tables come last."""
    import pdoc.doc

    members: dict[str, list[Any]] = {}
    document: Any = functools.cache(pdoc.doc.Module)
    for home, name in public(package):
        member = document(home).get(name)
        members.setdefault(member.taken_from[0], []).append(member)
    tables = members.pop(package.__name__, [])
    sections = [(name, inspect.getdoc(sys.modules[name]) or "", members[name]) for name in sorted(members)]
    return [*sections, (package.__name__, "", tables)] if tables else sections


def anchor(member: Any, names: list[str]) -> str:
    """The address of a name within its page; two modules may have one name."""
    module = member.modulename.rpartition(".")[2]
    return member.name if names.count(member.name) == 1 else f"{module}.{member.name}"


def public(package: ModuleType) -> list[tuple[ModuleType, str]]:
    """(module, name) of what a package offers; for a module that it offers, of what that defines."""
    names: list[tuple[ModuleType, str]] = []
    for name in package.__all__:
        thing = getattr(package, name, None) or importlib.import_module(f"{package.__name__}.{name}")
        vars(package)[name] = thing  # pdoc does not ask for what is lazy
        is_module = isinstance(thing, ModuleType)
        names += [(thing, own) for own in defined(thing)] if is_module else [(package, name)]
    return names


def defined(module: ModuleType) -> list[str]:
    """The public functions and classes that a module itself defines."""
    made_here = lambda thing: callable(thing) and getattr(thing, "__module__", None) == module.__name__
    return [name for name, thing in vars(module).items() if made_here(thing) and not name.startswith("_")]


def prepared(docstring: str) -> str:
    """Markdown of a docstring: formulas set decently, and none of their signs read as emphasis."""
    blocks = re.split(r"(^>>> .*?(?:\n\s*\n|\Z))", docstring, flags=re.MULTILINE | re.DOTALL)
    return "".join(block if block.startswith(">>> ") else words(block) for block in blocks)


def words(block: str) -> str:
    """The same of what is no example; names in backticks stay as they are."""
    parts = CODE.split(block)
    return "".join(part if part.startswith("`") else typeset(part).translate(_MARKDOWN) for part in parts)


def linked(html: str, home: str = "") -> Markup:
    """[C8] leads to the claim, which stands on the page `home`."""
    cited = lambda match: f'<a href="{home}#{match[1]}">{match[1]}</a>' if match[1] in CLAIMS else match[1]
    return Markup(CITED.sub(cited, html.replace("&#91;", "[").replace("&#93;", "]")))


def short(signature: str) -> Markup:
    """A signature without its types' modules: Float[Array, 'query key']; a random key has one name."""
    plain = _QUALIFIED.sub("", signature)
    return Markup(_SETTINGS.sub(r"\1()</span>", _ONLY_KEY.sub(r"\1", _KEY.sub(_KEY_NAME, plain))))


def moved(html: str, name: str, address: str) -> Markup:
    """The section of a name whose link to itself leads to its address within the page."""
    return Markup(str(html).replace(f'href="#{name}"', f'href="#{address}"'))


def main(arguments: list[str]) -> int:
    """Write the page into the folder named."""
    folder = Path(arguments[0] if arguments else "report/api")
    try:
        print(f"reference: {write(folder)}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

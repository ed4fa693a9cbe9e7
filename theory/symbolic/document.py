r"""All derivations as one article that pdflatex compiles: notation, then chapters of claims. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from xml.sax.saxutils import escape

import sympy

from theory.claims import CLAIMS, KINDS, Claim
from theory.claims.derivations import DERIVATIONS
from theory.symbolic.derivation import Derivation
from theory.symbolic.notation import MEANINGS, meanings
from theory.symbolic.printers import formula
from theory.symbolic.prose import prose
from theory.symbolic.rendering import html, latex, latex_digest, stated, text

PREAMBLE = r"""\documentclass[a4paper,10pt]{article}
\usepackage{amsmath,amssymb}
\usepackage{graphicx,multicol}
\usepackage[margin=22mm]{geometry}
\usepackage[hidelinks]{hyperref}
\emergencystretch=3em
\AtBeginDocument{\abovedisplayskip=4pt plus 2pt \belowdisplayskip=4pt plus 2pt \abovedisplayshortskip=2pt
  \belowdisplayshortskip=3pt}
\renewcommand{\labelitemi}{\(\bullet\)}
\newsavebox{\formulabox}
% a formula that is still too wide for its line is made as small as the line
\newcommand{\fitted}[1]{\sbox{\formulabox}{\(\displaystyle #1\)}%
  \ifdim\wd\formulabox>0.92\linewidth\resizebox{0.92\linewidth}{!}{\usebox{\formulabox}}%
  \else\usebox{\formulabox}\fi}
% flushed right, on a line of its own where the last one has no room for it
\newcommand{\found}[1]{{\unskip\nobreak\hfil\penalty50\hskip1em\hbox{}\nobreak\hfil\mbox{\footnotesize [#1]}%
  \parfillskip=0pt\finalhyphendemerits=0\par}}
\title{Local blindness of label supervision: statements and derivations}
\author{sptlab}
\date{}
\begin{document}
\maketitle
\noindent Every step below was checked by a computer algebra system when this document was written: for a
symbolic number of positions \(L\), or for the lengths named beside it.
\setcounter{tocdepth}{1}
\tableofcontents
"""

WORDS = {
    False: r"""\par\noindent Of each chain of steps its result is printed, and the steps before it are told in words;
\texttt{sptlab derive --all --full --format latex} prints them. The last page says what the symbols mean.""",
    True: "",
}
"""What the article says of itself, in short and in full."""

CHAPTERS = (
    (
        "The model, and what labels see of it",
        "A mean pool reads attention through one number per key, and a label gradient is therefore the same for "
        "every query.",
        ("C1", "C2", "C4", "C23", "C15", "C26"),
    ),
    (
        "Blindness",
        "Scores that depend on distance alone leave that number as it is; how far this reaches, and what opens "
        "the eye.",
        ("C3", "C17", "C5", "C6", "C21", "C22"),
    ),
    (
        "Reconstruction",
        "A hidden token asks each query for its own answer: the gradient lies inside what labels cannot see, "
        "along the data's autocovariance.",
        ("C8", "C9", "C10", "C28", "C30", "C11", "C12", "C24", "C29", "C13", "C27", "C14", "C18"),
    ),
    (
        "The plateau",
        "With a residual and a nonlinearity labels see the classes' difference, once the rest has settled not "
        "even that, and leave by a saddle.",
        ("C7", "C16", "C19", "C20", "C25"),
    ),
)
"""The order in which the derivations are read: a title, what it is about, and the claims."""

_SIGNS = (
    (r"\sum_{i}", "a sum over all positions, 0 to L - 1, where no limits are shown"),
    (r"1_{i = j}", "1 where the indices agree, 0 elsewhere"),
    (r"\mathbb{E}", "mean over the data"),
)

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Derivations</title>
<style>body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif }}
.formula {{ overflow-x: auto }} .checked {{ color: #2f6b3a }}</style></head>
<body>
{sections}</body></html>
"""

FRAGMENT = r"""\providecommand{\fitted}[1]{#1}
\providecommand{\found}[1]{\hfill{\footnotesize [#1]}}"""

Drawn = tuple[str, str]
"""A figure: its file, as LaTeX finds it, and its caption in LaTeX."""

Section = tuple[Claim, Derivation, Sequence[bool]]
"""A claim, its derivation, and for each step after the first whether it was shown to hold."""


def sections(labels: Sequence[str], *, report: Callable[[int, int, str], None]) -> list[Section]:
    """The derivations of these claims, every step checked; `report` hears (done, total, label)."""
    checked: list[Section] = []
    for done, label in enumerate(labels):
        report(done, len(labels), label)
        checked.append((CLAIMS[label], DERIVATIONS[label], DERIVATIONS[label].check()))
    return checked


def holds(checked: Iterable[Section]) -> bool:
    """Whether every step of every derivation was shown to equal the one before."""
    return all(all(outcomes) for _, _, outcomes in checked)


def rendered(
    sections: Sequence[Section],
    form: str,
    *,
    whole: bool,
    full: bool = False,
    figures: Mapping[str, Sequence[Drawn]] = MappingProxyType({}),
) -> str:
    """The derivations in a format: text, html, or latex, which is an article if `whole`.

    Otherwise LaTeX is what a paper that loads amsmath can \\input. The article has statements and key steps, with
    `full` every step and the lists of checks; `figures` stand behind the claim of their label.
    """
    if form == "html":
        return page(sections)
    if form == "latex":
        bodies = [latex(derivation, outcomes) for _, derivation, outcomes in sections]
        return article(sections, full=full, figures=figures) if whole else "\n".join([FRAGMENT, *bodies])
    return "\n".join(text(derivation, outcomes, claim) for claim, derivation, outcomes in sections)


def article(
    sections: Iterable[Section],
    *,
    full: bool = False,
    figures: Mapping[str, Sequence[Drawn]] = MappingProxyType({}),
) -> str:
    """The whole LaTeX document, in the order of its reader; claims of no chapter come last."""
    every = list(sections)
    checked = {each[0].label: each for each in every}
    written = lambda each: [section(*each, full=full), *map(figure, figures.get(each[0].label, ()))]
    rows = [PREAMBLE, WORDS[full]]
    for title, introduction, labels in CHAPTERS:
        if chosen := [checked.pop(label) for label in labels if label in checked]:
            rows += [rf"\section{{{prose(title)}}}", prose(introduction)]
            rows += [row for each in chosen for row in written(each)]
    rows += [row for each in checked.values() for row in written(each)]
    return "\n".join([*rows, *notation(derivation for _, derivation, _ in every), r"\end{document}", ""])


def figure(drawn: Drawn) -> str:
    """A figure with its caption, near where it stands."""
    path, caption = drawn
    return "\n".join(
        [
            r"\begin{figure}[tbp]\centering",
            rf"\includegraphics[width=\linewidth,height=0.35\textheight,keepaspectratio]{{\detokenize{{{path}}}}}",
            rf"\caption{{\footnotesize {caption}}}",
            r"\end{figure}",
        ]
    )


def notation(derivations: Iterable[Derivation]) -> list[str]:
    """A table of what the symbols of these derivations stand for."""
    used = {name for derivation in derivations for name, _ in meanings(derivation)}
    signs = [(formula(sympy.Symbol(name)), MEANINGS[name]) for name in MEANINGS if name in used] + list(
        _SIGNS
    )
    return [
        r"\section*{Notation}",
        r"\begin{multicols}{2}\footnotesize\raggedright",
        *(rf"\noindent\hangindent=1em \({sign}\) \ {prose(meaning)}\par" for sign, meaning in signs),
        r"\end{multicols}",
    ]


def section(claim: Claim, derivation: Derivation, outcomes: Sequence[bool], *, full: bool = False) -> str:
    """A claim: statement, formula, regime and key steps; with `full` every step and the list of its checks."""
    start = [
        rf"\subsection{{{claim.label}: {prose(claim.title)}}}",
        prose(claim.statement),
        formula_of(claim),
    ]
    if not full:
        holds_where = rf"\par\noindent\emph{{Holds.}} {prose(claim.regime)}"
        return "\n".join([*start, holds_where, latex_digest(derivation, outcomes)])
    names = {kind: [each.name for each in claim.checks if each.kind == kind] for kind in KINDS}
    checks = "; ".join(
        rf"\emph{{{prose(kind.replace('_', ' '))}}}: {prose(', '.join(f'({name})' for name in chosen))}"
        for kind, chosen in names.items()
    )
    return "\n".join(
        [
            *start,
            *([rf"\paragraph{{In full}} {prose(claim.details)}"] if claim.details else []),
            rf"\paragraph{{Regime}} {prose(claim.regime)}",
            latex(derivation, outcomes),
            rf"\paragraph{{Checks}} Run by \texttt{{sptlab verify}}: {checks}.",
        ]
    )


def formula_of(claim: Claim) -> str:
    """The claim's formula, on a line of its own."""
    return rf"\[\fitted{{{claim.formula}}}\]"


def page(sections: Iterable[Section]) -> str:
    """The derivations as one HTML page."""
    titled = (
        f"<h2>{claim.label} {claim.title}</h2>\n{_statement(claim)}{html(*rest)}" for claim, *rest in sections
    )
    return PAGE.format(sections="".join(titled))


def _statement(claim: Claim) -> str:
    """What the claim says, as paragraphs."""
    return "".join(f"<p><strong>{name}.</strong> {escape(each)}</p>\n" for name, each in stated(claim))

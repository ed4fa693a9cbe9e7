r"""All derivations as one article that pdflatex compiles: notation, then a section per claim. Pure."""

from collections.abc import Callable, Iterable, Sequence

from theory.claims import CLAIMS, Claim
from theory.derivations import DERIVATIONS
from theory.derivations.derivation import Derivation
from theory.derivations.prose import prose
from theory.derivations.rendering import html, latex, text

PREAMBLE = r"""\documentclass[a4paper,10pt]{article}
\usepackage{amsmath,amssymb}
\usepackage{graphicx}
\usepackage[margin=25mm]{geometry}
\usepackage[hidelinks]{hyperref}
\emergencystretch=3em
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
\tableofcontents
"""

NOTATION = (
    (r"L, d", "number of positions (tokens) of a sequence, width of a token"),
    (r"x_{i}, X", "token at position i; all of them as rows"),
    (r"S_{ij}", "attention score of query i for key j"),
    (r"A_{ij}", "attention weight, the softmax of row i of S"),
    (r"B_{ij}", "A without its diagonal"),
    (r"c_{j}", "mean attention that key j receives"),
    (r"V, v", "value-output map, and the same for scalar tokens"),
    (r"z, u", r"pooled vector, and the loss's gradient in it"),
    (r"s_{j}", "what key j would write, read along u: s_j = u^T V x_j"),
    (r"C_{ij}, C_{r}", "second moments of scalar tokens; at lag r when cyclically stationary"),
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

Section = tuple[Claim, Derivation, Sequence[bool]]
"""A claim, its derivation, and for each step after the first whether it was shown to hold."""


def sections(labels: Sequence[str], *, report: Callable[[int, int, str], None]) -> list[Section]:
    """The derivations of these claims, every step checked; `report` hears (done, total, label)."""
    found: list[Section] = []
    for done, label in enumerate(labels):
        report(done, len(labels), label)
        found.append((CLAIMS[label], DERIVATIONS[label], DERIVATIONS[label].check()))
    return found


def holds(checked: Iterable[Section]) -> bool:
    """Whether every step of every derivation was shown to equal the one before."""
    return all(all(outcomes) for _, _, outcomes in checked)


def rendered(sections: Sequence[Section], form: str, *, whole: bool) -> str:
    """The derivations in a format: text, html, or latex, which is an article if `whole`.

    Otherwise LaTeX is what a paper that loads amsmath can \\input.
    """
    if form == "html":
        return page(sections)
    if form == "latex":
        bodies = [latex(derivation, outcomes) for _, derivation, outcomes in sections]
        return article(sections) if whole else "\n".join([FRAGMENT, *bodies])
    return "\n".join(text(derivation, outcomes, claim.title) for claim, derivation, outcomes in sections)


def article(sections: Iterable[Section]) -> str:
    """The whole LaTeX document."""
    rows = [PREAMBLE, r"\section*{Notation}", r"\begin{tabular}{ll}"]
    rows += [rf"\({sign}\) & {prose(meaning)} \\" for sign, meaning in NOTATION]
    rows += [r"\end{tabular}"]
    return "\n".join([*rows, *(section(*each) for each in sections), r"\end{document}", ""])


def section(claim: Claim, derivation: Derivation, outcomes: Sequence[bool]) -> str:
    """A claim: statement, regime, formula, derivation and the list of its checks."""
    formula = rf"\[\fitted{{{claim.formula}}}\]"
    checks = [
        rf"\item \emph{{{prose(each.kind.replace('_', ' '))}}}: {prose(each.name)}" for each in claim.checks
    ]
    return "\n".join(
        [
            rf"\section{{{claim.label}: {prose(claim.title)}}}",
            prose(claim.statement),
            formula,
            rf"\paragraph{{Regime}} {prose(claim.regime)}",
            latex(derivation, outcomes),
            r"\paragraph{Checks} Run by \texttt{sptlab verify}:",
            r"\begin{itemize}\setlength{\itemsep}{0pt}",
            *checks,
            r"\end{itemize}",
        ]
    )


def page(sections: Iterable[Section]) -> str:
    """The derivations as one HTML page."""
    titled = (f"<h2>{claim.label} {claim.title}</h2>\n{html(*rest)}" for claim, *rest in sections)
    return PAGE.format(sections="".join(titled))

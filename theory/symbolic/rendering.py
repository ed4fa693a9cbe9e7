"""A derivation as text for a terminal, as LaTeX for a paper, as HTML for a page. Pure: strings only."""

import html as markup
import re
import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape

import sympy
from latex2mathml.converter import convert

from theory.claims.checks.check import Claim
from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.notation import meanings
from theory.symbolic.printers import EXPECTATION, formula, line, open_ended, product, reading_order
from theory.symbolic.prose import prose

WIDTH = 100  # columns of a terminal
ROOM = 76  # signs of LaTeX, commands and braces not counted, that fit a line of the article
UNSEEN = re.compile(r"\\(?:left|right|frac|mathbb|,|Big[lr])|\\(?=[a-z])|[{}^_ ]")
NOT_EQUAL = "NOT SHOWN EQUAL to the step before"


def verdict(step: Step, equal: bool) -> str:
    """What the machine found about a step."""
    return f"checked: {step.scope}" if equal else NOT_EQUAL


def verdicts(chain: Chain, outcomes: Sequence[bool]) -> list[str]:
    """A word on each step; the first is the definition, which has nothing to be checked against."""
    later = [verdict(*pair) for pair in zip(chain.steps[1:], outcomes, strict=True)]
    return ["definition", *later]


def shown_by(chain: Chain) -> str:
    """Which sentences of the claim a chain shows, by how they begin; empty where it does not say."""
    return "; ".join(f"{beginning} ..." for beginning in chain.shows)


def checked_elsewhere(derivation: Derivation) -> list[str]:
    """A sentence for each sentence of the claim that is not derived here."""
    return [
        f"{beginning} ... Not derived here: checked by {', '.join(f'({name})' for name in names)}."
        for beginning, names in derivation.elsewhere
    ]


def stated(claim: Claim) -> list[tuple[str, str]]:
    """What a claim says, each part under its name: a derivation quotes how its sentences begin."""
    parts = [("Claim", claim.statement), ("In full", claim.details), ("Holds", claim.regime)]
    return [(name, sentence) for name, sentence in parts if sentence]


def text(derivation: Derivation, outcomes: Sequence[bool], claim: Claim | None = None) -> str:
    """Plain text of at most 100 columns.

    Parameters
    ----------
    outcomes
        What `derivation.check()` returned.
    claim
        What is derived, to be said first.
    """
    rows = [f"{derivation.label}  {claim.title if claim else ''}".strip(), ""]
    for name, sentence in stated(claim) if claim else ():
        rows += [name, *wrapped(sentence, "  "), ""]
    rows += ["Given"]
    for expression, sentence in derivation.given:
        rows += [*wrapped(line(expression), "  "), *wrapped(sentence, "      "), ""]
    rows += [*(row for name in meanings(derivation) for row in wrapped(" ".join(name), "  ")), ""]
    for chain, own in derivation.by_chain(outcomes):
        rows += text_of_chain(chain, own)
    rows += [row for sentence in checked_elsewhere(derivation) for row in wrapped(sentence, "")]
    return "\n".join([*rows, ""])


def text_of_chain(chain: Chain, outcomes: Sequence[bool]) -> list[str]:
    """Its sentences, its steps and its conclusion, line by line."""
    rows = wrapped(f"Derivation of: {shown_by(chain)}" if chain.shows else "Derivation", "")
    rows += [f"  {line(chain.target)}"]
    for step, outcome in zip(chain.steps, verdicts(chain, outcomes), strict=True):
        rows += wrapped(line(step.expression), "    = ", "        ")
        rows += [*wrapped(step.reason, "        "), f"        [{outcome}]", ""]
    return [*rows, *wrapped(chain.conclusion, ""), ""]


def wrapped(sentence: str, first: str, others: str | None = None) -> list[str]:
    """Lines of at most `WIDTH` columns, broken at spaces."""
    return textwrap.wrap(
        sentence,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def latex(derivation: Derivation, outcomes: Sequence[bool]) -> str:
    r"""Body of a LaTeX section: amsmath, and the article's \fitted and \found, which a fragment defines."""
    rows = [r"\paragraph{Given}", r"\begin{itemize}"]
    rows += [
        rf"\item \({inline(expression)}\): {prose(sentence)}" for expression, sentence in derivation.given
    ]
    signs = "; ".join(
        rf"\({formula(sympy.Symbol(name))}\) {prose(meaning)}" for name, meaning in meanings(derivation)
    )
    rows += [rf"\item {signs}.", r"\end{itemize}"]
    for chain, own in derivation.by_chain(outcomes):
        rows += latex_of_chain(chain, own)
    return "\n".join([*rows, *(prose(sentence) + r"\par" for sentence in checked_elsewhere(derivation)), ""])


def latex_of_chain(chain: Chain, outcomes: Sequence[bool]) -> list[str]:
    """Its sentences, its steps and its conclusion."""
    rows = [rf"\paragraph{{Derivation}} \emph{{{prose(shown_by(chain))}}}", r"\begin{enumerate}"]
    for step, outcome in zip(chain.steps, verdicts(chain, outcomes), strict=True):
        left = formula(chain.target) if step is chain.steps[0] else ""
        rows += [rf"\item {prose(step.reason)} \found{{{prose(outcome)}}}"]
        rows += [display(left, step.expression)]
    return [*rows, r"\end{enumerate}", prose(chain.conclusion), ""]


def latex_digest(derivation: Derivation, outcomes: Sequence[bool]) -> str:
    """A derivation's key steps: what is given, where each chain begins and ends, and why, as running text."""
    assumed = "; ".join(
        rf"\({inline(expression)}\): {prose(sentence.rstrip('.'))}"
        for expression, sentence in derivation.given
    )
    rows = [rf"\par{{\sloppy\emergencystretch=0.6\hsize\noindent\emph{{Given.}} {assumed}.\par}}"]
    for chain, own in derivation.by_chain(outcomes):
        rows += digest_of_chain(chain, own)
    if derivation.elsewhere:
        named = "; ".join(f"{beginning} ..." for beginning, _ in derivation.elsewhere)
        rows.append(rf"\par\noindent\emph{{Checked, but not derived:}} {prose(named)}\par")
    return "\n".join([*rows, ""])


def digest_of_chain(chain: Chain, outcomes: Sequence[bool]) -> list[str]:
    """What it shows, the reasons from its definition to its result, the result, and what follows."""
    count = f"{len(outcomes)} step{'s' * (len(outcomes) != 1)} checked" if all(outcomes) else NOT_EQUAL
    reasons = " ".join(prose(step.reason) for step in chain.steps)
    return [
        rf"\par\noindent\emph{{{prose(shown_by(chain) or 'Derivation.')}}} {reasons}",
        display(formula(chain.target), chain.steps[-1].expression),
        rf"{prose(chain.conclusion)} \found{{{count}}}",
    ]


def inline(expression: sympy.Basic) -> str:
    """A formula that stands in running text."""
    return rf"\fitted{{{formula(expression)}}}"


def display(left: str, right: sympy.Basic) -> str:
    """left = right, a term per line where it is too long for one."""
    whole = formula(right)
    lines = [whole] if width(left + whole) <= ROOM else broken(right)
    start = rf"{left} = {{}}" if left else "= {}"
    opened = r"\fitted{" + start + lines[0] + "}"
    rest = [r"\qquad \fitted{" + each + "}" for each in lines[1:]]
    return "\\[\\begin{aligned}\n& " + " \\\\\n& ".join([opened, *rest]) + "\n\\end{aligned}\\]"


def broken(expression: sympy.Basic) -> list[str]:
    """The pieces of an expression, as many to a line as fit."""
    first, *others = pieces(expression)
    lines = [first]
    for piece in others:
        if width(lines[-1] + piece) <= ROOM:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return lines


def width(printed: str) -> int:
    """How many signs are seen of a formula."""
    return len(UNSEEN.sub("", printed))


def pieces(expression: sympy.Basic) -> list[str]:
    """LaTeX cut where a line may break: before terms and brackets, also inside sums and products."""
    if width(formula(expression)) <= ROOM / 2:
        return [formula(expression)]
    if isinstance(expression, sympy.Add):
        terms = [pieces(term) for term in reading_order(expression)]
        return terms[0] + [each for term in terms[1:] for each in signed(term)]
    if isinstance(expression, sympy.Sum):
        signs = formula(expression.func(sympy.Symbol("{}"), *expression.limits))
        return glued(signs.removesuffix("{}"), enclosed(expression.function))
    if isinstance(expression, sympy.Mul):
        negative, above, below, brackets, sums = product(expression)
        rest = sympy.Mul(*above) / sympy.Mul(*below)
        start = "- " * negative + (formula(rest) if rest != 1 else "")
        return glued(start, [each for factor in (*brackets, *sums) for each in enclosed(factor)])
    if getattr(expression, "func", None) == EXPECTATION:
        return glued(r"\mathbb{E}", bracketed(pieces(expression.args[0]), "[", "]"))
    return [formula(expression)]


def signed(term: list[str]) -> list[str]:
    """A term after the first: with its plus sign."""
    return term if term[0].startswith("-") else [f"+ {term[0]}", *term[1:]]


def glued(start: str, rest: list[str]) -> list[str]:
    """No break after `start`."""
    return [f"{start} {rest[0]}", *rest[1:]] if rest else [start]


def enclosed(factor: sympy.Expr) -> list[str]:
    """A factor in parentheses that may stand on different lines, if it needs them."""
    return bracketed(pieces(factor), "(", ")") if open_ended(factor) else pieces(factor)


def bracketed(inside: list[str], left: str, right: str) -> list[str]:
    """Delimiters of one size: those that stretch cannot be on different lines."""
    opened = [rf"\Bigl{left} {inside[0]}", *inside[1:]]
    return [*opened[:-1], rf"{opened[-1]} \Bigr{right}"]


def html(derivation: Derivation, outcomes: Sequence[bool]) -> str:
    """A `<section>` with MathML, which browsers show without a script or a font."""
    given = [
        f"<li>{mathml(formula(expression))} {escape(sentence)}</li>"
        for expression, sentence in derivation.given
    ]
    given += [
        f"<li>{mathml(formula(sympy.Symbol(name)))} {escape(meaning)}</li>"
        for name, meaning in meanings(derivation)
    ]
    chains = "".join(html_of_chain(*each) for each in derivation.by_chain(outcomes))
    return (
        f'<section class="derivation" id="derivation-{derivation.label}">\n<ul class="given">\n'
        + "\n".join(given)
        + f"\n</ul>\n{chains}"
        + "".join(f"<p>{escape(sentence)}</p>\n" for sentence in checked_elsewhere(derivation))
        + "</section>\n"
    )


def html_of_chain(chain: Chain, outcomes: Sequence[bool]) -> str:
    """Its sentences, its steps and its conclusion."""
    steps = []
    for step, outcome in zip(chain.steps, verdicts(chain, outcomes), strict=True):
        left = formula(chain.target) if step is chain.steps[0] else ""
        steps.append(
            f'<li><div class="formula scroll">{mathml(f"{left} = {formula(step.expression)}".strip())}</div>'
            f'<p>{escape(step.reason)} <span class="checked">[{escape(outcome)}]</span></p></li>'
        )
    opening = f"<p><em>{escape(shown_by(chain))}</em></p>\n" if chain.shows else ""
    return (
        opening + '<ol class="steps">\n' + "\n".join(steps) + f"\n</ol>\n<p>{escape(chain.conclusion)}</p>\n"
    )


def mathml(latex_formula: str) -> str:
    """A `<math>` element that carries its LaTeX as alternative text."""
    alternative = markup.escape(latex_formula, quote=True)
    return convert(latex_formula).replace("<math ", f'<math alttext="{alternative}" ', 1)

"""A derivation as text for a terminal, as LaTeX for a paper, as HTML for a page. Pure: strings only."""

import html as markup
import re
import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape

import sympy
from latex2mathml.converter import convert

from theory.derivations.derivation import Derivation, Step
from theory.derivations.printers import formula, line, reading_order
from theory.derivations.prose import prose

WIDTH = 100  # columns of a terminal
ROOM = 88  # signs of LaTeX, commands and braces not counted, that fit a line of the article
UNSEEN = re.compile(r"\\(?:left|right|frac|mathbb|partial|,)|[{}^_ ]")
NOT_EQUAL = "NOT SHOWN EQUAL to the step before"


def verdict(step: Step, equal: bool) -> str:
    """What the machine found about a step."""
    return f"checked: {step.scope}" if equal else NOT_EQUAL


def verdicts(derivation: Derivation, outcomes: Sequence[bool]) -> list[str]:
    """A word on each step; the first is the definition, which has nothing to be checked against."""
    later = [verdict(*pair) for pair in zip(derivation.steps[1:], outcomes, strict=True)]
    return ["definition", *later]


def text(derivation: Derivation, outcomes: Sequence[bool], title: str = "") -> str:
    """Plain text of at most 100 columns.

    Parameters
    ----------
    outcomes
        What `derivation.check()` returned.
    title
        Of the claim.
    """
    rows = [f"{derivation.label}  {title}".strip(), "", "Given"]
    for expression, sentence in derivation.given:
        rows += [*wrapped(line(expression), "  "), *wrapped(sentence, "      "), ""]
    rows += ["Derivation", f"  {line(derivation.target)}"]
    for step, found in zip(derivation.steps, verdicts(derivation, outcomes), strict=True):
        rows += wrapped(line(step.expression), "    = ", "        ")
        rows += [*wrapped(step.reason, "        "), f"        [{found}]", ""]
    return "\n".join([*rows, *wrapped(derivation.conclusion, ""), ""])


def wrapped(told: str, first: str, others: str | None = None) -> list[str]:
    """Lines of at most `WIDTH` columns, broken at spaces."""
    return textwrap.wrap(
        told,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def latex(derivation: Derivation, outcomes: Sequence[bool]) -> str:
    r"""Body of a LaTeX section: amsmath, and the article's \fitted and \found, which a fragment defines."""
    rows = [r"\paragraph{Given}", r"\begin{itemize}"]
    rows += [rf"\item \({inline(expression)}\): {prose(told)}" for expression, told in derivation.given]
    rows += [r"\end{itemize}", r"\paragraph{Derivation}", r"\begin{enumerate}"]
    for step, found in zip(derivation.steps, verdicts(derivation, outcomes), strict=True):
        left = formula(derivation.target) if step is derivation.steps[0] else ""
        rows += [rf"\item {prose(step.reason)} \found{{{prose(found)}}}"]
        rows += [display(left, step.expression)]
    return "\n".join([*rows, r"\end{enumerate}", prose(derivation.conclusion), ""])


def inline(expression: sympy.Basic) -> str:
    """A formula that stands in running text."""
    return rf"\fitted{{{formula(expression)}}}"


def display(left: str, right: sympy.Basic) -> str:
    """left = right, a term per line where it is too long for one."""
    whole = formula(right)
    lines = [whole] if len(UNSEEN.sub("", left + whole)) <= ROOM else broken(right)
    start = rf"{left} = {{}}" if left else "= {}"
    opened = r"\fitted{" + start + lines[0] + "}"
    rest = [r"\qquad \fitted{" + each + "}" for each in lines[1:]]
    return "\\[\\begin{aligned}\n& " + " \\\\\n& ".join([opened, *rest]) + "\n\\end{aligned}\\]"


def broken(expression: sympy.Basic) -> list[str]:
    """The terms of a sum, as many to a line as fit."""
    if not isinstance(expression, sympy.Add):
        return [formula(expression)]
    first, *others = [formula(term) for term in reading_order(expression)]
    lines = [first]
    for term in others:
        signed = term if term.startswith("-") else f"+ {term}"
        if len(UNSEEN.sub("", lines[-1] + signed)) <= ROOM:
            lines[-1] += f" {signed}"
        else:
            lines.append(signed)
    return lines


def html(derivation: Derivation, outcomes: Sequence[bool]) -> str:
    """A `<section>` with MathML, which browsers show without a script or a font."""
    given = [f"<li>{mathml(formula(shown))} {escape(told)}</li>" for shown, told in derivation.given]
    steps = []
    for step, found in zip(derivation.steps, verdicts(derivation, outcomes), strict=True):
        left = formula(derivation.target) if step is derivation.steps[0] else ""
        steps.append(
            f'<li><div class="formula scroll">{mathml(f"{left} = {formula(step.expression)}".strip())}</div>'
            f'<p>{escape(step.reason)} <span class="checked">[{escape(found)}]</span></p></li>'
        )
    return (
        f'<section class="derivation" id="derivation-{derivation.label}">\n<ul class="given">\n'
        + "\n".join(given)
        + '\n</ul>\n<ol class="steps">\n'
        + "\n".join(steps)
        + f"\n</ol>\n<p>{escape(derivation.conclusion)}</p>\n</section>\n"
    )


def mathml(latex_formula: str) -> str:
    """A `<math>` element that carries its LaTeX as alternative text."""
    alternative = markup.escape(latex_formula, quote=True)
    return convert(latex_formula).replace("<math ", f'<math alttext="{alternative}" ', 1)

"""A derivation as text for a terminal, as LaTeX for a paper, as HTML for a page. Pure: strings only."""

import html as markup
import re
import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape

import sympy
from latex2mathml.converter import convert

from theory.derivations.derivation import Derivation, Step
from theory.derivations.printers import EXPECTATION, formula, line, open_ended, product, reading_order
from theory.derivations.prose import prose

WIDTH = 100  # columns of a terminal
ROOM = 76  # signs of LaTeX, commands and braces not counted, that fit a line of the article
UNSEEN = re.compile(r"\\(?:left|right|frac|mathbb|,|Big[lr])|\\(?=[a-z])|[{}^_ ]")
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


def width(shown: str) -> int:
    """How many signs are seen of a formula."""
    return len(UNSEEN.sub("", shown))


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

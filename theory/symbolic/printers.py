"""Expressions as the docstrings of this project write them, on one line, and as a paper does, in LaTeX.

A sum over all positions shows its index alone, S_ij stands for S[i, j], a derivative of a symbol is a
quotient of two differentials, and terms stand in the order in which they are read: without sums first.
"""

import re
from typing import Any, NamedTuple

import sympy
from sympy import Add, Expr, Indexed, Mul, Sum
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from theory.symbolic.index_sums import L

EXPECTATION = sympy.Function("E")
"""The expectation over data: linear, and of an expression in the tokens."""

SHORT_INDEX = re.compile(r"\w'*")


class Product(NamedTuple):
    """A product as it is written: -(above/below) bracket sums."""

    negative: bool
    above: list[Expr]
    below: list[Expr]
    brackets: list[Expr]
    sums: list[Expr]


def product(expression: Expr) -> Product:
    """The factors of a product, sorted into the places where they are written."""
    negative = bool(expression.as_coeff_Mul()[0].is_negative)
    numerator, denominator = sympy.fraction(-expression if negative else expression)
    factors = [each for each in Mul.make_args(numerator) if each != 1]
    below = [each for each in Mul.make_args(denominator) if each != 1]
    name = lambda factor: (isinstance(factor.as_base_exp()[0], Indexed), str(factor))
    sums = [each for each in factors if isinstance(each, Sum)]
    brackets = [each for each in factors if isinstance(each, Add)]
    brackets += [each for each in factors if isinstance(each, sympy.Derivative)]
    plain = [each for each in factors if each not in (*sums, *brackets)]
    return Product(negative, sorted(plain, key=name), sorted(below, key=name), brackets, sums)


def reading_order(expression: Expr) -> list[Expr]:
    """The terms of a sum: a positive one first, then by how deep sums are nested in them."""
    negative = lambda term: bool(term.as_coeff_Mul()[0].is_negative)
    last = lambda term: term.is_number and bool(expression.is_integer)  # j + 1, but 1 + v/L
    rank = lambda term: (count_sums(term), negative(term), last(term), str(term))
    terms = sorted(Add.make_args(expression), key=rank)
    first = next((term for term in terms if not negative(term)), terms[0])
    return [first, *(term for term in terms if term is not first)]


def count_sums(term: sympy.Basic) -> int:
    """How deep sums are nested in a term."""
    inside = max((count_sums(part) for part in term.args), default=0)
    return inside + (len(term.limits) if isinstance(term, Sum) else 0)


def open_ended(expression: Expr) -> bool:
    """Whether a factor of a product, or what a sum is over, needs parentheses."""
    return isinstance(expression, Add) or bool(expression.as_coeff_Mul()[0].is_negative)


def over_all_positions(limits: sympy.Tuple) -> bool:
    """Whether a sum runs over 0..L-1."""
    return limits[1:] == (0, L - 1)


def together(indices: list[str]) -> str:
    """`ij` for indices of one letter each, with commas where they are longer."""
    short = all(SHORT_INDEX.fullmatch(index) for index in indices)
    return "".join(indices) if short else "{" + ", ".join(indices) + "}"


class LinePrinter(StrPrinter):
    """One line: (1/L) sum_j A_ij s_j."""

    printmethod = "_on_one_line"  # Indexed would print itself otherwise

    def _as_ordered_terms(self, expr: Expr, order: Any = None) -> list[Expr]:
        return reading_order(expr)

    def _print_Indexed(self, expression: Indexed) -> str:
        return f"{expression.base.label}_{together([self._print(index) for index in expression.indices])}"

    def _print_Sum(self, expression: Expr) -> str:
        sums = []
        for limits in reversed(expression.limits):
            index, first, last = (self._print(part) for part in limits)
            sums.append(
                f"sum_{index}" if over_all_positions(limits) else f"sum_{{{index} = {first}..{last}}}"
            )
        return f"{' '.join(sums)} {self.bracketed(expression.function)}"

    def _print_Integral(self, expression: Expr) -> str:
        ((variable, first, last),) = expression.limits
        return f"int_{{{variable} = {first}..{last}}} {self.bracketed(expression.function)}"

    def bracketed(self, expression: Expr) -> str:
        """In parentheses if it is a sum of terms, or negative."""
        return f"({self._print(expression)})" if open_ended(expression) else self._print(expression)

    def _print_Mul(self, expression: Expr) -> str:
        negative, above, below, brackets, sums = product(expression)
        factor = lambda each: self.parenthesize(each, PRECEDENCE["Mul"])
        if len(brackets) == 1 and not above:
            above, brackets = brackets, []
        parts = [" ".join(map(factor, above))] if above else []
        if below:
            under = " ".join(map(factor, below))
            ratio = f"{parts[0] if parts else 1}/{under if len(below) == 1 else f'({under})'}"
            parts = [f"({ratio})" if brackets or sums else ratio]
        parts += [factor(each) for each in brackets]
        parts += [f"({self._print(each)})" for each in sums[:-1]] + [self._print(each) for each in sums[-1:]]
        return "-" * negative + " ".join(parts)

    def _print_Derivative(self, expression: Expr) -> str:
        below = " ".join(f"d{self._print(variable)}" for variable in expression.variables)
        order = f"d^{len(expression.variables)}" if len(expression.variables) > 1 else "d"
        if expression.expr.is_Symbol or isinstance(expression.expr, AppliedUndef):
            return f"{order}{self._print(expression.expr)}/{below}"
        return f"{order}/{below} [{self._print(expression.expr)}]"

    def _print_KroneckerDelta(self, expression: Expr) -> str:
        first, second = (
            self._print(index) for index in sorted(expression.indices, key=lambda e: e.is_number)
        )
        return f"1[{first} = {second}]"

    def _print_Mod(self, expression: Expr) -> str:
        number, modulus = map(self._print, expression.args)
        return f"{number} mod {modulus}"

    def _print_Function(self, expression: Expr) -> str:
        if expression.func == EXPECTATION:
            return f"E[{self._print(expression.args[0])}]"
        return super()._print_Function(expression)

    def _print_exp(self, expression: Expr) -> str:
        exponent = self._print(expression.args[0])
        return f"e^{exponent}" if exponent.isalnum() else f"e^({exponent})"

    def _print_Pow(self, expression: Expr, rational: bool = False) -> str:
        if isinstance(expression.base, Sum) and expression.exp.is_positive:
            return f"({self._print(expression.base)})^{self._print(expression.exp)}"
        return super()._print_Pow(expression, rational).replace("**", "^")


class PaperPrinter(LatexPrinter):
    r"""LaTeX: \frac{1}{L} \sum_{j} A_{ij} s_{j}."""

    def _as_ordered_terms(self, expr: Expr, order: Any = None) -> list[Expr]:
        return reading_order(expr)

    def _needs_add_brackets(self, expr: Expr) -> bool:
        return isinstance(expr, Add)

    def _print_Indexed(self, expression: Indexed) -> str:
        indices = together([self._print(index) for index in expression.indices])
        indices = indices[1:-1] if indices.startswith("{") else indices
        base, subscripted, subscript = self._print(expression.base.label).partition("_")
        if subscripted:
            return f"{base}_{{{subscript.strip('{}')}, {indices}}}"
        return f"{base}_{{{indices}}}"

    def _print_Sum(self, expression: Expr) -> str:
        sums = []
        for limits in reversed(expression.limits):
            index, first, last = (self._print(part) for part in limits)
            lower, upper = f"{index} = {first}", f"^{{{last}}}"
            sums.append(rf"\sum_{{{index}}}" if over_all_positions(limits) else rf"\sum_{{{lower}}}{upper}")
        return f"{' '.join(sums)} {self.bracketed(expression.function)}"

    def bracketed(self, expression: Expr) -> str:
        """In parentheses if it is a sum of terms."""
        text = self._print(expression)
        return rf"\left( {text} \right)" if open_ended(expression) else text

    def _print_Mul(self, expression: Expr) -> str:
        negative, above, below, brackets, sums = product(expression)
        if len(brackets) == 1 and not above and not sums and not brackets[0].has(Sum):
            above, brackets = brackets, []
        alone = len(above) == 1 and bool(below)
        over = r" \, ".join(self._print(each) if alone else self.bracketed(each) for each in above)
        under = r" \, ".join(self._print(each) if len(below) == 1 else self.bracketed(each) for each in below)
        parts = [rf"\frac{{{over or 1}}}{{{under}}}"] if below else [over] if over else []
        parts += [self.bracketed(each) for each in brackets]
        parts += [rf"\left( {self._print(each)} \right)" for each in sums[:-1]]
        parts += [self._print(each) for each in sums[-1:]]
        return ("- " if negative else "") + r" \, ".join(parts)

    def _print_Derivative(self, expression: Expr) -> str:
        below = r" \, ".join(rf"\partial {self._print(variable)}" for variable in expression.variables)
        order = rf"\partial^{{{len(expression.variables)}}}" if len(expression.variables) > 1 else r"\partial"
        if expression.expr.is_Symbol or isinstance(expression.expr, AppliedUndef):
            return rf"\frac{{{order} {self._print(expression.expr)}}}{{{below}}}"
        return rf"\frac{{{order}}}{{{below}}} \left[ {self._print(expression.expr)} \right]"

    def _print_KroneckerDelta(self, expression: Expr, exp: Any = None) -> str:
        first, second = (
            self._print(index) for index in sorted(expression.indices, key=lambda e: e.is_number)
        )
        return rf"1_{{{first} = {second}}}"

    def _print_Mod(self, expression: Expr, exp: Any = None) -> str:
        number, modulus = map(self._print, expression.args)
        return rf"{number} \bmod {modulus}"

    def _print_Function(self, expression: Expr, exp: Any = None) -> str:
        if expression.func == EXPECTATION:
            return rf"\mathbb{{E}}\left[ {self._print(expression.args[0])} \right]"
        return super()._print_Function(expression, exp)


def line(expression: sympy.Basic) -> str:
    """The expression on one line, as docstrings write it."""
    if isinstance(expression, sympy.Eq):
        return f"{line(expression.lhs)} = {line(expression.rhs)}"
    return LinePrinter().doprint(expression)


def formula(expression: sympy.Basic) -> str:
    """The expression in LaTeX (amsmath), without delimiters."""
    if isinstance(expression, sympy.Eq):
        return f"{formula(expression.lhs)} = {formula(expression.rhs)}"
    return PaperPrinter().doprint(expression)

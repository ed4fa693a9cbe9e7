"""What a derivation shows is what it checks: both sides of a step, at numbers.

A step with differences of its own could show one formula and check another. These steps hold without what is given,
so that both expressions agree wherever every symbol is a number.
"""

import random

import pytest
import sympy

from theory.claims.derivations import DERIVATIONS
from theory.symbolic.index_sums import L

LENGTH = 4
FREE = {
    "C3": ((0, 2), (0, 3)),
    "C10": ((1, 1),),
    "C11": ((0, 4),),
    "C13": ((3, 2), (9, 1)),
    "C16": ((0, 3),),
    "C17": ((0, 4),),
    "C20": ((6, 1), (7, 1), (10, 1), (11, 1), (12, 1)),
}
"""(chain, step) by claim: steps that use nothing under Given."""


def number(symbol: sympy.Basic) -> sympy.Rational:
    """A number between 0.2 and 0.9, the same for the same symbol."""
    return sympy.Rational(random.Random(str(symbol)).randrange(20, 90), 100)


def at_numbers(expression: sympy.Basic) -> complex:
    """The expression with every sum written out and a number for every symbol and entry."""
    spelled = sympy.sympify(expression).subs(L, LENGTH)
    whole = sorted((each for each in spelled.free_symbols if each.is_integer), key=str)
    spelled = spelled.subs({each: random.Random(str(each)).randrange(1, LENGTH) for each in whole}).doit()
    spelled = spelled.replace(lambda each: isinstance(each, sympy.Indexed), number)
    return complex(sympy.N(spelled.subs({each: number(each) for each in spelled.free_symbols}).doit()))


@pytest.mark.parametrize(("label", "chain", "step"), [(c, *place) for c in FREE for place in FREE[c]])
def test_both_sides_of_a_step_agree_at_numbers(label, chain, step):
    before, after = DERIVATIONS[label].chains[chain].steps[step - 1 : step + 1]
    assert before.differences or after.differences
    assert at_numbers(after.expression) == pytest.approx(at_numbers(before.expression), rel=1e-9, abs=1e-12)

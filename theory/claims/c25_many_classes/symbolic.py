"""C25 in symbols: the Hessian of a softmax head at 0, and the head that follows. Exact, any number of classes."""

from collections.abc import Iterator

import sympy
from sympy import Function, IndexedBase, KroneckerDelta, Sum, Symbol, exp, log

from theory.symbolic.index_sums import S, a, b, difference, resolve

classes = Symbol("N_c", integer=True, positive=True)
m, n, o = (Symbol(name, integer=True, nonnegative=True) for name in ("c'", "c''", "c'''"))
w, intercept, y, pi, z = (IndexedBase(name, real=True) for name in ("w", "b_0", "y", "pi", "z'"))
score = S[a, b]
feature = Function("z")(score)


def over(term: sympy.Expr, index: Symbol) -> sympy.Expr:
    """Sum over all classes."""
    return Sum(term, (index, 0, classes - 1))


logits = lambda index: w[index] * feature + intercept[index]
LOSS = log(over(exp(logits(o)), o)) - over(y[o] * logits(o), o)


def at_zero_head(expression: sympy.Expr) -> sympy.Expr:
    """w = 0, and intercepts that make the prediction pi, whose entries sum to 1: e^{b_c} = pi_c."""
    is_weight = lambda e: isinstance(e, sympy.Indexed) and e.base == w
    is_power = lambda e: isinstance(e, exp) and isinstance(e.args[0], sympy.Indexed)
    silent = expression.replace(is_weight, lambda e: sympy.Integer(0))
    return unit_sum(silent.replace(is_power, lambda e: pi[e.args[0].indices[0]]))


def unit_sum(expression: sympy.Expr) -> sympy.Expr:
    """Predictions sum to 1."""
    is_whole = lambda e: (
        isinstance(e, Sum)
        and len(e.limits) == 1
        and isinstance(e.function, sympy.Indexed)
        and e.function.base == pi
    )
    return expression.replace(is_whole, lambda e: sympy.Integer(1))


def hessian_at_a_zero_head() -> Iterator[sympy.Expr]:
    """Any number of classes: pi_c delta_cd - pi_c pi_d times z^2, (pi_c - y_c) dz/dS, and 0 for the scores."""
    by_weight = LOSS.diff(w[m])
    head = at_zero_head(by_weight.diff(w[n]))
    yield difference(head, (pi[m] * KroneckerDelta(m, n) - pi[m] * pi[n]) * feature**2)
    across = at_zero_head(by_weight.diff(score))
    yield difference(across, (pi[m] - y[m]) * feature.diff(score))
    yield difference(at_zero_head(LOSS.diff(score, 2)), sympy.Integer(0))


def contrasts_sum_to_zero() -> Iterator[sympy.Expr]:
    """Certificate: sum_c pi_c (r_c - rbar) is 0 where sum_c pi_c is 1, and so is the curvature of equal heads."""
    mean = over(pi[n] * z[n], n)
    yield difference(unit_sum(sympy.expand(over(pi[m] * z[m], m) - mean * over(pi[m], m))), sympy.Integer(0))
    equal = over(pi[m] * KroneckerDelta(m, n) - pi[m] * pi[n], n)
    yield difference(unit_sum(resolve(equal)), sympy.Integer(0))


def head_that_follows() -> Iterator[sympy.Expr]:
    """w_c = r_c - rbar over Var z times the score solves K w = M S, for any number of classes."""
    apart = z[m] - over(pi[n] * z[n], n)
    other = z[o] - over(pi[n] * z[n], n)
    pulled = over((pi[m] * KroneckerDelta(m, o) - pi[m] * pi[o]) * other, o)
    yield difference(unit_sum(sympy.expand(resolve(sympy.expand(pulled)))), pi[m] * apart)

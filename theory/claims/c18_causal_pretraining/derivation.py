"""C18 step by step: the pull of next-token prediction on the scores of one query with L keys."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import C, L, b, difference, j, k, of_indexed, resolve, total, v, x
from theory.symbolic.printers import EXPECTATION

g, A, D = (IndexedBase(name, real=True) for name in "SAU")
w, t, q, X = sympy.symbols("v_q x_L x_{L-1} X", real=True)
softmax = lambda key: sympy.exp(g[key]) / total(sympy.exp(g[k]), k)
loss = (t - w * q - v * total(A[j] * x[j], j)) ** 2 / 2
residual = lambda key: C[L, key] - w * C[L - 1, key] - v / L * total(C[k, key], k)

definition = EXPECTATION(-Derivative(loss, g[b]))
through = EXPECTATION(v * A[b] * (t - w * q - v * total(A[j] * x[j], j)) * (x[b] - total(A[j] * x[j], j)))
uniform = EXPECTATION(v / L * (t - w * q - v / L * total(x[j], j)) * (x[b] - total(x[j], j) / L))
averaged = v / L * (residual(b) - total(residual(j), j) / L)
law = v / L * (D[b] - total(D[j], j) / L)


def bare(expression: sympy.Expr) -> sympy.Expr:
    """What is averaged."""
    return expression.replace(EXPECTATION, lambda inside: inside)


def softmax_differentiated() -> Iterator[sympy.Expr]:
    """Sympy's derivative of the loss, every weight spelled out, at any scores."""
    slope = resolve(of_indexed(loss, A, softmax).diff(g[b]))
    yield difference(-slope, of_indexed(bare(through), A, softmax))


def equal_weights() -> Iterator[sympy.Expr]:
    """A_j = 1/L."""
    yield difference(of_indexed(bare(through), A, lambda key: 1 / L), bare(uniform))


def products_become_covariances() -> Iterator[sympy.Expr]:
    """Products of two zero-mean tokens, with X = sum_j x_j; the target is token L, the query's own L - 1."""
    form = sympy.Poly(sympy.expand(bare(uniform).subs(total(x[j], j), X)), t, q, x[b], X)
    expectation = sympy.Integer(0)
    for (targets, own, keys, _), share in form.terms():
        first = L if targets else L - 1
        if targets or own:
            moment = C[first, b] if keys else total(C[first, j], j)
        else:
            moment = total(C[k, b], k) if keys else total(total(C[k, j], k), j)
        expectation += share * moment
    yield sympy.expand(expectation - resolve_outer(averaged))


def resolve_outer(expression: sympy.Expr) -> sympy.Expr:
    """Sums of sums of terms as sums of the terms, so that equal ones cancel."""
    apart = lambda e: sympy.Add(*(take_out(term, e.limits) for term in sympy.Add.make_args(e.function)))
    return sympy.expand(expression.replace(lambda e: isinstance(e, sympy.Sum), apart))


def take_out(term: sympy.Expr, limits: tuple) -> sympy.Expr:
    """One term's sum, its constants outside."""
    constant, varying = term.as_independent(*(limit[0] for limit in limits), as_Add=False)
    return constant * sympy.Sum(varying, *limits)


def residual_named() -> Iterator[sympy.Expr]:
    """U_j stands for the residual's covariance with key j."""
    yield sympy.expand(of_indexed(law, D, residual) - averaged)


DERIVATION = Derivation(
    label="C18",
    given=(
        (
            loss,
            "One query with L keys predicts the next token x_L from its own, x_{L-1}, by v_q, and from the keys x_j.",
        ),
        (Eq(A[j], softmax(j), evaluate=False), "Its attention, over what it sees alone: keys 0 to L - 1."),
        (
            Eq(D[j], residual(j), evaluate=False),
            "The residual's covariance with key j at uniform attention; both tokens count among its tokens 0 to L.",
        ),
    ),
    target=EXPECTATION(-Derivative(sympy.Function("l")(g[b]), g[b])),
    steps=(
        Step(definition, "The negative gradient of the expected squared error, halved, in one score."),
        Step(
            through,
            "The slope of the softmax is A_b (d_jb - A_j).",
            scope="symbolic number of keys",
            differences=softmax_differentiated,
        ),
        Step(
            uniform,
            "At uniform causal attention every weight is 1/L.",
            scope="symbolic number of keys",
            differences=equal_weights,
        ),
        Step(
            averaged,
            "Average: products of tokens become covariances.",
            scope="symbolic number of keys",
            differences=products_become_covariances,
        ),
        Step(
            law,
            "Each bracket is the covariance of the residual with one key.",
            scope="symbolic number of keys",
            differences=residual_named,
        ),
    ),
    conclusion=(
        "With m keys in place of L, stationary tokens and the mean over the L - 1 queries that have a next "
        "token this is the law of C18. For C(r) = rho^r, v_q = rho and v = 0 every U_j is 0."
    ),
    shows=(
        "Predict x_{i+1}",
        "At uniform causal attention",
    ),
    elsewhere=(
        ("Only the past is seen", ("certificate: AR(1) leaves no residual",)),
        ("A memory longer", ("a longer memory is not silent",)),
        ("Labels: under a causal mask", ("certificate: labels see L - 1, L = 2..9",)),
        (
            "The orthogonality of C9",
            (
                "certificate: orthogonal to every label only for equal C(r), L = 3..9",
                "overlap with mean-pooled labels",
            ),
        ),
        ("It is kept for a head", ("orthogonal to last-token labels",)),
    ),
)

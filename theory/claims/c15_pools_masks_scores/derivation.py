"""C15 step by step: the label gradient of content-dependent scores is one outer product."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, Sum, Symbol

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import L, S, difference, i, j, k, of_indexed, resolve, s, total

G, X, W = (IndexedBase(name, real=True) for name in "GXW")
d = Symbol("d", integer=True, positive=True)
f, g, p, q = sympy.symbols("f g p q", integer=True, nonnegative=True)

score = Sum(X[i, p] * W[p, q] * X[j, q], (p, 0, d - 1), (q, 0, d - 1))
mean = lambda term: total(term, j) / L
key_bias = lambda query, key: (s[key] - total(s[k], k) / L) / L**2

definition = total(total(G[i, j] * Derivative(score, W[f, g]), j), i)
chained = total(total(G[i, j] * X[i, f] * X[j, g], j), i)
at_zero = total(total((s[j] - total(s[k], k) / L) / L**2 * X[i, f] * X[j, g], j), i)
factored = total(X[i, f], i) / L * total((s[j] - total(s[k], k) / L) * X[j, g], j) / L
covariance = (
    total(X[i, f], i) / L * total((s[j] - total(s[k], k) / L) * (X[j, g] - total(X[k, g], k) / L), j) / L
)


def one_score() -> Iterator[sympy.Expr]:
    """Sympy's derivative of one score in one entry of W; the two gradients then share their weights."""
    slope = resolve(score.diff(W[f, g]))
    yield sympy.expand(slope - X[i, f] * X[j, g])
    is_slope = lambda e: isinstance(e, Derivative)
    yield sympy.expand(definition.replace(is_slope, lambda e: X[i, f] * X[j, g]) - chained)


def law_of_the_key_bias() -> Iterator[sympy.Expr]:
    """C2 from the pooled score itself, at S = 0, which is W = 0; then put in for G."""
    weight = sympy.exp(S[i, j]) / total(sympy.exp(S[i, k]), k)
    is_score = lambda e: isinstance(e, sympy.Indexed) and e.base == S
    slope = resolve((total(total(weight * s[j], j), i) / L).diff(S[f, g]))
    yield difference(slope.replace(is_score, lambda e: sympy.Integer(0)), key_bias(f, g))
    yield difference(of_indexed(chained, G, key_bias), at_zero)


DERIVATION = Derivation(
    label="C15",
    given=(
        (Eq(S[i, j], score, evaluate=False), "The scores are made from the tokens by one matrix W."),
        (s[j], "What key j would write, read along u = dl/dz: s_j = u^T V x_j."),
        (G[i, j], "The label's gradient in the score of query i and key j."),
    ),
    target=Derivative(sympy.Function("l")(W[f, g]), W[f, g]),
    steps=(
        Step(definition, "The chain rule: the loss reads W through the scores."),
        Step(
            chained,
            "A score is linear in W.",
            scope="symbolic L and width",
            differences=one_score,
        ),
        Step(
            at_zero,
            "At W = 0 attention is uniform, and the gradient in the scores is the key bias of C2.",
            differences=law_of_the_key_bias,
        ),
        Step(factored, "Nothing but X_ia depends on the query: the double sum is a product."),
        Step(covariance, "The bracket sums to 0 over keys, so the key's token may be centred."),
    ),
    conclusion=(
        "This is xbar (u^T V Cov): rank one for each sequence, with the mean token on the side of the "
        "query, and exactly 0 where tokens are centred over the sequence."
    ),
    shows=("Scores x_i^T W x_j",),
    elsewhere=(
        ("Visible dimensions at uniform", ("every row of the table at L = 4",)),
        ("Mean pool", ("certificate: ranks of the linear rows, L = 2..5",)),
        ("CLS or last token", ("certificate: ranks of the linear rows, L = 2..5",)),
        ("Max pool", ("every row of the table at L = 4",)),
        ("Attention pool", ("every row of the table at L = 4",)),
        ("Causal mask", ("certificate: ranks of the linear rows, L = 2..5",)),
        ("Padding mask", ("certificate: ranks of the linear rows, L = 2..5",)),
        (
            "RoPE without content",
            (
                "certificate: rank of an open RoPE pair, L = 2..5",
                "certificate: whole turns of RoPE are not seen, L = 2..5",
            ),
        ),
        (
            "ALiBi shifts scores",
            (
                "mass of ALiBi",
                "mass of ALiBi against the softmax",
            ),
        ),
    ),
)

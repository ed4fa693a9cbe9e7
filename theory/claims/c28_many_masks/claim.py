"""C28, the proximity law under many masks. Exact for every L."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import (
    Claim,
    autodiff,
    counterexample,
    finite_difference,
    finite_difference_gap,
    relative_gap,
    simulation,
    standard_errors_off,
    symbolic,
)
from theory.claims.checks.draws import VARIANCE, correlation_draw, even_autocovariance, gaussian_sequences
from theory.reconstruction.circulant import circulant, circulant_kernel
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import proximity_law
from theory.reconstruction.masked_proximity import masked_proximity_law
from theory.reconstruction.masking import masked_error, masked_loss
from theory.symbolic.index_sums import C, L, b, canonical, k, resolve, total, v

LENGTH, VALUE, RATE = 7, 0.7, 0.6  # above 1/2: a tenth of it is more than a tenth of what is seen
SEQUENCES = 20_000

rate, everything = sympy.symbols("p_m T", real=True)
other = lambda lag: 1 - sympy.KroneckerDelta(lag, 0)


def law_symbol(lag) -> sympy.Expr:
    """The claimed negative gradient at one lag."""
    seen_rate = 1 - rate
    along = v * seen_rate * (1 + v * seen_rate / L) * (other(lag) * C[lag] - (everything - C[0]) / L)
    carried = seen_rate * everything + rate * C[0]
    return (along - v**2 * seen_rate / L * carried * (other(lag) - (L - 1) / L)) / L**2


def response_symbol(lag) -> sympy.Expr:
    """L times the slope of C8's loss in the weight at one lag: two means and the masks' variance, at A = 1/L."""
    pairs = (1 - rate) ** 2 * (everything - C[lag]) / L
    return other(lag) * (v**2 * pairs + v**2 * rate * (1 - rate) * C[0] / L - v * (1 - rate) * C[lag])


def law_for_symbolic_length() -> Iterator[sympy.Expr]:
    """Symbolic L: minus the softmax's pull-back of that slope, at lag 0 and off it."""
    mean = resolve(total(sympy.expand(response_symbol(k)), k) / L).subs(total(C[k], k), everything)
    gap = (mean - response_symbol(b)) / L**2 - law_symbol(b)
    yield sympy.expand(resolve(gap).subs(b, 0))
    yield sympy.expand(resolve(gap).subs(sympy.KroneckerDelta(b, 0), 0))


def slope_of_the_loss() -> Iterator[sympy.Expr]:
    """Symbolic L: the slope from C8's loss under masks, query 0, with sum_k Gamma_kb = T and Gamma_0b = C_b."""
    weight, matrix = sympy.IndexedBase("B", real=True), sympy.IndexedBase("Gamma", real=True)
    loss = (
        -v * (1 - rate) * total(other(k) * weight[k] * C[k], k)
        + v**2 * (1 - rate) ** 2 / 2 * pairs_of(weight, matrix)
        + v**2 * rate * (1 - rate) / 2 * total(other(k) * weight[k] ** 2 * C[0], k)
    )
    is_weight = lambda e: isinstance(e, sympy.Indexed) and e.base == weight
    is_pair = lambda e: isinstance(e, sympy.Indexed) and e.base == matrix
    ordered = lambda e: matrix[tuple(sorted(e.indices, key=lambda each: (each == b, str(each))))]
    slope = resolve(loss.diff(weight[b])).replace(is_weight, lambda e: 1 / L)
    slope = resolve(sympy.expand(slope.replace(is_pair, ordered)))
    known = {canonical(total(matrix[k, b], k)): everything, matrix[0, b]: C[b]}
    gap = sympy.expand(canonical(slope).subs(known) - response_symbol(b))
    yield sympy.expand(gap.subs(sympy.KroneckerDelta(b, 0), 0))


def pairs_of(weight: sympy.IndexedBase, matrix: sympy.IndexedBase) -> sympy.Expr:
    """sum_kj B_k Gamma_kj B_j without lag 0."""
    j = sympy.Symbol("j", integer=True, nonnegative=True)
    return total(total(other(k) * other(j) * weight[k] * weight[j] * matrix[k, j], j), k)


def population_loss(scores, autocovariance, token: float = 0.0) -> Float[Array, ""]:
    """C8's mean loss under masks."""
    covariance = circulant(autocovariance)[:, None, :, None]
    return masked_loss(scores, jnp.full((1, 1), VALUE), covariance, RATE, jnp.full((1,), token))


def law_gap(key: PRNGKeyArray, token: float = 0.0) -> Float[Array, ""]:
    """The law against jax's gradient at uniform attention."""
    autocovariance = even_autocovariance(key, LENGTH)
    gradient = jax.grad(population_loss)(jnp.zeros((LENGTH, LENGTH)), autocovariance, token)
    return relative_gap(-gradient, circulant(masked_proximity_law(VALUE, autocovariance, RATE)))


def shrunk_value_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law of one mask at a value that is smaller by 1 - p, instead."""
    autocovariance = even_autocovariance(key, LENGTH)
    gradient = jax.grad(population_loss)(jnp.zeros((LENGTH, LENGTH)), autocovariance)
    return relative_gap(-gradient, circulant(proximity_law((1 - RATE) * VALUE, autocovariance)))


def speed_gap(claimed, key: PRNGKeyArray) -> Float[Array, ""]:
    """Differences of jax's pull between lags other than 0, against a multiple of those of one mask at the same v."""
    autocovariance = even_autocovariance(key, LENGTH)
    gradient = jax.grad(population_loss)(jnp.zeros((LENGTH, LENGTH)), autocovariance)
    one_mask = proximity_law(VALUE, autocovariance)
    return relative_gap(jnp.diff(-gradient[0, 1:]), claimed(1 - RATE) * jnp.diff(one_mask[1:]))


def one_mask_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """At p = 0 the law is that of C10."""
    autocovariance = even_autocovariance(key, LENGTH)
    both = masked_proximity_law(VALUE, autocovariance, 0.0), proximity_law(VALUE, autocovariance)
    return relative_gap(*both)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences of C8's loss."""
    autocovariance = even_autocovariance(key, LENGTH)
    loss = lambda scores: population_loss(scores, autocovariance)
    closed = -circulant(masked_proximity_law(VALUE, autocovariance, RATE))
    return finite_difference_gap(loss, closed, jnp.zeros((LENGTH, LENGTH)), key=key)


def sampled_pull(key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's gradients of masked errors along lags, sequences and masks both drawn, against the law.

    Every position is predicted in turn, and lags r and -r are averaged; tokens of high correlation are pulled far.
    """
    process, noise, masks = jax.random.split(key, 3)
    autocovariance = VARIANCE * markov_autocovariance(LENGTH, (1 + correlation_draw(process)) / 2)
    sequences = gaussian_sequences(noise, circulant(autocovariance), SEQUENCES)
    drawn = jax.random.bernoulli(masks, RATE, (SEQUENCES, LENGTH))
    flat, value_map, positions = jnp.zeros((LENGTH, LENGTH)), jnp.full((1, 1), VALUE), jnp.arange(LENGTH)

    def error(scores, tokens, mask, position):
        hidden = mask | (positions == position)
        return masked_error(scores, value_map, tokens[:, None], position, hidden, jnp.zeros(1))

    def pull(tokens, mask):
        mean = lambda scores: jax.vmap(error, (None, None, None, 0))(scores, tokens, mask, positions).mean()
        kernel = -circulant_kernel(jax.grad(mean)(flat))
        return (kernel + jnp.roll(kernel[::-1], 1))[: LENGTH // 2 + 1] / 2

    law = masked_proximity_law(VALUE, autocovariance, RATE)[: LENGTH // 2 + 1]
    return standard_errors_off(jax.vmap(pull)(sequences, drawn), law)


CLAIM = Claim(
    label="C28",
    title="Proximity under many masks",
    statement=(
        "Where every other position is hidden with probability p as well, mask token 0, the negative reconstruction "
        "gradient at uniform attention along lag r is (1/L^2) [v q (1 + v q/L)(C0(r) - mean C0) - (v^2 q/L)(q T + p "
        "C(0))(1[r != 0] - (L-1)/L)], q = 1 - p. Scores still move along the data's autocovariance, at the same v q (L "
        "+ v q)/(L + v) times as fast between lags other than 0: about q in long sequences. It is not the law of one "
        "mask (C10) at a value q v: the masks' variance adds p C(0)."
    ),
    regime=(
        "Exact at uniform attention for every L >= 2 under cyclic stationarity, for independent masks and mask token "
        "0; a mask token that carries something adds to it. Symbolic L; sptlab's own statement."
    ),
    formula=(
        r"-\frac{\partial \ell}{\partial S_{i, i + r}} = \frac{v q}{L^{2}} \left[ \left( 1 + \frac{v q}{L} \right) "
        r"\left( C_0(r) - \overline{C_0} \right) - \frac{v}{L} \left( q T + p C(0) \right) \left( 1_{r \neq 0} - "
        r"\frac{L - 1}{L} \right) \right], \quad q = 1 - p"
    ),
    checks=(
        symbolic("slope of the loss under masks, symbolic L", slope_of_the_loss),
        symbolic("the law, symbolic L", law_for_symbolic_length),
        autodiff("the law against jax.grad", law_gap),
        autodiff("no masks: the law of C10", one_mask_gap),
        autodiff(
            "differences between lags, q (L + v q)/(L + v) times as large",
            functools.partial(
                speed_gap, lambda visible: visible * (LENGTH + VALUE * visible) / (LENGTH + VALUE)
            ),
        ),
        finite_difference("the law against central differences", difference_gap),
        simulation("gradients of drawn sequences under drawn masks", sampled_pull),
        counterexample("one mask, a smaller value", shrunk_value_gap),
        counterexample("q times as fast, at finite L", functools.partial(speed_gap, lambda visible: visible)),
        counterexample("a mask token that is not 0", functools.partial(law_gap, token=1.0)),
    ),
)

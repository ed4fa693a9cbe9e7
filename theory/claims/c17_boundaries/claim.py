"""C17, boundaries. Exact for every L and half-width w; leading order in 1/L."""

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
from theory.claims.checks.draws import LabelledSequence, labelled_sequence
from theory.claims.checks.exponents import fitted_exponent
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT
from theory.label_blindness.boundaries import (
    band_label_slope,
    band_visible_share,
    leading_visible_share,
    toeplitz,
    toeplitz_visible_share,
)
from theory.label_blindness.labels import label_score_gradient
from theory.label_blindness.subspaces import decompose, key_bias_share
from theory.minimal_model.attention import attention_weights, received
from theory.reconstruction.circulant import circulant
from theory.symbolic.index_sums import L

LENGTH = 10
HALF_WIDTHS = (1, 3, 6, 8)  # up to the widest, where both ends are missing at once
LARGEST_EXACT = 14
SEQUENCES = 20_000
LENGTHS = (128, 256, 512)  # for the fitted order of the correction
w = sympy.Symbol("w", integer=True, positive=True)


def share_symbol(length, half_width):
    """The claimed share, where no column lacks neighbours at both ends."""
    neighbours, missing = 2 * half_width + 1, half_width * (half_width + 1)
    squares = neighbours * missing / 3
    gauge = length * neighbours**2 - 2 * neighbours * missing + squares
    return (squares - missing**2 / length) / (length * (length * neighbours - missing) - gauge)


def share_for_symbolic_lengths():
    """Symbolic L and w with 2w < L: L - 2w full columns, and 2w + 1 - m for m = 1..w at each end."""
    m = sympy.Symbol("m", integer=True, positive=True)
    over = lambda power: (
        (L - 2 * w) * (2 * w + 1) ** power + 2 * sympy.summation((2 * w + 1 - m) ** power, (m, 1, w))
    )
    share = (over(2) - over(1) ** 2 / L) / (L * over(1) - over(2))
    yield sympy.cancel(share - share_symbol(L, w))
    yield sympy.limit(L**2 * share_symbol(L, w), L, sympy.oo) - w * (w + 1) / 3


def share_for_each_length():
    """L = 2..14 and every w = 0..L-2, in rationals: columns counted one by one."""
    for length in range(2, LARGEST_EXACT + 1):
        for width in range(length - 1):
            columns = [sum(abs(i - j) <= width for i in range(length)) for j in range(length)]
            squares, everything = sum(n**2 for n in columns), sum(columns)
            visible = sympy.Rational(squares) - sympy.Rational(everything**2, length)
            claimed = band_visible_share(length, width)
            ratio = sympy.Rational(claimed.numerator, claimed.denominator)
            yield visible - ratio * (length * everything - squares)


def bands() -> Float[Array, "width query key"]:
    """1[|i - j| <= w] for each half-width."""
    lags, widths = jnp.arange(LENGTH), jnp.asarray(HALF_WIDTHS)
    return jax.vmap(toeplitz)((lags[None, :] <= widths[:, None]).astype(float))


def ring_bands() -> Float[Array, "width query key"]:
    """The same bands closed into a ring, where the widest would be everywhere."""
    lags, widths = jnp.arange(LENGTH), jnp.minimum(jnp.asarray(HALF_WIDTHS), LENGTH // 2 - 1)
    around = jnp.minimum(lags, LENGTH - lags)
    return jax.vmap(circulant)((around[None, :] <= widths[:, None]).astype(float))


def causal_bands() -> Float[Array, "width query key"]:
    """Only keys at or before the query."""
    return jnp.tril(bands())


def last_token(weights: Float[Array, "query key"]) -> Float[Array, " key"]:
    """What a pool at the last token reads."""
    return weights[-1]


def share_gap(directions, read, key: PRNGKeyArray) -> Float[Array, ""]:
    """Squared response of what the labels read, per squared score change, against the exact share.

    A key bias 1 b^T changes c(S) by b/L at uniform attention: the visible part is L dc.
    """
    flat = jnp.zeros((LENGTH, LENGTH))

    def measured(direction):
        change = jax.jvp(lambda scores: read(attention_weights(scores)), (flat,), (direction,))[1]
        gauge_free = direction - decompose(direction).gauge
        return LENGTH * jnp.sum((LENGTH * change) ** 2) / jnp.sum(gauge_free**2)

    claimed = jnp.asarray([float(band_visible_share(LENGTH, width)) for width in HALF_WIDTHS])
    return relative_gap(jax.lax.map(measured, directions()), claimed)


def toeplitz_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The O(L) share of a random kernel against the decomposition of its L^2 scores.

    And the leading form against its sums, spelled out: sum_{m>0} (sum_{r>=m} g_r)^2 over |r| < L.
    """
    kernel, lags = jax.random.normal(key, (LENGTH,)), jnp.arange(1 - LENGTH, LENGTH)
    tails = jnp.stack([jnp.sum(kernel[lag:]) for lag in range(1, LENGTH)])
    leading = 2 * jnp.sum(tails**2) / (LENGTH**2 * jnp.sum(kernel[jnp.abs(lags)] ** 2))
    exact = relative_gap(toeplitz_visible_share(kernel), key_bias_share(toeplitz(kernel)))
    return jnp.maximum(exact, relative_gap(leading_visible_share(kernel), leading))


def slopes(sequence: LabelledSequence) -> Float[Array, " width"]:
    """The label loss along each band at uniform attention."""
    slope = sequence.head_gradient(jnp.zeros((LENGTH, LENGTH)))
    per_key = sequence.tokens @ sequence.value_map.T @ slope
    return jax.vmap(band_label_slope, (None, 0))(per_key, jnp.asarray(HALF_WIDTHS))


def slope_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The label's slope along each band against <jax.grad, band>."""
    sequence = labelled_sequence(key, LENGTH)
    gradient = jax.grad(sequence.loss)(jnp.zeros((LENGTH, LENGTH)))
    return relative_gap(slopes(sequence), jnp.tensordot(bands(), gradient, axes=2))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The same slopes against central differences along the bands."""
    sequence, directions = labelled_sequence(key, LENGTH), bands()
    loss = lambda sizes: sequence.loss(jnp.tensordot(sizes, directions, axes=1))
    return finite_difference_gap(loss, slopes(sequence), jnp.zeros(len(HALF_WIDTHS)), key=key)


def correction_order_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """|fitted exponent in L of the correction to the leading share, against -1|, for e^(-r)."""
    sizes = []
    for length in LENGTHS:
        kernel = jnp.exp(-jnp.arange(float(length)))
        sizes.append(jnp.abs(leading_visible_share(kernel) / toeplitz_visible_share(kernel) - 1))
    return jnp.abs(fitted_exponent(jnp.asarray(LENGTHS, float), jnp.stack(sizes)) + 1)


def sampled_share(directions, key: PRNGKeyArray) -> Float[Array, ""]:
    """Label gradients of white sequences: (L - 1) <G, D>^2 / (E|G|^2 |D|^2) against the share."""
    sequences = jax.random.normal(key, (SEQUENCES, LENGTH, 1))
    flat, one = jnp.zeros((LENGTH, LENGTH)), jnp.ones((1, 1))
    every = directions()
    norms = jnp.sum((every - jax.vmap(lambda each: decompose(each).gauge)(every)) ** 2, axis=(1, 2))

    def shares(tokens):
        gradient = label_score_gradient(flat, tokens, one, one[0])
        return LENGTH**3 * jnp.tensordot(every, gradient, axes=2) ** 2 / norms

    claimed = jnp.asarray([float(band_visible_share(LENGTH, width)) for width in HALF_WIDTHS])
    return standard_errors_off(jax.vmap(shares)(sequences), claimed)


CLAIM = Claim(
    label="C17",
    title="Boundaries",
    statement=(
        "A band D_ij = 1[|i - j| <= w] on a line is visible to the labels of a mean pool only through "
        "its boundary columns. The visible share of its squared norm is known exactly for every L and "
        "w, and is w(w + 1)/(3 L^2) to leading order. Closed into a ring the same band is exactly "
        "invisible (C3)."
    ),
    details=(
        "A band D_ij = 1[|i - j| <= w] on a line is visible to the labels of a mean pool only through its "
        "boundary columns: at uniform attention the label loss has slope -(1/L^2) sum_j (d_j - mean d) s_j "
        "along it, where d_j counts the neighbours that key j lacks, 0 off the w keys at each end. The "
        "visible share of its squared norm, without the gauge, is (Q - M^2/L)/(L(L n - M) - (L n^2 - 2 n M "
        "+ Q)) with n = 2w + 1, M = w(w + 1), Q = (n M + q(q^2 - 1))/3, q = max(n - L, 0): to leading "
        "order w(w + 1)/(3 L^2), which is w^2/(3 L^2) only for wide bands. At w = 4 it is 1.75e-3 for L = "
        "64, 1.04e-4 for 256 and 6.39e-6 for 1024. For any D_ij = g(|i - j|) the share follows from the "
        "running sums of g, and to leading order it is 2 sum_{m>0} t_m^2/(L^2 sum_{|r|<L} g(|r|)^2), t_m = "
        "sum_{r>=m} g(r). Closed into a ring the same band is exactly invisible (C3)."
    ),
    regime=(
        "Exact for every L >= 2 and w = 0..L-2 at uniform attention; at w = L-1 the band is a pure gauge. "
        "The leading form needs w << L, or tails of g that sum; its relative error is O(1/L). Symbolic L "
        "and w for 2w < L; rational arithmetic for L = 2..14 and every w."
    ),
    formula=(
        r"\frac{\left\| D_{\mathrm{vis}} \right\|^{2}}{\left\| D \right\|^{2}} = "
        r"\frac{Q - M^{2} / L}{L (L n - M) - (L n^{2} - 2 n M + Q)} \simeq \frac{w (w + 1)}{3 L^{2}}, \quad "
        r"n = 2 w + 1, \; M = w (w + 1), \; Q = \frac{n M + q (q^{2} - 1)}{3}"
    ),
    checks=(
        symbolic("the share and its leading order, symbolic L and w", share_for_symbolic_lengths),
        symbolic("certificate: every w, L = 2..14, rationals", share_for_each_length),
        autodiff("the share from jax's response of c(S)", lambda key: share_gap(bands, received, key)),
        autodiff("the share of any kernel from its running sums", toeplitz_gap),
        autodiff("the label's slope against jax.grad", slope_gap),
        autodiff(
            "the correction to the leading order falls like 1/L, g = e^(-r)",
            correction_order_gap,
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        finite_difference("the label's slope against central differences", difference_gap),
        simulation("label gradients of white sequences", lambda key: sampled_share(bands, key)),
        counterexample("the band closed into a ring", lambda key: share_gap(ring_bands, received, key)),
        counterexample("a causal band", lambda key: share_gap(causal_bands, received, key)),
        counterexample("a pool at the last token", lambda key: share_gap(bands, last_token, key)),
    ),
)

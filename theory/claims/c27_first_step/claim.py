"""C27, the first step through absolute encodings. Exact for every L, to first order in the learning rate."""

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
    relative_gap,
    simulation,
    standard_errors_off,
    symbolic,
)
from theory.positions.absolute_positions import PositionMaps, position_scores, sinusoidal_positions
from theory.positions.first_step import first_step_visible_share, mean_step_of_scores, step_of_scores
from theory.symbolic.index_sums import L, a, b, difference, i, j, resolve, total

LENGTH, WIDTH, FEATURES, DRAWS = 7, 4, 5, 20_000
SCALE = 0.6  # standard deviation of the maps' entries
EPSILON = 1e-4  # of the central difference; the scores are of second degree in it

sums, bias = (sympy.IndexedBase(name, real=True) for name in ("K_1", "w'"))


def share_of_a_key_bias() -> Iterator[sympy.Expr]:
    """Symbolic L: of (K1)_a (Kw)_b the key-bias part has L mean(K1)^2 times what the whole has of |K1|^2."""
    spread = bias[b] - total(bias[j], j) / L
    whole = total(sums[a] ** 2, a) * total(spread**2, b)
    visible = total((total(sums[i], i) / L) ** 2, a) * total(spread**2, b)
    share = (total(sums[i], i) / L) ** 2 * L / total(sums[a] ** 2, a)
    yield difference(resolve(visible) - resolve(share) * resolve(whole), sympy.Integer(0))


def mean_of_products() -> Iterator[sympy.Expr]:
    """Two columns, width 2: E W W^T/k = sigma^2 by the moments of every entry, written out."""
    entries, size = sympy.Matrix(2, 2, sympy.symbols("w0:4")), sympy.Symbol("sigma", positive=True)
    moment = lambda powers: size**2 if max(powers) == 2 else 0
    mean = lambda term: sum(share * moment(powers) for powers, share in sympy.Poly(term, *entries).terms())
    yield from (entries * entries.T / 2).applyfunc(mean) - size**2 * sympy.eye(2)


def setting(key: PRNGKeyArray):
    """Encodings that are not centred, a gradient in the scores, and what labels ask for."""
    rows = jax.random.normal(key, (LENGTH, WIDTH + LENGTH + 1))
    positions = rows[:, :WIDTH] + 0.7
    return positions, rows[:, WIDTH:-1], rows[:, -1] - rows[:, -1].mean()


def maps(key: PRNGKeyArray) -> PositionMaps:
    """Independent Gaussian maps."""
    query, keys = SCALE * jax.random.normal(key, (2, WIDTH, FEATURES))
    return PositionMaps(query, keys)


def balanced_maps(key: PRNGKeyArray) -> PositionMaps:
    """Maps whose rows are orthogonal and of one size: W W^T/k is sigma^2 times the identity, as it is on average."""
    turned = [jnp.linalg.qr(each)[0] for each in jax.random.normal(key, (2, WIDTH, WIDTH))]
    return PositionMaps(*(SCALE * WIDTH**0.5 * each for each in turned))


def moved(positions, gradient, start: PositionMaps, rate) -> Float[Array, "length length"]:
    """The scores after one step of both maps on a loss whose gradient in the scores is `gradient`."""
    slopes = jax.grad(lambda each: jnp.vdot(gradient, position_scores(positions, *each)))(start)
    return position_scores(positions, start.query - rate * slopes.query, start.key - rate * slopes.key)


def slope(positions, gradient, start: PositionMaps) -> Float[Array, "length length"]:
    """jax's derivative of the scores in the learning rate, at 0."""
    return jax.jvp(lambda rate: moved(positions, gradient, start, rate), (jnp.zeros(()),), (jnp.ones(()),))[1]


def each_draw_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The step of any maps against jax."""
    positions, gradient, _ = setting(key)
    start = maps(jax.random.fold_in(key, 1))
    return relative_gap(slope(positions, gradient, start), step_of_scores(gradient, positions, *start))


def mean_gap(maps_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's step of maps with W W^T/k = sigma^2 against the mean step."""
    positions, gradient, _ = setting(key)
    law = mean_step_of_scores(gradient, positions, SCALE**2)
    return relative_gap(slope(positions, gradient, maps_of(jax.random.fold_in(key, 1))), law)


def unscaled_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The mean step of S = P W_Q W_K^T P^T, sqrt(k) times as large and as steep, against the law."""
    positions, gradient, _ = setting(key)
    start = balanced_maps(jax.random.fold_in(key, 1))
    step = WIDTH * slope(positions, gradient, start)  # k = WIDTH columns
    return relative_gap(step, mean_step_of_scores(gradient, positions, SCALE**2))


def visible_part(step: Float[Array, "length length"]) -> Float[Array, ""]:
    """The key bias's share of the squared norm, without the gauge."""
    centred = step - step.mean(axis=1, keepdims=True)
    return LENGTH * jnp.sum(centred.mean(axis=0) ** 2) / jnp.sum(centred**2)


def share_gap(gradient_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """The share of jax's step that is a key bias, for maps with W W^T/k = sigma^2, against the law."""
    positions, gradient, asked = setting(key)
    start = balanced_maps(jax.random.fold_in(key, 1))
    step = slope(positions, gradient_of(gradient, asked), start)
    return relative_gap(visible_part(step), first_step_visible_share(positions))


def of_labels(gradient, asked) -> Float[Array, "length length"]:
    """1 w^T/L^2, the label gradient at uniform attention."""
    return jnp.broadcast_to(asked[None, :], gradient.shape) / LENGTH**2


def of_any_loss(gradient, asked) -> Float[Array, "length length"]:
    """A gradient that depends on the query."""
    return gradient


def vaswani_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The share for Vaswani's encodings at L = 12, width 16, from K itself."""
    positions = sinusoidal_positions(12, 16)
    overlap = positions @ positions.T
    share = jnp.sum(overlap) ** 2 / 12 / jnp.sum(overlap.sum(axis=1) ** 2)
    return relative_gap(first_step_visible_share(positions), share)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Central differences of the scores in the learning rate against the step."""
    positions, gradient, _ = setting(key)
    start = maps(jax.random.fold_in(key, 1))
    ahead, behind = (moved(positions, gradient, start, sign * EPSILON) for sign in (1, -1))
    return relative_gap((ahead - behind) / (2 * EPSILON), step_of_scores(gradient, positions, *start))


def sampled_steps(key: PRNGKeyArray) -> Float[Array, ""]:
    """Steps of drawn maps against their mean."""
    positions, gradient, _ = setting(key)
    queries, keys = SCALE * jax.random.normal(jax.random.fold_in(key, 1), (2, DRAWS, WIDTH, FEATURES))
    steps = jax.vmap(lambda query, key: step_of_scores(gradient, positions, query, key))(queries, keys)
    return standard_errors_off(steps, mean_step_of_scores(gradient, positions, SCALE**2))


CLAIM = Claim(
    label="C27",
    title="The first step of absolute encodings",
    statement=(
        "Let K = P P^T, S = P W_Q W_K^T P^T/sqrt(k), and let the entries of W_Q, W_K be independent, of mean 0 and "
        "variance sigma^2: a step of size eta on both moves the scores by E dS = -2 eta sigma^2 K G K to first order "
        "in eta, for any loss with gradient G in the scores. What labels ask for at uniform attention, a key bias 1 "
        "w^T, becomes (K 1)(K w)^T: of it, without the gauge, a share L mean(K 1)^2/|K 1|^2 is visible to labels, "
        "whatever they ask for. It is 1 where K 1 is constant and 0.998 for Vaswani's encodings of width 16 at L = "
        "12; there is no step where encodings are centred (C13)."
    ),
    regime=(
        "Exact for every L, width, k and encoding, to first order in eta, for a G that does not depend on the maps; at "
        "maps of size e it is that of uniform attention up to a relative error O(e^2). The next step, and LayerNorm "
        "before the scores, are not covered. Symbolic L, d and k; sptlab's own statement."
    ),
    formula=(
        r"\mathbb{E} \, \Delta S = -2 \eta \sigma^{2} K G K, \quad K = P P^{\top}, \quad "
        r"\mathrm{share} = \frac{L \, \mathrm{mean}(K 1)^{2}}{\left| K 1 \right|^{2}}"
    ),
    checks=(
        symbolic("mean of the maps' products, every entry", mean_of_products),
        symbolic("share of a key bias, symbolic L", share_of_a_key_bias),
        autodiff("the step of any maps against jax", each_draw_gap),
        autodiff("the mean step, maps with W W^T/k = sigma^2", lambda key: mean_gap(balanced_maps, key)),
        autodiff("the visible share of jax's step", lambda key: share_gap(of_labels, key)),
        autodiff("the share from K itself, Vaswani's encodings", vaswani_gap),
        finite_difference("the step against central differences", difference_gap),
        simulation("steps of drawn maps", sampled_steps),
        counterexample("one draw of maps", lambda key: mean_gap(maps, key)),
        counterexample("scores without their 1/sqrt(k)", unscaled_gap),
        counterexample("a gradient that depends on the query", lambda key: share_gap(of_any_loss, key)),
    ),
)

"""C12, the reduced flow. Exact for every L; the minimiser for every L >= 3."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c12_reduced_flow import minimum as c12_minimum
from theory.claims.c12_reduced_flow import symbolic as c12_symbols
from theory.claims.checks import vector_rings
from theory.claims.checks.check import (
    Claim,
    autodiff,
    counterexample,
    finite_difference,
    finite_difference_gap,
    relative_gap,
    simulation,
    symbolic,
)
from theory.claims.checks.draws import (
    correlation_draw,
    even_autocovariance,
    gaussian_scores,
    open_markov_covariance,
)
from theory.reconstruction.circulant import (
    circulant,
    circulant_kernel,
    reconstruction_kernel_gradient,
    reduced_loss,
    reduced_value_gradient,
)
from theory.reconstruction.masked_loss import reconstruction_loss, reconstruction_value_gradient

LENGTH = 10
VALUE = 0.7
STEPS, STEP = 100, 1.0  # of gradient descent on the scores


def ring_start(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Circulant scores of size 1."""
    return circulant(jax.random.normal(key, (LENGTH,)))


def any_start(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Scores with no symmetry."""
    return gaussian_scores(key, LENGTH)


def ring_covariance(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """A random cyclically stationary process."""
    return circulant(even_autocovariance(key, LENGTH))


def line_covariance(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """AR(1) on a line."""
    return open_markov_covariance(LENGTH, correlation_draw(key))


def full_flow(scores, covariance) -> Float[Array, "query key"]:
    """Gradient descent on all L^2 scores and the value, by jax's gradient of the full loss."""
    slope = jax.grad(reconstruction_loss, argnums=(0, 1))

    def step(_, state):
        by_scores, by_value = slope(*state, covariance)
        return state[0] - STEP * by_scores, state[1] - STEP * by_value

    return jax.lax.fori_loop(0, STEPS, step, (scores, jnp.asarray(VALUE)))[0]


def reduced_flow(kernel, autocovariance) -> Float[Array, " lag"]:
    """The same on L numbers in closed form; the kernel's step is 1/L of the scores' own."""

    def step(_, state):
        by_kernel = reconstruction_kernel_gradient(*state, autocovariance)
        by_value = reduced_value_gradient(*state, autocovariance)
        return state[0] - STEP / LENGTH * by_kernel, state[1] - STEP * by_value

    return jax.lax.fori_loop(0, STEPS, step, (kernel, jnp.asarray(VALUE)))[0]


def flow_gap(start, covariance_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Full against reduced flow after 100 steps, relative to the distance travelled."""
    start_key, process = jax.random.split(key)
    scores, covariance = start(start_key), covariance_of(process)
    full = full_flow(scores, covariance)
    reduced = reduced_flow(circulant_kernel(scores), circulant_kernel(covariance))
    return relative_gap(full, circulant(reduced), scale=full - scores)


def loss_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The reduced loss against the full loss at the circulant it stands for."""
    kernel_key, process = jax.random.split(key)
    kernel, autocovariance = jax.random.normal(kernel_key, (LENGTH,)), even_autocovariance(process, LENGTH)
    full = reconstruction_loss(circulant(kernel), VALUE, circulant(autocovariance))
    return relative_gap(reduced_loss(kernel, VALUE, autocovariance), full)


def gradient_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Kernel gradient in closed form against jax's, and against L times jax's full gradient."""
    kernel_key, process = jax.random.split(key)
    kernel, autocovariance = jax.random.normal(kernel_key, (LENGTH,)), even_autocovariance(process, LENGTH)
    closed = reconstruction_kernel_gradient(kernel, VALUE, autocovariance)
    by_jax = jax.grad(reduced_loss)(kernel, VALUE, autocovariance)
    full = jax.grad(reconstruction_loss)(circulant(kernel), VALUE, circulant(autocovariance))
    return jnp.maximum(relative_gap(by_jax, closed), relative_gap(LENGTH * full, circulant(closed)))


def value_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """dl/dv of the reduced loss against the full one's."""
    kernel_key, process = jax.random.split(key)
    kernel, autocovariance = jax.random.normal(kernel_key, (LENGTH,)), even_autocovariance(process, LENGTH)
    full = reconstruction_value_gradient(circulant(kernel), VALUE, circulant(autocovariance))
    return relative_gap(reduced_value_gradient(kernel, VALUE, autocovariance), full)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Kernel gradient in closed form against central differences."""
    kernel_key, process, direction_key = jax.random.split(key, 3)
    kernel, autocovariance = jax.random.normal(kernel_key, (LENGTH,)), even_autocovariance(process, LENGTH)
    closed = reconstruction_kernel_gradient(kernel, VALUE, autocovariance)
    loss = lambda g: reduced_loss(g, VALUE, autocovariance)
    return finite_difference_gap(loss, closed, kernel, key=direction_key)


CLAIM = Claim(
    label="C12",
    title="Reduced flow",
    statement=(
        "Under cyclic stationarity circulant scores stay circulant under gradient flow of the population "
        "reconstruction loss, so the flow of L^2 scores is the flow of a kernel g in R^L with loss 1/2 [C(0) "
        "- 2 v b.c + v^2 b^T C b], a = softmax(g), b = a without lag 0. Since dl/dg_r = L dl/dS_{i,i+r}, the "
        "scores follow dg/dt = -(1/L) dl/dg, dv/dt = -dl/dv: descent on g alone at its own rate runs L times "
        "faster, and with v trained as well the factor 1/L belongs to g only. For a cyclic Markov process "
        "(AR(1), correlation rho) the infimum is half the conditional variance, at nearest-neighbour "
        "attention, 1/2 on each side, with v* = 2 rho/(1 + rho^2): approached as scores diverge, and, as "
        "only v b enters, one of a family that puts weight w on lag 0 and has v = v*/(1 - w)."
    ),
    regime=(
        "Exact for every L >= 2 (flow) and L >= 3 (minimiser), in the population; time = learning rate x "
        "steps on the scores. Needs a circulant start, cyclic stationarity, and for the minimiser the Markov "
        "property. Exact arithmetic with symbols: response for L = 3..6, minimiser for L = 3..8."
    ),
    formula=(
        r"\ell(g, v) = \frac{1}{2} \left[ C(0) - 2 v\, b \cdot c + v^{2} b^{\top} C b \right], \quad "
        r"\frac{\partial \ell}{\partial g_r} = L \frac{\partial \ell}{\partial S_{i, i + r}}, \quad "
        r"v^{*} = \frac{2 \rho}{1 + \rho^{2}}"
    ),
    checks=(
        symbolic(
            "certificate: full and reduced response agree, L = 3..6",
            c12_symbols.full_response_is_the_reduced_one,
        ),
        symbolic("the Markov precision, L = 3..8", c12_symbols.markov_precision),
        symbolic("the minimum and its family, L = 3..8", c12_symbols.nearest_neighbour_minimum),
        autodiff("reduced loss is the full loss", loss_gap),
        autodiff("kernel gradient against jax's, reduced and full", gradient_gap),
        autodiff("value gradient against the full one", value_gap),
        autodiff("100 steps of both flows", lambda key: flow_gap(ring_start, ring_covariance, key)),
        autodiff(
            "nearest neighbours reach the bound",
            lambda key: c12_minimum.optimality_gap(c12_minimum.markov_process, key),
        ),
        autodiff("a Markov process has variance 1, and l* at v*", c12_minimum.minimum_gap),
        autodiff("vector tokens: the loss from the noise that makes them", vector_rings.loss_gap),
        finite_difference("kernel gradient against central differences", difference_gap),
        simulation("masked error at the minimiser, sampled sequences", c12_minimum.sampled_minimum),
        counterexample("a start off the ring", lambda key: flow_gap(any_start, ring_covariance, key)),
        counterexample("data on a line", lambda key: flow_gap(ring_start, line_covariance, key)),
        counterexample(
            "a moving average, not Markov",
            lambda key: c12_minimum.optimality_gap(c12_minimum.moving_average, key),
        ),
    ),
)

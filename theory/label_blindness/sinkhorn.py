"""The key bias that makes any attention pattern look uniform to a mean pool. Exact for every L.

Newton's method on the convex potential F(b) = sum_i logsumexp_j(S_ij + b_j) - sum_j b_j, whose
gradient is L c - 1: the minimiser is the bias at which every key receives the same.   [C4]
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.label_blindness.labels import softmax_pullback
from theory.minimal_model.attention import attention_weights, received
from theory.minimal_model.shapes import require_length, require_square

ITERATIONS = 300
STALLED = 1e4  # units of rounding: an imbalance above this is not an answer
STEP_SIZES = 12  # halvings tried per Newton step


def sinkhorn_potential(scores: Float[Array, "query key"], bias: Float[Array, " key"]) -> Float[Array, ""]:
    """F(b) = sum_i logsumexp_j(S_ij + b_j) - sum_j b_j, strictly convex on sum-zero b.   [C4]"""
    require_square(scores, "scores")
    require_length(bias, len(scores), "bias", "scores", axes=1)
    return jax.nn.logsumexp(scores + bias[None, :], axis=1).sum() - bias.sum()


def sinkhorn_hessian(weights: Float[Array, "query key"]) -> Float[Array, "key other_key"]:
    """H = sum_i (diag(A_i) - A_i A_i^T): the Hessian of F, positive on sum-zero vectors.   [C4]"""
    return jnp.diag(weights.sum(axis=0)) - weights.T @ weights


def solve_sum_zero(hessian: Float[Array, "key key"], target: Float[Array, " key"]) -> Float[Array, " key"]:
    """H^{-1} t among sum-zero vectors: constants, the null space of H, are pinned to 0."""
    pinned = hessian + 1 / len(hessian)
    solution = jnp.linalg.solve(pinned, target)
    return solution - solution.mean()


def imbalance(scores: Float[Array, "query key"], bias: Float[Array, " key"]) -> Float[Array, " key"]:
    """L c(S + 1 b^T) - 1, the gradient of F in b: 0 where every key receives the same.   [C4]"""
    return len(scores) * received(attention_weights(scores + bias[None, :])) - 1


def potential_change(weights: Float[Array, "query key"], step: Float[Array, " key"]) -> Float[Array, ""]:
    """F(b + d) - F(b) = sum_i log(1 + sum_j A_ij (e^{d_j} - 1)) for sum-zero d, without cancellation."""
    return jnp.log1p(weights @ jnp.expm1(step)).sum()


def newton_step(scores: Float[Array, "query key"], bias: Float[Array, " key"]) -> Float[Array, " key"]:
    """b + t d: d the regularised Newton direction, t the halving of 1 with the smallest F."""
    weights = attention_weights(scores + bias[None, :])
    slope = len(scores) * received(weights) - 1
    damping = jnp.abs(slope).max() * jnp.eye(len(scores), dtype=scores.dtype)
    direction = -solve_sum_zero(sinkhorn_hessian(weights) + damping, slope)
    sizes = 0.5 ** jnp.arange(STEP_SIZES, dtype=scores.dtype)
    changes = jax.vmap(lambda size: potential_change(weights, size * direction))(sizes)
    return bias + sizes[jnp.argmin(changes)] * direction


@jax.jit
def balanced_bias(scores: Float[Array, "query key"]) -> Float[Array, " key"]:
    """The minimiser of F, or NaN where the scores are not finite or Newton's method stalled."""
    precision = jnp.finfo(scores.dtype).eps

    def unfinished(state):
        count, bias = state
        residual = jnp.abs(imbalance(scores, bias)).max()
        return (residual > max(64, len(scores)) * precision) & (count < ITERATIONS)

    def step(state):
        count, bias = state
        return count + 1, newton_step(scores, bias)

    _, bias = jax.lax.while_loop(unfinished, step, (0, jnp.zeros_like(scores[0])))
    stalled = ~(jnp.abs(imbalance(scores, bias)).max() <= STALLED * precision)
    return jnp.where(stalled, jnp.nan, bias)


@jax.custom_jvp
def implicit_bias(scores: Float[Array, "query key"]) -> Float[Array, " key"]:
    """`balanced_bias` with the derivative of its defining equation, not of its iterations."""
    return balanced_bias(scores)


@implicit_bias.defjvp
def implicit_bias_jvp(primals, tangents):
    """db = -H^{-1} d(L c) at fixed b, from L c(S + 1 b^T) = 1."""
    (scores,), (change,) = primals, tangents
    bias = implicit_bias(scores)
    weights = attention_weights(scores + bias[None, :])
    return bias, -solve_sum_zero(sinkhorn_hessian(weights), softmax_pullback(weights, change).sum(axis=0))


def sinkhorn_key_bias(scores: Float[Array, "query key"]) -> Float[Array, " key"]:
    """The b, sum b = 0, at which c(S + 1 b^T) is uniform: every key receives 1/L.   [C4]

    To every label behind a mean pool, S + 1 b^T is uniform attention. Differentiable through the
    equation it solves, in forward and reverse mode. Converges for scores up to about 60 standard
    deviations in float64.

    Parameters
    ----------
    scores
        S, shape (L, L).

    Returns
    -------
    b, shape (L,), in units of the scores. Under `jax.jit`, where values cannot be read, NaN
    stands for the second error below.

    Raises
    ------
    ValueError
        If `scores` is not a square floating-point matrix with L >= 2, or cannot be balanced: a NaN
        or +inf, entries too large for their precision, or a hard mask (-inf) that leaves no balanced
        pattern, as when two queries may see only one key.

    Examples
    --------
    The bias undoes that every query prefers key 0:

    >>> import jax.numpy as jnp, theory
    >>> bias = theory.sinkhorn_key_bias(jnp.array([[2.0, 0.0], [2.0, 0.0]]))
    >>> [round(float(entry), 4) for entry in bias]
    [-1.0, 1.0]
    """
    require_square(scores, "scores")
    bias = implicit_bias(scores)
    if not isinstance(bias, jax.core.Tracer) and not bool(jnp.isfinite(bias).all()):
        raise ValueError(
            f"scores must be finite and of moderate size to balance: got values from {scores.min()} "
            f"to {scores.max()} in {scores.dtype}; divide the scores by a temperature, or use float64"
        )
    return bias

"""Vector tokens on a ring or a line, every covariance from the noise that makes them. Exact.   [C10, C12]"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import relative_gap
from theory.reconstruction.masking import masked_loss
from theory.reconstruction.vector_tokens import vector_proximity_law, vector_reduced_loss

LENGTH, WIDTH = 5, 2


def noise_maps(key: PRNGKeyArray) -> Float[Array, "lag width width"]:
    """M_s of x_i = sum_s M_s e_{i+s}, with independent standard noise e: any stationary process."""
    return jax.random.normal(key, (LENGTH, WIDTH, WIDTH))


def delayed(maps: Float[Array, "lag width width"]) -> Float[Array, "delay lag width width"]:
    """The maps from noise to x_{i+r}, for each delay r."""
    lags = jnp.arange(LENGTH)
    return maps[(lags[None, :] - lags[:, None]) % LENGTH]


def cross_covariance(maps: Float[Array, "lag width width"]) -> Float[Array, "lag width width"]:
    """Sigma(r) = E x_i x_{i+r}^T."""
    return jnp.einsum("sac,rsbc->rab", maps, delayed(maps))


def loss_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Half the squared map from the noise to x_i - V sum_r b_r x_{i+r} against the closed form."""
    map_key, kernel_key, value_key = jax.random.split(key, 3)
    maps, kernel = noise_maps(map_key), jax.random.normal(kernel_key, (LENGTH,))
    value_map = jax.random.normal(value_key, (WIDTH, WIDTH))
    reading = jax.nn.softmax(kernel) * (jnp.arange(LENGTH) > 0).astype(kernel.dtype)
    error = maps - jnp.einsum("ab,r,rsbc->sac", value_map, reading, delayed(maps))
    loss = vector_reduced_loss(kernel, value_map, cross_covariance(maps))
    return relative_gap(loss, 0.5 * jnp.sum(error**2))


def law_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Descent of small values, then of scores at those values, by jax, against the law less its mean."""
    covariance, flat = cross_covariance(noise_maps(key)), jnp.zeros(LENGTH)
    by_value = jax.grad(vector_reduced_loss, argnums=1)
    values = -by_value(flat, jnp.zeros((WIDTH, WIDTH)), covariance)
    scores = lambda size: -jax.grad(vector_reduced_loss)(flat, size * values, covariance)
    descent = jax.jvp(scores, (jnp.zeros(()),), (jnp.ones(()),))[1]
    law = jnp.pad(vector_proximity_law(covariance[1:], jnp.ones(LENGTH - 1)), (1, 0))
    return relative_gap(LENGTH**2 * descent, law - law.mean())


def line_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The same on a line, by jax's gradients of C8's loss: lag r has L - |r| pairs, and a row its own lags."""
    lags = jnp.arange(1 - LENGTH, LENGTH)
    maps = jnp.pad(noise_maps(key), ((LENGTH, 2 * LENGTH), (0, 0), (0, 0)))  # no end meets the other
    cross = jax.vmap(lambda lag: jnp.einsum("sac,sbc->ab", maps, jnp.roll(maps, lag, axis=0)))(lags)
    between = jnp.arange(LENGTH)[None, :] - jnp.arange(LENGTH)[:, None]
    covariance = cross[between + LENGTH - 1].transpose(0, 2, 1, 3)
    loss = lambda scores, value_map: masked_loss(scores, value_map, covariance, 0.0, jnp.zeros(WIDTH))
    flat, still = jnp.zeros((LENGTH, LENGTH)), jnp.zeros((WIDTH, WIDTH))
    values = -jax.grad(loss, argnums=1)(flat, still)
    scores = lambda size: -jax.grad(loss)(flat, size * values)
    descent = jax.jvp(scores, (jnp.zeros(()),), (jnp.ones(()),))[1]
    others = jnp.asarray(lags != 0, float)
    often = (LENGTH - jnp.abs(lags)).astype(float) * others
    law = (vector_proximity_law(cross, often) * others)[between + LENGTH - 1]
    rows, some = noise_maps(key).reshape(LENGTH, -1), 1.0 + jnp.arange(1.0 * LENGTH)  # of one side alone, too
    one_sided = relative_gap(vector_proximity_law(noise_maps(key), some), rows @ (rows.T @ some))
    return jnp.maximum(one_sided, relative_gap(LENGTH**4 * descent, law - law.mean(axis=1, keepdims=True)))

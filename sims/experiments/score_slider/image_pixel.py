"""What one pixel of an image attends to, moved along the first pull of reconstruction. Exact for every size.

Pixels are scalar tokens on a torus, alike along rows and along columns: C(a, b) = rho_down^|a| rho_right^|b|,
closed. The direction is C30's law, so that each pixel turns to those that resemble it, and every pixel still
receives the same attention, which is all that a mean-pooled label can see.   [C1, C3, C30]
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import theory
from sims.toy_models.score_gradients import uniform_value


def image_pixel(side: int, down: float, right: float, magnitudes: np.ndarray) -> dict[str, np.ndarray]:
    """Attention of the middle pixel, both ends of what pixels receive, and reconstruction's loss.

    Parameters
    ----------
    side
        Rows and columns of the image.
    down, right
        Correlation of neighbours along columns and along rows.
    magnitudes
        Steps along the law's direction, which has mean square 1.
    """
    ways = [theory.markov_autocovariance(side, rho) for rho in (down, right)]
    autocovariance = jnp.outer(*ways)
    value = uniform_value(autocovariance.ravel())
    law = theory.torus_proximity_law(value, autocovariance)
    direction = theory.torus_circulant(law - law.mean())
    direction = direction / jnp.sqrt(jnp.mean(direction**2))
    covariance = theory.torus_circulant(autocovariance)
    points = jnp.asarray(magnitudes)[:, None, None] * direction[None]
    weights, received, loss = jax.vmap(lambda scores: _at(scores, value, covariance))(points)
    middle = side // 2 * side + side // 2
    return {
        "image_attention": np.asarray(weights[:, middle].reshape(-1, side, side)),
        "image_received": np.asarray(jnp.stack([received.min(axis=1), received.max(axis=1)])),
        "image_reconstruction": np.asarray(loss),
    }


def _at(
    scores: Float[Array, "query key"], value: Float[Array, ""], covariance: Float[Array, "query key"]
) -> tuple[Float[Array, "query key"], Float[Array, " key"], Float[Array, ""]]:
    """Attention, what each pixel receives, and the population's reconstruction loss."""
    weights = theory.attention_weights(scores)
    return weights, theory.received(weights), theory.reconstruction_loss(scores, value, covariance)

"""C30, images as a torus: the proximity law in two dimensions, and what raster order makes of it. Exact."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c30_image_torus import symbolic as c30_symbols
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
from theory.claims.checks.draws import VARIANCE, gaussian_sequences
from theory.reconstruction.circulant import circulant, circulant_kernel
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import (
    proximity_law,
    reconstruction_loss,
    reconstruction_score_gradient,
)
from theory.reconstruction.torus import (
    raster_kernel,
    raster_share,
    torus_circulant,
    torus_kernel,
    torus_proximity_law,
)

HEIGHT, WIDTH = 3, 4
VALUE, BRIGHTNESS = 0.7, 2.0
IMAGES = 10_000
SHAPE = (HEIGHT, WIDTH)
LENGTH = HEIGHT * WIDTH


def image_autocovariance(key: PRNGKeyArray) -> Float[Array, "row column"]:
    """C(r) of a random stationary image: C(-r) = C(r), and nothing else alike, such as C(y, x) and C(-y, x)."""
    spectrum = jax.random.uniform(key, SHAPE, minval=0.1, maxval=2.0)
    mirrored = jnp.roll(spectrum[::-1, ::-1], (1, 1), axis=(0, 1))
    covariance = jnp.fft.ifft2(spectrum + mirrored).real
    return VARIANCE * covariance / covariance[0, 0]


def on_a_torus(autocovariance: Float[Array, "row column"]) -> Float[Array, "query key"]:
    """The covariance of all pairs of pixels."""
    return torus_circulant(autocovariance)


def with_borders(autocovariance: Float[Array, "row column"]) -> Float[Array, "query key"]:
    """The same between pixels that no border separates; others do not know of each other."""
    rows, columns = jnp.divmod(jnp.arange(LENGTH), WIDTH)
    near = lambda along, size: jnp.abs(along[:, None] - along[None, :]) <= size // 2
    return jnp.where(near(rows, HEIGHT) & near(columns, WIDTH), torus_circulant(autocovariance), 0.0)


def read_in_rows(autocovariance: Float[Array, "row column"]) -> Float[Array, "query key"]:
    """C10's law of the raster taken for a ring, with the autocovariance that its lags have on average."""
    return circulant(proximity_law(VALUE, raster_kernel(autocovariance)))


def as_an_image(autocovariance: Float[Array, "row column"]) -> Float[Array, "query key"]:
    """The claimed law, for all pairs."""
    return torus_circulant(torus_proximity_law(VALUE, autocovariance))


def law_gap(covariance_of, law_of, key: PRNGKeyArray, scale: float = 0.0) -> Float[Array, ""]:
    """Minus jax's gradient against the law; the claim is for uniform attention, scale 0."""
    autocovariance = image_autocovariance(key)
    scores = scale * jax.random.normal(jax.random.fold_in(key, 1), (LENGTH, LENGTH))
    gradient = jax.grad(reconstruction_loss)(scores, VALUE, covariance_of(autocovariance))
    return relative_gap(-gradient, law_of(autocovariance))


def brightness_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Differences of jax's pull between displacements other than 0: with and without a brightness of images, and
    against those of the autocovariance."""
    autocovariance = image_autocovariance(key)
    gradient = lambda covariance: jax.grad(reconstruction_loss)(
        jnp.zeros((LENGTH, LENGTH)), VALUE, on_a_torus(covariance)
    )
    differences = lambda image: jnp.diff(image.ravel()[1:])
    changes = jnp.stack(
        [differences(-gradient(each)[0]) for each in (autocovariance, autocovariance + BRIGHTNESS)]
    )
    expected = VALUE * (1 + VALUE / LENGTH) * differences(autocovariance) / LENGTH**2
    return relative_gap(changes, jnp.broadcast_to(expected, changes.shape))


def nearest_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """A product of two Markov chains: how many entries lie between the largest pull and that of the next pixel on the
    axis of slower fall, and between the smallest and the opposite pixel, at v > 0; at -L < v < 0 the other way round,
    and below -L as at v > 0."""
    fast, slow = jnp.sort(jax.random.uniform(key, (2,), minval=0.2, maxval=0.8))
    off = jnp.zeros((), int)
    for down, right in ((fast, slow), (slow, fast)):
        image = jnp.outer(markov_autocovariance(6, down), markov_autocovariance(8, right))
        nearest = jnp.where(image[1, 0] > image[0, 1], 4, 0)  # among displacements (0..3, 0..4) without 0
        for sign, value in ((1, VALUE), (-1, -VALUE), (1, -1.5 * image.size)):
            toward = sign * torus_proximity_law(value, image)[:4, :5].ravel()[1:]
            off += jnp.abs(toward.argmax() - nearest) + jnp.abs(toward.argmin() - (len(toward) - 1))
    return off.astype(fast.dtype)


def raster_gap(mean_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Slopes of the loss in the L scores of raster lags, by jax, against the mean of the law at each lag."""
    autocovariance = image_autocovariance(key)
    loss = lambda kernel: reconstruction_loss(circulant(kernel), VALUE, on_a_torus(autocovariance))
    slopes = jax.grad(loss)(jnp.zeros(LENGTH))
    return relative_gap(-slopes / LENGTH, mean_of(torus_proximity_law(VALUE, autocovariance)))


def share_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Squared norm of jax's gradient projected on circulants of raster lags, of its own, against the share."""
    autocovariance = image_autocovariance(key)
    gradient = jax.grad(reconstruction_loss)(jnp.zeros((LENGTH, LENGTH)), VALUE, on_a_torus(autocovariance))
    projected = circulant(circulant_kernel(gradient))
    share = raster_share(torus_proximity_law(VALUE, autocovariance))
    return relative_gap(share, jnp.sum(projected**2) / jnp.sum(gradient**2))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences of the loss."""
    autocovariance = image_autocovariance(key)
    loss = lambda scores: reconstruction_loss(scores, VALUE, on_a_torus(autocovariance))
    return finite_difference_gap(loss, -as_an_image(autocovariance), jnp.zeros((LENGTH, LENGTH)), key=key)


def sampled_pull(key: PRNGKeyArray) -> Float[Array, ""]:
    """Gradients of drawn images, averaged over pixels at each displacement, against the law."""
    process, noise = jax.random.split(key)
    autocovariance = image_autocovariance(process)
    images = gaussian_sequences(noise, on_a_torus(autocovariance), IMAGES)
    flat = jnp.zeros((LENGTH, LENGTH))

    def pull(image):
        return -torus_kernel(reconstruction_score_gradient(flat, VALUE, jnp.outer(image, image)), *SHAPE)

    return standard_errors_off(jax.vmap(pull)(images), torus_proximity_law(VALUE, autocovariance))


CLAIM = Claim(
    label="C30",
    title="Images as a torus",
    statement=(
        "On an image that is stationary as a torus of H x W pixels, reconstruction at uniform attention pulls each "
        "displacement by C10's law with the two-dimensional autocovariance, and labels see exactly 0 of it. The "
        "brightness of a whole image cancels; where C is a product of positive falling ones and v > 0, the next pixel "
        "on the axis of slower fall is pulled most. In raster order neighbours lie at lags 1, W - 1, W, W + 1, 2 W and "
        "so on, and C10's law of one dimension is false."
    ),
    details=(
        "On an image of H x W pixels, stationary as a torus, the negative reconstruction gradient at uniform attention "
        "along displacement r is C10's law with the two-dimensional autocovariance C(r). Labels see exactly 0 of it. "
        "Between two displacements other than 0 it differs by v (1 + v/L)(C(r) - C(s))/L^2, in which the brightness of "
        "a whole image cancels. If C is a product of positive falling ones and v > 0, the pixel next to it on the axis "
        "of slower fall is pulled most and the opposite one least; if -L < v < 0, the other way round. In raster order "
        "the pull's mean at lag n = a W + b is (1 - b/W) g(a, b) + (b/W) g(a + 1, b), g the pull by displacement. That "
        "is what scores of raster lags alone can follow; C10's law, with the raster taken for a ring, is false."
    ),
    regime=(
        "Exact at uniform attention for all H, W with L = H W >= 2, in the population, where E x_i x_{i+r} = C(r) "
        "with rows modulo H and columns modulo W. Borders of real images break it at distances that they cut off. "
        "Symbolic H and W; again for 1 x 3 to 3 x 4 pixels with every covariance spelled out; sptlab's own statement."
    ),
    formula=(
        r"-\frac{\partial \ell}{\partial S_{i, i + r}} = \frac{1}{L^{2}} \left[ v \left( 1 + \frac{v}{L} \right) "
        r"\left( C_{0}(r) - \overline{C_{0}} \right) - \frac{v^{2} T}{L} \left( 1_{r \neq 0} - \frac{L - 1}{L} \right) "
        r"\right], \quad r \in \mathbb{Z}_H \times \mathbb{Z}_W"
    ),
    checks=(
        symbolic("the law, symbolic rows and columns", c30_symbols.law_for_symbolic_sizes),
        symbolic(
            "the law, 1 x 3 to 3 x 4 pixels, every covariance spelled out", c30_symbols.law_for_each_size
        ),
        symbolic("brightness cancels", c30_symbols.differences_without_brightness),
        symbolic("certificate: no key receives anything", c30_symbols.pull_sums_to_zero),
        symbolic("means at raster lags, 1 x 3 to 3 x 4 pixels", c30_symbols.mean_at_raster_lags),
        autodiff("the law against jax.grad", functools.partial(law_gap, on_a_torus, as_an_image)),
        autodiff("differences of the pull, with brightness and without", brightness_gap),
        autodiff("the nearest pixel on the slower axis", nearest_gap, tolerance=0.0),
        autodiff("slopes in the scores of raster lags", functools.partial(raster_gap, raster_kernel)),
        autodiff("what raster lags hold of the pull", share_gap),
        finite_difference("the law against central differences", difference_gap),
        simulation("gradients of sampled images", sampled_pull),
        counterexample("borders", functools.partial(law_gap, with_borders, as_an_image)),
        counterexample("the raster taken for a ring", functools.partial(law_gap, on_a_torus, read_in_rows)),
        counterexample("rows that end nowhere", functools.partial(raster_gap, jnp.ravel)),
        counterexample(
            "far from uniform attention", functools.partial(law_gap, on_a_torus, as_an_image, scale=2.0)
        ),
    ),
)

"""C13, absolute positions become relative scores. Exact for every L; exponents to leading order."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c13_absolute_positions import symbolic as c13_symbols
from theory.claims.c13_absolute_positions.blocks import (
    any_product,
    block_gap,
    invariance_gap,
    line_covariance,
    lowest_first_gap,
    ring_covariance,
    sampled_blocks,
    turned_blocks,
)
from theory.claims.c13_absolute_positions.draws import (
    FEATURES,
    FREQUENCIES,
    LENGTH,
    VALUE,
    WIDTH,
    Setting,
    drawn,
)
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
from theory.claims.checks.exponents import fitted_exponent
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT
from theory.minimal_model.attention import attention_weights, received
from theory.positions.absolute_positions import (
    PositionMaps,
    centred_label_gradients,
    frequency_pull,
    position_gradients,
    position_scores,
    ring_positions,
    sinusoidal_positions,
)
from theory.reconstruction.masked_loss import reconstruction_loss

SCALES = (0.02, 0.01, 0.005)  # of the maps, for the fitted exponents


def through(loss, positions):
    """The loss of the scores as a function of the two maps."""
    return lambda maps: loss(position_scores(positions, *maps))


def scaled(setting: Setting, scale: Float[Array, ""] | float) -> PositionMaps:
    """The setting's maps at another size."""
    return PositionMaps(scale * setting.maps.query, scale * setting.maps.key)


def encoding_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Both encodings against their sines and cosines, written one by one."""
    waves = [(2 * math.pi * i * f / LENGTH) for i in range(LENGTH) for f in FREQUENCIES]
    ring = [turn(wave) for wave in waves for turn in (math.cos, math.sin)]
    angles = [i / 10_000 ** (m / WIDTH) for i in range(LENGTH) for m in range(0, WIDTH, 2)]
    line = [turn(angle) for angle in angles for turn in (math.sin, math.cos)]
    encodings = jnp.stack([ring_positions(LENGTH, FREQUENCIES), sinusoidal_positions(LENGTH, WIDTH)])
    return relative_gap(encodings, jnp.asarray([ring, line]).reshape(encodings.shape))


def chain_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Both gradients of the label loss, in closed form, against jax's at Gaussian maps."""
    setting, maps = drawn(key), scaled(drawn(key), 0.5)
    by_scores = setting.sequence.score_gradient(position_scores(setting.shifted(), *maps))
    closed = position_gradients(by_scores, setting.shifted(), *maps)
    gradients = jax.grad(through(setting.sequence.loss, setting.shifted()))(maps)
    return jnp.maximum(relative_gap(gradients.query, closed.query), relative_gap(gradients.key, closed.key))


def blind_gap(positions_of, maps_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's label gradient in W_Q, for a loss with dl/dz = u, relative to (s - mean s)/L."""
    setting = drawn(key)
    positions, (query_map, key_map) = positions_of(setting), maps_of(setting)
    per_key = setting.sequence.tokens @ setting.sequence.head[0]
    pulled = lambda each: received(attention_weights(position_scores(positions, each, key_map))) @ per_key
    gradient = jax.grad(pulled)(query_map)
    return relative_gap(gradient, jnp.zeros_like(gradient), scale=(per_key - per_key.mean()) / LENGTH)


def label_sizes(positions_of, setting: Setting, scale) -> Float[Array, " size"]:
    """|dl/dW_Q| of the label loss at maps of the given size, the relative error of its third order, and of W_K."""
    maps = scaled(setting, scale)
    gradients = jax.grad(through(setting.sequence.loss, positions_of(setting)))(maps)
    third = centred_label_gradients(setting.per_key(), setting.centred(), *maps)
    return sizes_and_errors(gradients, third)


def sizes_and_errors(gradients: PositionMaps, leading: PositionMaps) -> Float[Array, " size"]:
    """Largest entry, and error relative to the leading order, in W_Q and then in W_K."""
    pairs = zip(gradients, leading, strict=True)
    return jnp.stack([each for by, law in pairs for each in (jnp.abs(by).max(), relative_gap(by, law))])


def masked_sizes(positions_of, setting: Setting, scale) -> Float[Array, " size"]:
    """The same for reconstruction and its first order, -m_f W_K / sqrt(k) and -m_f W_Q / sqrt(k)."""
    maps, autocovariance = scaled(setting, scale), setting.autocovariance()
    masked = lambda scores: reconstruction_loss(scores, VALUE, ring_covariance(setting))
    gradients = jax.grad(through(masked, positions_of(setting)))(maps)
    pull = jnp.repeat(frequency_pull(VALUE, autocovariance, FREQUENCIES), 2)[:, None] / FEATURES**0.5
    return sizes_and_errors(gradients, PositionMaps(-pull * maps.key, -pull * maps.query))


def exponent_gap(sizes, positions_of, claimed, key: PRNGKeyArray) -> Float[Array, ""]:
    """Fitted exponents in the size of the maps against those claimed, the worst."""
    setting, scales = drawn(key), jnp.asarray(SCALES)
    measured = jax.lax.map(lambda scale: sizes(positions_of, setting, scale), scales)
    return jnp.abs(fitted_exponent(scales, measured) - jnp.asarray(claimed, float)).max()


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The closed gradient in W_Q against central differences of the label loss."""
    setting, maps = drawn(key), scaled(drawn(key), 0.5)
    loss = lambda query_map: setting.sequence.loss(position_scores(setting.shifted(), query_map, maps.key))
    by_scores = setting.sequence.score_gradient(position_scores(setting.shifted(), *maps))
    closed = position_gradients(by_scores, setting.shifted(), *maps).query
    directions = jnp.eye(closed.size).reshape(-1, *closed.shape)
    return finite_difference_gap(loss, closed, maps.query, key=key, directions=directions)


CLAIM = Claim(
    label="C13",
    title="Absolute positions become relative scores",
    statement=(
        "With S = P W_Q W_K^T P^T/sqrt(k) and centred encodings, P^T 1 = 0, the label gradient in W_Q "
        "at uniform attention is exactly 0 for every sample, and O(e^3) from maps of size e; "
        "reconstruction's is O(e). For cyclically stationary data and sinusoids over full periods, "
        "reconstruction's gradient in W_Q W_K^T is block-diagonal in the frequencies, m_f/sqrt(k) "
        "times the identity at uniform attention, sized by the data's spectrum. Absolute encodings "
        "become relative scores: proximity where v > 0 and the low frequencies hold the power."
    ),
    details=(
        "With S = P W_Q W_K^T P^T/sqrt(k), dl/dW_Q = P^T G P W_K/sqrt(k) and dl/dW_K = P^T G^T P "
        "W_Q/sqrt(k). At uniform attention the label gradient in W_Q is (1/(L^2 sqrt(k))) (P^T 1) ((s - "
        "mean s)^T P W_K): rank one, and exactly 0 for every sample when the encodings are centred, P^T 1 "
        "= 0, as sinusoids over full periods are; if they are not, it vanishes for every sample only where "
        "all keys P W_K coincide; that in W_K vanishes where the mean query W_Q^T P^T 1/L does. From maps "
        "of size e, the label gradient is O(e^3) for centred encodings, with leading term (1/(k L^2)) (P^T "
        "P) W_Q W_K^T P^T diag(s - mean s) P W_K, and O(e) for uncentred ones; reconstruction's is O(e). "
        "For cyclically stationary data and sinusoids over full periods, the reconstruction gradient in W "
        "= W_Q W_K^T is block-diagonal in the frequencies at any circulant S, each block a scaled "
        "rotation; at uniform attention minus the gradient is m_f/sqrt(k) times the identity, m_f = "
        "(1/(2L)) [v (1 + v/L)(lambda_f - C(0)) + v^2 lambda_0/L], lambda the data's spectrum. To first "
        "order in e the rows of W_Q + W_K and W_Q - W_K at frequency f grow like exp(m_f t/sqrt(k)) and "
        "exp(-m_f t/sqrt(k)): relative scores from absolute encodings, proximity where v > 0 and the low "
        "frequencies hold the power, its opposite where -L < v < 0."
    ),
    regime=(
        "Exact for every L >= 3 and every loss (chain rule), at uniform attention (rank one, zero, m_f), "
        "and at circulant S (blocks); frequencies strictly between 0 and L/2. The powers of e and the "
        "exponential growth are leading order in e, with relative error O(e^2). Symbolic L: the zero, the "
        "third order and m_f; roots of unity in exact arithmetic for L = 3..12 (centring) and 3..8 "
        "(blocks)."
    ),
    formula=(
        r"\frac{\partial \ell}{\partial W_Q} = \frac{P^{\top} G P W_K}{\sqrt{k}}, \quad "
        r"-\frac{\partial \ell_{\mathrm{rec}}}{\partial W} = \frac{1}{\sqrt{k}} \bigoplus_{f} m_f I_{2}, "
        r"\quad m_f = \frac{1}{2 L} \left[ v \left( 1 + \frac{v}{L} \right) \left( \lambda_f - C(0) \right) "
        r"+ \frac{v^{2} \lambda_0}{L} \right]"
    ),
    checks=(
        symbolic(
            "certificate: centred encodings hide the scores, symbolic L",
            c13_symbols.centred_encodings_hide_the_scores,
        ),
        symbolic(
            "certificate: full periods sum to 0, roots of unity, L = 3..12",
            c13_symbols.full_periods_are_centred,
        ),
        symbolic("labels wake at third order, symbolic L", c13_symbols.labels_wake_at_third_order),
        symbolic("m_f from the proximity law, symbolic L", c13_symbols.block_from_the_spectrum),
        symbolic("frequencies do not mix, any kernel, L = 3..8", c13_symbols.blocks_do_not_mix),
        autodiff("both encodings, wave by wave", encoding_gap),
        autodiff("both maps against jax.grad", chain_gap),
        autodiff(
            "no label gradient for centred encodings",
            lambda key: blind_gap(Setting.centred, Setting.silent_queries, key),
        ),
        autodiff("m_f against jax.grad", lambda key: block_gap(ring_covariance, key)),
        autodiff(
            "power at low frequencies pulls the lowest most",
            lambda key: lowest_first_gap(VALUE, key),
            tolerance=0.0,
        ),
        autodiff("blocks at circulant scores", lambda key: invariance_gap(turned_blocks, key)),
        autodiff(
            "labels: exponent 3, and 2 of its error",
            lambda key: exponent_gap(label_sizes, Setting.centred, (3, 2, 3, 2), key),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        autodiff(
            "reconstruction: exponent 1, and 2 of its error",
            lambda key: exponent_gap(masked_sizes, Setting.centred, (1, 2, 1, 2), key),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        finite_difference("dl/dW_Q against central differences, entry by entry", difference_gap),
        simulation("gradients in W of sampled sequences", sampled_blocks),
        counterexample(
            "encodings not centred", lambda key: blind_gap(Setting.shifted, Setting.silent_queries, key)
        ),
        counterexample(
            "attention not uniform",
            lambda key: blind_gap(Setting.centred, lambda setting: setting.maps, key),
        ),
        counterexample(
            "power at low frequencies, a negative value",
            lambda key: lowest_first_gap(-VALUE, key),
            tolerance=0.0,
        ),
        counterexample("data on a line", lambda key: block_gap(line_covariance, key)),
        counterexample("scores not circulant", lambda key: invariance_gap(any_product, key)),
    ),
)

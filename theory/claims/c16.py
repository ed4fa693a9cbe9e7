"""C16, sample complexity. Counts exact in the signal; wrong signs to leading order in 1/n."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.circulant import circulant
from theory.claims import c16_symbols
from theory.claims.c07 import label_loss
from theory.claims.check import (
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
from theory.contrast import (
    class_contrast,
    label_signal,
    lag_direction,
    pair_moments,
    reconstruction_signal,
)
from theory.markov import markov_autocovariance
from theory.reconstruction import reconstruction_loss
from theory.sample_complexity import markov_signal, sequences_needed, sequences_ratio, sign_error
from theory.tolerances import ASYMPTOTIC_EXPONENT, STANDARD_ERRORS

LENGTH = 8
VALUE = 0.7
LENGTHS = (64, 256)  # for the fitted order of the correction
REPEATS = 1_000
COUNTS = (280, 30)  # sequences, of the order that labels (333) and reconstruction (34) need


def classes(correlations=(0.05, 0.1)) -> Float[Array, "classes query key"]:
    """Covariances of two AR(1) classes."""
    return jnp.stack([circulant(markov_autocovariance(LENGTH, each)) for each in correlations])


def ratio_gap(imbalance: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """The ratio in closed form against that of the two counts, at z = 2 and 1."""
    ends = jax.random.uniform(key, (2,), minval=jnp.asarray([0.1, 0.5]), maxval=jnp.asarray([0.4, 0.8]))
    pair = class_contrast(lag_direction(LENGTH, 1), classes(ends))
    label, other = label_signal(pair, imbalance), reconstruction_signal(pair)
    counts = sequences_needed(label, 2.0), 4 * sequences_needed(other)
    return relative_gap(counts[0] / counts[1], sequences_ratio(pair))


def ceiling_excess(key: PRNGKeyArray) -> Float[Array, ""]:
    """How far the label's signal exceeds kappa^2, or reconstruction's 1/kappa^2, at any length."""
    pairs = [
        class_contrast(
            lag_direction(length, 1),
            jnp.stack([circulant(markov_autocovariance(length, each)) for each in (0.3, 0.7)]),
        )
        for length in (4, 16, 64)
    ]
    excess = [label_signal(pair) / pair.kappa**2 - 1 for pair in pairs]
    excess += [reconstruction_signal(pair) * pair.kappa**2 - 1 for pair in pairs]
    return jnp.maximum(jnp.stack(excess).max(), 0.0)


def correction_order_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """|fitted exponent in L of the correction to the Markov signal, against -1|."""
    sizes = []
    for length in LENGTHS:
        covariance = circulant(markov_autocovariance(length, 0.6))
        mean, variance = pair_moments(lag_direction(length, 1), covariance)
        sizes.append(jnp.abs(mean**2 / variance / markov_signal(length, 0.6) - 1))
    return jnp.abs(jnp.log(sizes[0] / sizes[1]) / jnp.log(LENGTHS[1] / LENGTHS[0]) - 1)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """What is counted: one sequence's slope of both losses along D, against central differences."""
    ring, direction = jax.random.normal(key, (LENGTH,)), lag_direction(LENGTH, 1)

    def losses(amounts):
        masked = reconstruction_loss(amounts[1] * direction, VALUE, jnp.outer(ring, ring))
        return label_loss(amounts[0] * direction, ring, 1.0) - masked

    logit = 1.3 * jnp.mean((ring + VALUE * ring.mean()) ** 2) / 2
    factors = jnp.stack([1.3 * (jax.nn.sigmoid(logit) - 1), 1 + VALUE / LENGTH])
    claimed = factors * VALUE / LENGTH**2 * (ring @ direction @ ring)
    return finite_difference_gap(losses, claimed, jnp.zeros(2), key=key)


def wrong_signs(
    key: PRNGKeyArray, covariances: Float[Array, "classes query key"]
) -> Float[Array, "sample loss"]:
    """Whether the mean gradient of 280 labelled sequences, and of 30 masked ones, has the wrong sign."""
    noise_key, label_key = jax.random.split(key)
    noise = jax.random.normal(noise_key, (REPEATS, COUNTS[0], LENGTH))
    signs = jax.random.rademacher(label_key, (REPEATS, COUNTS[0]), dtype=noise.dtype)
    roots, direction = jnp.linalg.cholesky(covariances), lag_direction(LENGTH, 1)
    by_class = [jnp.sum((noise @ (root.T @ direction @ root)) * noise, axis=2) for root in roots]
    pulls = jnp.where(signs > 0, by_class[1], by_class[0])
    means = jnp.stack([(signs * pulls).mean(axis=1), pulls[:, : COUNTS[1]].mean(axis=1)], axis=1)
    return (means < 0).astype(noise.dtype)


def sampled_deviation(apart: bool, key: PRNGKeyArray) -> Float[Array, ""]:
    """The share of wrong signs against the law; with `apart` False, of classes that agree after all."""
    pair = class_contrast(lag_direction(LENGTH, 1), classes())
    signals = label_signal(pair), reconstruction_signal(pair)
    expected = jnp.stack([sign_error(n, signal) for n, signal in zip(COUNTS, signals, strict=True)])
    drawn = classes() if apart else classes((0.075, 0.075))
    return standard_errors_off(wrong_signs(key, drawn), expected)


CLAIM = Claim(
    label="C16",
    title="Sample complexity",
    statement=(
        "The sign of a gradient along D is known at z standard errors after n* = z^2/SNR sequences, and n "
        "sequences give the wrong one with chance Phi(-sqrt(n SNR)). In the setting of the contrast law, "
        "n*(label)/n*(reconstruction) = (1 + omega)/(kappa^2 (kappa^2 + omega)) for a balanced head. Longer "
        "sequences do not help labels past kappa^2 per sequence, while reconstruction gains up to 1/kappa^2: "
        "the ratio is (1 + omega)/(omega kappa^2) for close classes and rises to 1/kappa^4 for long ones. It "
        "is infinite where labels are blind: classes that agree along D, no residual, or no bend. A head "
        "imbalance tau beyond kappa makes the label certain of the wrong sign. For a Gaussian AR(1) process "
        "1/omega = L rho^2 (1 - rho^2)/(1 + 4 rho^2 - rho^4) to leading order in 1/L."
    ),
    regime=(
        "Exact in the SNR for every L, Gaussian tokens, a constant prediction and one gradient per sequence, "
        "every position masked in turn. The chance of a wrong sign is leading order in 1/n; the AR(1) form, "
        "in 1/L. Symbolic kappa, omega, rho, and symbolic L for the blind cases."
    ),
    formula=(
        r"n^{*} = \frac{z^{2}}{\mathrm{SNR}}, \quad \frac{n^{*}_{\mathrm{label}}}{n^{*}_{\mathrm{rec}}} = "
        r"\frac{1 + \omega}{\kappa^{2} (\kappa^{2} + \omega)}, \quad "
        r"\frac{1}{\omega} \approx \frac{L \rho^{2} (1 - \rho^{2})}{1 + 4 \rho^{2} - \rho^{4}}"
    ),
    checks=(
        symbolic("ratio of counts and its limits", c16_symbols.ratio_of_counts),
        symbolic("certificate: infinite in the blind cases, symbolic L", c16_symbols.blind_cases),
        symbolic("Bartlett's sum for AR(1), by residues", c16_symbols.bartlett_sum),
        autodiff("the ratio against the two counts", lambda key: ratio_gap(0.0, key)),
        autodiff("no length lifts a label above kappa^2", ceiling_excess, tolerance=0.0),
        autodiff(
            "the correction for AR(1) falls like 1/L", correction_order_gap, tolerance=ASYMPTOTIC_EXPONENT
        ),
        finite_difference("the slopes that are counted", difference_gap),
        simulation("share of wrong signs, both losses", lambda key: sampled_deviation(True, key)),
        counterexample("a head that is not balanced", lambda key: ratio_gap(0.1, key)),
        counterexample(
            "wrong signs where the classes agree",
            lambda key: sampled_deviation(False, key),
            tolerance=STANDARD_ERRORS,
        ),
    ),
)

"""C16, sample complexity. Counts exact in the signal; wrong signs to leading order in 1/n."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c07_contrast_law.claim import label_loss
from theory.claims.c16_sample_complexity import symbolic as c16_symbols
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
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, STANDARD_ERRORS
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import reconstruction_loss
from theory.statistics.class_contrast import (
    class_contrast,
    contrast_direction,
    label_signal,
    pair_moments,
    reconstruction_signal,
)
from theory.statistics.sample_complexity import markov_signal, sequences_needed, sequences_ratio, sign_error

LENGTH = 8
VALUE = 0.7
CIRCLE = 128  # frequencies: exact to rounding for correlations up to 0.7
LENGTHS = (64, 256)  # for the fitted order of the correction
RING = 7  # odd: the spectrum of a covariance comes in pairs
REPEATS, FEW = 50_000, 500
CLOSE, APART = (0.05, 0.12), (0.1, 0.6)  # correlations of two classes
COUNTS = (52, 24)  # sequences, for labels and reconstruction: the law's next order is below a standard error


def classes(correlations=CLOSE, length: int = LENGTH) -> Float[Array, "classes query key"]:
    """Covariances of two AR(1) classes."""
    return jnp.stack([circulant(markov_autocovariance(length, each)) for each in correlations])


def ratio_gap(imbalance: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """The ratio in closed form against that of the two counts, at z = 2 and 1, and the chance of a wrong sign there.

    And the signal of a Markov process against mean^2 over variance of its spectrum, taken on a fine circle.
    """
    ends = jax.random.uniform(key, (2,), minval=jnp.asarray([0.1, 0.5]), maxval=jnp.asarray([0.4, 0.8]))
    pair = class_contrast(contrast_direction(LENGTH, 1), classes(ends))
    label, other = label_signal(pair, imbalance), reconstruction_signal(pair)
    counts = sequences_needed(label, 2.0), 4 * sequences_needed(other)
    cosines = jnp.cos(2 * jnp.pi * jnp.arange(1.0 * CIRCLE) / CIRCLE)
    spectrum = (1 - ends[0] ** 2) / (1 - 2 * ends[0] * cosines + ends[0] ** 2)
    moments = (spectrum * cosines).mean(), 2 * (spectrum**2 * cosines**2).mean()
    long = relative_gap(markov_signal(LENGTH, ends[0]), LENGTH * moments[0] ** 2 / moments[1])
    wrong = relative_gap(sign_error(counts[0], label), 0.5 * jax.lax.erfc(jnp.sqrt(2.0)))  # at z = 2
    return jnp.stack([relative_gap(counts[0] / counts[1], sequences_ratio(pair)), long, wrong]).max()


def ceiling_excess(key: PRNGKeyArray) -> Float[Array, ""]:
    """How far the label's signal exceeds kappa^2, or reconstruction's 1/kappa^2, at any length."""
    pairs = [
        class_contrast(
            contrast_direction(length, 1),
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
        mean, variance = pair_moments(contrast_direction(length, 1), covariance)
        sizes.append(jnp.abs(mean**2 / variance / markov_signal(length, 0.6) - 1))
    return jnp.abs(jnp.log(sizes[0] / sizes[1]) / jnp.log(LENGTHS[1] / LENGTHS[0]) - 1)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """What is counted: one sequence's slope of both losses along D, against central differences."""
    ring, direction = jax.random.normal(key, (LENGTH,)), contrast_direction(LENGTH, 1)

    def losses(amounts):
        masked = reconstruction_loss(amounts[1] * direction, VALUE, jnp.outer(ring, ring))
        return label_loss(amounts[0] * direction, ring, 1.0) - masked

    logit = 1.3 * jnp.mean((ring + VALUE * ring.mean()) ** 2) / 2
    factors = jnp.stack([1.3 * (jax.nn.sigmoid(logit) - 1), 1 + VALUE / LENGTH])
    claimed = factors * VALUE / LENGTH**2 * (ring @ direction @ ring)
    return finite_difference_gap(losses, claimed, jnp.zeros(2), key=key)


def wrong_signs(
    key: PRNGKeyArray,
    covariances: Float[Array, "classes query key"],
    count: int,
    signs: tuple[float, float],
    repeats: int,
) -> Float[Array, " sample"]:
    """Whether the mean over `count` sequences of sign x^T D x, the sign that of its class, is below 0.

    The eigenvalues of D C are those of D times those of C: 0 at frequency 0, one for each pair of others. The squares
    of a pair of normals add up to an exponential, up to a factor, which no sign feels.
    """
    spectrum = lambda rows: jnp.fft.rfft(rows).real[:, 1:]
    weights = (
        spectrum(contrast_direction(RING, 1)[:1]) * spectrum(covariances[:, 0]) * jnp.asarray(signs)[:, None]
    )
    noise_key, label_key = jax.random.split(key)
    noise = jax.random.exponential(noise_key, (repeats, count, RING // 2), "float32")
    forms = noise @ weights.astype("float32").T
    second = jax.random.bernoulli(label_key, shape=(repeats, count))
    return (jnp.where(second, forms[..., 1], forms[..., 0]).sum(axis=1) < 0).astype(float)


def sampled_deviation(alike: bool, key: PRNGKeyArray) -> Float[Array, ""]:
    """The share of wrong signs against the law; with `alike`, of classes that agree after all."""
    direction, keys = contrast_direction(RING, 1), jax.random.split(key)
    close, apart = classes(CLOSE, RING), classes(APART, RING)
    label = label_signal(class_contrast(direction, apart))
    other = reconstruction_signal(class_contrast(direction, close))
    drawn, repeats = (classes((0.35, 0.35), RING), FEW) if alike else (apart, REPEATS)
    wrong = [wrong_signs(keys[0], drawn, COUNTS[0], (-1.0, 1.0), repeats)]
    wrong.append(wrong_signs(keys[1], close, COUNTS[1], (1.0, 1.0), repeats))
    expected = [sign_error(*each) for each in zip(COUNTS, (label, other), strict=True)]
    return standard_errors_off(jnp.stack(wrong, axis=1), jnp.stack(expected))


CLAIM = Claim(
    label="C16",
    title="Sample complexity",
    statement=(
        "The sign of a gradient along D is known at z standard errors after n* = z^2/SNR sequences. "
        "In the setting of the contrast law, n*(label)/n*(reconstruction) = (1 + omega)/(kappa^2 "
        "(kappa^2 + omega)) for a balanced head. Longer sequences do not help labels past kappa^2, "
        "and where they are blind the ratio is infinite."
    ),
    details=(
        "The sign of a gradient along D is known at z standard errors after n* = z^2/SNR sequences, and n "
        "sequences give the wrong one with chance Phi(-sqrt(n SNR)). In the setting of the contrast law, "
        "n*(label)/n*(reconstruction) = (1 + omega)/(kappa^2 (kappa^2 + omega)) for a balanced head. Longer "
        "sequences do not help labels past kappa^2 per sequence, while reconstruction gains up to 1/kappa^2: "
        "the ratio is (1 + omega)/(omega kappa^2) for close classes and tends to 1/kappa^4 for long ones, "
        "from below if |kappa| < 1 and from above if |kappa| > 1, where reconstruction pulls the classes "
        "apart in sign. It is infinite where labels are blind: classes that agree along D, no residual, or "
        "no bend. A head imbalance tau beyond kappa makes the label certain of the wrong sign. For a "
        "Gaussian AR(1) process 1/omega = L rho^2 (1 - rho^2)/(1 + 4 rho^2 - rho^4) to leading order in 1/L."
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
        simulation("share of wrong signs, both losses", lambda key: sampled_deviation(False, key)),
        counterexample("a head that is not balanced", lambda key: ratio_gap(0.1, key)),
        counterexample(
            "wrong signs where the classes agree",
            lambda key: sampled_deviation(True, key),
            tolerance=STANDARD_ERRORS,
        ),
    ),
)

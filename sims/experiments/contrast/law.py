"""The contrast law along lag 1, for two classes of AR(1) rings, rho = middle -+ contrast.   [C7, C16]"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import theory
from sims.runs.store import UserError


def require_contrast(config) -> None:
    """Raise `UserError` unless the more correlated class pulls more along lag 1, at every contrast but 0."""
    kappas = laws(config)["kappa"][1:]
    if not (kappas > 0).all():
        worst = config.contrasts[1 + int(np.argmin(kappas))]
        raise UserError(
            f"the class of larger rho must pull more along lag 1: at length={config.length}, "
            f"middle={config.middle}, contrast={worst} it pulls less; try middle={config.middle / 2}"
        )


def class_covariances(config, contrast: float) -> Float[Array, "classes query key"]:
    """C_0 and C_1, rho = middle -+ contrast."""
    ends = jnp.asarray([config.middle - contrast, config.middle + contrast])
    return jax.vmap(lambda rho: theory.circulant(theory.markov_autocovariance(config.length, rho)))(ends)


def laws(config) -> dict[str, np.ndarray]:
    """The contrast law at every contrast: kappa, signals, ratio of counts, chances of a wrong sign."""
    direction = theory.contrast_direction(config.length, 1)
    pairs = [theory.class_contrast(direction, class_covariances(config, each)) for each in config.contrasts]
    quantities: dict[str, Sequence] = {
        "kappa": [pair.kappa for pair in pairs],
        "label": [theory.label_signal(pair) for pair in pairs],
        "imbalanced": [theory.label_signal(pair, config.imbalance) for pair in pairs],
        "hidden": [theory.reconstruction_signal(pair) for pair in pairs],
        "sign": [np.sign(pair.kappa - config.imbalance) for pair in pairs],
        "ratio": [theory.sequences_ratio(pair) if pair.kappa > 0 else np.inf for pair in pairs],
    }
    for loss in ("label", "hidden"):
        quantities[f"{loss}_wrong"] = [
            [theory.sign_error(count, signal) for count in config.counts] for signal in quantities[loss]
        ]
    return {name: np.asarray(each, float) for name, each in quantities.items()}

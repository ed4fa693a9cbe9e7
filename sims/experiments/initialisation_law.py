"""How small maps W_Q, W_K hide the scores from each loss: gradient sizes over the maps' size.   [C13]

Label gradients of the maps by automatic differentiation of the label loss on one labelled batch, over
many independent initialisations; every size has initialisations of its own, so that the fitted
exponents carry the whole sampling error. Theory: the mean square over Gaussian maps, exact for k and L,
to leading order in the maps' size e.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

import theory
from sims.processes import ar1, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare_all
from sims.statistics.exponents import Fitted, exponent
from sims.toy_models.flows import shifted_task
from sims.toy_models.score_gradients import mean_label_loss, uniform_value

DESCRIPTION = "gradient sizes over the size of the query and key maps: exponents 3 and 1"
SECONDS = 8

CASES = {"label_centred": 3.0, "label_uncentred": 1.0, "reconstruction": 1.0}
HEAD = ((-2.0,), (2.0,))


@dataclasses.dataclass(frozen=True)
class Config:
    """Gradient sizes in the query map against the size of both maps."""

    length: int = 16
    """L, tokens per sequence."""
    frequencies: tuple[int, ...] = (1, 2, 3)
    """Whole periods of the encodings over the sequence; their width is twice as large."""
    features: int = 8
    """k, columns of each map."""
    shift: float = 0.1
    """Constant added to every position encoding in the uncentred case."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    label_shift: float = 0.3
    """Half the distance between the class means."""
    labelled: int = 64
    """Labelled sequences in the batch."""
    sizes: tuple[float, ...] = (0.003, 0.006, 0.012, 0.024, 0.048)
    """Standard deviations e of a map's entries, at least two."""
    seeds: int = 2000
    """Initialisations at each size."""

    def __post_init__(self) -> None:
        at_least(3, length=self.length)
        at_least(2, sizes=len(self.sizes), seeds=self.seeds)
        at_least(1, features=self.features, labelled=self.labelled)
        between(-1, 1, correlation=self.correlation)
        between(0, 1, smallest_size=min(self.sizes), largest_size=max(self.sizes))
        highest = (self.length - 1) // 2
        if len(set(self.frequencies)) != len(self.frequencies) or not self.frequencies:
            raise UserError(f"frequencies must be distinct: got {self.frequencies}; try 1 2 3")
        if not all(1 <= each <= highest for each in self.frequencies):
            raise UserError(
                f"frequencies must lie in 1 to (length - 1) // 2 = {highest}: got {self.frequencies}; try 1"
            )

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=8, frequencies=(1, 2), labelled=16, sizes=(0.01, 0.03), seeds=500)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts and exponents in the maps' size, by case."""

    inside: dict[str, BandVerdict]
    exponents: dict[str, Fitted]


class Setting:
    """The batch, the process and both kinds of encodings of a config."""

    def __init__(self, config: Config, *, key: PRNGKeyArray) -> None:
        self.autocovariance = ar1(config.length, config.correlation).autocovariance
        draw = jax.jit(shifted_task, static_argnums=(1, 2))
        power = spectrum(self.autocovariance)
        self.tokens, self.labels = draw(power, config.labelled, config.label_shift, key=key)
        self.centred = theory.ring_positions(config.length, config.frequencies)
        self.uncentred = self.centred + config.shift
        self.value = jax.jit(uniform_value)(self.autocovariance)


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Root mean squares by size of the maps, their exponents, and the theory's curves."""
    data_key, map_key = jax.random.split(key)
    setting, sizes = Setting(config, key=data_key), np.array(config.sizes)
    keys = jax.random.split(map_key, (len(sizes), config.seeds))
    squares = {name: np.asarray(array).T for name, array in measure(setting, config, keys).items()}
    if report:
        report(1, 1)
    predicted = predicted_squares(setting, config)
    verdicts, arrays = compare_all({name: (squares[name], predicted[name]) for name in CASES})
    exponents = {
        name: exponent(sizes**2, squares[name], predicted[name], limit) for name, limit in CASES.items()
    }
    arrays["sizes"] = sizes
    return Values(verdicts, exponents), arrays


def measure(
    setting: Setting, config: Config, keys: Key[Array, "size seed"]
) -> dict[str, Float[Array, "size seed"]]:
    """|dl/dW_Q|^2 of each case, for keys of shape (size, seed)."""
    return _measure(
        setting.tokens, setting.labels, setting.centred, setting.uncentred,
        setting.value, setting.autocovariance, jnp.asarray(config.sizes), keys, config,
    )  # fmt: skip


@functools.partial(jax.jit, static_argnames="config")
def _measure(
    tokens: Float[Array, "batch length channel"],
    labels: Int[Array, " batch"],
    centred: Float[Array, "length width"],
    uncentred: Float[Array, "length width"],
    value: Float[Array, ""],
    autocovariance: Float[Array, " lag"],
    sizes: Float[Array, " size"],
    keys: Key[Array, "size seed"],
    config: Config,
) -> dict[str, Float[Array, "size seed"]]:
    labelled = lambda scores: mean_label_loss(scores, tokens, jnp.asarray(HEAD), labels)
    hidden = lambda scores: theory.reconstruction_loss(scores, value, theory.circulant(autocovariance))
    shape = (2, centred.shape[1], config.features)

    def squared(loss: Callable, positions: Array, maps: Array) -> Float[Array, ""]:
        through = lambda query_map: loss(theory.position_scores(positions, query_map, maps[1]))
        return jnp.sum(jax.grad(through)(maps[0]) ** 2)

    def one(size: Float[Array, ""], key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
        maps = size * jax.random.normal(key, shape)
        return {
            "label_centred": squared(labelled, centred, maps),
            "label_uncentred": squared(labelled, uncentred, maps),
            "reconstruction": squared(hidden, centred, maps),
        }

    at_size = lambda pair: jax.lax.map(lambda key: one(pair[0], key), pair[1], batch_size=100)
    return jax.lax.map(at_size, (sizes, keys))


def predicted_squares(setting: Setting, config: Config) -> Arrays:
    """E |dl/dW_Q|^2 over Gaussian maps of size e, to leading order.   [C13]

    With s_j the mean over the batch of u^T V x_j at uniform attention, P^T P = (L/2) I, d columns of P:
    centred (1/(2 k L))^2 d e^6 k [(k + 1) |N|^2 + (tr N)^2], N = P^T diag(s - mean s) P;
    uncentred |P^T 1|^2 |P^T (s - mean s)|^2 e^2/L^4; reconstruction 2 e^2 sum_f m_f^2.
    """
    length, features, sizes = config.length, config.features, np.array(config.sizes)
    slope_of = jax.grad(lambda s: mean_label_loss(s, setting.tokens, jnp.asarray(HEAD), setting.labels))
    per_key = length**2 * np.asarray(jax.jit(slope_of)(jnp.zeros((length, length)))[0])  # s - mean s, by C2
    centred, uncentred = np.asarray(setting.centred), np.asarray(setting.uncentred)
    contrast = centred.T @ (per_key[:, None] * centred)
    moments = (features + 1) * np.sum(contrast**2) + np.trace(contrast) ** 2
    third = centred.shape[1] * features * moments / (2 * features * length) ** 2
    first = np.sum(uncentred.sum(axis=0) ** 2) * np.sum((uncentred.T @ per_key) ** 2) / length**4
    pull = np.asarray(theory.frequency_pull(setting.value, setting.autocovariance, config.frequencies))
    return {
        "label_centred": third * sizes**6,
        "label_uncentred": first * sizes**2,
        "reconstruction": 2 * np.sum(pull**2) * sizes**2,
    }

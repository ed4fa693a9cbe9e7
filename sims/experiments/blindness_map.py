"""Which architectures let labels see the scores: a map over residual, nonlinearity, pool and positions.

One layer at uniform attention, z = pool_i phi(r x_i + H_i + p_i), random maps, positions and head,
many models.
All cells are one model with switches, and all models of all cells the maps of one bias, so that
`theory.probe` compiles once. Theory: the visible share from each query's pulled-back head gradient.
[C1, C2, C5, C6, C15]
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.processes import ar1, sample, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL, BandVerdict, compare_all
from sims.statistics.intervals import Interval, mean_interval
from sims.toy_models.switched_layer import BENDS, POOLS, POSITIONS, RESIDUALS, Model, cells, random_models

DESCRIPTION = "visible share and label signal over residual, nonlinearity, pool and positions"
SECONDS = 21

_BLIND = 1e-12  # share of squared norm that is rounding


@dataclasses.dataclass(frozen=True)
class Config:
    """Visible share and label signal along proximity over the parts of a layer."""

    length: int = 12
    """L, tokens per sequence."""
    width: int = 4
    """Width of tokens, values and features."""
    correlation: float = 0.8
    """rho of the AR(1) process, each coordinate of a token its own sequence."""
    samples: int = 192
    """Labelled sequences per model, ordered against permuted."""
    models: int = 8
    """Random models per probe, each with its own sequences."""
    probes: int = 6
    """Number of probes: models x probes random models in all."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, models=self.models, samples=self.samples)
        at_least(1, width=self.width, probes=self.probes)
        between(-1, 1, correlation=self.correlation)

    @classmethod
    def smoke(cls) -> "Config":
        """The same map in seconds."""
        return cls(length=6, width=2, samples=24, models=8, probes=1)


@dataclasses.dataclass(frozen=True)
class Cell(Stored):
    """What labels see of one architecture."""

    cell: tuple[str, ...]
    """Residual, nonlinearity, pool, positions."""
    visible_share: Interval
    signal: Interval
    """Along proximity."""
    claimed_share: float | None
    """What the claims say without its numbers."""
    sees_proximity: bool


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """The map, cell by cell, and whether theory lies inside."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]
    cells: tuple[Cell, ...]


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """The map: visible share of the label's gradients and its signal along proximity, by cell."""
    samples: dict[str, list[np.ndarray]] = {}
    for one in reported(jax.random.split(key, config.probes), report):
        for name, array in probed(config, key=one).items():
            samples.setdefault(name, []).append(array)
    return summary(config, {name: np.concatenate(arrays) for name, arrays in samples.items()})


def probed(config: Config, *, key: PRNGKeyArray) -> Arrays:
    """Share and signal by model and cell, with the share that the theory gives."""
    model_key, data_key = jax.random.split(key)
    models, batch = random_models(config, key=model_key), labelled(config, key=data_key)
    bias = jnp.zeros((len(cells()), config.models, config.length, config.length))
    near = {"proximity": theory.lag_direction(config.length, 1, cyclic=True)}
    measured = theory.probe(label_loss, models, batch, bias=bias, directions=near, leading=0)
    energy = measured.sample_energy
    open_share = energy.doubly_centred / (energy.key_bias + energy.doubly_centred)
    signal = np.where(open_share > _BLIND, measured.along["proximity"].snr, 0.0)
    predicted = np.asarray(_predicted_share(models, batch))
    return {"share": energy.visible_share.T, "signal": signal.T, "share_predicted": predicted.T}


def label_loss(bias: Float[Array, "cell model query key"], models: Model, batch) -> Float[Array, ""]:
    """Sum over models of their mean cross-entropies: each map of the bias is one model's scores."""

    def one(scores, model, tokens, labels):
        logits = jax.vmap(lambda each: model.head @ model.pooled(scores, each))(tokens)
        return jnp.mean(jax.nn.softplus(logits) - labels * logits)

    over_models = jax.vmap(one, in_axes=(0, 0, 1, 1))
    return jnp.sum(jax.vmap(over_models, in_axes=(0, 0, None, None))(bias, models, *batch))


@jax.jit
def _predicted_share(models: Model, batch: tuple[Array, Array]) -> Float[Array, "cell model"]:
    """1 - sum_n |doubly centred part|^2 / sum_n |G_n|^2, from q_i = dl/dH_i at uniform attention.   [C6]"""

    def energies(model: Model, ring: Float[Array, "key width"], label: Float[Array, ""]) -> Array:
        entering = ring + model.position_switch[0] * model.positions
        mixed = theory.mixed(jnp.zeros((len(ring),) * 2), entering, model.value_map)

        def loss(written):
            logit = model.head @ model.read(written, entering)
            return jax.nn.softplus(logit) - label * logit

        pulled = jax.grad(loss)(mixed)
        parts = theory.uniform_score_gradient, theory.query_dependent_gradient
        return jnp.stack([jnp.sum(part(entering, model.value_map, pulled) ** 2) for part in parts])

    def one(model: Model, tokens: Array, labels: Array) -> Float[Array, ""]:
        whole, centred = jax.vmap(lambda ring, label: energies(model, ring, label))(tokens, labels).sum(
            axis=0
        )
        return 1 - centred / whole

    over_models = jax.vmap(one, in_axes=(0, 1, 1))
    return jax.vmap(over_models, in_axes=(0, None, None))(models, *batch)


def labelled(config: Config, *, key: PRNGKeyArray) -> tuple[Array, Array]:
    """Tokens (sample, model, key, width) and labels (sample, model): rings in order against permuted."""
    token_key, label_key, order_key = jax.random.split(key, 3)
    power = spectrum(ar1(config.length, config.correlation).autocovariance)
    count = config.samples * config.models
    rings = sample(power, count * config.width, key=token_key).reshape(count, config.width, config.length)
    shuffled = jax.vmap(lambda one, each: jax.random.permutation(each, one, axis=1))(
        rings, jax.random.split(order_key, count)
    )
    labels = jax.random.bernoulli(label_key, 0.5, (count,))
    tokens = jnp.where(labels[:, None, None], shuffled, rings).swapaxes(1, 2)
    shape = (config.samples, config.models)
    return tokens.reshape(*shape, *tokens.shape[1:]), labels.astype(tokens.dtype).reshape(shape)


def claimed_share(length: int) -> np.ndarray:
    """What the claims say of a cell without its numbers: 1, 1/L, or NaN where it depends on the model.

    [C2, C5, C6, C15]"""
    shares = []
    for residual, bend, pool, positions in cells():
        alike = residual == RESIDUALS[0] and positions != POSITIONS[2]  # every query's stream is the same
        blind = alike or (bend == BENDS[0] and pool == POOLS[0])
        shares.append(1 / length if pool == POOLS[1] else 1.0 if blind else np.nan)
    return np.array(shares)


def summary(config: Config, samples: Arrays) -> tuple[Values, Arrays]:
    """The map with intervals over models, and whether theory lies inside."""
    claimed = claimed_share(config.length)
    fixed = ~np.isnan(claimed)
    law = samples["share_predicted"]
    blind = claimed == 1
    verdicts, bands = compare_all(
        {
            "share": (samples["share"] - law + law.mean(axis=0), law.mean(axis=0)),
            "share_claimed": (samples["share"][:, fixed], claimed[fixed]),
            "signal_blind": (samples["signal"][:, blind], np.zeros(int(blind.sum()))),
        }
    )
    interval = lambda name, index: mean_interval(samples[name][:, index], LEVEL)
    mapped = tuple(
        Cell(
            cell,
            interval("share", index),
            interval("signal", index),
            float(claimed[index]) if fixed[index] else None,
            sees_proximity=(interval("signal", index).low or 0.0) > 0,
        )
        for index, cell in enumerate(cells())
    )
    return Values(verdicts, {}, mapped), bands | samples | {"claimed_share": np.where(fixed, claimed, -1.0)}

"""A trainable layer's plateau: its approach with attention frozen, its length once it is not.   [C19, C20]

A residual layer with tanh features on rings in order against the same bags permuted. Frozen at uniform
attention the head decays to 0 and the label's score gradient with it, while reconstruction's settles at
the law of C19. Released, everything trains from that point and small random scores; the length of the
plateau is predicted from the saddle of each seed's own set.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.bands import LEVEL, compare_all
from sims.escape_clocks import steps_until
from sims.exponents import fitted, slopes
from sims.intervals import mean_interval
from sims.limits import at_least, between
from sims.processes import ar1, permute_positions, sample, spectrum
from sims.residual_layer import Layer, draw_layer
from sims.store import UserError

Progress = Callable[[int, int], None] | None
Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Config:
    """Approach to the plateau and escape from it, over class contrast, scale and learning rate."""

    length: int = 8
    """L, tokens per sequence."""
    features: int = 8
    """Width of phi."""
    feature_scale: float = 3.0
    """Standard deviation of phi's random slopes."""
    value: float = -2.0
    """v of the label model; at -2 the mean token weighs no more than any other."""
    pairs: int = 48
    """Bags of a set; each gives an ordered and a permuted sequence."""
    correlations: tuple[float, ...] = (0.3, 0.5, 0.7)
    """rho of the ordered class: the dial of class contrast."""
    scales: tuple[float, ...] = (3e-3, 1e-2)
    """Standard deviation of scores at release."""
    learning_rates: tuple[float, ...] = (1.0, 2.0)
    """Of gradient descent on all parameters."""
    penalty: float = 1e-3
    """Ridge of the head."""
    size: float = 0.05
    """Root mean square of the scores that counts as having left."""
    loss_drop: float = 0.005
    """Fall of the label loss, in nats, that counts as the end of its plateau."""
    head_scale: float = 0.3
    """Standard deviation of the head that decays while attention is frozen."""
    moments: int = 9
    """Moments of the frozen phase, equal times apart."""
    frozen_time: float = 400.0
    """Length of the frozen phase, learning rate x steps."""
    seeds: int = 12
    """Independent layers, sets and starts."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, pairs=self.pairs, moments=self.moments)
        at_least(1, features=self.features, correlations=len(self.correlations))
        between(0, 1, size=self.size, loss_drop=self.loss_drop)
        for correlation in self.correlations:
            between(-1, 1, correlation=correlation)
        for rate in self.learning_rates:
            between(0, 4, learning_rate=rate)
        if not 0 < max(self.scales) < self.size / 2:
            raise UserError(
                f"scales must lie between 0 and half of size={self.size}: got {max(self.scales)}; "
                f"try {self.size / 5}"
            )

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(
            length=5, features=2, pairs=24, correlations=(0.6,), scales=(1e-2,), learning_rates=(2.0,),
            moments=4, seeds=8,
        )  # fmt: skip


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[dict[str, object], Arrays]:
    """Frozen phase and release at every correlation, each beside its law."""
    found: dict[str, list[np.ndarray]] = {}
    seeds = jax.random.split(key, config.seeds)
    for done, correlation in enumerate(config.correlations):
        power = spectrum(ar1(config.length, correlation).autocovariance)
        for name, array in _measured(power, config, seeds).items():
            found.setdefault(name, []).append(np.asarray(array))
        if report:
            report(done + 1, len(config.correlations))
    return summary(config, {name: np.stack(arrays, axis=1) for name, arrays in found.items()})


@functools.partial(jax.jit, static_argnames="config")
@functools.partial(jax.vmap, in_axes=(None, None, 0))
def _measured(power, config: Config, key: PRNGKeyArray) -> dict[str, Float[Array, "..."]]:
    layer_key, data_key, order_key, start_key, head_key = jax.random.split(key, 5)
    layer = draw_layer(config.features, config.feature_scale, key=layer_key)
    ordered = sample(power, config.pairs, key=data_key)
    tokens = jnp.concatenate([ordered, permute_positions(ordered, key=order_key)])
    labels = jnp.repeat(jnp.asarray([0.0, 1.0]), config.pairs)
    task = Task(config, layer, tokens, labels)
    noise = jax.random.normal(start_key, (config.length,) * 2)
    head = config.head_scale * jax.random.normal(head_key, (config.features + 1,)).at[-1].set(0.0)
    return released(task, noise) | frozen_labels(task, head) | frozen_reconstruction(task)


class Task:
    """One seed's set and layer, its label loss in head, scores and phi together, and its saddle."""

    def __init__(self, config: Config, layer: Layer, tokens: Array, labels: Array) -> None:
        self.config, self.layer, self.tokens, self.labels = config, layer, tokens, labels
        self.flat = jnp.zeros((config.length,) * 2)
        self.centre = self.pooled(self.flat, layer).mean(axis=0)
        pull = jax.vmap(jax.jacrev(self.pool), (None, None, 0))(self.flat, layer, tokens)
        chances = jnp.full(len(labels), 1 / len(labels))
        centred = self.pooled(self.flat, layer) - self.centre[None]
        self.saddle = theory.label_saddle(centred, pull, labels, chances, config.penalty)

    def pool(self, scores: Array, layer: Layer, ring: Float[Array, " key"]) -> Float[Array, " features"]:
        """z of a sequence."""
        return theory.pooled_features(scores, ring[:, None], jnp.full((1, 1), self.config.value), layer)

    def pooled(self, scores: Array, layer: Layer) -> Float[Array, "sample features"]:
        """z of every sequence."""
        return jax.vmap(self.pool, (None, None, 0))(scores, layer, self.tokens)

    def loss(self, head: Float[Array, " parameter"], scores: Array, layer: Layer) -> Float[Array, ""]:
        """Mean cross-entropy with the head's ridge; the head reads z - centre and 1."""
        logits = (self.pooled(scores, layer) - self.centre[None]) @ head[:-1] + head[-1]
        ridge = 0.5 * self.config.penalty * head[:-1] @ head[:-1]
        return jnp.mean(jax.nn.softplus(logits) - self.labels * logits) + ridge


def released(task: Task, noise: Float[Array, "query key"]) -> dict[str, Float[Array, "rate scale"]]:
    """Steps until scores, and until the loss, have left; all parameters train. With both predictions."""
    config, saddle = task.config, task.saddle
    steepest = jnp.linalg.eigh(saddle.hessian())[1][:, 0]
    gamma, count = saddle.rate(), config.features + 1
    gradient = jax.grad(task.loss, argnums=(0, 1, 2))
    start_loss = task.loss(jnp.zeros(count), task.flat, task.layer)

    def one(rate: Float[Array, ""], scale: Float[Array, ""]) -> Float[Array, " number"]:
        def step(state, _):
            return jax.tree.map(lambda old, slope: old - rate * slope, state, gradient(*state))

        along = lambda state: jnp.abs(steepest[:count] @ state[0] + steepest[count:] @ state[1].ravel())
        fallen = lambda state: jnp.maximum(start_loss - task.loss(*state), TINY)
        start = jnp.zeros(count), scale * noise, task.layer
        sizes = jnp.asarray(config.size * config.length), jnp.sqrt(2 * config.loss_drop / gamma)
        left = steps_until(step, along, start, sizes[0]).steps
        fell = steps_until(step, fallen, start, jnp.asarray(config.loss_drop)).steps
        predicted = [theory.escape_steps(along(start), size, gamma, rate) for size in sizes]
        return jnp.stack([left, predicted[0], fell, predicted[1]])

    rates, scales = jnp.asarray(config.learning_rates), jnp.asarray(config.scales)
    found = jax.lax.map(lambda rate: jax.lax.map(lambda scale: one(rate, scale), scales), rates)
    names = ("left", "left_predicted", "fell", "fell_predicted")
    return {name: found[..., place] for place, name in enumerate(names)} | {"rate": gamma}


TINY = 1e-300  # in place of a fall of 0, whose logarithm is asked for


def frozen_labels(task: Task, head: Float[Array, " parameter"]) -> dict[str, Float[Array, " time"]]:
    """|dl/dS| while the head decays at uniform attention, and |M^T (1 - eta K)^n w(0)|."""
    config, saddle = task.config, task.saddle
    slope = jax.grad(task.loss, argnums=(0, 1))
    gap = config.frozen_time / (config.moments - 1)
    steps = int(np.ceil(gap / 0.5))

    def stretch(head: Array, _: None) -> tuple[Array, Float[Array, ""]]:
        size = jnp.linalg.norm(slope(head, task.flat, task.layer)[1])
        step = lambda _, at: at - gap / steps * jax.grad(task.loss)(at, task.flat, task.layer)
        return jax.lax.fori_loop(0, steps, step, head), size

    measured = jax.lax.scan(stretch, head, None, length=config.moments)[1]
    values, vectors = jnp.linalg.eigh(saddle.curvature)
    numbers = jnp.arange(config.moments, dtype=float)
    decayed = (1 - gap / steps * values[None]) ** (steps * numbers[:, None])
    heads = (decayed * (vectors.T @ head)[None]) @ vectors.T
    predicted = jnp.linalg.norm(heads @ saddle.contrast.reshape(len(head), -1), axis=1)
    return {"frozen_label": measured, "frozen_label_predicted": predicted}


def frozen_reconstruction(task: Task) -> dict[str, Float[Array, "..."]]:
    """-dl/dS along lag 1 while the value is fitted from 0 on the ordered sequences, and by C19."""
    config = task.config
    ordered = task.tokens[: config.pairs]
    sampled = ordered.T @ ordered / config.pairs
    autocovariance = theory.circulant_kernel(sampled)  # rotations of the set: all that is left in the mean
    gap = config.frozen_time / (config.moments - 1)
    steps = int(np.ceil(gap / 0.5))
    slope = jax.grad(theory.reconstruction_loss, argnums=(0, 1))

    def stretch(value: Array, _: None) -> tuple[Array, Float[Array, ""]]:
        pull = -theory.circulant_kernel(slope(task.flat, value, sampled)[0])[1]
        step = lambda _, at: at - gap / steps * slope(task.flat, at, sampled)[1]
        return jax.lax.fori_loop(0, steps, step, value), pull

    measured = jax.lax.scan(stretch, jnp.zeros(()), None, length=config.moments)[1]
    flat = jnp.zeros(config.length)
    at_zero, at_one = (
        theory.reduced_value_gradient(flat, value, autocovariance) for value in (jnp.zeros(()), jnp.ones(()))
    )
    fading = (1 - gap / steps * (at_one - at_zero)) ** (steps * jnp.arange(config.moments, dtype=float))
    values = theory.fitted_value(autocovariance) * (1 - fading)
    pulls = jax.vmap(lambda value: theory.reconstruction_kernel_gradient(flat, value, autocovariance)[1])(
        values
    )
    settled = theory.fitted_value(autocovariance) / config.length**2
    settled *= theory.residual_covariance(autocovariance)[1]
    return {
        "frozen_hidden": measured,
        "frozen_hidden_predicted": -pulls / config.length,
        "settled": settled,
    }


def summary(config: Config, found: Arrays) -> tuple[dict[str, object], Arrays]:
    """Verdicts on both phases; measured plateau lengths against predicted ones over all settings."""
    seeds = config.seeds
    ratio = lambda name: (found[name] / found[f"{name}_predicted"]).reshape(seeds, -1)
    ones = np.ones(ratio("left").shape[1])
    decay = found["frozen_label"] / found["frozen_label_predicted"][:, :, :1]
    law = found["frozen_label_predicted"] / found["frozen_label_predicted"][:, :, :1]
    hidden = found["frozen_hidden"] - found["frozen_hidden_predicted"]
    hidden = hidden + found["frozen_hidden_predicted"].mean(axis=0)
    verdicts, bands = compare_all(
        {
            "left": (ratio("left"), ones),
            "frozen_hidden": (hidden, found["frozen_hidden_predicted"].mean(axis=0)),
        }
    )
    leading, more = compare_all(
        {"fell": (ratio("fell"), ones), "frozen_label": (decay - law + law.mean(axis=0), law.mean(axis=0))},
        exact=False,
    )
    lengths = lambda name: np.log(found[name]).reshape(seeds, -1)
    values: dict[str, object] = {
        "inside": verdicts | leading,
        "where_theory_leaves": WHERE_THEORY_LEAVES,
        "plateau_time": mean_interval(ratio("left").mean(axis=1), LEVEL).as_json(),
        "plateau_time_of_loss": mean_interval(ratio("fell").mean(axis=1), LEVEL).as_json(),
        "longest_over_shortest_plateau": float(found["fell"].max() / found["fell"].min()),
        "label_gradient_left": mean_interval(decay[:, :, -1].mean(axis=1), LEVEL).as_json(),
    }
    if ones.size > 1:
        over_settings = [
            slopes(law, each[None])[0]
            for law, each in zip(lengths("left_predicted"), lengths("left"), strict=True)
        ]
        values["log_log_slope"] = fitted(np.array(over_settings), 1.0)
    times = np.linspace(0, config.frozen_time, config.moments)
    return values, bands | more | found | {"times": times}


WHERE_THEORY_LEAVES = {
    "fell": "the law is that of the loss to second order, here carried to where the loss has fallen "
    "by loss_drop; other ways out than the steepest help",
    "frozen_label": "the law is first order in the head, which starts at head_scale",
}

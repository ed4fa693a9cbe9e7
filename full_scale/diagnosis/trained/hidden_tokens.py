"""How well a pretrained model fills in hidden tokens, beside frequencies and linear maps of the tokens around.

On held-out sequences, with the masks and the error of its own pretraining, the same masks for all.
"""

import dataclasses
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from full_scale.data.dataset import Dataset, Split
from full_scale.data.splits import capped, held_out
from full_scale.devices.precision import single_precision
from full_scale.diagnosis.trained.linear_baselines import Hidden, Judge, baseline_losses, by_sequence
from full_scale.model import Transformer
from full_scale.objectives.batch_loss import Data, Target, drawn_mask
from full_scale.objectives.losses import error_of, value_errors
from full_scale.objectives.phases import Phase
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval

UNITS = {"ce": "nats", "l1": "mean absolute error", "l2": "half the mean square"}
_HELD, _TRAIN, _TOKENS = 300, 1_000, 60_000
_AT_ONCE = 2**16  # tokens


@dataclasses.dataclass(frozen=True)
class HiddenLosses(Stored):
    """Mean loss of hidden tokens over held-out sequences."""

    unit: str
    model: Interval
    """The pretrained models, their mean."""
    baselines: dict[str, Interval]
    """frequencies; neighbours: a linear map of one token on each side; linear: of four."""
    saved: Interval
    """Loss of frequencies less the model's, paired by sequence."""
    savable: Interval
    """Loss of frequencies less that of the best linear map, paired."""

    @property
    def learned(self) -> bool:
        """Whether the models know anything beyond frequencies."""
        return (self.saved.low or 0.0) > 0

    @property
    def share(self) -> float:
        """What the models save over frequencies, in units of what the best linear map saves."""
        return (self.saved.estimate or 0.0) / max(self.savable.estimate or 0.0, 1e-12)

    @property
    def learnable(self) -> bool:
        """Whether a linear map of the tokens around does."""
        return (self.savable.low or 0.0) > 0


def hidden_losses(
    models: Sequence[Transformer], phase: Phase, dataset: Dataset, *, key: PRNGKeyArray
) -> HiddenLosses:
    """The losses of models that were pretrained by this phase.

    Parameters
    ----------
    models
        At the end of pretraining, one per seed.
    phase
        Its masks and its error are those that are used.
    dataset
        Baselines are fitted to its training part, all are judged on its other parts.
    key
        Draws what is hidden.
    """
    rows = max(20, _TOKENS // dataset.length)
    small = capped(dataset, min(_TRAIN, rows), None, 0)
    held = held_out(capped(dataset, 0, min(_HELD, rows) // 2, 0))
    first = models[0]
    judge: Judge = error_of(first, phase.masking.loss)  # type: ignore[assignment]
    keys = jax.random.split(key)
    parts = [_hidden(first, phase, each, of) for each, of in zip((small.train, held), keys, strict=True)]
    losses = baseline_losses(*parts, judge, phase.objective == "next_token")
    sites = np.nonzero(parts[1].hidden.any(axis=2))
    by_model = [
        by_sequence(_errors(each, phase, held, keys[1])[sites], parts[1].hidden, sites) for each in models
    ]
    losses["model"] = np.mean(by_model, axis=0)
    known = np.isfinite(losses["model"])
    return _compared({name: each[known] for name, each in losses.items()}, UNITS[judge])


def _compared(losses: dict[str, np.ndarray], unit: str) -> HiddenLosses:
    """Intervals over sequences."""
    model, frequencies = losses.pop("model"), losses["frequencies"]
    best = min((losses[name] for name in losses if name != "frequencies"), key=np.mean)
    return HiddenLosses(
        unit,
        mean_interval(model),
        {name: mean_interval(each) for name, each in losses.items()},
        mean_interval(frequencies - model),
        mean_interval(frequencies - best),
    )


def _hidden(model: Transformer, phase: Phase, split: Split, key: PRNGKeyArray) -> Hidden:
    """What is hidden of a part, and what a baseline may read of it."""
    with single_precision():
        data, inputs = Data.of(split), model.inputs
        keys = jax.random.split(key, len(split))
        masked = np.asarray(_masks(model, phase, data, keys))
        values = inputs.symbols is None
        tokens = jax.vmap(model.encoder.values)(data.tokens) if values else data.tokens  # type: ignore[union-attr]
        classes = np.asarray(split.tokens, int) if values and inputs.levels else None
    read = np.asarray(tokens, np.float64 if values else int)
    real = np.arange(_length(split)) < split.full_lengths()[:, None]
    hidden = np.broadcast_to(
        masked if masked.ndim == 3 else masked[..., None], (*real.shape, read.shape[2] if values else 1)
    )
    visible = real[..., None] & (np.ones_like(hidden) if phase.objective == "next_token" else ~hidden)
    named = classes if values else read
    judged = named if error_of(model, phase.masking.loss) == "ce" else None
    return Hidden(read, real, np.array(hidden), visible, judged, inputs.symbols or inputs.levels or 0)


def _length(split: Split) -> int:
    """Positions of the longest sequence."""
    return split.tokens.shape[1]


@eqx.filter_jit
def _masks(model: Transformer, phase: Phase, data: Data, keys: Array) -> Array:
    """What is hidden of every sequence; of the next-token objective all positions that follow another."""
    length = data.tokens.shape[1]

    def one(given: tuple[Data, Array]) -> Array:
        row, key = given
        if phase.objective == "next_token":
            position = jnp.arange(length, dtype=jnp.int32)
            return (position > 0) & (position < (length if row.lengths is None else row.lengths))
        return drawn_mask(model, Target.of(phase), length, row.lengths, key=key)

    return jax.lax.map(one, (data, keys))


def _errors(
    model: Transformer, phase: Phase, split: Split, key: PRNGKeyArray
) -> Float[np.ndarray, "n length channel"]:
    """The error at every position, or of every value; of the next-token objective at the token foretold."""
    with single_precision():
        data, keys = Data.of(split), jax.random.split(key, len(split))
        return np.asarray(_mapped_errors(model, phase, data, keys), float)


@eqx.filter_jit
def _mapped_errors(model: Transformer, phase: Phase, data: Data, keys: Array) -> Array:
    error, causal = error_of(model, phase.masking.loss), phase.objective == "next_token"
    masks = _masks(model, phase, data, keys)

    def one(given: tuple[Data, Array]) -> Array:
        row, masked = given
        output = model.token_logits(
            row.tokens, None if causal else masked, row.lengths, causal=causal or None
        )
        output = jnp.roll(output, 1, axis=0) if causal else output
        if error == "ce":
            labels = row.tokens.astype(jnp.int32)
            return optax.softmax_cross_entropy_with_integer_labels(output, labels)[:, None]
        return value_errors(model, output, row.tokens, error)

    chunk = max(1, _AT_ONCE // data.tokens.shape[1])
    return jax.lax.map(one, (data, masks), batch_size=chunk)

"""One initialisation's evidence: fits and score gradients at uniform attention, fits with a pattern.

Both losses are fitted on training sequences, with attention uniform and with attention kept to one pattern
for all sequences, which each loss learns for itself. Directions come from reconstruction's gradient on
training sequences, without labels; the rest is measured on sequences that nothing was fitted to.
[C16, C19, C20]
"""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.data.dataset import Dataset
from full_scale.data.splits import held_out
from full_scale.diagnosis import directions
from full_scale.diagnosis.directions import Matrices, Offsets
from full_scale.diagnosis.fits import FitConfig, label_logits, train_frozen
from full_scale.diagnosis.initialisation import Dominant, Evidence
from full_scale.diagnosis.pattern import attention_perplexity, pattern, weights
from full_scale.diagnosis.plateau import clocks
from full_scale.model import ModelConfig, Transformer
from full_scale.objectives.batch_loss import Data, Target
from full_scale.objectives.phases import Phase
from full_scale.probes.factored_gradients import FactoredGradients, score_gradients
from sims.runs.errors import UserError
from theory.label_blindness.centring import doubly_centred
from theory.label_blindness.subspaces import visible_share
from theory.probes.signal import joint_snr, standard_score

_MOST_FLOATS = 2**24  # of each factor of the gradients held at once: 64 MB
MAX_PROBED_SEQUENCES = 1024  # sequences whose gradients are taken, at most
LOSSES = {"label": "labels", "reconstruction": "reconstruction"}
READ = 64  # sequences whose mean the pattern reads
STEPS_OF = 5  # fits per initialisation
Values = dict[str, float | tuple | str | dict | Dominant | np.ndarray]
"""Measurements by name, as far as they are taken."""
Report = Callable[[int], None]


@dataclasses.dataclass(frozen=True)
class Parts:
    """The sequences that an initialisation is fitted to and measured on."""

    train: Data
    held_out: Data
    probed_train: Data
    probed: Data
    read: Data

    @classmethod
    def of(cls, dataset: Dataset, model: ModelConfig) -> "Parts":
        """Held out: validation and test together."""
        train, held = Data.of(dataset.train), Data.of(held_out(dataset))
        most = max(
            16, min(MAX_PROBED_SEQUENCES, _MOST_FLOATS // (model.layers * dataset.length * model.width))
        )
        return cls(train, held, some(train, most), some(held, most), some(train, READ))


def some(data: Data, most: int) -> Data:
    """At most so many sequences, always the same random ones."""
    rows = np.random.default_rng(0).permutation(len(data.labels))[:most]
    return data.rows(jnp.asarray(np.sort(rows)))


def measurements(
    dataset: Dataset,
    model: ModelConfig,
    fit: FitConfig,
    seed: int,
    report: Report = lambda steps: None,
) -> tuple[Evidence, dict[str, np.ndarray]]:
    """What one initialisation says: numbers, and the matrices that pictures are drawn from."""
    parts = Parts.of(dataset, model)
    fresh, fit_key, probe_key = jax.random.split(jax.random.key(seed), 3)
    start = eqx.filter_jit(Transformer)(model, dataset.inputs, key=fresh)
    rates: dict[str, float] = {}

    def learn(name: str, loss: str, scores: jax.Array | None = None, read: Data | None = None) -> Transformer:
        trained, rates[name] = train_frozen(
            name,
            start,
            target(loss, model.causal),
            parts.train,
            fit,
            scores,
            read,
            key=fit_key,
            report=report,
        )
        return trained

    models = {loss: learn(f"{loss}, attention uniform", loss) for loss in LOSSES}
    values, looked, gradients = probed(models, parts, dataset, seed, key=probe_key)
    values |= answered("uniform", models["label"], parts, None)
    unfolded = {loss: learn(f"{loss}, attention its own pattern", loss, read=parts.read) for loss in LOSSES}
    scores = {loss: eqx.filter_jit(pattern)(each, parts.read) for loss, each in unfolded.items()}
    attention = {loss: eqx.filter_jit(weights)(each, parts.read) for loss, each in unfolded.items()}
    values |= answered("own", unfolded["label"], parts, scores["label"])
    last = learn("label, attention reconstruction's pattern", "label", scores["reconstruction"])
    values |= answered("pattern", last, parts, scores["reconstruction"])
    values |= {
        f"keys_read_{loss}": attention_perplexity(np.asarray(each)) for loss, each in attention.items()
    }
    right = {name: np.asarray(values.pop(name)) for name in list(values) if name.startswith("right_")}
    values["learning_rates"] = rates
    require_finite(values)
    return Evidence(**values), pictures(gradients, looked, attention) | right


def probed(
    models: dict[str, Transformer], parts: Parts, dataset: Dataset, seed: int, *, key: PRNGKeyArray
) -> tuple[Values, dict[str, Matrices], dict[str, FactoredGradients]]:
    """Score gradients at uniform attention: numbers, the directions looked along, and the gradients."""
    causal = models["label"].config.causal
    gradients = {
        loss: score_gradients(each, loss == "label", parts.probed, key=key) for loss, each in models.items()
    }
    whole = doubly_centred(
        -score_gradients(models["reconstruction"], False, parts.probed_train, key=key).mean(), causal
    )
    own, how = directions.position_projection(whole, models["reconstruction"])
    own = doubly_centred(own, causal)
    chance = directions.random_like(whole, models["reconstruction"], seed)
    looked = {"top": directions.unit(whole), "expressible": directions.unit(own), "random": chance}
    offsets = directions.offsets(dataset.inputs, whole.shape[-1], causal)
    values: Values = {"positions": how, "sequences_probed": len(parts.probed.labels)}
    for loss, factored in gradients.items():
        values |= {f"{name}_{loss}": value for name, value in measured(factored, looked, offsets).items()}
    values |= clocks(models["label"], gradients, parts.probed, looked["expressible"])
    summed = looked["expressible"].sum(axis=1)
    values["dominant"] = directions.dominant_offset(summed[0], dataset.inputs)
    return values, looked, gradients


def require_finite(values: Values) -> None:
    """Raise UserError that names the number that is none; a plateau may last for ever."""
    for name, value in values.items():
        inside = vars(value) if isinstance(value, Dominant) else value
        leaves = [leaf for leaf in jax.tree.leaves(inside) if isinstance(leaf, int | float | np.floating)]
        if name != "plateau_time" and not np.isfinite(leaves).all():
            raise UserError(
                f"expected finite numbers: got {leaves} for {name}; look for extreme values in the data, "
                "or try a lower --config.learning-rate"
            )


def target(loss: str, causal: bool) -> Target:
    """The loss as a training target; what a causal model reconstructs is the next token.   [C18]"""
    objective = "next_token" if causal and loss == "reconstruction" else LOSSES[loss]
    return Target.of(Phase(objective, steps=1))  # type: ignore[arg-type]


def measured(gradients: FactoredGradients, looked: dict[str, Matrices], offsets: Offsets) -> Values:
    """Signed standard scores and per-fit SNRs along every direction, and the key-bias share of the energy.

    The share is 0 without energy. A score is mean over standard deviation of the descent along the direction,
    summed over heads of the first layer for offsets and over all layers and heads for matrices.
    """
    by_offset = -offsets.along(gradients)
    along = {name: -np.asarray(gradients.along_each(jnp.asarray(each))) for name, each in looked.items()}
    snr = lambda samples: float(joint_snr(np.asarray(samples, np.float64)))
    share = visible_share(gradients.key_bias_energy().sum(), np.asarray(gradients.energy()).sum())
    return {
        "score_by_offset": tuple(score(column[:, 0].sum(axis=-1)) for column in by_offset.swapaxes(0, 1)),
        "snr_by_offset": tuple(snr(column[:, 0]) for column in by_offset.swapaxes(0, 1)),
        "score": {name: score(samples.sum(axis=(1, 2))) for name, samples in along.items()},
        "snr": {name: snr(samples) for name, samples in along.items()},
        "visible_share": float(np.nan_to_num(share)),
    }


def score(samples: np.ndarray) -> float:
    """mean / standard deviation of one number per sequence; 0 where it does not vary."""
    return float(standard_score(np.asarray(samples, np.float64)))


def answered(name: str, model: Transformer, parts: Parts, scores: jax.Array | None) -> Values:
    """Accuracy on training and held-out sequences, held-out loss in nats, which rows are answered rightly."""
    values: Values = {}
    for part, data in (("train", parts.probed_train), ("held_out", parts.held_out)):
        logits = label_logits(model, data, scores)
        right = np.asarray(logits.argmax(axis=1) == data.labels)
        values[f"accuracy_{name}_{part}"] = float(right.mean())
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), data.labels[:, None], axis=1)
    return values | {f"loss_{name}_held_out": float(-chosen.mean()), f"right_{name}": right}


def pictures(
    gradients: dict[str, FactoredGradients], looked: dict[str, Matrices], patterns: dict[str, jax.Array]
) -> dict[str, np.ndarray]:
    """The first layer's mean descents, the expressible part, and the patterns that both losses learn."""
    return {
        **{
            f"descent_{loss}": -np.asarray(factored.mean())[0].sum(axis=0)
            for loss, factored in gradients.items()
        },
        "expressible": looked["expressible"][0].sum(axis=0),
        **{f"attention_{loss}": np.asarray(each)[0].mean(axis=0) for loss, each in patterns.items()},
    }

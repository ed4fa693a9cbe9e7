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

from full_scale.dataset import PARTS, Dataset
from full_scale.diagnosis import directions
from full_scale.diagnosis.directions import Matrices, Offsets
from full_scale.diagnosis.fits import FitConfig, fitted, label_logits
from full_scale.diagnosis.pattern import keys_read, pattern
from full_scale.diagnosis.plateau import clocks
from full_scale.diagnosis.pulls import Pulls, pulls, snr
from full_scale.diagnosis.reach import centred
from full_scale.model import ModelConfig, Transformer
from full_scale.training.objectives import Data, Target
from full_scale.training.phases import Phase

MOST_FLOATS = 2**24  # of each factor of the gradients held at once: 64 MB
PROBED = 1024  # sequences whose gradients are taken, at most
LOSSES = {"label": "labels", "reconstruction": "reconstruction"}
READ = 64  # sequences whose mean the pattern reads
STEPS_OF = 5  # fits per initialisation
Values = dict[str, float | list[float] | list[list[float]] | str | dict]
Tell = Callable[[int], None]


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
        train, *others = (Data.of(getattr(dataset, part)) for part in PARTS)
        if any(part.lengths is None for part in others):
            others = [part._replace(lengths=None) for part in others]
        held = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *others)
        most = max(16, min(PROBED, MOST_FLOATS // (model.layers * dataset.length * model.width)))
        return cls(train, held, some(train, most), some(held, most), some(train, READ))


def some(data: Data, most: int) -> Data:
    """At most so many sequences, always the same random ones."""
    rows = np.random.default_rng(0).permutation(len(data.labels))[:most]
    return data.rows(jnp.asarray(np.sort(rows)))


def evidence(
    dataset: Dataset,
    model: ModelConfig,
    fit: FitConfig,
    seed: int,
    tell: Tell = lambda steps: None,
) -> tuple[Values, dict[str, np.ndarray]]:
    """What one initialisation says: numbers, and the matrices that pictures are drawn from."""
    parts = Parts.of(dataset, model)
    fresh, fit_key, probe_key = jax.random.split(jax.random.key(seed), 3)
    start = eqx.filter_jit(Transformer)(model, dataset.inputs, key=fresh)
    learn = lambda loss, kernels=None, read=None: fitted(
        start, target(loss, model.causal), parts.train, fit, kernels, read, key=fit_key, report=tell
    )
    models = {loss: learn(loss) for loss in LOSSES}
    found = {loss: pulls(each, loss == "label", parts.probed, key=probe_key) for loss, each in models.items()}
    whole = -pulls(models["reconstruction"], False, parts.probed_train, key=probe_key).mean()
    whole = centred(whole, model.causal)
    own, how = directions.expressible(whole, models["reconstruction"])
    own = centred(own, model.causal)
    chance = directions.random_like(whole, models["reconstruction"], seed)
    looked = {"top": directions.unit(whole), "expressible": directions.unit(own), "random": chance}
    seen = directions.offsets(dataset.inputs, whole.shape[-1], model.causal)
    values: Values = {"positions": how, "sequences_probed": len(parts.probed.labels)}
    for loss, pull in found.items():
        values |= {f"{name}_{loss}": value for name, value in measured(pull, looked, seen).items()}
    values |= clocks(models["label"], found, parts.probed, looked["expressible"])
    values |= accuracies("uniform", models["label"], parts, None)
    unfolded = {loss: learn(loss, read=parts.read) for loss in LOSSES}
    patterns = {loss: eqx.filter_jit(pattern)(each, parts.read) for loss, each in unfolded.items()}
    values |= accuracies("own", unfolded["label"], parts, patterns["label"])
    kernels = patterns["reconstruction"]
    values |= accuracies("pattern", learn("label", kernels), parts, kernels)
    values |= {f"keys_read_{loss}": keys_read(np.asarray(each)) for loss, each in patterns.items()}
    summed = looked["expressible"].sum(axis=1)
    values["dominant"] = directions.dominant_offset(summed[0], dataset.inputs)
    return values, pictures(found, looked, patterns)


def target(loss: str, causal: bool) -> Target:
    """The loss as a training target; what a causal model reconstructs is the next token.   [C18]"""
    objective = "next_token" if causal and loss == "reconstruction" else LOSSES[loss]
    return Target.of(Phase(objective, steps=1))  # type: ignore[arg-type]


def measured(pull: Pulls, looked: dict[str, Matrices], seen: Offsets) -> Values:
    """Signed standard scores and per-fit SNRs along every direction, and the key-bias share of the energy.

    A score is mean over standard deviation of the descent along the direction, summed over heads of the
    first layer for offsets and over all layers and heads for matrices.
    """
    by_offset = -seen.along(pull)
    along = {name: -np.asarray(pull.along_each(jnp.asarray(each))) for name, each in looked.items()}
    share = pull.key_bias_energy().sum() / max(float(pull.energy().sum()), 1e-30)
    return {
        "score_by_offset": [score(column[:, 0].sum(axis=-1)) for column in by_offset.swapaxes(0, 1)],
        "snr_by_offset": [snr(column[:, 0]) for column in by_offset.swapaxes(0, 1)],
        "score": {name: score(samples.sum(axis=(1, 2))) for name, samples in along.items()},
        "snr": {name: snr(samples) for name, samples in along.items()},
        "visible_share": float(share),
    }


def score(samples: np.ndarray) -> float:
    """mean / standard deviation of one number per sequence; 0 where it does not vary."""
    deviation = float(np.std(samples, ddof=1, dtype=np.float64))
    return float(np.mean(samples, dtype=np.float64)) / deviation if deviation > 0 else 0.0


def accuracies(name: str, model: Transformer, parts: Parts, kernels: jax.Array | None) -> Values:
    """Accuracy on training and held-out sequences, and held-out loss in nats."""
    found: Values = {}
    for part, data in (("train", parts.probed_train), ("held_out", parts.held_out)):
        logits = label_logits(model, data, kernels)
        found[f"accuracy_{name}_{part}"] = float((logits.argmax(axis=1) == data.labels).mean())
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), data.labels[:, None], axis=1)
    return found | {f"loss_{name}_held_out": float(-chosen.mean())}


def pictures(
    found: dict[str, Pulls], looked: dict[str, Matrices], patterns: dict[str, jax.Array]
) -> dict[str, np.ndarray]:
    """The first layer's mean descents, the expressible part, and the patterns that both losses learn."""
    return {
        **{f"descent_{loss}": -np.asarray(pull.mean())[0].sum(axis=0) for loss, pull in found.items()},
        "expressible": looked["expressible"][0].sum(axis=0),
        **{f"attention_{loss}": np.asarray(each)[0].mean(axis=0) for loss, each in patterns.items()},
    }

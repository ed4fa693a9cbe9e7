"""What a run costs: floating-point operations, steps, sequences and parameters, from its config alone.

Exact count of the multiply-adds of matrix products, two operations each; norms, softmax, positions and the
optimiser are left out (each O(L d) per token), and so is recomputation in a backward pass.
"""

import dataclasses

import equinox as eqx
import jax

from full_scale.data.dataset import Inputs
from full_scale.model import ModelConfig, Transformer, part_of
from full_scale.model.parts import selected
from full_scale.objectives.phases import Phase
from full_scale.training.trial_config import TrialConfig


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a run, or one of its phases, costs: steps, sequences, floating-point operations."""

    steps: int = 0
    """Optimiser steps."""
    sequences: int = 0
    """Sequences seen, repeats counted; a pair counts once."""
    forward: float = 0.0
    """Operations of the forward passes."""
    backward: float = 0.0
    """Operations of the backward passes."""

    def __add__(self, other: "Cost") -> "Cost":
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Cost(*(one + two for one, two in pairs))

    @property
    def total(self) -> float:
        """Operations of the forward and the backward passes together."""
        return self.forward + self.backward

    def as_json(self) -> dict[str, float | int]:
        """{"steps", "sequences", "forward_flops", "backward_flops", "flops"}."""
        return {
            "steps": self.steps,
            "sequences": self.sequences,
            "forward_flops": self.forward,
            "backward_flops": self.backward,
            "flops": self.total,
        }


def _by_part(model: ModelConfig, inputs: Inputs, phase: Phase) -> dict[tuple[str, int | None], float]:
    """Forward operations of one sequence through the encoder, by part and layer; scores, mixing: "attention".

    Per layer, L positions of width d: queries and keys 4 L d^2, values and output 4 L d^2, scores and mixing
    4 L^2 d (also where causal: half of them are thrown away), MLP 4 L d h. Uniform attention needs no scores.
    """
    length, width = inputs.length + (model.pool == "cls"), model.width
    uniform = phase.frozen_uniform
    operations: dict[tuple[str, int | None], float] = {}
    if inputs.symbols is None:
        operations["embeddings", None] = 2.0 * length * (inputs.channels + 1) * width
    for layer in range(model.layers):
        operations["qk", layer] = 0.0 if uniform else 4.0 * length * width**2
        operations["vo", layer] = 4.0 * length * width**2
        operations["attention", layer] = 0.0 if uniform else 4.0 * length**2 * width
        operations["mlp", layer] = 4.0 * length * width * model.hidden if model.mlp else 0.0
    return operations


def heads(model: ModelConfig, inputs: Inputs) -> dict[str, float]:
    """Forward operations of the label head, of a pair once, and of the token head at every position."""
    features = model.width * (4 if inputs.pair else 1)
    linear = 2.0 * features * inputs.classes
    two_layers = 2.0 * model.width * (features + inputs.classes)
    levels = inputs.levels is not None and model.intensities == "levels"
    outputs = inputs.levels if levels else inputs.symbols or inputs.channels
    return {
        "head": linear if model.head == "linear" else two_layers,
        "token_head": 2.0 * inputs.length * model.width * (outputs or 1),
    }


def cost(config: TrialConfig, inputs: Inputs, phase: Phase) -> Cost:
    """A phase's: a backward pass is the forward's gradient in the inputs, and in what is trained its own."""
    losses = ["token_head"] * bool(phase.unlabelled) + ["head"] * (phase.objective in ("labels", "both"))
    each, frozen = 2.0 if inputs.pair else 1.0, selected(phase.freeze, config.model.layers)
    encoder = _by_part(config.model, inputs, phase)
    forward = backward = 0.0
    for loss in losses:
        one = {part: each * value for part, value in encoder.items()}
        one[loss, None] = heads(config.model, inputs)[loss] * (each if loss == "token_head" else 1)
        forward += sum(one.values())
        untrained = lambda part: (part[0], None) in frozen or part in frozen
        backward += sum(value if untrained(part) else 2 * value for part, value in one.items())
    sequences = phase.steps * (phase.batch or config.batch)
    return Cost(phase.steps, sequences, forward * sequences, backward * sequences)


def total(config: TrialConfig, inputs: Inputs) -> Cost:
    """A run's, over its phases; what it shares with other runs is counted for each."""
    return sum((cost(config, inputs, phase) for phase in config.phases), Cost())


def parameters(model: ModelConfig, inputs: Inputs) -> dict[str, int]:
    """Number of parameters of each part, and of all; nothing is allocated."""
    shapes = eqx.filter_eval_shape(Transformer, model, inputs, key=jax.random.key(0))
    counts: dict[str, int] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(
        eqx.filter(shapes, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))
    ):
        part = part_of(path)[0]
        counts[part] = counts.get(part, 0) + leaf.size
    return {**counts, "all": sum(counts.values())}

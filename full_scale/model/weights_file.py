"""A model as two files in a folder, `model.safetensors` and `config.json`, which other programs read, too.

A tensor's name is its path in the `Transformer`, blocks.0.attention.query.weight for one; all are float32.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from full_scale.data.dataset import Inputs
from full_scale.model.config import ModelConfig
from full_scale.model.transformer import Transformer
from sims.runs.provenance import canonical
from sims.runs.store import UserError, write_atomic

WEIGHTS, CONFIG = "model.safetensors", "config.json"
FORMAT = "sptlab encoder 1"
_HEADER = {"format": "pt"}  # as Hugging Face's files have it
_Kind = TypeVar("_Kind")
Tensors = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Weights:
    """A model apart from JAX: its shape, what its tokens and labels are, and every parameter by name."""

    config: ModelConfig
    inputs: Inputs
    tensors: Tensors
    about: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """Where it comes from: run, data, accuracy, commit."""

    def transformer(self) -> Transformer:
        """The model with these parameters. Raises UserError where a parameter is missing or of another shape."""
        shapes = _shapes(self.config, self.inputs)
        expected = {name_of(path): leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(shapes)}
        actual = {name: tensor.shape for name, tensor in self.tensors.items()}
        for name in sorted(expected.keys() | actual.keys()):
            if expected.get(name) != actual.get(name):
                raise UserError(
                    f"expected parameter {name} of shape {expected.get(name, 'none')}: got "
                    f"{actual.get(name, 'none')}; export the model again"
                )
        fill = lambda path, _: jnp.asarray(self.tensors[name_of(path)], jnp.float32)
        return jax.tree_util.tree_map_with_path(fill, shapes)

    def write(self, folder: Path) -> None:
        """Store both files. Raises StoreError where the folder cannot be written."""
        content = {"format": FORMAT, "model": self.config, "inputs": self.inputs, **self.about}
        write_atomic(folder / WEIGHTS, save(self.tensors, _HEADER))
        write_atomic(folder / CONFIG, canonical(content).encode())


def _shapes(config: ModelConfig, inputs: Inputs) -> Transformer:
    """The model of these settings; shapes stand for its parameters, and nothing is allocated."""
    return eqx.filter_eval_shape(Transformer, config, inputs, key=jax.random.key(0))


def name_of(path: jax.tree_util.KeyPath) -> str:
    """A parameter's name: its path, steps joined by dots."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def tensors_of(model: Transformer) -> Tensors:
    """Every parameter by name."""
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(model, eqx.is_array))
    return {name_of(path): np.asarray(leaf, np.float32) for path, leaf in leaves}


def names(config: ModelConfig, inputs: Inputs) -> list[str]:
    """The parameters' names in the order of the model's leaves."""
    return [name_of(path) for path, _ in jax.tree_util.tree_leaves_with_path(_shapes(config, inputs))]


def read(folder: Path) -> Weights:
    """The model that a folder holds. Raises UserError where there is none, or it is damaged."""
    remedy = "make it with: sptlab export RUN --out FOLDER"
    try:
        content = json.loads((folder / CONFIG).read_bytes())
        tensors = load((folder / WEIGHTS).read_bytes())
    except OSError as error:
        raise UserError(
            f"expected {CONFIG} and {WEIGHTS} in {folder}: {error.strerror or error}; {remedy}"
        ) from error
    except (ValueError, SafetensorError) as error:
        raise UserError(f"expected a whole model in {folder}, found a damaged one; {remedy}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"expected a {CONFIG} of format {FORMAT} in {folder}: got another; {remedy}")
    about = {name: value for name, value in content.items() if name not in ("format", "model", "inputs")}
    return Weights(
        settings(ModelConfig, content.get("model")), settings(Inputs, content.get("inputs")), tensors, about
    )


def settings(kind: type[_Kind], content: Any) -> _Kind:
    """A frozen dataclass from what JSON holds of it. Raises UserError for what it does not know."""
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if not isinstance(content, dict) or not content.keys() <= known:
        wrong = ", ".join(sorted(content.keys() - known)) if isinstance(content, dict) else "none"
        raise UserError(
            f"expected settings of {kind.__name__}: got {wrong}; export with this version of sptlab"
        )
    return kind(**{name: tuple(each) if isinstance(each, list) else each for name, each in content.items()})

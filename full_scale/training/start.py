"""A run that begins with another's model: the parts that are taken, and whether they fit these data."""

import dataclasses
from pathlib import Path

import equinox as eqx

from full_scale.data.dataset import Inputs
from full_scale.model import PARTS, ModelConfig, Transformer, assemble
from full_scale.model.parts import selected
from full_scale.model.weights_file import WEIGHTS, read
from sims.runs.store import UserError

TAKEN = tuple(part for part in PARTS if part not in ("head", "token_head"))
"""Both heads belong to the data that they were trained on."""


@dataclasses.dataclass(frozen=True)
class Start:
    """The model that a run begins with."""

    file: Path
    """The file of weights; what it holds decides the run, not where it lies."""
    parts: tuple[str, ...] = TAKEN
    """What is taken from it; the rest is drawn anew."""

    @classmethod
    def of(cls, folder: Path, parts: tuple[str, ...] = TAKEN) -> "Start":
        """The model that `sptlab export` wrote into a folder."""
        return cls(folder / WEIGHTS, parts)

    @property
    def folder(self) -> Path:
        """Where the model lies."""
        return self.file.parent

    @property
    def config(self) -> ModelConfig:
        """The shape of its encoder. Raises UserError where there is no model."""
        return read(self.folder).config

    def begun(self, fresh: Transformer) -> Transformer:
        """`fresh` with the parts that are taken.

        Raises
        ------
        UserError
            Where the model's tokens or learned positions do not fit those of `fresh`, with what to leave out.
        """
        weights = read(self.folder)
        chosen = {part for part, _ in selected(self.parts, len(fresh.blocks))}
        if "embeddings" in chosen and _kind(weights.inputs) != _kind(fresh.inputs):
            raise self._unfit(f"{_kind(weights.inputs)}", f"{_kind(fresh.inputs)}", "embeddings")
        source = weights.transformer()
        if "positions" in chosen and source.positions is not None and fresh.positions is not None:
            known, needed = (len(table) - source.front for table in (source.positions, fresh.positions))
            if known < needed:
                kind = f"at most {known} tokens (positions {fresh.config.positions})"
                raise self._unfit(kind, f"{needed} tokens", "positions")
            rows = source.positions[: len(fresh.positions)]
            source = eqx.tree_at(lambda model: model.positions, source, rows)
        return assemble(fresh, source, self.parts)

    def _unfit(self, expected: str, actual: str, part: str) -> UserError:
        """What does not fit, and how to do without."""
        rest = " ".join(each for each in self.parts if each != part)
        return UserError(
            f"expected {expected}, as the model in {self.folder} reads: got {actual}; give data of that kind, "
            f"or draw {part} anew: --start-parts {rest}"
        )


def _kind(inputs: Inputs) -> str:
    """What the encoder's shape follows from, in words."""
    if inputs.symbols is not None:
        return f"tokens of {inputs.symbols} symbols"
    return f"values of {inputs.channels} channel" + "s" * (inputs.channels != 1)

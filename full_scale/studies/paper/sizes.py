"""The four tasks of the paper at sizes that a CPU bears, in tiers; masks and losses are Amos et al.'s.

Reduced: images are averaged over blocks; Pathfinder has smaller windows, read in squares of pixels as one token
each (nothing of the image is lost, and its reconstruction is judged by squared error instead of grey levels);
ListOps and IMDB are cut short. Encoders have one or two layers of width 32 or 64 instead of 3 to 6 of 64 to 512.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from full_scale.model import ModelConfig
from full_scale.objectives.masking import Masking
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.studies.presets.preset import Preset, Stage
from full_scale.tasks import TASKS
from full_scale.tasks.generated_task import GeneratedTask
from full_scale.tasks.task import Task

Tier = Literal[1, 2, 3]
TaskName = Literal["image", "pathfinder", "listops", "text"]
_HELD_OUT = 2_000  # validation and test sequences each, at most
_WARMUP = 0.2  # of every phase: labels alone need it
EVERY = 150  # steps between evaluations


def stored_as(task: str, size: str) -> str:
    """Task and size as files and arrays name them."""
    return f"{task}-{size}".replace(",", "").replace(" ", "-")


@dataclasses.dataclass(frozen=True)
class Size:
    """One task at one size."""

    task: TaskName
    label: str
    """The size as tables name it."""
    settings: Mapping[str, object]
    """Of the task."""
    model: ModelConfig
    masking: Masking
    steps: int
    """Optimiser steps of a run, two thirds of them pretraining where there is some."""
    batch: int
    generated: int = 0
    """Sequences that are made, of a task that has a generator."""

    def with_labels(self, number: int) -> "Size":
        """The size with about so many labelled training sequences; pretraining reads all of them."""
        settings = dict(self.settings, labelled_most=number)
        return dataclasses.replace(self, label=f"{self.label}, {number:,} labels", settings=settings)

    @property
    def name(self) -> str:
        """Task and size."""
        return f"{self.task} {self.label}"

    @property
    def stored_as(self) -> str:
        """Task and size as files name it."""
        return stored_as(self.task, self.label)

    def data(self, files: Mapping[str, Path | None], made: Path) -> Task:
        """The task's config; what is generated lies in a folder of `made`."""
        settings = dict(self.settings, held_out_most=_HELD_OUT)
        kind = TASKS[self.task]
        if self.generated:
            return dataclasses.replace(kind(**settings), data=self.folder(made))
        return kind(**settings, data=files[self.task])

    def folder(self, made: Path) -> Path:
        """Where a generated set lies."""
        task: GeneratedTask = TASKS[self.task](**self.settings)  # type: ignore[assignment]
        return task.generated(made)

    def preset(self) -> Preset:
        """Model, phases and masks; learning rates are tuned."""
        stage = Stage(OptimizerConfig(3e-3, _WARMUP), self.batch, steps=self.steps)
        return Preset(
            self.task,
            self.model,
            pretraining=stage,
            labels=stage,
            masking=self.masking,
            every=EVERY,
            settings=self.settings,
            description=f"{self.name}: {self.model.layers} layers of width {self.model.width}",
        )


_ONE, _TWO = ModelConfig(1, 32, 4, 64), ModelConfig(2, 64, 4, 128)


def _image(side: int, model: ModelConfig, steps: int, batch: int) -> Size:
    encoder = dataclasses.replace(model, head="mlp", intensities="values")
    return Size("image", f"{side}x{side}", {"side": side}, encoder, Masking(0.5, "l1"), steps, batch)


def _pathfinder(window: int, contour: int, model: ModelConfig, steps: int, batch: int, number: int) -> Size:
    settings = {"window": window, "contour_length": contour, "patch": 2}
    return Size("pathfinder", f"{window} px", settings, model, Masking(0.5, "l2"), steps, batch, number)


def _listops(
    variant: str, longest: int, model: ModelConfig, steps: int, batch: int, number: int = 19_000
) -> Size:
    settings = {"variant": variant}
    return Size("listops", f"{longest}", settings, model, Masking(0.10), steps, batch, number)


def _text(length: int, model: ModelConfig, steps: int, batch: int) -> Size:
    encoder = dataclasses.replace(model, head="mlp")
    return Size("text", f"{length}", {"length": length}, encoder, Masking(0.15), steps, batch)


TIERS: dict[int, tuple[Size, ...]] = {
    1: (
        _image(8, _ONE, 900, 32),
        _listops("tiny", 64, _ONE, 900, 32),
        _text(128, _ONE, 900, 32),
        _pathfinder(16, 4, _ONE, 900, 32, 20_000),
    ),
    2: (
        _image(16, _TWO, 900, 32),
        _listops("small", 128, _TWO, 900, 32),
        _text(256, _TWO, 900, 32),
        _pathfinder(24, 6, _TWO, 900, 32, 20_000),
    ),
    3: (
        _image(32, _TWO, 1_500, 32),
        _listops("medium", 512, _TWO, 1_500, 32),
        _text(1024, _TWO, 1_500, 32),
        _pathfinder(32, 14, _TWO, 1_500, 32, 20_000),
    ),
}
"""By tier: the smallest sizes, the next, and those nearest the paper's."""
_TOY = ModelConfig(1, 8, 2, 16)
SMOKE = tuple(
    dataclasses.replace(size, label=f"{size.label}, toy")
    for size in (_listops("tiny", 64, _TOY, 300, 8, 400), _pathfinder(16, 4, _TOY, 300, 8, 400))
)
SECONDS: dict[int, float] = {1: 2_900.0, 2: 30_000.0, 3: 530_000.0}
"""Of all tasks and arms of a tier on the reference machine: 1.6, 17 and 290 CPU hours. The first from the CPU time of
its runs on 8x8 images, 1e10 floating-point operations a second all included; the others assume 1.5e10 and 1.2e10."""

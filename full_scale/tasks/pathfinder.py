"""Task `pathfinder`: do two discs lie on the same long contour? Pixel by pixel (Long Range Arena).

Source: generated here (`sptlab data prepare pathfinder`) after Linsley et al. 2018, or the images of LRA's
release (MIT generator). Canonical: 200,000 images of 32 x 32, the hard set (contours of 14 paddles), length
1,024, 2 classes; 128 x 128 is Path-X, length 16,384. Split of LRA: 80/10/10 in the order of the files. Raw
0..255; the model sees (grey - 127.5) / 127.5 (Amos et al. 2024).
"""

import dataclasses
from pathlib import Path
from typing import ClassVar, Literal

from full_scale.data.dataset import Dataset
from full_scale.data.generators import pathfinder as generator
from full_scale.data.labelled import Labelled
from full_scale.data.pixels import image_dataset, in_patches, joined
from full_scale.data.prepared import Parts
from full_scale.data.readers import facts
from full_scale.data.readers.facts import Fact
from full_scale.data.splits import in_order
from full_scale.tasks.file_task import FOLDER
from full_scale.tasks.generated_task import GeneratedTask, is_generated
from sims.runs.store import UserError

SCALE = (127.5, 127.5)
HELD_OUT = 0.1
HARD = 14


@dataclasses.dataclass(frozen=True)
class Pathfinder(GeneratedTask):
    """Do two discs lie on one contour?"""

    window: Literal[16, 24, 32, 64, 128, 256] = 32
    """Pixels on a side; 128 is Path-X."""
    contour_length: Literal[4, 6, 9, 14] = 14
    """Paddles of the long contours: easy (6), intermediate, hard; at most 4 in 16 pixels, 6 in 24."""
    patch: int = 1
    """Pixels on a side of a token: above 1 a token holds the values of a square of pixels, nothing is lost."""
    name: ClassVar[str] = "pathfinder"
    sharded_generator: ClassVar = generator.SHARDED_GENERATOR
    number: ClassVar[int] = 200_000
    expects: ClassVar[str] = "pathfinder32/curv_contour_length_14 of the Long Range Arena release"
    licence: ClassVar[str] = "generated, after Linsley et al. 2018 (MIT)"
    shape: ClassVar[str] = "length 1024, 2 classes, 160,000 + 20,000 + 20,000"

    def __post_init__(self) -> None:
        super().__post_init__()
        longest = generator.PRESETS[self.window].contour_length
        if self.contour_length > longest:
            raise UserError(
                f"expected contours of at most {longest} paddles in {self.window} pixels: got "
                f"{self.contour_length}; try contour_length={longest}"
            )
        if self.patch < 1 or self.window % self.patch:
            raise UserError(f"patch must divide the window {self.window}: got {self.patch}; try patch=2")

    def file(self, folder: Path = FOLDER) -> Path:
        """The prepared file, one per window and length."""
        length = "" if self.contour_length == HARD else f"-{self.contour_length}"
        return folder / f"{self.name}{self.window}{length}.npz"

    def settings(self) -> generator.PathfinderSettings:
        """What makes the images."""
        return dataclasses.replace(generator.PRESETS[self.window], contour_length=self.contour_length)

    @classmethod
    def read(cls, path: Path) -> Parts:
        """A generated set, or a folder of LRA's release."""
        if is_generated(path):
            images, labels, _ = generator.load(path)
            return {"all": Labelled(images, labels.astype("int32"), ("apart", "joined"))}
        from full_scale.data.readers.pathfinder_release import read_pathfinder

        return read_pathfinder(path)

    @classmethod
    def facts(cls, parts: Parts) -> list[Fact]:
        """What is known of the released images."""
        return facts.pathfinder_facts(parts)

    def build(self, parts: Parts, source: str) -> Dataset:
        """Grey pixels in row order."""
        images, labels = joined(*parts.values())
        held_out = round(HELD_OUT * len(labels))
        rows = in_order(len(labels), held_out, held_out, self.name)
        known = dict(side=None, scale=SCALE, classes=2)
        return in_patches(image_dataset(self.name, images, labels, rows, source, **known), self.patch)

"""Every parameter of a Pathfinder set; the defaults are Long Range Arena's Pathfinder32, hard.

Windows of 16 and 24 pixels are of this project, for processors without a GPU: the same paddles and discs a
little smaller, contours of at most 4 and 6 paddles, as many as such a window holds without many tries.

Values of the other presets: the docstrings of Long Range Arena's builders; what those leave out (padding and seed
distance at 256, paddle length above 32) is the default of the generator they name (Linsley et al. 2018).
"""

import dataclasses
from typing import Literal

from sims.runs.store import UserError


@dataclasses.dataclass(frozen=True)
class PathfinderSettings:
    """Images of two long contours among short ones; label 1: the two discs lie on one contour."""

    window: int = 32
    """Pixels on a side."""
    contour_length: int = 14
    """Paddles of each of the two long contours: 6 easy, 9 intermediate, 14 hard."""
    distractors: int | None = None
    """Short contours; None: `distractor_budget` // `distractor_length`. A wrapper that sets the number once,
    at length 6, keeps 10 at every length: which one made the released sets is not known."""
    distractor_budget: int = 20
    """Paddles in all short contours together, about."""
    padding: int = 1
    """Pixels along the border that count as occupied."""
    seed_distance: int = 7
    """Pixels between the starts of the two long contours; the first keeps twice that from the border."""
    marker_radius: float = 1.5
    """Of the discs, in pixels."""
    paddle_length: int = 2
    """Pixels."""
    paddle_thickness: float = 0.5
    """Pixels; times `antialias` it must be whole."""
    margins: tuple[int, ...] = (1,)
    """Pixels that paddles keep from each other; one is drawn for each image."""
    continuity: float = 1.0
    """A turn by t is drawn with weight max(cos(min(continuity t, pi/2)), 0)^2."""
    snake_contrast: float = 2.0
    """Brightness of short contours; discs have 1."""
    paddle_contrast: float = 0.75
    """Long contours have `paddle_contrast` x `snake_contrast`."""
    antialias: int = 2
    """Lines and discs are drawn this much larger and reduced by Lanczos."""
    paddle_retries: int = 2
    """Further draws of a paddle that would touch another one."""
    distractor_retries: int = 4
    """Further tries at a short contour before it is left out."""
    byte_scaling: Literal["image", "clip"] = "image"
    """image: each image's minimum..maximum becomes 0..255, as in the released sets. clip: 0..1 does."""

    def __post_init__(self) -> None:
        for name in ("window", "contour_length", "padding", "paddle_length", "antialias", "seed_distance"):
            if getattr(self, name) < 1:
                raise UserError(
                    f"expected {name} of at least 1, got {getattr(self, name)}; give a larger one"
                )
        if not self.margins or min(self.margins) < 1:
            raise UserError(f"expected margins of at least 1, got {self.margins}; give for example (1,)")
        if (self.paddle_thickness * self.antialias) % 1:
            raise UserError(
                f"expected paddle_thickness x antialias to be whole, got {self.paddle_thickness} x "
                f"{self.antialias}; try paddle_thickness={1 / self.antialias}"
            )
        if self.window <= 4 * self.seed_distance:
            raise UserError(
                f"expected a window above 4 x seed_distance, got {self.window} and {self.seed_distance}; "
                f"try seed_distance={(self.window - 1) // 4}"
            )
        if self.seed_distance < (least := max(self.paddle_length, max(self.margins) + 1) + 1):
            raise UserError(  # so that no first paddle leaves the window, and none is drawn again for that
                f"expected seed_distance of at least {least} for these paddles, got {self.seed_distance}"
            )

    @property
    def distractor_length(self) -> int:
        """Paddles of each short contour."""
        return max(1, self.contour_length // 3)

    @property
    def distractor_number(self) -> int:
        """Short contours tried."""
        given = self.distractors
        return self.distractor_budget // self.distractor_length if given is None else given


_LARGE = PathfinderSettings(
    window=64, seed_distance=12, marker_radius=2.5, paddle_length=5, paddle_thickness=1.0,
    continuity=1.8, distractor_budget=22, snake_contrast=0.8, paddle_contrast=1.0,
)  # fmt: skip
PRESETS: dict[int, PathfinderSettings] = {
    16: PathfinderSettings(
        window=16, contour_length=4, seed_distance=3, marker_radius=1.0, distractor_budget=4
    ),
    24: PathfinderSettings(
        window=24, contour_length=6, seed_distance=5, marker_radius=1.5, distractor_budget=10
    ),
    32: PathfinderSettings(),
    64: _LARGE,
    128: dataclasses.replace(
        _LARGE, window=128, margins=(2, 3), seed_distance=20, marker_radius=3.0, paddle_thickness=1.5,
        distractor_budget=35, snake_contrast=0.9,
    ),
    256: dataclasses.replace(
        _LARGE, window=256, padding=22, margins=(3,), seed_distance=27, marker_radius=5.0,
        paddle_thickness=2.0, distractor_budget=30, snake_contrast=1.0,
    ),
}  # fmt: skip
"""By window: 16 and 24 for small processors; Pathfinder32, 64, 128 (Path-X) and 256 at the hard length."""

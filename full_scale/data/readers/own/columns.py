"""What the user may say about the columns of a file, its encoding and its missing values."""

import dataclasses
from typing import Literal, get_args

from sims.runs.errors import UserError

Fill = Literal["no", "linear", "mean", "zero"]
Axes = Literal["auto", "steps", "channels"]
Unlabelled = Literal["refuse", "pretrain"]


@dataclasses.dataclass(frozen=True)
class Columns:
    """Which column or array holds what; None means that the reader looks for a usual name."""

    label: str | None = None
    """The classes."""
    text: str | None = None
    """The texts, or the sequences where a column holds lists."""
    group: str | None = None
    """Whatever belongs together: a subject, a recording, a document."""
    encoding: str = "utf-8"
    """How bytes become text."""
    fill: Fill = "no"
    """How missing numbers are filled."""
    axes: Axes = "auto"
    """What comes first after the sequences in a float array of three axes."""
    unlabelled: Unlabelled = "refuse"
    """What becomes of rows whose label is missing: an error, or only pretraining reads them."""

    @property
    def keep_unlabelled(self) -> bool:
        """Whether a label may be missing."""
        return self.unlabelled == "pretrain"

    def __post_init__(self) -> None:
        if self.fill not in get_args(Fill):
            raise UserError(f"--fill must be one of {', '.join(get_args(Fill))}: got {self.fill}")
        if self.unlabelled not in get_args(Unlabelled):
            raise UserError(
                f"--unlabelled must be one of {', '.join(get_args(Unlabelled))}: got {self.unlabelled}"
            )
        try:
            b"a".decode(self.encoding)
        except (LookupError, UnicodeDecodeError, ValueError) as error:
            raise UserError(
                f"--encoding must be a text encoding that Python knows: got {self.encoding!r}; "
                "try utf-8, latin-1, cp1252 or utf-16"
            ) from error


DEFAULT = Columns()
LABELS = ("label", "labels", "y", "target", "targets", "class", "category", "sentiment", "output")
TEXTS = (
    "text",
    "texts",
    "sentence",
    "sequence",
    "seq",
    "content",
    "x",
    "tokens",
    "input_ids",
    "input",
    "data",
)
GROUPS = (
    "group",
    "groups",
    "subject",
    "subject_id",
    "patient",
    "patient_id",
    "recording",
    "session",
    "speaker",
)
INDICES = ("", "index", "idx", "id", "row", "rowid", "row_id", "row_number", "unnamed: 0", "level_0")


def chosen(names: list[str], wanted: str | None, usual: tuple[str, ...]) -> str | None:
    """The column of the name asked for, or the first usual one there is, without regard to capitals."""
    exact = [name for name in names if name == wanted]
    if wanted is not None:
        near = exact or [name for name in names if name.strip().lower() == wanted.strip().lower()]
        return near[0] if len(near) == 1 else None
    plain = [name.strip().lower() for name in names]
    return next((names[plain.index(name)] for name in usual if plain.count(name) == 1), None)

"""What the user may say about the columns of a file, its encoding and its missing values."""

import dataclasses
import re
from collections import Counter
from typing import Literal, get_args

from full_scale.data.findings import Finding
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
            "a".encode(self.encoding).decode(self.encoding)
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
    "speaker_id",
    "user",
    "user_id",
    "subjectid",
    "participant",
    "participant_id",
    "recording_id",
    "session_id",
    "document_id",
)
MASK = "attention_mask"
INDICES = ("", "index", "idx", "id", "row", "rowid", "row_id", "row_number", "unnamed: 0", "level_0")


def chosen(names: list[str], wanted: str | None, usual: tuple[str, ...]) -> str | None:
    """The column of the name asked for, or the first usual one there is, without regard to capitals."""
    exact = [name for name in names if name == wanted]
    if wanted is not None:
        near = exact or [name for name in names if name.strip().lower() == wanted.strip().lower()]
        return near[0] if len(near) == 1 else None
    plain = [name.strip().lower() for name in names]
    return next((names[plain.index(name)] for name in usual if plain.count(name) == 1), None)


def odd_columns(names: list[str]) -> tuple[Finding, ...]:
    """Columns read as positions beside numbered ones, such as age among t0, t1, ..., or names without numbers."""
    stem_of = {
        name: re.sub(r"[\s_.\-]*[0-9]+$", "", name.strip()) for name in names if re.search(r"[0-9]$", name)
    }
    stem, count = Counter(stem_of.values()).most_common(1)[0] if stem_of else ("", 0)
    odd = [name for name in names if stem_of.get(name) != stem]
    listed = ", ".join(name.strip() or "one without a name" for name in odd[:6]) + ", ..." * (len(odd) > 6)
    if count >= 4 and 2 * count > len(names) and odd:
        words = f"beside the columns {stem}1, {stem}2, ... these were read as positions, too: {listed}"
        remedy = "remove them if they are no part of the sequence, or say what belongs together by --group"
        return (Finding("odd-columns", "warn", words, remedy),)
    if 2 * count <= len(names):
        return (
            Finding("named-columns", "pass", f"the columns {listed} were read as a sequence in this order"),
        )
    return ()

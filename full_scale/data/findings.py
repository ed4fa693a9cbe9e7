"""What was noticed about a data set while it was read, divided and looked at, in plain sentences."""

import dataclasses
from typing import Literal

Status = Literal["pass", "warn", "fail"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that the user should know about the data."""

    code: str
    """A short name that stays the same, for programs."""
    status: Status
    """pass: it was taken care of; warn: look at it; fail: an answer would mean nothing until it is mended."""
    sentence: str
    """What was found, in a sentence."""
    remedy: str = ""
    """What to do about it."""

    @property
    def line(self) -> str:
        """Status (a note where nothing is to be done), sentence and remedy in one line."""
        status = "note" if self.status == "pass" else self.status
        return f"{status}: {self.sentence}" + (f"; {self.remedy}" if self.remedy else "")

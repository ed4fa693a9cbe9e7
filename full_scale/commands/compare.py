"""`sptlab compare`."""

import dataclasses
from typing import ClassVar, Literal

from sims.commands.command import Storing
from sims.commands.names import require


@dataclasses.dataclass(frozen=True)
class Compare(Storing):
    """Set each prediction beside the toy and the Transformer, from the results in --out and those shipped."""

    task: str | None = None
    """Only this task, for example docs-order."""
    layer: int | None = None
    """By layer and head, only this layer; counted from 0."""
    head: int | None = None
    """By layer and head, only this head."""
    format: Literal["text", "csv", "json", "latex"] = "text"
    """text to read here; csv; json; latex for a paper that loads booktabs."""
    line: ClassVar[str] = "compare"

    def __call__(self) -> int:
        from full_scale.comparison import stage, tables
        from sims import store

        results = store.load_all(self.results)
        with store.lock(self.out):
            values = stage.compared(self.session, results).values
        if self.task:
            require(self.task, sorted({row["task"] for row in values["by_task"]}), "task")  # type: ignore[attr-defined]
        print(tables.rendered(values, self.format, tables.Filter(self.task, self.layer, self.head)))
        return 0

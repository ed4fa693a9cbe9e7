"""`sptlab compare`."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import tyro

from sims.cli.command import Storing
from sims.cli.names import require
from sims.runs.errors import UserError

if TYPE_CHECKING:
    import full_scale.comparison.rows


@dataclasses.dataclass(frozen=True)
class Compare(Storing):
    """Compare predictions with simulations and Transformers: results in --out and of the repository."""

    of: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="[TASK]")] = ""
    """Only this task, for example docs-order; default: all."""
    task: str | None = None
    """Only this task, as an option."""
    layer: int | None = None
    """By layer and head, only this layer; counted from 0."""
    head: int | None = None
    """By layer and head, only this head; counted from 0."""
    format: Literal["text", "csv", "json", "latex"] = "text"
    """text for the terminal; csv; json; latex for a paper that loads booktabs."""
    line: ClassVar[str] = "compare"

    def refuse(self) -> None:
        """Raise UserError for results that are not where --out says, and for two different tasks."""
        super().refuse()
        self.require_results()
        if self.of and self.task and self.of != self.task:
            raise UserError(f"expected one task: got {self.of} and --task {self.task}; leave out one")

    def __call__(self) -> int:
        from full_scale.comparison import tables

        values = self.compared()
        for axis, named in (("layer", self.layer), ("head", self.head)):
            known = sorted({getattr(row, axis) for row in values.by_head} - {None})
            if named is not None and named not in known:
                there = f"expected one of {', '.join(map(str, known))}" if known else "none is stored"
                raise UserError(f"unknown {axis} {named} ({there})")
        task = self.of or self.task
        if task:
            task = require(task, sorted({row.task for row in values.by_task}), "task")
        print(tables.rendered(values, self.format, tables.Filter(task, self.layer, self.head)))
        return 0

    def compared(self) -> "full_scale.comparison.rows.Values":
        """The comparison; stored beside the results where there are some."""
        from full_scale.comparison import compare
        from full_scale.stored import with_shipped
        from sims.runs import store

        results = store.load_all(self.results)
        if not results:
            every = with_shipped({}, self.out)
            self.say_what_is_there(results, every)
            return compare.run(every)[0]
        with store.lock(self.out):
            return compare.Values.from_json(compare.compared(self.session, results).values)

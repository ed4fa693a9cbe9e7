"""The tasks by name: a frozen config each, and `load` builds its data."""

from full_scale.tasks.digits import Digits
from full_scale.tasks.order import DocsOrder
from full_scale.tasks.task import Task, load

TASKS: dict[str, type[Task]] = {kind.name: kind for kind in (DocsOrder, Digits)}

__all__ = ["TASKS", "Digits", "DocsOrder", "Task", "load"]

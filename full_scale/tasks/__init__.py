"""One module per task; a new file here that defines a `Task` with a name is a new task.

`TASKS` reads this folder when it is first used: a task's module can be imported without all the others.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from full_scale.tasks.task import Task, load


class _Tasks(Mapping[str, type[Task]]):
    """The tasks by name, in the order of the names."""

    def __getitem__(self, name: str) -> type[Task]:
        """The frozen config of this task. Raises KeyError for an unknown name."""
        return self._kinds()[name]

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(self._kinds())

    def __len__(self) -> int:
        """How many tasks there are."""
        return len(self._kinds())

    def _kinds(self) -> dict[str, type[Task]]:
        """Every named task that a module of this folder defines; modules are imported once, by Python."""
        modules = [
            importlib.import_module(f"{__name__}.{name}") for _, name, _ in pkgutil.iter_modules(__path__)
        ]
        kinds = [
            kind
            for module in modules
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, Task) and kind.__module__ == module.__name__
        ]
        named = {kind.name: kind for kind in kinds if "name" in vars(kind)}
        return dict(sorted(named.items()))


TASKS: Mapping[str, type[Task]] = _Tasks()

__all__ = ["TASKS", "Task", "load"]

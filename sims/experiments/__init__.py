"""One module or package per `sptlab simulate NAME`; a new file here is a new experiment.

Each exports `Config`, a frozen dataclass whose fields are the command's flags; `run(config, *, key, report)`;
`Values`, what it returns beside arrays, and how a stored result is read; `DESCRIPTION`, one line; and `SECONDS`,
how long it takes on two cores.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Experiment(NamedTuple):
    """A frozen config whose fields are the command's flags, and run(config, *, key, report)."""

    Config: type
    run: Callable[..., tuple[object, dict[str, np.ndarray]]]
    description: str
    seconds: float
    """On two cores, compilation included."""


_MODULES = {
    name: importlib.import_module(f"{__name__}.{name}") for _, name, _ in pkgutil.iter_modules(__path__)
}
EXPERIMENTS = {
    name: Experiment(each.Config, each.run, each.DESCRIPTION, each.SECONDS) for name, each in _MODULES.items()
}
"""By the name under which the result is stored, which is the file's."""

__all__ = ["EXPERIMENTS", "Experiment"]

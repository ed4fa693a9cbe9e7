"""How a run says how far it is, and the arrays that it returns beside its values."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

Progress = Callable[[int, int], None] | None
"""report(done, total), or None where nobody listens."""
Arrays = dict[str, np.ndarray]
"""Arrays by the name under which they are stored."""
_Item = TypeVar("_Item")


def reported(items: Iterable[_Item], report: Progress) -> Iterator[_Item]:
    """The items, each reported as done once what is made of it is made."""
    every = list(items)
    for done, item in enumerate(every, 1):
        yield item
        if report:
            report(done, len(every))

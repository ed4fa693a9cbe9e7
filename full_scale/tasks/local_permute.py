"""Task `local-permute`: letters in their order, or permuted within blocks: how far does order reach?

The task `order` with a dial. Canonical length 64, blocks of 8; sources and split as in `order`.
"""

import dataclasses
from typing import ClassVar

from full_scale.tasks.order import Order
from sims.tasks.order import require_blocks


@dataclasses.dataclass(frozen=True)
class LocalPermute(Order):
    """Order, permuted within blocks of neighbouring letters only."""

    radius: int = 8
    """Letters per block that is permuted, a divisor of the length from 2 on; at the length it is `order`."""
    name: ClassVar[str] = "local-permute"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_blocks(self.length, self.radius)

    @property
    def moved_within(self) -> int:
        """Letters per block that is permuted."""
        return self.radius

"""What a config asks of its numbers: one line when it is not met."""

from sims.runs.errors import UserError


def at_least(least: int, **numbers: int) -> None:
    """Raise `UserError` naming the first number below `least`."""
    for name, number in numbers.items():
        if number < least:
            raise UserError(f"{name} must be at least {least}: got {number}; try {least}")


def between(low: int, high: int, **numbers: float) -> None:
    """Raise `UserError` naming the first number outside the open interval."""
    for name, number in numbers.items():
        if not low < number < high:
            middle = (low + high) / 2
            raise UserError(f"{name} must lie between {low} and {high}: got {number}; try {middle}")

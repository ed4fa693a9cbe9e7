"""What a config asks of its numbers: one line when it is not met."""

from collections.abc import Sequence

from sims.runs.errors import UserError


def at_least(least: int, **numbers: int | Sequence[int]) -> None:
    """Raise `UserError` naming the first number below `least`, alone or in a sequence."""
    for name, given in numbers.items():
        for number in given if isinstance(given, Sequence) else (given,):
            if number < least:
                raise UserError(f"{name} must be at least {least}: got {number}; try {least}")


def positive(example: float, **numbers: float | Sequence[float]) -> None:
    """Raise `UserError` naming the first number that is not above 0, alone or in a sequence."""
    for name, given in numbers.items():
        for number in given if isinstance(given, Sequence) else (given,):
            if not number > 0:
                raise UserError(f"{name} must be positive: got {number}; try {example}")


def between(low: int, high: int, **numbers: float) -> None:
    """Raise `UserError` naming the first number outside the open interval."""
    for name, number in numbers.items():
        if not low < number < high:
            middle = (low + high) / 2
            raise UserError(f"{name} must lie between {low} and {high}: got {number}; try {middle}")

"""Expressions of ListOps (Nangia and Bowman 2018) as flat symbols: drawn, valued, written with parentheses.

Codes: 0 pads, 1..4 open [MIN [MAX [MED [SM, 5 closes ], 6..15 are the digits 0..9.
"""

import random
from collections.abc import Callable, Iterator

import numpy as np

from sims.runs.store import UserError

SYMBOLS = ("<pad>", "[MIN", "[MAX", "[MED", "[SM", "]", *"0123456789", "<unk>", "<eos>")
"""The symbol of each code: Long Range Arena's fifteen (its ] also known as X), and a loader's three."""
MIN, MAX, MED, SM, CLOSE, ZERO = range(1, 7)


_OF_SORTED: dict[int, Callable[[list[int]], int]] = {
    MIN: lambda digits: digits[0],
    MAX: lambda digits: digits[-1],
    MED: lambda digits: (digits[(len(digits) - 1) // 2] + digits[len(digits) // 2]) // 2,
    SM: lambda digits: sum(digits) % 10,
}
"""Of an even number of digits the median is the mean of the middle two, truncated."""


def trees(
    depth: int, arguments: int, operator_share: float, longest: int, *, seed: int
) -> Iterator[list[int]]:
    """Expressions without end, in a stream of their own.

    A node is an operator with probability `operator_share`, unless it lies at depth `depth`, where the root
    has depth 1; else a digit. It has 2..`arguments` arguments; all choices are uniform. An expression of more
    than `longest` symbols is given up early, and [] comes in its place.
    """
    draw = random.Random(seed).random
    leaf = 10 / (1 - operator_share)
    while True:
        codes: list[int] = []
        left = [1]  # nodes that each open level still wants
        while left:
            if not left[-1]:
                left.pop()
                if left:
                    codes.append(CLOSE)
                continue
            left[-1] -= 1
            if len(left) < depth and (chance := draw()) <= operator_share:
                codes.append(MIN + int(4 * draw()))
                left.append(2 + int((arguments - 1) * draw()))
                if len(codes) + left[-1] >= longest:
                    codes = []
                    break
            else:
                # above the share the same draw is uniform again: it chooses the digit
                share = (chance - operator_share) * leaf if len(left) < depth else 10 * draw()
                codes.append(ZERO + min(int(share), 9))
        yield codes if len(codes) <= longest else []


def value(codes: list[int]) -> int:
    """From the last symbol to the first: each operator finds its arguments on a stack."""
    stack: list[int] = []
    for code in reversed(codes):
        if code == CLOSE:
            stack.append(-1)
        elif code >= ZERO:
            stack.append(code - ZERO)
        else:
            end = len(stack) - 1 - stack[::-1].index(-1)
            arguments = sorted(stack[end + 1 :])
            stack[end:] = [_OF_SORTED[code](arguments)]
    return stack[0]


_OPERATORS: dict[str, Callable] = {
    "[MIN": min,
    "[MAX": max,
    "[MED": np.median,
    "[SM": lambda digits: sum(digits) % 10,
}


def evaluate(tokens) -> int:
    """The value of a flat expression of codes, padding at its end allowed. Raises UserError if it is none."""
    symbols = [SYMBOLS[code] if 0 <= code < len(SYMBOLS) else "?" for code in np.asarray(tokens).tolist()]
    text = " ".join(symbols).partition("<pad>")[0].split()
    open_lists: list[tuple[str, list[int]]] = [("", [])]
    for symbol in text:
        if symbol in _OPERATORS:
            open_lists.append((symbol, []))
        elif symbol.isdigit():
            open_lists[-1][1].append(int(symbol))
        elif symbol == "]" and len(open_lists) > 1 and open_lists[-1][1]:
            operator, digits = open_lists.pop()
            open_lists[-1][1].append(int(_OPERATORS[operator](digits)))
        else:
            raise UserError(
                f"expected an expression of ListOps, got {symbol!r} out of place; check the tokens"
            )
    if len(open_lists) != 1 or len(open_lists[0][1]) != 1:
        raise UserError(
            f"expected one whole expression of ListOps, got {len(text)} symbols of none; check them"
        )
    return open_lists[0][1][0]


def binarised(codes: list[int]) -> str:
    """As the released files have it: [MAX 2 9] is ( ( ( [MAX 2 ) 9 ) ] )."""
    stack: list[str] = []
    for code in reversed(codes):
        symbol = SYMBOLS[code]
        if code == CLOSE or code >= ZERO:
            stack.append(symbol)
            continue
        while True:
            argument = stack.pop()
            symbol = f"( {symbol} {argument} )"
            if argument == "]":
                break
        stack.append(symbol)
    return stack[0]

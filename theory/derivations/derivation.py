"""What a derivation is: a chain of expressions, each shown to equal the one before. Exact.

A step is checked by sympy in one of two ways: its difference from the step before, written in index
sums for symbolic L, resolves to the number 0; or differences of the step's own, for explicit L, all do.
"""

import dataclasses
from collections.abc import Callable, Iterable

import sympy

from theory.claims.index_sums import difference

SYMBOLIC = "symbolic L"
FEWEST_STEPS = 3


@dataclasses.dataclass(frozen=True)
class Step:
    """An expression and why it equals the one before.

    Parameters
    ----------
    expression
        Shown; never an equation.
    reason
        One sentence that ends with ".".
    scope
        For which L the check holds, and in which arithmetic.
    differences
        Exact expressions that must all be 0, and whose vanishing is the equality of this step with the
        one before. None: the difference of the two expressions, resolved for symbolic L.
    """

    expression: sympy.Basic
    reason: str
    scope: str = SYMBOLIC
    differences: Callable[[], Iterable[sympy.Expr]] | None = None

    def follows(self, before: "Step") -> bool:
        """Whether every difference from the step before is the number 0; none at all is a failure."""
        if self.differences is None:
            return difference(before.expression, self.expression) == 0
        found = False
        for each in self.differences():
            found = is_zero(sympy.sympify(each))
            if not found:
                break
        return found


@dataclasses.dataclass(frozen=True)
class Derivation:
    """target = first step = second step = ..., from what is given, as a machine can check it.

    Parameters
    ----------
    label
        The claim's, such as "C8".
    given
        Definitions and assumptions: an expression or an equation, and a sentence about it.
    target
        What is derived; the first step is its definition.
    steps
        At least three.
    conclusion
        One or two sentences.

    Raises
    ------
    ValueError
        If there are fewer than three steps, a sentence lacks its full stop, a step is an equation, or
        the first step brings differences: there is nothing before it to differ from.
    """

    label: str
    given: tuple[tuple[sympy.Basic, str], ...]
    target: sympy.Basic
    steps: tuple[Step, ...]
    conclusion: str

    def __post_init__(self) -> None:
        if len(self.steps) < FEWEST_STEPS:
            raise ValueError(
                f"a derivation needs at least {FEWEST_STEPS} steps: got {len(self.steps)} for {self.label}; "
                f"show what happens between the definition and the result"
            )
        sentences = [*(told for _, told in self.given), *(step.reason for step in self.steps)]
        for sentence in [*sentences, self.conclusion]:
            if not sentence.endswith("."):
                raise ValueError(f"a sentence of {self.label} must end with a full stop: got {sentence!r}")
        for step in self.steps:
            if isinstance(step.expression, sympy.core.relational.Relational):
                raise ValueError(
                    f"a step of {self.label} must be an expression: got {step.expression}; "
                    f"give its right-hand side, or put the equation among the given"
                )
        if self.steps[0].differences is not None:
            raise ValueError(
                f"the first step of {self.label} is the definition and has nothing before it: got "
                f"differences; move them to the second step"
            )

    def check(self) -> tuple[bool, ...]:
        """For each step after the first: whether it equals the one before."""
        pairs = zip(self.steps[:-1], self.steps[1:], strict=True)
        return tuple(step.follows(before) for before, step in pairs)


def is_zero(expression: sympy.Expr) -> bool:
    """Whether sympy brings the expression to the number 0; sums and polynomials only by expanding them."""
    expanded = sympy.expand(expression)
    if expanded == 0 or expanded.has(sympy.Sum) or expanded.is_polynomial():
        return expanded == 0
    return sympy.simplify(expanded) == 0

"""What a derivation is: chains of expressions, each shown to equal the one before. Exact.

A step is checked by sympy in one of two ways: its difference from the step before, written in index
sums for symbolic L, resolves to the number 0; or differences of the step's own, for explicit L, all do.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import sympy

from theory.symbolic.index_sums import difference

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
        zero = False
        for each in self.differences():
            zero = is_zero(sympy.sympify(each))
            if not zero:
                break
        return zero


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chain:
    """target = first step = second step = ..., which shows some sentences of a claim.

    Parameters
    ----------
    target
        What is derived; the first step is its definition.
    steps
        At least two.
    conclusion
        One or two sentences.
    shows
        How each sentence of the claim that follows from this chain begins.

    Raises
    ------
    ValueError
        If there are too few steps, a sentence lacks its full stop, a step is an equation, or the first
        step brings differences: there is nothing before it to differ from.
    """

    target: sympy.Basic
    steps: tuple[Step, ...]
    conclusion: str
    shows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.steps) < self.fewest:
            raise ValueError(
                f"a derivation needs at least {self.fewest} steps: got {len(self.steps)} for {self.target}; "
                f"show what happens between the definition and the result"
            )
        require_full_stops([*(step.reason for step in self.steps), self.conclusion])
        for step in self.steps:
            if isinstance(step.expression, sympy.core.relational.Relational):
                raise ValueError(
                    f"a step of a derivation must be an expression: got {step.expression}; "
                    f"give its right-hand side, or put the equation among the given"
                )
        if self.steps[0].differences is not None:
            raise ValueError(
                f"the first step for {self.target} is the definition and has nothing before it: got "
                f"differences; move them to the second step"
            )

    @property
    def fewest(self) -> int:
        """How many steps it needs at least."""
        return 2

    def outcomes(self) -> tuple[bool, ...]:
        """For each step after the first: whether it equals the one before."""
        pairs = zip(self.steps[:-1], self.steps[1:], strict=True)
        return tuple(step.follows(before) for before, step in pairs)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Derivation(Chain):
    """A claim's main chain, from what is given, as a machine can check it, and the chains for the rest of it.

    Parameters
    ----------
    label
        The claim's, such as "C8".
    given
        Definitions and assumptions: an expression or an equation, and a sentence about it.
    further
        Chains for the sentences of the claim that the main one does not show.
    elsewhere
        Sentences that are not derived here: how each begins, and the names of the checks that hold it.
    """

    label: str
    given: tuple[tuple[sympy.Basic, str], ...]
    further: tuple[Chain, ...] = ()
    elsewhere: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        require_full_stops(words for _, words in self.given)

    @property
    def fewest(self) -> int:
        """The main chain says what happens between the definition and the result."""
        return FEWEST_STEPS

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The main one and the further ones."""
        return (self, *self.further)

    @property
    def checked_steps(self) -> int:
        """How many steps, of all chains, have one before them."""
        return sum(len(chain.steps) - 1 for chain in self.chains)

    def check(self) -> tuple[bool, ...]:
        """For each step after the first of its chain, chain by chain: whether it equals the one before."""
        return tuple(outcome for chain in self.chains for outcome in chain.outcomes())

    def by_chain(self, outcomes: Sequence[bool]) -> list[tuple[Chain, tuple[bool, ...]]]:
        """Each chain with its part of what `check` returned."""
        rest, parts = list(outcomes), []
        for chain in self.chains:
            own, rest = rest[: len(chain.steps) - 1], rest[len(chain.steps) - 1 :]
            parts.append((chain, tuple(own)))
        return parts


def require_full_stops(sentences: Iterable[str]) -> None:
    """Raise ValueError for a sentence without its full stop."""
    for sentence in sentences:
        if not sentence.endswith("."):
            raise ValueError(f"a sentence of a derivation must end with a full stop: got {sentence!r}")


def is_zero(expression: sympy.Expr) -> bool:
    """Whether sympy brings the expression to the number 0; sums and polynomials only by expanding them."""
    expanded = sympy.expand(expression)
    if expanded == 0 or expanded.has(sympy.Sum) or expanded.is_polynomial():
        return expanded == 0
    return sympy.simplify(expanded) == 0

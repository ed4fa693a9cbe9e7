"""A derivation as data: LaTeX and sentences, for pages that show it and cannot check it. Pure."""

from collections.abc import Sequence
from typing import Any

import sympy

from theory.symbolic.derivation import Chain, Derivation
from theory.symbolic.notation import meanings
from theory.symbolic.printers import formula
from theory.symbolic.rendering import checked_elsewhere, verdicts


def as_json(derivation: Derivation, outcomes: Sequence[bool]) -> dict[str, Any]:
    """What is given, each chain of steps with what the machine found, and what is checked elsewhere.

    Parameters
    ----------
    outcomes
        What `derivation.check()` returned.
    """
    main, *further = (_chain(*each) for each in derivation.by_chain(outcomes))
    given = [*derivation.given, *((sympy.Symbol(name), meaning) for name, meaning in meanings(derivation))]
    return {
        "given": [{"formula": formula(expression), "told": sentence} for expression, sentence in given],
        **main,
        "further": further,
        "elsewhere": checked_elsewhere(derivation),
        "passed": all(outcomes),
    }


def _chain(chain: Chain, outcomes: Sequence[bool]) -> dict[str, Any]:
    """What a chain shows, its target, its steps with reasons and what the machine found, and its conclusion."""
    rows = zip(chain.steps, verdicts(chain, outcomes), (None, *outcomes), strict=True)
    return {
        "shows": list(chain.shows),
        "target": formula(chain.target),
        "steps": [
            {"formula": formula(step.expression), "reason": step.reason, "found": sentence, "holds": holds}
            for step, sentence, holds in rows
        ],
        "conclusion": chain.conclusion,
    }

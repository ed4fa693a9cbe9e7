"""A derivation as data: LaTeX and sentences, for pages that show it and cannot check it. Pure."""

from collections.abc import Sequence
from typing import Any

from theory.derivations.derivation import Derivation
from theory.derivations.printers import formula
from theory.derivations.rendering import verdicts


def as_json(derivation: Derivation, outcomes: Sequence[bool]) -> dict[str, Any]:
    """Given, target, steps with reasons and what the machine found, conclusion.

    Parameters
    ----------
    outcomes
        What `derivation.check()` returned.
    """
    found = zip(derivation.steps, verdicts(derivation, outcomes), (None, *outcomes), strict=True)
    return {
        "given": [{"formula": formula(shown), "told": told} for shown, told in derivation.given],
        "target": formula(derivation.target),
        "steps": [
            {"formula": formula(step.expression), "reason": step.reason, "found": told, "holds": holds}
            for step, told, holds in found
        ],
        "conclusion": derivation.conclusion,
        "passed": all(outcomes),
    }

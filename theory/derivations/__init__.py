"""The derivations: each claim's argument as a chain of expressions that sympy has checked, step by step.

`DERIVATIONS` is read by the command line, the tests and the page.
"""

from theory.derivations import (
    c01,
    c02,
    c03,
    c04,
    c05,
    c06,
    c07,
    c08,
    c09,
    c10,
    c11,
    c12,
    c13,
    c14,
    c15,
    c16,
    c17,
    c18,
    c19,
    c20,
    c21,
    c22,
    c23,
)
from theory.derivations.derivation import Derivation, Step

MODULES = (
    c01,
    c02,
    c03,
    c04,
    c05,
    c06,
    c07,
    c08,
    c09,
    c10,
    c11,
    c12,
    c13,
    c14,
    c15,
    c16,
    c17,
    c18,
    c19,
    c20,
    c21,
    c22,
    c23,
)

DERIVATIONS: dict[str, Derivation] = {module.DERIVATION.label: module.DERIVATION for module in MODULES}
"""The registry, in the order of the labels."""


def check(label: str) -> tuple[bool, ...]:
    """For each step of a derivation after its first: whether it equals the step before.

    Raises
    ------
    ValueError
        If the label is not in the registry.
    """
    if label not in DERIVATIONS:
        raise ValueError(f"derivations must be among {', '.join(DERIVATIONS)}: got {label}; choose one")
    return DERIVATIONS[label].check()


__all__ = ["DERIVATIONS", "Derivation", "Step", "check"]

"""The derivations: each claim's argument as a chain of expressions that sympy has checked, step by step.

`DERIVATIONS` is read by the command line, the tests and the page.
"""

from theory.claims.folders import Folders
from theory.symbolic.derivation import Derivation, Step

DERIVATIONS: Folders[Derivation] = Folders("derivation", "DERIVATION")
"""The derivations by label, in the order of the labels; each is imported when it is first asked for."""


def derive(label: str) -> Derivation:
    """A claim's derivation, such as that of "C1": its steps, which `Derivation.check` verifies.

    Raises
    ------
    ValueError
        If the label is not in the registry.
    """
    if label not in DERIVATIONS:
        raise ValueError(f"derivations must be among {', '.join(DERIVATIONS)}: got {label}; choose one")
    return DERIVATIONS[label]


def check(label: str) -> tuple[bool, ...]:
    """For each step of a derivation after its first: whether it equals the step before.

    Raises
    ------
    ValueError
        If the label is not in the registry.
    """
    return derive(label).check()


__all__ = ["DERIVATIONS", "Derivation", "Step", "check", "derive"]

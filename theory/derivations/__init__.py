"""The derivations: each claim's argument as a chain of expressions that sympy has checked, step by step.

`DERIVATIONS` is read by the command line, the tests and the page.
"""

import importlib

from theory.derivations.derivation import Derivation, Step

MODULES = [importlib.import_module(f"theory.derivations.c{number:02}") for number in range(1, 25)]

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

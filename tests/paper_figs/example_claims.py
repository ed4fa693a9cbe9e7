"""An example of stored claims with their checks and a derivation: see example_results.py."""

from typing import Any

from sims.runs import verification
from sims.runs.store import Result
from tests.paper_figs.example_record import record
from tests.stored_examples import completed


def claims() -> Result:
    kinds = ("symbolic", "autodiff", "finite_difference", "simulation", "counterexample")
    entries = []
    for index, label in enumerate(("C1", "C2", "C3", "C4", "C8", "C9", "C10", "C12", "C19", "C26")):
        checks = [
            {
                "kind": kind,
                "name": f"{kind.replace('_', ' ')} of {label}",
                "passed": True,
                "residual": 0.731
                if kind == "counterexample"
                else 10.0 ** (-16 + 3 * place) * (1 + index / 8),
                "tolerance": 1e-3 if kind == "counterexample" else 10.0 ** (-12 + 3 * place),
            }
            for place, kind in enumerate(kinds)
        ]
        entries.append(
            {
                "claim": label,
                "title": "Pooling bottleneck",
                "statement": "The label loss depends on S only through c(S), L-1 numbers.",
                "regime": "Exact for every L, sample and V.",
                "formula": r"z = V X^\top c(S),\qquad c_j(S) = \frac{1}{L} \sum_{i=1}^{L} A_{ij}",
                "passed": True,
                "checks": checks,
            }
        )
    derivations = {entry["claim"]: derivation() for entry in entries}
    values = completed(verification.Values, {"claims": entries, "derivations": derivations})
    return Result("claims", values, {}, record("claims"))


def derivation() -> dict[str, Any]:
    step = lambda formula, holds, found: {
        "formula": formula,
        "reason": "The sum over j is done.",
        "found": found,
        "holds": holds,
    }
    return {
        "given": [{"formula": r"B_{ij} = A_{ij}", "told": "B is A without its diagonal."}],
        "target": r"z",
        "steps": [
            step(r"\sum_{j} A_{ij} s_{j}", None, "definition"),
            step(r"\frac{1}{L} \sum_{j} s_{j} + " + r" + ".join(["x_{i}"] * 40), True, "checked: symbolic L"),
            step(r"\frac{1}{L}", True, "checked: L = 3..6"),
        ],
        "conclusion": "Labels see c_j alone.",
        "passed": True,
    }

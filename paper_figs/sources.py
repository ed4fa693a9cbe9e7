"""Which stored results a figure or a table needs, and the command that makes each of them."""

from collections.abc import Iterable, Mapping

from sims.store import Result, UserError

COMMANDS = {
    "claims": "sptlab verify",
    "blindness": "sptlab simulate blindness",
    "reduced_flow": "sptlab simulate reduced-flow",
    "adiabatic_toy": "sptlab simulate adiabatic-toy",
    "score_slider": "sptlab simulate score-slider",
    "values_first": "sptlab simulate values-first",
    "first_value": "sptlab simulate first-value",
    "initialisation_law": "sptlab simulate initialisation-law",
    "tied_initialisation": "sptlab simulate tied-initialisation",
    "pools": "sptlab simulate pools",
    "boundaries": "sptlab simulate boundaries",
    "causal": "sptlab simulate causal",
    "escape": "sptlab simulate escape",
    "contrast": "sptlab simulate contrast",
    "forgetting": "sptlab simulate forgetting",
    "blindness_map": "sptlab simulate blindness-map",
    "plateau": "sptlab simulate plateau",
    "mask_ratio": "sptlab simulate mask-ratio",
    "invariance": "sptlab simulate invariance",
    "toy_tasks": "sptlab simulate toy-tasks",
    "docs_order": "sptlab train docs-order",
    "digits": "sptlab train digits",
    "docs_order_probes": "sptlab train docs-order-probes",
    "comparison": "sptlab compare",
    "study": "sptlab study",
    "cpu_study": "sptlab train cpu-study",
    "value_sign": "sptlab train value-sign",
    "validation": "sptlab diagnose --validate full",
}


def need(results: Mapping[str, Result], name: str, *, by: str) -> Result:
    """The result called `name`; when it is missing, UserError: one line that names the command to run."""
    if name in results:
        return results[name]
    found = ", ".join(sorted(results)) or "none"
    command = COMMANDS.get(name, "sptlab reproduce")
    raise UserError(f"{by} needs the stored result {name}: found {found}; make it with: {command}")


def missing(results: Mapping[str, Result], names: Iterable[str]) -> list[str]:
    """Those of the names that have no stored result, in the order given."""
    return [name for name in names if name not in results]

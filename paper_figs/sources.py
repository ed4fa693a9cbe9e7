"""Which stored results a figure or a table needs, and the command that makes each of them."""

from collections.abc import Iterable, Mapping

from sims.store import Result, UserError

COMMANDS = {
    "claims": "sptlab verify",
    "blindness": "sptlab simulate",
    "reduced_flow": "sptlab simulate",
    "adiabatic_toy": "sptlab simulate",
    "docs_order": "sptlab train",
    "digits": "sptlab train",
    "docs_order_probes": "sptlab train",
    "comparison": "sptlab compare",
    "study": "sptlab study",
}


def need(results: Mapping[str, Result], name: str, *, by: str) -> Result:
    """The result called `name`. Raises UserError, one line that names the command to run, when it is missing."""
    if name in results:
        return results[name]
    found = ", ".join(sorted(results)) or "none"
    raise UserError(
        f"{by} needs the stored result {name}: found {found}; make it with: {COMMANDS.get(name, 'sptlab reproduce')}"
    )


def missing(results: Mapping[str, Result], names: Iterable[str]) -> list[str]:
    """Those of the names that have no stored result, in the order given."""
    return [name for name in names if name not in results]

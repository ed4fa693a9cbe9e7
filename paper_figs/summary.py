"""What the page says, as data: every number on the page is in here, and summary.json is this."""

from collections.abc import Mapping
from typing import Any

from full_scale.comparison.shipped import with_shipped
from paper_figs import slider, studies
from paper_figs.measures import ARMS, STATES, TASKS, in_order
from paper_figs.places import drawable
from paper_figs.sources import COMMANDS, missing, need
from sims.store import Result, UserError

TOYS = ("blindness", "reduced_flow", "adiabatic_toy")
BY_TASK = ("name", "task", "setting", "prediction", "transformer", "verdict")
NEEDED = ("claims", *TOYS, "docs_order", "digits", "docs_order_probes", "comparison")


def summarise(results: Mapping[str, Result]) -> dict[str, Any]:
    """The page's content. Raises UserError naming the first missing result and the command that makes it."""
    for name in missing(results, NEEDED)[:1]:
        need(results, name, by="the page")
    value = lambda name: results[name].values
    compared: Any = value("comparison")
    summary = {
        "claims": value("claims")["claims"],
        "toy": {name: value(name)["toy"] for name in TOYS},
        "tasks": {name: task(value(name)) for name in TASKS},
        "probes": probes(value("docs_order_probes")),
        "study": {depth: study(found) for depth, found in depths(results).items()},
        "comparison": compared["rows"],
        "by_task": [{name: row[name] for name in BY_TASK} for row in compared.get("by_task", ())],
        "derivations": value("claims").get("derivations", {}),
        "slider": slider.content(results["score_slider"]) if "score_slider" in results else None,
        "cpu_study": studies.tasks(results.get("cpu_study")),
        "validation": studies.validation(results.get("validation")),
        "figures": {name: figure.caption(results) for name, figure in drawable(results).items()},
        "provenance": {name: provenance(result) for name, result in sorted(results.items())},
    }
    small = any("--preset smoke" in str(result.record.get("command")) for result in results.values())
    return summary | {"counts": counts(summary), "smoke": small}


def task(values: Any) -> dict[str, Any]:
    """The numbers of one task that the page shows."""
    kept = ("budget_steps", "pretraining_steps", "chance", "depth", "gain", "fit_gap", "uniform_attention")
    return {
        **{name: values[name] for name in kept if name in values},
        "seeds": len(values["seeds"]),
        "arms": {arm: arm_numbers(values["arms"][arm]) for arm in ARMS},
    }


def arm_numbers(values: Any) -> dict[str, Any]:
    """One arm: accuracies, plateau, settings."""
    kept = ("test_accuracy", "train_accuracy", "plateau_steps", "settings")
    found = {name: values[name] for name in kept if name in values}
    if "train_accuracy" in found:
        found["train_accuracy"] = {k: v for k, v in found["train_accuracy"].items() if k != "per_seed"}
    steps = values["plateau_steps"]["per_seed"]
    return found | {"never": steps.count(None), "runs": len(steps)}


def probes(values: Any) -> dict[str, Any]:
    """Measures by state, in the order of training."""
    states = {state: values["states"][state] for state in STATES if state in values["states"]}
    names = in_order({name for measured in states.values() for name in measured})
    return {name: {state: measured.get(name) for state, measured in states.items()} for name in names}


def depths(results: Mapping[str, Result]) -> dict[str, Any]:
    """The study by depth; empty when there is none."""
    values: Any = results["study"].values if "study" in results else {}
    return dict(sorted(values.get("depths", {}).items()))


def study(values: Any) -> dict[str, Any]:
    """One depth of the study: arms and sweep."""
    kept = ("gain", "budget_steps", "pretraining_steps")
    adiabatic = values.get("probes", {}).get("adiabatic", {})
    longer = values.get("label_only_longer", {})
    return {
        **{name: values[name] for name in kept if name in values},
        **({"label_only_longer": bare(longer)} if longer else {}),
        "adiabatic": {
            name: adiabatic[name] for name in ("snr_label", "snr_reconstruction") if name in adiabatic
        },
        "arms": {arm: arm_numbers(values["arms"][arm]) for arm in ARMS},
        "sweep": values.get("sweep", []),
    }


def bare(longer: Any) -> dict[str, Any]:
    """The longer label-only runs without an interval over their few seeds."""
    per_seed = {"per_seed": longer["test_accuracy"]["per_seed"]}
    return {"steps": longer["steps"], "plateau_steps": longer["plateau_steps"], "test_accuracy": per_seed}


def provenance(result: Result) -> dict[str, Any]:
    """Where a result's numbers come from and how to make them again."""
    record: Any = result.record
    kept = ("command", "config", "config_hash", "seed", "versions", "commit", "device")
    again = f"{COMMANDS.get(result.name, 'sptlab reproduce')} --seed {record.get('seed', 0)} --out report"
    return {name: record.get(name) for name in kept} | {"again": again}


def counts(summary: Mapping[str, Any]) -> dict[str, int]:
    """How many claims and rows hold."""
    verdicts = [row["verdict"] for row in summary["comparison"]]
    checks = [check for claim in summary["claims"] for check in claim["checks"]]
    return {
        "claims": len(summary["claims"]),
        "claims_passed": sum(claim["passed"] for claim in summary["claims"]),
        "checks": len(checks),
        "checks_passed": sum(check["passed"] for check in checks),
        **{kind: verdicts.count(kind) for kind in ("holds", "fails", "undecided")},
    }


__all__ = ["NEEDED", "UserError", "summarise", "with_shipped"]

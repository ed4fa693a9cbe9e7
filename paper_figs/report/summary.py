"""What the page says, as data: every number on the page is in here, and summary.json is this."""

from collections.abc import Mapping
from typing import Any

from full_scale.comparison import rows as comparison
from full_scale.stored import COMMANDS, missing, need, with_shipped
from full_scale.studies.arm_comparison import ArmComparison, ArmSummary
from full_scale.studies.training_states import Values as ProbedStates
from full_scale.studies.tuning import Longer, TunedComparison
from full_scale.studies.tuning import Values as StudyValues
from paper_figs.report import slider, studies
from paper_figs.report.figure_placement import drawable
from paper_figs.report.measures import ARMS, STATES, TASKS, in_order
from paper_figs.style.numbers import within
from sims.experiments import adiabatic_toy, blindness, reduced_flow
from sims.runs import verification
from sims.runs.store import Result, UserError, plain
from sims.statistics.intervals import Interval

TOYS: dict[str, type[blindness.Values | reduced_flow.Values | adiabatic_toy.Values]] = {
    "blindness": blindness.Values,
    "reduced_flow": reduced_flow.Values,
    "adiabatic_toy": adiabatic_toy.Values,
}
_BY_TASK = ("name", "task", "setting", "prediction", "transformer", "verdict")
NEEDED = ("claims", *TOYS, "docs_order", "digits", "docs_order_probes", "comparison")


def summarise(results: Mapping[str, Result]) -> dict[str, Any]:
    """The page's content. Raises UserError naming the first missing result and the command that makes it."""
    for name in missing(results, NEEDED)[:1]:
        need(results, name, by="the page")
    compared = comparison.Values.from_json(results["comparison"].values)
    verified = verification.Values.from_json(results["claims"].values)
    summary = {
        "claims": verified.claims,
        "toy": {name: kind.from_json(results[name].values).toy for name, kind in TOYS.items()},
        "tasks": {name: task(ArmComparison.from_json(results[name].values)) for name in TASKS},
        "probes": probes(ProbedStates.from_json(results["docs_order_probes"].values)),
        "study": {depth: study(stored) for depth, stored in depths(results).items()},
        "comparison": compared.rows,
        "by_task": [{name: getattr(row, name) for name in _BY_TASK} for row in compared.by_task],
        "derivations": verified.derivations,
        "slider": slider.content(results["score_slider"]) if "score_slider" in results else None,
        "cpu_study": studies.tasks(results.get("cpu_study")),
        "paper": studies.paper(results.get("paper")),
        "validation": studies.validation(results.get("validation")),
        "figures": {name: figure.caption(results) for name, figure in drawable(results).items()},
        "provenance": {name: provenance(result) for name, result in sorted(results.items())},
        "counts": counts(verified, compared),
        "smoke": any("--preset smoke" in str(result.record.get("command")) for result in results.values()),
    }
    return plain(summary)  # type: ignore[return-value]


def task(values: ArmComparison) -> dict[str, Any]:
    """The numbers of one task that the page shows."""
    keys = ("budget_steps", "pretraining_steps", "chance", "depth", "gain", "fit_gap")
    return {
        **{name: getattr(values, name) for name in keys},
        "uniform_attention": {name: within(each) for name, each in values.uniform_attention.items()},
        "seeds": len(values.seeds),
        "arms": {arm: _arm_numbers(values.arms[arm]) for arm in ARMS},
    }


def _arm_numbers(arm: ArmSummary) -> dict[str, Any]:
    """One arm: settings, plateau, accuracies cut at 0 and 1."""
    steps = arm.plateau_steps.per_seed
    return {
        "settings": arm.settings,
        "plateau_steps": arm.plateau_steps,
        "test_accuracy": within(arm.test_accuracy),
        "train_accuracy": within(arm.train_accuracy).narrowed(Interval),
        "never": steps.count(None),
        "runs": len(steps),
    }


def probes(values: ProbedStates) -> dict[str, Any]:
    """Measures by state, in the order of training."""
    states = {state: values.states[state] for state in STATES if state in values.states}
    names = in_order({name for measured in states.values() for name in measured})
    return {name: {state: measured.get(name) for state, measured in states.items()} for name in names}


def depths(results: Mapping[str, Result]) -> dict[str, TunedComparison]:
    """The study by depth; empty when there is none."""
    if "study" not in results:
        return {}
    return dict(sorted(StudyValues.from_json(results["study"].values).depths.items()))


def study(values: TunedComparison) -> dict[str, Any]:
    """One depth of the study: arms and sweep."""
    adiabatic = values.probes.get("adiabatic", {})
    longer = values.label_only_longer
    return {
        **{name: getattr(values, name) for name in ("gain", "budget_steps", "pretraining_steps")},
        **({"label_only_longer": bare(longer)} if longer else {}),
        "adiabatic": {
            name: adiabatic[name] for name in ("snr_label", "snr_reconstruction") if name in adiabatic
        },
        "arms": {arm: _arm_numbers(values.arms[arm]) for arm in ARMS},
        "sweep": values.sweep,
    }


def bare(longer: Longer) -> dict[str, Any]:
    """The longer label-only runs without an interval over their few seeds."""
    per_seed = {"per_seed": longer.test_accuracy.per_seed}
    return {"steps": longer.steps, "plateau_steps": longer.plateau_steps, "test_accuracy": per_seed}


def provenance(result: Result) -> dict[str, Any]:
    """Where a result's numbers come from and how to make them again."""
    record: Any = result.record
    keys = ("command", "config", "config_hash", "seed", "versions", "commit", "device")
    again = f"{COMMANDS.get(result.name, 'sptlab reproduce')} --seed {record.get('seed', 0)} --out report"
    return {name: record.get(name) for name in keys} | {"again": again}


def counts(verified: verification.Values, compared: comparison.Values) -> dict[str, int]:
    """How many claims and rows hold."""
    verdicts = [row.verdict for row in compared.rows]
    checks = [check for claim in verified.claims for check in claim.checks]
    return {
        "claims": len(verified.claims),
        "claims_passed": sum(claim.passed for claim in verified.claims),
        "checks": len(checks),
        "checks_passed": sum(check.passed for check in checks),
        **{kind: verdicts.count(kind) for kind in ("holds", "fails", "undecided")},
    }


__all__ = ["NEEDED", "UserError", "summarise", "with_shipped"]

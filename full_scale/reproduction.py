"""The stages of `sptlab reproduce`: claims, toys, a Transformer on real tasks, and their comparison."""

from collections.abc import Callable
from typing import Any

from full_scale.comparison.stage import compared
from full_scale.studies.experiments import EXPERIMENTS as TRAINED
from full_scale.studies.stage import trained
from sims.commands.progress import Report, share_of
from sims.experiments import EXPERIMENTS as SIMULATED
from sims.keys import stage_key
from sims.stages import Session, kept, simulated, sources
from sims.store import Result, load_all
from sims.verification import claims_config, verified

TOYS = ("blindness", "reduced_flow", "adiabatic_toy", "score_slider")
TRAININGS = ("docs_order", "docs_order_probes", "digits")
CLAIMS_SECONDS = 40.0


def stage_configs(preset: str) -> dict[str, Any]:
    """The stages in order, each with its config."""
    cores = {**SIMULATED, **TRAINED}
    small = preset == "smoke"
    configure = lambda kind: kind.smoke() if small else kind()
    experiment_configs = {name: configure(cores[name].Config) for name in TOYS + TRAININGS}
    return {"claims": claims_config(("C3",) if small else ()), **experiment_configs}


def reproduced(session: Session, preset: str, report: Report) -> dict[str, Result]:
    """Every stage's result, in order."""
    configs = stage_configs(preset)
    seconds = expected_seconds(configs)
    total, before, results = sum(seconds.values()), 0.0, {}
    for name, config in configs.items():
        within = share_of(report, name, before, seconds[name], total)
        within(0, 1)
        results[name] = stage(session, name, config, within)
        before += seconds[name]
    report(total, total, "comparison")
    return {**results, "comparison": compared(session, results)}


def stage(session: Session, name: str, config: Any, report: Callable | None) -> Result:
    """The result of a stage, computed unless it is stored."""
    if name == "claims":
        key = stage_key(name, session.seed)
        return kept(session, name, config, lambda _: verified(config, key=key, report=report))
    if name in SIMULATED:
        return simulated(session, name, SIMULATED[name], config, report)
    return trained(session, name, TRAINED[name], config, report)


def expected_seconds(configs: dict[str, Any]) -> dict[str, float | int]:
    """Rough seconds of each stage on two cores, for the time left."""
    cores = {**SIMULATED, **TRAINED}
    return {name: cores[name].seconds if name in cores else CLAIMS_SECONDS for name in configs}


def simulations_beside(session: Session) -> dict[str, Result]:
    """Simulations that lie beside the stages and are of this code: the page shows their figures, too."""
    found = load_all(session.results).items()
    return {
        name: result
        for name, result in found
        if name in SIMULATED and result.record.get("sources") == sources()
    }

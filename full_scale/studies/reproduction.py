"""The stages of `sptlab reproduce`: claims, toys, a Transformer on real tasks, and their comparison."""

from collections.abc import Callable
from typing import Any

from full_scale.comparison.compare import compared
from full_scale.studies.cached_training import TRAINING, train_together, trained
from full_scale.studies.experiments import EXPERIMENTS as TRAINED
from sims.cli.progress import Report, share_of
from sims.experiments import EXPERIMENTS as SIMULATED
from sims.runs.cache import Session, cached, simulated
from sims.runs.keys import stage_key
from sims.runs.store import Result, load_all
from sims.runs.validity import agrees, made_by
from sims.runs.verification import SECONDS as CLAIMS_SECONDS
from sims.runs.verification import claims_config, verified

TOYS = ("blindness", "reduced_flow", "adiabatic_toy", "score_slider", "other_settings")
TRAININGS = ("docs_order", "docs_order_probes", "digits")
_TRAINING_SECONDS = 159.0
_TRAINED_SECONDS = {"docs_order": 0.5, "docs_order_probes": 48.0, "digits": 0.5}
"""Of what is made of the runs."""


def stage_configs(preset: str) -> dict[str, Any]:
    """The stages in order, each with its config."""
    cores = {**SIMULATED, **TRAINED}
    small = preset == "smoke"
    configure = lambda kind: kind.smoke() if small else kind()
    experiment_configs = {name: configure(cores[name].Config) for name in TOYS + TRAININGS}
    return {"claims": claims_config(("C3",) if small else ()), **experiment_configs}


def reproduced(
    session: Session, preset: str, report: Report, first: Callable[..., None] | None = None
) -> dict[str, Result]:
    """Every stage's result, in order; `first` gets those of the claims, then of toys, too, and what is to come."""
    configs = stage_configs(preset)
    seconds, before, results = expected_seconds(), 0.0, dict[str, Result]()
    total = sum(seconds.values())
    for name in seconds:
        within = share_of(report, name, before, seconds[name], total)
        if name == TRAINING:
            train_together(session, {each: (TRAINED[each], configs[each]) for each in TRAININGS}, within)
        else:
            results[name] = stage(session, name, configs[name], within)
        before += seconds[name]
        if first and name in ("claims", TOYS[-1]):
            first(results, [each for each in configs if each not in results])
    report(total, total, "comparison")
    return {**results, "comparison": compared(session, results)}


def stage(session: Session, name: str, config: Any, report: Callable | None) -> Result:
    """The result of a stage, computed unless it is stored."""
    if name == "claims":
        compute = lambda _: verified(config, key=stage_key(name, session.seed), report=report)
        return cached(session, name, config, compute, code=(verified,))
    if name in SIMULATED:
        return simulated(session, name, SIMULATED[name], config, report)
    return trained(session, name, TRAINED[name], config, report)


def expected_seconds() -> dict[str, float]:
    """Seconds of each stage on the reference machine, in order; all training runs are one, before theirs."""
    toys = {name: float(SIMULATED[name].seconds) for name in TOYS}
    return {"claims": CLAIMS_SECONDS, **toys, TRAINING: _TRAINING_SECONDS, **_TRAINED_SECONDS}


def total_seconds() -> float:
    """Rough seconds of all stages together on the reference machine."""
    return sum(expected_seconds().values())


def simulations_beside(session: Session) -> dict[str, Result]:
    """Simulations that lie beside the stages and are of this code: the page shows their figures, too."""
    stored = load_all(session.results).items()
    return {
        name: result
        for name, result in stored
        if name in SIMULATED and agrees(result.record, made_by(SIMULATED[name].run))
    }

"""The mutation test: changing one thing in any closed form must turn at least one check of the claims red.

    python -m tests.mutation                   all modules, some minutes; writes tests/mutation/score.json
    python -m tests.mutation --only labels     these modules; their rows of the table are written again
    python -m tests.mutation --semantic 4 2    semantic mutations: 4 of each module of forms, 2 of a claim

A flip counts as caught when a check is red with it or raises, in the settings in which all are green without.
"""

import dataclasses
import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sims.cli.progress import progress
from sims.runs.provenance import commit
from tests.mutation.mutants import MODULES, Mutant, in_place, live, mutants
from tests.mutation.semantic import judged
from tests.mutation.trials import Trial, claims_using, trials
from theory.claims import CLAIMS

SCORE = Path(__file__).with_name("score.json")

EQUIVALENT = {
    ("adiabatic", "fit_head", "1 - rate"): "Newton's method with another curvature ends at the same root.",
    (
        "adiabatic",
        "fit_head",
        "jnp.log(share) - jnp.log1p(-share)",
    ): "Where Newton starts, not where it ends.",
    ("adiabatic", "fit_head", "-share"): "Where Newton starts, not where it ends.",
    ("adiabatic", "fit_head", "-1"): "In `start`: where Newton starts, not where it ends.",
    (
        "causal_labels",
        "causal_visible_share",
        "gram + whole",
    ): "The overlap sums to 0: any multiple of 1 pins.",
    ("depth", "stack_response", "-1"): "In the sizes: scores and value maps are square.",
    ("depth", "stack_score_gradient", "-1"): "Scores are square.",
    (
        "absolute_positions",
        "ring_positions",
        "length - 1",
    ): "Bounds what is refused; what is accepted does not use it.",
    (
        "score_families",
        "content_score_gradient",
        "tokens - centre[None, :]",
    ): "sum (x + m)(x - m)^T is the same.",
    ("sinkhorn", "balanced_bias", "count + 1"): "Counts towards giving up, which balanced scores do not.",
    (
        "sinkhorn",
        "solve_sum_zero",
        "hessian + 1 / len(hessian)",
    ): "The target sums to 0: any multiple of 1 pins.",
    ("sinkhorn", "solve_sum_zero", "solution - solution.mean()"): "The mean is 0 but for rounding.",
    (
        "tied_initialisation",
        "proximity",
        "log_weight - jax.lax.stop_gradient(log_weight.max())",
    ): "A factor of all weights.",
}
"""(module, function, expression) of flips that change nothing, each with the reason."""


def verdict(mutant: Mutant, known: Sequence[Trial], functions: dict) -> tuple[str, str]:
    """(outcome, name of the check) of the first check that is not green with the flip, cheapest first."""
    using = [trial for trial in known if (mutant.module, mutant.function) in trial.called]
    with in_place(mutant.code, functions):
        for trial in sorted(using, key=lambda trial: trial.seconds):
            if (outcome := trial.outcome()) != "green":
                return outcome, trial.check.name
    return "survived", f"{len(using)} checks call it"


def measured(modules: Sequence[str], known: Sequence[Trial], report: Any) -> dict[str, Any]:
    """For each module: how many signs, how many caught, and which survived."""
    functions, chosen = live(), {module: mutants(module) for module in modules}
    total, done, rows = sum(map(len, chosen.values())), 0, {}
    for module, flips in chosen.items():
        outcomes = []
        for mutant in flips:
            outcomes.append(verdict(mutant, known, functions)[0])
            report(done := done + 1, total, module)
        rows[module] = row(flips, outcomes)
    return rows


def row(flips: Sequence[Mutant], outcomes: Sequence[str]) -> dict[str, Any]:
    """The table's entry for one module."""
    lost = [flip for flip, outcome in zip(flips, outcomes, strict=True) if outcome == "survived"]
    return {
        "flips": len(flips),
        "red": outcomes.count("red"),
        "raised": outcomes.count("raised"),
        "equivalent": [told(flip) for flip in lost if reason(flip)],
        "survivors": [told(flip) for flip in lost if not reason(flip)],
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
    }


def reason(flip: Mutant) -> str:
    """Why nothing claimed changes with this flip, or nothing."""
    return EQUIVALENT.get((flip.module, flip.function, flip.before), "")


def told(flip: Mutant) -> str:
    """The flip, and why it may survive."""
    return f"{flip} ({reason(flip)})" if reason(flip) else str(flip)


def score(table: dict[str, Any]) -> float:
    """Caught flips over those that change something."""
    caught = sum(entry["red"] + entry["raised"] for entry in table.values())
    return caught / (caught + sum(len(entry["survivors"]) for entry in table.values()))


@dataclasses.dataclass(frozen=True)
class Mutation:
    """Flip one sign in the closed forms at a time; exit 1 when no check notices one."""

    only: tuple[str, ...] = ()
    """Modules of theory/, for example labels; none means all."""
    semantic: tuple[int, int] = (0, 0)
    """How many semantic mutations to try of each module of closed forms and of the claims' own, in place of signs."""
    seed: int = 0
    """Draws the semantic mutations."""
    out: Path = SCORE
    """The table."""

    def __call__(self) -> int:
        return self.semantics() if any(self.semantic) else self.signs()

    def semantics(self) -> int:
        """Judge semantic mutations and write their part of the table; exit 1 when no check notices one."""
        with progress("without a mutation", False) as report:
            known = watched(list(CLAIMS), report)
        with progress("semantic mutations", False) as report:
            found = judged(self.semantic, self.seed, known, report)
        stored = json.loads(self.out.read_text()) if self.out.exists() else {}
        self.out.write_text(json.dumps(stored | {"semantic": found}, indent=1) + "\n")
        for line in (lost := [line for entry in found["modules"].values() for line in entry["survivors"]]):
            print("survived:", line)
        print(f"score {found['score']:.4f}")
        return 1 if lost else 0

    def signs(self) -> int:
        """Flip the signs and write their part of the table; exit 1 when no check notices one."""
        chosen = self.only or MODULES
        stored = json.loads(self.out.read_text()) if self.out.exists() else {}
        table = stored["modules"] if self.only and stored else {}
        with progress("without a flip", False) as report:
            known = watched(claims_using(chosen), report)
        with progress("flips", False) as report:
            table |= measured(chosen, known, report)
        table = {module: table[module] for module in MODULES if module in table}
        self.out.write_text(json.dumps(stored | {"score": score(table), "modules": table}, indent=1) + "\n")
        for line in (lost := [line for module in chosen for line in table[module]["survivors"]]):
            print("survived:", line)
        print(f"score {score(table):.4f} over {sum(entry['flips'] for entry in table.values())} flips")
        return 1 if lost else 0


def watched(labels: Sequence[str], report: Any) -> list[Trial]:
    """All checks of these claims, with progress."""
    known: list[Trial] = []
    for done, label in enumerate(labels, 1):
        known += trials([label])
        report(done, len(labels), label)
    return known

"""The semantic mutations judged: which turned a check of `sptlab verify` red, by module and by kind.

A mutation that raises in jax (shapes that no longer fit) is stillborn and does not count; one that changes nothing
that is claimed is equivalent, with the reason. The score is caught over caught and surviving.
"""

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sims.runs.provenance import commit
from tests.mutation.mutants import MODULES, Mutant, in_place, live
from tests.mutation.semantic_mutants import CLAIM_MODULES, sampled
from tests.mutation.trials import Trial

NEWTON = "Where Newton goes, not where it ends."
SYMMETRIC = "Covariances on a ring are symmetric."
ANY = "Another setting of the same check, in which it holds as well."
THRESHOLD = "No eigenvalue lies at the threshold."
SIZE = "What a 0 is measured against, up to a factor."
REASONS: dict[tuple[str, str, str, str], str] = {
    ("adiabatic", "fit_head", "chances * rate * (1 - rate)", "chances * rate"): NEWTON,
    ("adiabatic", "fit_head", "share", "0.5"): NEWTON,
    ("sinkhorn", "newton_step", "", ""): NEWTON,
    ("circulant", "reduced_value_gradient", "other_weights @ circulant(autocovariance)", ""): SYMMETRIC,
    ("pools", "closed_rotary_mean_pool", "2 * jnp.pi", ""): "Any whole number of turns is read alike (C3).",
    ("escape", "label_saddle", "rows[0]", "rows[1]"): "Only its shape is read.",
    (
        "masked_loss",
        "reconstruction_value_gradient",
        "jnp.sum(other_weights * (value * other_weights @ covariance - covariance), axis=1)",
        "jnp.sum(other_weights * (value * other_weights @ covariance - covariance), axis=0)",
    ): "A mean over queries of sums over keys, or the reverse.",
    (
        "masked_loss",
        "reconstruction_loss",
        "jnp.sum(other_weights * covariance, axis=1)",
        "jnp.sum(other_weights * covariance, axis=0)",
    ): "A mean over queries of sums over keys, or the reverse.",
    ("c09_orthogonal_supervision.claim", "difference_gap", "", ""): ANY,
    ("c13_absolute_positions.draws", "drawn", "", ""): ANY,
    (
        "c15_pools_masks_scores.claim",
        "content_gap",
        "size * jax.random.normal(at_key, (WIDTH, WIDTH))",
        "",
    ): ANY,
    ("c16_sample_complexity.symbolic", "blind_cases", "q[0]", "q[1]"): ANY,
    ("c18_causal_pretraining.claim", "silence_gap", "autocovariance[0]", "autocovariance[1]"): ANY,
    ("c19_adiabatic_blindness.head", "half_gap", "1 - share", "1"): ANY,
    ("c23_depth_and_heads.symbolic", "positive_rows", "", ""): ANY,
    (
        "subspaces",
        "visible_share",
        "energy > 0",
        "",
    ): "In the inner of two guards: the answer is NaN either way.",
    ("c01_pooling_bottleneck.claim", "rank_gap", "", ""): THRESHOLD,
    (
        "c06_nonlinearity_with_residual.claim",
        "rank_gap",
        "energies > NEGLIGIBLE * energies[:, -1:]",
        "",
    ): THRESHOLD,
    (
        "c25_many_classes.claim",
        "ways_down_gap",
        "jnp.linalg.eigvalsh(saddle.hessian()) < -1e-09",
        "",
    ): THRESHOLD,
    (
        "c05_nonlinearity_without_residual.symbolic",
        "slope_along_a_centred_direction",
        "phi(v * total(weight_along(j) * x[j], j))",
        "",
    ): ANY,
    ("c11_values_first.claim", "process", "", ""): ANY,
    ("c13_absolute_positions.claim", "blind_gap", "per_key.mean()", "per_key.sum()"): SIZE,
    ("c18_causal_pretraining.claim", "oscillating", "", ""): ANY,
    ("c18_causal_pretraining.claim", "orthogonality_gap", "", ""): SIZE,
    (
        "c19_adiabatic_blindness.claim",
        "deep_gradient_gap",
        "stream[0]",
        "stream[1]",
    ): "Only its shape is read.",
    ("c19_adiabatic_blindness.head", "half_gap", "share", "0.5"): ANY,
    (
        "c20_escape_from_plateau.claim",
        "hessian_gap",
        "claimed_saddle(population).hessian() @ direction",
        "",
    ): ("A Hessian is symmetric."),
    ("c23_depth_and_heads.symbolic", "ranks_of_two_layers", "", ""): ANY,
}
"""(module, function, before, after), or "" for any, of mutations that change nothing that is claimed."""


def reason(mutant: Mutant) -> str:
    """Why nothing claimed changes with this mutation, or nothing."""
    exact = (mutant.module, mutant.function, mutant.before, mutant.after)
    return next(
        (REASONS[key] for key in (exact, (*exact[:3], ""), (*exact[:2], "", "")) if key in REASONS), ""
    )


def proper(known: Sequence[Trial]) -> frozenset[tuple[str, str]]:
    """The functions that some check calls that is no counterexample: no others are mutated."""
    return frozenset(form for trial in known if trial.check.kind != "counterexample" for form in trial.called)


def outcome(mutant: Mutant, known: Sequence[Trial], functions: dict) -> str:
    """red, raised or survived: what the checks that call it do, cheapest first, until one is not green."""
    using = [trial for trial in known if (mutant.module, mutant.function) in trial.called]
    with in_place(mutant.code, functions):
        for trial in sorted(using, key=lambda trial: trial.seconds):
            if (seen := trial.outcome()) != "green":
                return seen
    return "survived"


def judged(budgets: tuple[int, int], seed: int, known: Sequence[Trial], report: Any) -> dict[str, Any]:
    """The table of a run: so many mutations of each module of closed forms, and of each of the claims' own."""
    functions, mutated, rows = live(), proper(known), {}
    modules = [(each, budgets[0]) for each in MODULES] + [(each, budgets[1]) for each in CLAIM_MODULES]
    for done, (module, budget) in enumerate(modules, 1):
        chosen = sampled(module, budget, seed, lambda function, m=module: (m, function) in mutated)
        rows[module] = [(mutant, outcome(mutant, known, functions)) for mutant in chosen]
        report(done, len(modules), module)
    return table(rows, budgets, seed)


def table(rows: dict[str, list[tuple[Mutant, str]]], budgets: tuple[int, int], seed: int) -> dict[str, Any]:
    """What is stored: the score, the budget, each module and each kind."""
    modules = {module: row(outcomes) for module, outcomes in rows.items()}
    counted = [(mutant.kind, seen) for each in rows.values() for mutant, seen in each if not reason(mutant)]
    caught = Counter(kind for kind, seen in counted if seen == "red")
    lost = Counter(kind for kind, seen in counted if seen == "survived")
    return {
        "score": sum(caught.values()) / sum((caught + lost).values()),
        "seed": seed,
        "budgets": {"closed forms": budgets[0], "claims": budgets[1]},
        "kinds": {kind: {"red": caught[kind], "survived": lost[kind]} for kind in sorted(caught + lost)},
        "modules": modules,
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
    }


def row(outcomes: Sequence[tuple[Mutant, str]]) -> dict[str, Any]:
    """The table's entry for one module."""
    lost = [mutant for mutant, seen in outcomes if seen == "survived"]
    return {
        "tried": len(outcomes),
        "red": sum(seen == "red" and not reason(mutant) for mutant, seen in outcomes),
        "stillborn": sum(seen == "raised" for _, seen in outcomes),
        "equivalent": [f"{mutant} ({reason(mutant)})" for mutant in lost if reason(mutant)],
        "survivors": [str(mutant) for mutant in lost if not reason(mutant)],
    }

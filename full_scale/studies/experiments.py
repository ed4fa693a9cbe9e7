"""What `sptlab train` and `sptlab study` run, by name: a frozen config and a run each."""

import importlib
from typing import Any

from full_scale.studies import arm_comparison, grids, training_states
from full_scale.studies.task_arms import DigitsArms, DocsOrderArms, TrainingExperiment
from sims.cli import declarations

EXPERIMENTS: dict[str, Any] = {
    "run": grids,
    "docs_order": TrainingExperiment(
        DocsOrderArms,
        arm_comparison.run,
        "letters in order or permuted: labels alone against SPT",
        65.0,
        fitted=arm_comparison.COMPARED,
    ),
    "docs_order_probes": TrainingExperiment(
        DocsOrderArms,
        training_states.run,
        "what each loss sees of the scores, along docs-order training",
        100.0,
    ),
    "digits": TrainingExperiment(
        DigitsArms,
        arm_comparison.run,
        "handwritten digits, a control: a tie is expected",
        65.0,
        fitted=arm_comparison.COMPARED,
    ),
}


STUDIES: dict[str, Any] = {
    name: importlib.import_module(f"full_scale.studies.{name}") for name in declarations.studies()
}
"""What `sptlab study` runs: modules with Config, description, seconds, and `stored`, their result's name."""

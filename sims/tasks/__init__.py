"""Toy tasks whose label lies in which tokens are neighbours, with controls, and what simple models reach."""

from sims.tasks.adjacent_pair import AdjacentPair
from sims.tasks.baselines import BASELINES, baselines
from sims.tasks.contrast_pair import ContrastPair, MirrorImage
from sims.tasks.fixed_permutation import FixedPermutation
from sims.tasks.order import LocalPermute, Order, ShuffleRuns
from sims.tasks.patch_association import PatchAssociation
from sims.tasks.run_density import RunDensity
from sims.tasks.task import Task

TASKS: dict[str, type[Task]] = {
    kind.name: kind
    for kind in (
        Order, LocalPermute, ShuffleRuns, RunDensity, MirrorImage, ContrastPair, PatchAssociation,
        AdjacentPair, FixedPermutation,
    )
}  # fmt: skip
"""Each task's class by its name at the command line."""

__all__ = [
    "BASELINES", "TASKS", "AdjacentPair", "ContrastPair", "FixedPermutation", "LocalPermute", "MirrorImage",
    "Order", "PatchAssociation", "RunDensity", "ShuffleRuns", "Task", "baselines",
]  # fmt: skip

"""The tasks by name: a frozen config each, and `load` builds its data."""

from full_scale.tasks.digits import Digits
from full_scale.tasks.drawn import AdjacentPair, FixedPermutation, PatchAssociation, RunDensity, ShuffleRuns
from full_scale.tasks.image import Image
from full_scale.tasks.listops import ListOps
from full_scale.tasks.local_permute import LocalPermute
from full_scale.tasks.mnist import FashionMnist, Mnist
from full_scale.tasks.order import DocsOrder, Order
from full_scale.tasks.own import Own
from full_scale.tasks.pathfinder import Pathfinder
from full_scale.tasks.retrieval import Retrieval
from full_scale.tasks.task import Task, load
from full_scale.tasks.text import Text
from full_scale.tasks.ucr import Ucr

TASKS: dict[str, type[Task]] = {
    kind.name: kind
    for kind in (
        DocsOrder, Order, LocalPermute, ShuffleRuns, RunDensity, PatchAssociation, AdjacentPair,
        FixedPermutation, Digits, Mnist, FashionMnist, Image, Text, Retrieval, ListOps, Pathfinder, Ucr, Own,
    )
}  # fmt: skip

__all__ = ["TASKS", "Task", "load", *(kind.__name__ for kind in TASKS.values())]

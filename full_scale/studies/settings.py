"""The settings each arm runs with: the best of the stored sweep on validation data, by task and depth.

`sptlab study tuning` makes them; a test holds them to full_scale/stored.
"""

from full_scale.studies.arms import Arm, Settings

CHOSEN: dict[tuple[str, int], dict[Arm, Settings]] = {
    ("docs-order", 1): {"label_only": Settings(0.01, 0.2), "spt": Settings(0.01, 0.2)},
    ("docs-order", 2): {"label_only": Settings(0.003, 0.02), "spt": Settings(0.01, 0.2)},
    ("digits", 1): {"label_only": Settings(0.03, 0.2), "spt": Settings(0.03, 0.02)},
}
ADIABATIC = Settings(3e-3, 0.1)  # attention frozen uniform, both losses; converged, see its training loss


def chosen(task: str, layers: int) -> dict[Arm, Settings]:
    """The arms' settings for a task at a depth; a depth nobody swept takes those of the deepest swept."""
    depths = [depth for name, depth in CHOSEN if name == task]
    return CHOSEN[task, min(layers, max(depths))]

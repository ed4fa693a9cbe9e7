"""Where each figure stands on the page: above a part's claims, inside a claim, or in a later section."""

from collections.abc import Iterable, Mapping
from typing import Any

from full_scale.stored import COMMANDS
from paper_figs import figures as gallery
from paper_figs.report.argument import PARTS
from sims.experiments import EXPERIMENTS
from sims.runs.store import Result

STUDIES = {
    "attention": "answer",
    "cpu_study": "tasks",
    "value_sign": "tasks",
    "paper": "paper",
    "validation": "validation",
    "pilot_validation": "validation",
    "comparison": "comparison",
    "score_slider": "slider",
}
"""Sections of their own, by the result that they show."""
_LEADS = {part.figure: part.name for part in PARTS if part.figure}
_CLAIMS_IN_ORDER = tuple(label for part in PARTS for label in part.claims)


def known() -> dict[str, gallery.Source]:
    """Every figure by name."""
    return {**gallery.FIGURES, **gallery.EXPERIMENT_FIGURES}


def drawable(results: Mapping[str, Result]) -> dict[str, gallery.Source]:
    """The figures whose results are all stored."""
    return {name: figure for name, figure in known().items() if figure.is_drawable(results)}


def section_of(figure: gallery.Source) -> str:
    """A section's name, or the first of the figure's claims in the order of the argument."""
    if figure.name in _LEADS:
        return _LEADS[figure.name]
    own = next((section for result, section in STUDIES.items() if result in figure.needs), None)
    claim = next((label for label in _CLAIMS_IN_ORDER if label in figure.shows), None)
    return own or claim or ("toy" if all(need in EXPERIMENTS for need in figure.needs) else "transformer")


def figures_by_section(names: Iterable[str]) -> dict[str, list[str]]:
    """The figures of each place."""
    by_section: dict[str, list[str]] = {}
    for name in names:
        by_section.setdefault(section_of(known()[name]), []).append(name)
    return by_section


def of_claim(label: str, names: Iterable[str]) -> dict[str, Any]:
    """A claim's figures that stand in it, those that stand elsewhere, and what would make one."""
    shows = [name for name in names if label in known()[name].shows]
    here = [name for name in shows if section_of(known()[name]) == label]
    drawn = [name for name in shows if name not in here]
    absent = [figure for figure in known().values() if label in figure.shows and figure.name not in shows]
    commands = [COMMANDS[need] for figure in absent for need in figure.needs] if not shows else []
    return {"here": here, "elsewhere": drawn, "commands": list(dict.fromkeys(commands))}

"""The figures by name: what each needs, shows, draws and says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType

from matplotlib.figure import Figure

from paper_figs import (
    adiabatic_gradients,
    adiabatic_snr,
    arm_accuracies,
    arm_curves,
    attention_maps,
    blindness_map,
    boundaries,
    causal,
    circulant_loss,
    contrast,
    escape,
    first_value,
    forgetting,
    gradient_decomposition,
    initialisation_law,
    invariance,
    learning_curves,
    mask_ratio,
    plateau,
    pools,
    prediction_measurement,
    proximity_training,
    reduced_flow,
    score_slider,
    shares,
    style,
    tied_initialisation,
    toy_tasks,
    toy_to_transformer,
    validation,
    value_sign,
    values_first,
    visible_share,
)
from paper_figs.sources import missing, need
from sims.store import Result, UserError


@dataclass(frozen=True)
class Source:
    """A figure: the results it needs, and how to draw it and say what it shows."""

    name: str
    needs: tuple[str, ...]
    shows: tuple[str, ...]
    """Labels of the claims that it makes visible."""
    draw: Callable[[Mapping[str, Result]], Figure]
    caption: Callable[[Mapping[str, Result]], str]
    seen: str
    """What its picture consists of, in words: the first line of what draws it."""


def settled(draw: Callable[[Mapping[str, Result]], Figure]) -> Callable[[Mapping[str, Result]], Figure]:
    """`draw`, its layout computed once: every format shows the same one, and is written sooner."""

    @style.styled
    def drawn(results: Mapping[str, Result]) -> Figure:
        figure = draw(results)
        with style.as_made(figure):
            figure.draw_without_rendering()
        figure.set_layout_engine("none")
        return figure

    return drawn


def source(module: ModuleType) -> Source:
    """The figure that a module draws, under the module's name."""
    name = module.__name__.rpartition(".")[2]
    seen = (module.draw.__doc__ or "").partition("\n")[0]
    return Source(name, module.NEEDS, module.SHOWS, settled(module.draw), module.caption, seen)


PAGE_MODULES = (
    visible_share,
    gradient_decomposition,
    circulant_loss,
    score_slider,
    reduced_flow,
    learning_curves,
    attention_maps,
    proximity_training,
    adiabatic_gradients,
    adiabatic_snr,
    prediction_measurement,
)
EXPERIMENT_MODULES = (
    values_first,
    first_value,
    value_sign,
    initialisation_law,
    tied_initialisation,
    pools,
    boundaries,
    causal,
    escape,
    contrast,
    forgetting,
    blindness_map,
    plateau,
    mask_ratio,
    toy_tasks,
    invariance,
    arm_accuracies,
    arm_curves,
    shares,
    toy_to_transformer,
    validation,
)

FIGURES = {figure.name: figure for figure in map(source, PAGE_MODULES)}
"""Those of the page, which `reproduce` draws."""
EXPERIMENT_FIGURES = {figure.name: figure for figure in map(source, EXPERIMENT_MODULES)}
"""Those of single experiments, drawn where these are stored."""


def drawable(results: Mapping[str, Result]) -> list[str]:
    """The figures that have all they need. Raises UserError where none has, naming a command to run."""
    known = FIGURES | EXPERIMENT_FIGURES
    found = [name for name, one in known.items() if not missing(results, one.needs)]
    if not found:
        first = next(iter(FIGURES.values()))
        for name in first.needs:
            need(results, name, by=f"figure {first.name}")
    return found


def chosen(names: Iterable[str] | None) -> list[Source]:
    """The figures of these names, the page's for None. Raises UserError for an unknown name."""
    wanted, known = list(FIGURES) if names is None else list(names), FIGURES | EXPERIMENT_FIGURES
    for name in wanted:
        if name not in known:
            raise UserError(f"expected a figure out of {', '.join(known)}; got {name}")
    return [known[name] for name in wanted]


def figure_of(label: str) -> Source:
    """The figure that makes a claim visible. Raises UserError, with the claims that have one."""
    every = (EXPERIMENT_FIGURES | FIGURES).values()
    for figure in every:
        if label in figure.shows:
            return figure
    labels = sorted({claim for figure in every for claim in figure.shows}, key=lambda claim: int(claim[1:]))
    raise UserError(f"expected a claim with a figure ({', '.join(labels)}); got {label}")

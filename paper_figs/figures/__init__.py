"""One module per figure; a new file here is a new figure, under the file's name.

Each exports `NEEDS`, the stored results it reads; `SHOWS`, the claims it makes visible; `draw(results) -> Figure`;
`caption(results) -> str`; `PAGE_ORDER`, its rank among those that `reproduce` draws, if it is one of them; and
`draw_narrow`, the same picture for a phone, where the page needs one; `is_shown_by(results) -> bool`, where not every
such result holds what it shows.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType

from matplotlib.figure import Figure

from full_scale.stored import missing, need
from paper_figs import style
from paper_figs.style import settings_captions
from sims.runs.store import Result, UserError


@dataclass(frozen=True)
class Source:
    """A figure: the results it needs, and how to draw it and say what it shows."""

    name: str
    needs: tuple[str, ...]
    shows: tuple[str, ...]
    """Labels of the claims that it makes visible."""
    draw: Callable[[Mapping[str, Result]], Figure]
    caption: Callable[[Mapping[str, Result]], str]
    alt_text: str
    """What its picture consists of, in words: the first line of what draws it."""
    draw_narrow: Callable[[Mapping[str, Result]], Figure] | None = None
    """The same for a phone, where the module has one."""
    is_shown_by: Callable[[Mapping[str, Result]], bool] | None = None
    """Whether the results hold what it shows, where some do not."""

    def is_drawable(self, results: Mapping[str, Result]) -> bool:
        """Whether the results it needs are stored and hold what it shows."""
        return not missing(results, self.needs) and (self.is_shown_by is None or self.is_shown_by(results))


def _with_fixed_layout(
    draw: Callable[[Mapping[str, Result]], Figure],
) -> Callable[[Mapping[str, Result]], Figure]:
    """`draw`, its layout computed once: every format shows the same one, and is written sooner."""

    @style.styled
    def drawn(results: Mapping[str, Result]) -> Figure:
        figure = draw(results)
        with style.as_made(figure):
            figure.draw_without_rendering()
        figure.set_layout_engine("none")
        return figure

    return drawn


def _with_settings(module: ModuleType) -> Callable[[Mapping[str, Result]], str]:
    """The module's caption, and behind it the settings of the results that it reads."""

    def caption(results: Mapping[str, Result]) -> str:
        return f"{module.caption(results)} {settings_captions.sentence(results, module.NEEDS)}".rstrip()

    return caption


def source(module: ModuleType) -> Source:
    """The figure that a module draws, under the module's name."""
    name = module.__name__.rpartition(".")[2]
    alt_text = (module.draw.__doc__ or "").partition("\n")[0]
    narrow = _with_fixed_layout(module.draw_narrow) if hasattr(module, "draw_narrow") else None
    draw = _with_fixed_layout(module.draw)
    is_shown_by = getattr(module, "is_shown_by", None)
    return Source(
        name, module.NEEDS, module.SHOWS, draw, _with_settings(module), alt_text, narrow, is_shown_by
    )


_MODULES = [importlib.import_module(f"{__name__}.{name}") for _, name, _ in pkgutil.iter_modules(__path__)]
_ON_PAGE = sorted(
    (each for each in _MODULES if hasattr(each, "PAGE_ORDER")), key=lambda each: each.PAGE_ORDER
)

FIGURES = {figure.name: figure for figure in map(source, _ON_PAGE)}
"""Those of the page, which `reproduce` draws."""
EXPERIMENT_FIGURES = {figure.name: figure for figure in map(source, _MODULES) if figure.name not in FIGURES}
"""Those of single experiments, drawn where these are stored."""


def drawable(results: Mapping[str, Result]) -> list[str]:
    """The figures that have all they need. Raises UserError where none has, naming a command to run."""
    known = FIGURES | EXPERIMENT_FIGURES
    names = [name for name, one in known.items() if one.is_drawable(results)]
    if not names:
        first = next(iter(FIGURES.values()))
        for name in first.needs:
            need(results, name, by=f"figure {first.name}")
    return names


def chosen(names: Iterable[str] | None) -> list[Source]:
    """The figures of these names, the page's for None. Raises UserError for an unknown name."""
    wanted, known = list(FIGURES) if names is None else list(names), FIGURES | EXPERIMENT_FIGURES
    for name in wanted:
        if name not in known:
            raise UserError(f"expected a figure out of {', '.join(known)}; got {name}")
    return [known[name] for name in wanted]


def figure_of(label: str) -> Source:
    """The figure that names this claim earliest among those it shows. Raises UserError if none shows it."""
    every = [*EXPERIMENT_FIGURES.values(), *FIGURES.values()]
    if showing := [figure for figure in every if label in figure.shows]:
        return min(showing, key=lambda figure: figure.shows.index(label))
    labels = sorted({claim for figure in every for claim in figure.shows}, key=lambda claim: int(claim[1:]))
    raise UserError(f"expected a claim with a figure ({', '.join(labels)}); got {label}")


__all__ = ["EXPERIMENT_FIGURES", "FIGURES", "Source", "chosen", "drawable", "figure_of", "source"]

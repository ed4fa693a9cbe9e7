"""`sptlab reproduce`: every stage, the figures, and the page."""

import dataclasses
import functools
import time
from typing import Any, ClassVar, Literal

from sims.cli.command import Storing
from sims.cli.progress import progress, share_of

FIGURES_SECONDS = 12.0  # of the page's figures on the reference machine


@dataclasses.dataclass(frozen=True)
class Reproduce(Storing):
    """Run everything and write one self-contained page. Interrupted, it goes on where it stopped."""

    preset: Literal["full", "smoke"] = "full"
    """smoke: every stage at toy size, to see in a minute or so that all runs; its numbers mean nothing."""
    anew: bool = False
    """Draw also figures that have not changed."""
    line: ClassVar[str] = "reproduce"

    @property
    def provenance(self) -> str:
        """The command as the record of its results keeps it."""
        return f"{super().provenance} --preset {self.preset}"

    def __call__(self) -> int:
        from full_scale.stored import with_shipped
        from full_scale.studies import reproduction
        from paper_figs import write_figures, write_numbers
        from paper_figs.report import first_page, page
        from sims.runs import store
        from sims.runs.cache import note_seconds

        first = functools.partial(first_page.write, self.out)  # claims and toys, while Transformers train
        drawn: dict[str, Any] = {}
        seconds = reproduction.total_seconds()
        total = seconds + FIGURES_SECONDS
        estimate = lambda: total if self.preset == "full" else 0.0
        with store.lock(self.out), progress("reproduce", self.quiet, estimate) as report:
            computing = share_of(report, "", 0.0, seconds, total, keep_label=True)
            results = reproduction.reproduced(self.session, self.preset, computing, first)
            drawing = share_of(report, "figures", seconds, FIGURES_SECONDS, total)
            started = time.perf_counter()
            write_figures(results, self.out / "figures", report=drawing, drawn=drawn, anew=self.anew)
            note_seconds(self.out, "figures", time.perf_counter() - started)
            shown_results = {**reproduction.simulations_beside(self.session), **results}
            write_numbers(with_shipped(shown_results, self.out), self.out / "figures")
            page.write(shown_results, self.out, drawn, self.anew)
        print(f"open {self.out / 'index.html'}")
        return 0

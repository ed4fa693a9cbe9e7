"""What a simulation or training prints at its end: its table or its figure's caption, and where it lies."""

import json
import shlex
import textwrap
from pathlib import Path
from typing import Any

from sims.cli.command import ExperimentCommand
from sims.cli.names import dashed_name


def summary(command: ExperimentCommand, result: Any, out: Path) -> str:
    """What an experiment found, as its table or its figure's caption says, and where the result lies."""
    from paper_figs import EXPERIMENT_FIGURES, FIGURES

    lies = f"stored in {out / 'results' / result.name}.json (as JSON: the same command with --json)"
    if hasattr(command.core, "result_text"):
        return f"{command.core.result_text(command.core.Values.from_json(result.values))}\n\n{lies}"
    every = (EXPERIMENT_FIGURES | FIGURES).values()
    drawn = [figure for figure in every if figure.needs == (result.name,)]
    if not drawn:
        return f"{json.dumps(result.values, indent=1)}\n\n{lies}"
    words = [textwrap.fill(figure.caption({result.name: result}), 100) for figure in drawn]
    names = " ".join(dashed_name(figure.name) for figure in drawn)
    at = "" if out == Path("report") else f" --out {shlex.quote(str(out))}"
    return "\n\n".join([*words, f"{lies}\nfigure: sptlab figures {names}{at}"])

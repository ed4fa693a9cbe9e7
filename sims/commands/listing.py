"""The experiments that a command can run, as `--list` shows them."""

from typing import Any

from sims.commands.names import shown


def listing(command: str, known: dict[str, Any]) -> str:
    """What `simulate` or `train` can run."""
    width = max(map(len, known)) + 2
    rows = "\n".join(
        f"  {shown(name):{width}} {duration(core.seconds):>6}  {core.description}"
        for name, core in known.items()
    )
    flags = "[--out FOLDER] [--seed N] [--quiet] [settings of its own]"
    usage = f"usage: sptlab {command} NAME {flags}\n       sptlab {command} --list"
    if command == "train":
        usage += "\n       sptlab train [run] --preset PRESET --grid arms|transfer|priors|depth|core|all"
    if command == "simulate":
        usage += "\n       sptlab simulate NAME --sweep FILE [--engine local|dask]"
    times = "Times are for the default settings on two cores; what was interrupted goes on."
    return f"{usage}\n\n{rows}\n\n{times}\nIts settings: sptlab {command} NAME --help"


def duration(seconds: float | int) -> str:
    """About how long, in few characters."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

"""Flags: a command's dataclass read from the command line, and a mistake answered in one line."""

import contextlib
import io
import re
from typing import Any

import tyro

from sims.commands.names import require
from sims.errors import UserError


def understood(command: type, program: str, arguments: list[str]) -> Any:
    """The command with its flags. Raises UserError in one line where tyro would draw a box."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(command, prog=program, args=arguments, config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as stop:
        if not stop.code:
            raise
    flags = flags_of(command, program)
    for argument in arguments:
        flag = argument.split("=")[0].replace("_", "-")
        if flag.startswith("--") and flag not in flags:
            require(flag, flags, "option")
    raise UserError(f"{unboxed(complaint.getvalue())} (see {program} --help)")


def flags_of(command: type, program: str) -> list[str]:
    """The flags that the command's help shows, in its order."""
    text = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(text):
        tyro.cli(command, prog=program, args=["--help"], config=(tyro.conf.FlagCreatePairsOff,))
    return list(dict.fromkeys(re.findall(r"--[a-z][\w.-]*", text.getvalue())))


def unboxed(box: str) -> str:
    """The message inside tyro's box, in one line: the part after the title and before the next rule."""
    parts = re.split(r"^[\s│╭]*[─-]{3}.*$|^╭.*$", box, flags=re.MULTILINE)
    return " ".join(re.sub("[│╰╯─]", " ", parts[1] if len(parts) > 1 else box).split())

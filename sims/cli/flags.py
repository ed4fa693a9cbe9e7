"""Flags: a command's dataclass read from the command line, and a mistake answered in one line."""

import contextlib
import dataclasses
import io
import math
import os
import re
from typing import Any

import tyro

from sims.cli.help_text import readable
from sims.cli.names import dashed_name, require_flag
from sims.runs.errors import UserError


def parse_command(command: type, program: str, arguments: list[str]) -> Any:
    """The command with its flags. Raises UserError in one line where tyro would draw a box."""
    _require_values(arguments)
    if {"-h", "--help"} & set(arguments):
        print(readable(_drawn(command, program), command), end="")
        raise SystemExit(0)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            parsed: Any = tyro.cli(
                command, prog=program, args=arguments, config=(tyro.conf.FlagCreatePairsOff,)
            )
        require_finite(parsed)
        return parsed
    except SystemExit as stop:
        if not stop.code:
            raise
    flags, values = _flags_of(command, program)
    for argument in arguments:
        if argument.startswith("--"):
            name = argument.split("=")[0].replace("_", "-")
            if name not in flags and (option := values.get(name.removeprefix("--"))):
                raise UserError(f"unknown option {name}; did you mean {option} {name.removeprefix('--')}?")
            require_flag(name, flags, program)
    raise UserError(f"{_strip_box(complaint.getvalue())} (see {program} --help)")


def _require_values(arguments: list[str]) -> None:
    """Raise UserError for an option or a name that is given as nothing: `--out ""` is a variable not set."""
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if argument == "" or re.fullmatch(r"--[a-z][\w.-]*=", argument):
            name = argument.rstrip("=") or (before if before.startswith("--") else "a name")
            raise UserError(f"expected a value for {name}: got an empty one; leave it out for the default")


def require_finite(settings: Any) -> None:
    """Raise UserError for a setting that is nan or infinite, wherever in the dataclass it lies."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            require_finite(value)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and not math.isfinite(number):
                name = dashed_name(field.name)
                raise UserError(
                    f"--{name} must be a finite number: got {number}; without it the default holds"
                )


def _flags_of(command: type, program: str) -> tuple[list[str], dict[str, str]]:
    """The flags that the command's help shows, in its order; and of each value that is listed there, its flag."""
    drawn = _drawn(command, program)
    flags = list(dict.fromkeys(re.findall(r"--[a-z][\w.-]*", drawn)))
    listed = re.findall(r"(--[a-z][\w.-]*) \{([\w.,-]+)\}", drawn)
    return flags, {value: flag for flag, choices in reversed(listed) for value in choices.split(",")}


def _drawn(command: type, program: str) -> str:
    """The help that tyro draws for a terminal of 100 columns that shows its boxes."""
    pipe, columns = io.TextIOWrapper(io.BytesIO(), "utf-8"), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(pipe):
            tyro.cli(command, prog=program, args=["--help"], config=(tyro.conf.FlagCreatePairsOff,))
    finally:
        os.environ.pop("COLUMNS") if columns is None else os.environ.update(COLUMNS=columns)
    pipe.seek(0)
    return pipe.read()


def _strip_box(box: str) -> str:
    """The message inside tyro's box, in one line: the part after the title and before the next rule."""
    parts = re.split(r"^[\s│╭]*[─-]{3}.*$|^╭.*$", box, flags=re.MULTILINE)
    return " ".join(re.sub("[│╰╯─]", " ", parts[1] if len(parts) > 1 else box).split())

"""Flags: a command's dataclass read from the command line, and a mistake answered in one line."""

import contextlib
import dataclasses
import io
import itertools
import math
import os
import re
from typing import Any

import tyro

from sims.cli.help_text import every_option, readable
from sims.cli.names import dashed_name, nearest, require_flag
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
    drawn = _drawn(command, program)
    _require_known(arguments, drawn, program)
    raise UserError(f"{_in_words(_strip_box(complaint.getvalue()), arguments, drawn)} (see {program} --help)")


def _require_known(arguments: list[str], drawn: str, program: str) -> None:
    """Raise UserError for an option that the help does not name, with the one that was meant."""
    flags = list(dict.fromkeys(re.findall(r"--[a-z][\w.-]*", drawn)))
    listed = re.findall(r"(--[a-z][\w.-]*) \{([\w.,-]+)\}", drawn)
    values = {value: flag for flag, choices in reversed(listed) for value in choices.split(",")}
    for argument in arguments:
        if re.match(r"-[a-zA-Z-]", argument):
            name = argument.split("=")[0].replace("_", "-")
            if name not in flags and (option := values.get(name.removeprefix("--"))):
                raise UserError(f"unknown option {name}; did you mean {option} {name.removeprefix('--')}?")
            require_flag(name, flags, program)


def _in_words(complaint: str, arguments: list[str], drawn: str) -> str:
    """What tyro says of a value, as: what it must be, what came, and an example."""
    if unknown := re.match(r"Unrecognized options: (.*)", complaint):
        return f"expected options only: got {unknown[1]}"
    if choice := re.match(r"invalid choice '(.*)' for argument '(.*)'. Expected one of \((.*)\)", complaint):
        known = re.findall(r"'([^']*)'", choice[3])
        known = (
            sorted({*known} - {"None"}) if "None" in known else known
        )  # with None, tyro's order is a set's
        named = f"{choice[2]} must be" if choice[2].startswith("--") else "expected"
        return f"{named} one of {', '.join(known)}: got {choice[1]}{nearest(choice[1], known)}"
    flag = re.search(r"--[\w.-]+", complaint)
    option = next((each for each in every_option(drawn) if flag and each.flag == flag[0].rstrip(".")), None)
    if option is None:
        return complaint
    default = re.search(r"\(default: ([^()]*)\)$", option.does)
    example = f"; for example {option.flag} {default[1]}" if default and "Missing" not in complaint else ""
    return f"{option.flag} must be {_kind(option.typed)}: got {_given(option.flag, arguments)}{example}"


def _kind(typed: str) -> str:
    """What an option takes, in words: `--lengths INT ...` takes whole numbers, separated by spaces."""
    several = typed.endswith("...")
    names = {
        "INT": ("a whole number", "whole numbers"), "FLOAT": ("a number", "numbers"), "PATH": ("a path", "paths"),
        "STR": ("a text", "texts"),
    }  # fmt: skip
    kinds = typed.split(" ", 1)[-1].removesuffix(" ...").split("|")
    either = " or ".join(names.get(kind, (kind, kind))[several] for kind in kinds)
    return f"{either}, separated by spaces" if several else either


def _given(flag: str, arguments: list[str]) -> str:
    """The values that the command line gives an option."""
    for number, argument in reversed(list(enumerate(arguments))):
        if argument.replace("_", "-").split("=")[0] == flag:
            after = [argument.split("=", 1)[1]] if "=" in argument else arguments[number + 1 :]
            return " ".join(itertools.takewhile(lambda value: not value.startswith("--"), after)) or "nothing"
    return "nothing"


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

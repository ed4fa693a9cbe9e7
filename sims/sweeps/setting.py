"""A value of a sweep's file as a setting of an experiment, or one line that says what was expected."""

import dataclasses
import math
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from sims.runs.store import UserError

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}


def converted(value: Any, kind: Any, name: str, default: Any) -> Any:
    """`value` as an object of type `kind`: whole numbers become floats where floats are wanted."""
    if fits(value, kind):
        return _cast(value, kind)
    raise UserError(f"{name} must be {described(kind)}: got {example(value)}; try {example(default)}")


def fits(value: Any, kind: Any) -> bool:
    """Whether the value can become such a setting."""
    options, origin = get_args(kind), get_origin(kind)
    if origin is Literal:
        return any(type(value) is type(option) and value == option for option in options)
    if origin in (Union, types.UnionType):
        return any(fits(value, option) for option in options)
    if origin is tuple:
        if not isinstance(value, list):
            return False
        kinds = [options[0]] * len(value) if options[-1] is Ellipsis else options
        return len(kinds) == len(value) and all(map(fits, value, kinds))
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is (str if kind is Path else kind)


def _cast(value: Any, kind: Any) -> Any:
    """A value that fits, as an object of that type."""
    options, origin = get_args(kind), get_origin(kind)
    if origin in (Union, types.UnionType):
        return _cast(value, next(option for option in options if fits(value, option)))
    if origin is tuple:
        kinds = [options[0]] * len(value) if options[-1] is Ellipsis else options
        return tuple(map(_cast, value, kinds))
    return kind(value) if kind in (float, Path) else value


def described(kind: Any) -> str:
    """The type in words."""
    options, origin = get_args(kind), get_origin(kind)
    if origin is Literal:
        return "one of " + ", ".join(map(example, options))
    if origin in (Union, types.UnionType):
        return " or ".join(described(option) for option in options if option is not type(None))
    if origin is tuple:
        if options[-1] is Ellipsis:
            return f"a list whose entries are each {described(options[0])}"
        return "[" + ", ".join(map(described, options)) + "]"
    return WORDS.get(kind, f"set on the command line (a file has no {getattr(kind, '__name__', kind)})")


def example(value: Any) -> str:
    """The value as TOML writes it, near enough to copy."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(example, value)) + "]"
    if isinstance(value, (str, Path)):
        return f'"{value}"'
    if value is None or dataclasses.is_dataclass(value):
        return "leaving it out"
    return repr(value)

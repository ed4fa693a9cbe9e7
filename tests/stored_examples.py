"""Stored results of which a test says only what it is about: everything else that they hold is empty."""

import dataclasses
import types
from typing import Any, Literal, Union, get_args, get_origin

from sims.runs.provenance import plain


def completed(kind: type, content: Any) -> Any:
    """The content as JSON holds a result of this type; what it lacks is 0, "", None or empty."""
    return _filled(kind, plain(content))


def _filled(kind: Any, content: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(content, dict):
        named = {field.name: field for field in dataclasses.fields(kind)}
        known = {name: _filled(named[name].type, each) for name, each in content.items()}
        lacking = [
            field for name, field in named.items() if name not in content and field.default is not None
        ]
        return known | {field.name: empty(field.type) for field in lacking}
    if origin is dict and isinstance(content, dict):
        return {name: _filled(parts[1], each) for name, each in content.items()}
    if origin is tuple and isinstance(content, list):
        return [_filled(parts[0], each) for each in content]
    if origin in (Union, types.UnionType) and isinstance(content, dict):
        fitting = [
            each for each in parts if content.keys() <= getattr(each, "__dataclass_fields__", {}).keys()
        ]
        fitting = fitting or [each for each in parts if get_origin(each) is dict]
        return _filled(fitting[-1], content) if fitting else content
    return content


def empty(kind: Any) -> Any:
    """A value of this type that says nothing."""
    origin, parts = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _filled(kind, {})
    if origin in (Union, types.UnionType):
        return None if types.NoneType in parts else empty(parts[0])
    if origin is Literal:
        return parts[0]
    if origin is tuple:
        return [] if parts[1:] == (...,) else [empty(part) for part in parts]
    return {} if origin is dict or kind is object else kind()

"""Stored results as what they are: a frozen dataclass from its JSON, refused where the two do not agree."""

import dataclasses
import types
from collections.abc import Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from sims.runs.errors import UserError

__all__ = ["Stored", "absent"]
_Kind = TypeVar("_Kind", bound="Stored")
_REMEDY = "make the result again: its record names the command"


class Stored:
    """The base of what is stored: dataclasses, numbers, words, and tuples and dicts of them.

    A field whose default is None is left out where it is None; every other is written, and asked for.
    """

    @classmethod
    def from_json(cls: type[_Kind], content: object) -> _Kind:
        """The inverse of `plain`. Raises UserError where the content is not that of this class."""
        return _built(cls, content, cls.__name__)

    def narrowed(self, kind: type[_Kind]) -> _Kind:
        """The part of it that is of a class which this one extends."""
        return kind(**{field.name: getattr(self, field.name) for field in dataclasses.fields(kind)})  # type: ignore[arg-type]


def absent(value: object, field: dataclasses.Field) -> bool:
    """Whether a field of a stored result is one that this result does not have."""
    return isinstance(value, Stored) and field.default is None and getattr(value, field.name) is None


def _built(kind: Any, content: Any, where: str) -> Any:
    """The content as this type: what JSON tells apart must be of it, a list becomes a tuple."""
    origin, parts = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(content, dict):
        return _of_fields(kind, content, where)
    if origin is dict and isinstance(content, dict):
        return {name: _built(parts[1], each, f"{where}.{name}") for name, each in content.items()}
    if origin is tuple and isinstance(content, list):
        kinds = (parts[0],) * len(content) if parts[1:] == (...,) else parts
        if len(kinds) == len(content):
            pairs = enumerate(zip(kinds, content, strict=True))
            return tuple(_built(each, one, f"{where}.{index}") for index, (each, one) in pairs)
    if origin in (Union, types.UnionType):
        return _of_first(parts, content, where)
    if kind is object or type(content) is kind or (origin is Literal and content in parts):
        return content
    raise _refused(where, kind, content)


def _of_fields(kind: type, content: dict[str, Any], where: str) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    needed = {name for name, field in fields.items() if field.default is not None}
    if wrong := sorted((needed - content.keys()) | (content.keys() - fields.keys())):
        verb = "lacks" if wrong[0] in needed else "also holds"
        raise UserError(
            f"expected {where} with {', '.join(sorted(needed))}: it {verb} {', '.join(wrong)}; {_REMEDY}"
        )
    return kind(
        **{name: _built(fields[name].type, each, f"{where}.{name}") for name, each in content.items()}
    )


def _of_first(kinds: Sequence[Any], content: Any, where: str) -> Any:
    """The first of several types that the content is of; where it is of none, the last one's error."""
    if content is None and types.NoneType in kinds:
        return None
    *kinds, last = [kind for kind in kinds if kind is not types.NoneType]
    for kind in kinds:
        try:
            return _built(kind, content, where)
        except UserError:
            continue
    return _built(last, content, where)


def _refused(where: str, kind: Any, content: Any) -> UserError:
    name = getattr(kind, "__name__", str(kind))
    return UserError(f"expected {where} to be {name}: got {str(content)[:60]!r}; {_REMEDY}")

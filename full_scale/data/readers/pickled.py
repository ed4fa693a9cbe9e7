"""A pickle of plain data, read without executing it.

The opcodes are walked by `pickletools.genops`; only those that build dicts, lists, tuples, strings,
numbers and NumPy arrays have a meaning here. A name is never looked up and a call never made: the few
names that the pickle of an array holds are recognised, any other is refused.
"""

import pickletools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from full_scale.data.readers.npz import array_of

NAMES = {
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",
    "numpy.core.multiarray _reconstruct": "blank",
    "numpy._core.multiarray _reconstruct": "blank",
    "numpy.core.numeric _frombuffer": "from bytes",
    "numpy._core.numeric _frombuffer": "from bytes",
}
"""What each name stands for that occurs in the pickle of a NumPy array."""
_OLD_STRINGS = ("STRING", "BINSTRING", "SHORT_BINSTRING")
_CONSTANTS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT",
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8",
    "BYTEARRAY8",
}  # fmt: skip


_STEPS_MOST = 1_000_000
"""A batch of 10,000 images takes some 60,000 steps."""


class _Name(str):
    """One of NAMES' values, or the mark, on the stack."""


class _Type:
    """A dtype: its code, such as "u1", and its byte order, which BUILD gives."""

    def __init__(self, code: str):
        self.code, self.order = code.lstrip("<>|="), ""


class _Blank:
    """An array whose state comes with BUILD."""

    array: np.ndarray | None = None


_MARK = _Name("mark")


def plain_pickle(data: bytes, most: int = _STEPS_MOST) -> dict[str, object]:
    """The dict that a pickle holds, byte keys as strings. Raises ValueError for anything but plain data."""
    result = _walked(data, most)
    if not isinstance(result, dict):
        raise ValueError(f"a pickle of {type(result).__name__}, not of a dict")
    return {name: value.array if isinstance(value, _Blank) else value for name, value in result.items()}


def plain_objects(data: bytes, most: int = _STEPS_MOST) -> np.ndarray:
    """The array of strings and numbers that the pickle behind a .npy header holds. Raises ValueError."""
    result = _walked(data, most)
    array = result.array if isinstance(result, _Blank) else None
    if array is None or array.dtype != object:
        raise ValueError("a pickle of something other than an array")
    return array


def _walked(data: bytes, most: int) -> Any:
    """What lies on the stack when the opcodes have been walked."""
    stack: list = []
    memo: dict[int, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of escapes in a damaged name
            for step, (opcode, argument, _) in enumerate(pickletools.genops(data)):
                if step >= most:
                    raise ValueError(f"a pickle of more than {most:,} steps")
                _step(opcode.name, argument, stack, memo)
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a broken pickle ({type(error).__name__})") from error
    return stack.pop() if stack else None


def _step(name: str, argument: Any, stack: list, memo: dict[int, Any]) -> None:
    if name in _CONSTANTS:
        stack.append(argument)
    elif name in _OLD_STRINGS:
        stack.append(argument.encode("latin-1"))
    elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
        memo[argument] = stack[-1]
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(memo[argument])
    elif name == "GLOBAL":
        stack.append(_known(argument))
    elif name in _MAKERS:
        _MAKERS[name](stack)
    elif name not in ("PROTO", "FRAME", "STOP"):
        raise ValueError(f"a pickle with the opcode {name}")


def _known(name: str) -> _Name:
    if name not in NAMES:
        raise ValueError(f"a pickle that asks for {name!r}: not plain data, nothing was executed")
    return _Name(NAMES[name])


def _marked(stack: list) -> list:
    """Items above the last mark, which goes too."""
    items = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _appended(stack: list, items: list) -> None:
    if type(stack[-1]) is not list:
        raise TypeError
    stack[-1].extend(items)


def _set(stack: list, items: list) -> None:
    if type(stack[-1]) is not dict or len(items) % 2:
        raise TypeError
    stack[-1].update({_text(key): value for key, value in zip(items[::2], items[1::2], strict=True)})


def _text(value: Any) -> str:
    if not isinstance(value, (str, bytes)) or isinstance(value, _Name):
        raise TypeError
    return value if isinstance(value, str) else value.decode("latin-1")


def _top(stack: list, count: int) -> list:
    if count > len(stack):
        raise IndexError
    items = stack[-count:]
    del stack[-count:]
    return items


def _dict(items: list) -> dict:
    made: list = [{}]
    _set(made, items)
    return made[0]


def _called(stack: list) -> object:
    what, given = _top(stack, 2)
    if not isinstance(what, _Name) or not isinstance(given, tuple):
        raise TypeError
    if what == "encode" and _text(given[1]) == "latin1":
        return _text(given[0]).encode("latin-1")
    if what == "dtype":
        return _Type(_text(given[0]))
    if what == "blank":
        return _Blank()
    if what == "from bytes":
        data, kind, shape, order = given
        return _array(data, kind, shape, order == "F")
    raise TypeError


def _build(stack: list) -> None:
    state = stack.pop()
    if isinstance(stack[-1], _Type):
        stack[-1].order = _text(state[1])
    elif isinstance(stack[-1], _Blank):
        _, shape, kind, fortran, data = state
        stack[-1].array = (_objects if isinstance(data, list) else _array)(data, kind, shape, bool(fortran))
    else:
        raise TypeError


def _array(data: Any, kind: Any, shape: Any, fortran: bool) -> np.ndarray:
    sound = isinstance(data, (bytes, bytearray)) and isinstance(kind, _Type) and isinstance(shape, tuple)
    if not sound or not all(type(length) is int and length >= 0 for length in shape):
        raise TypeError
    return array_of(bytes(data), kind.order + kind.code, shape, fortran)


def _objects(items: list, kind: Any, shape: Any, fortran: bool) -> np.ndarray:
    """Strings, numbers and None as an array of one axis; a nested array or list is refused."""
    if not isinstance(kind, _Type) or not kind.code.startswith("O") or shape != (len(items),) or fortran:
        raise ValueError("an array of objects with more than one axis")
    if not all(type(item) in (str, bool, int, float, type(None)) for item in items):
        raise ValueError("an array of lists, arrays or other objects")
    array = np.empty(len(items), object)
    array[:] = items
    return array


_MAKERS: dict[str, Callable[[list], object]] = {
    "MARK": lambda stack: stack.append(_MARK),
    "NONE": lambda stack: stack.append(None),
    "NEWTRUE": lambda stack: stack.append(True),
    "NEWFALSE": lambda stack: stack.append(False),
    "EMPTY_DICT": lambda stack: stack.append({}),
    "EMPTY_LIST": lambda stack: stack.append([]),
    "EMPTY_TUPLE": lambda stack: stack.append(()),
    "TUPLE": lambda stack: stack.append(tuple(_marked(stack))),
    "TUPLE1": lambda stack: stack.append(tuple(_top(stack, 1))),
    "TUPLE2": lambda stack: stack.append(tuple(_top(stack, 2))),
    "TUPLE3": lambda stack: stack.append(tuple(_top(stack, 3))),
    "LIST": lambda stack: stack.append(_marked(stack)),
    "DICT": lambda stack: stack.append(_dict(_marked(stack))),
    "APPEND": lambda stack: _appended(stack, _top(stack, 1)),
    "APPENDS": lambda stack: _appended(stack, _marked(stack)),
    "SETITEM": lambda stack: _set(stack, _top(stack, 2)),
    "SETITEMS": lambda stack: _set(stack, _marked(stack)),
    "STACK_GLOBAL": lambda stack: stack.append(_known(" ".join(map(_text, _top(stack, 2))))),
    "REDUCE": lambda stack: stack.append(_called(stack)),
    "BUILD": _build,
}
"""What each opcode does to the stack."""

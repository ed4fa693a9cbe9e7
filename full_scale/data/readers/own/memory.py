"""Arrays in memory, of numpy or of what offers itself as numpy does: pandas, polars, torch, jax, lists."""

from pathlib import Path
from typing import Any

import numpy as np

from full_scale.data.labelled import Labelled
from full_scale.data.readers.files import unusable
from full_scale.data.readers.own.arrays import group_names, lengths_of
from full_scale.data.readers.own.axes import steps_first
from full_scale.data.readers.own.joined import Raw, joined
from full_scale.data.readers.own.label_names import label_names
from full_scale.data.readers.own.nested import padded_lists
from full_scale.data.readers.own.sequences import row_words
from sims.runs.errors import UserError

_WHERE = Path("x and y")
"""What messages name in place of a file."""
_EMPTY = (np.nan, None)


def parts_in_memory(
    x: Any, y: Any, lengths: Any = None, group: Any = None, unlabelled: bool = False
) -> dict[str, Labelled]:
    """{"all"} of what the user has in memory; with `unlabelled` a label may be nan, None or empty."""
    _require_one_order(x, y)
    stated, notices = label_names(_WHERE, "y", _as_array(y, "y"), unlabelled)
    given = _as_examples(x)
    if isinstance(given, np.ndarray) and given.ndim == 2 and given.shape[1] == 1 and given.dtype.kind in "US":
        given = given[:, 0]
    ends = None
    if isinstance(given, list) and not all(isinstance(each, str) for each in given):
        given, ends, more = padded_lists(_WHERE, "x", given, row_words)
        notices += more
    if (
        isinstance(given, np.ndarray)
        and given.ndim > 1
        and len(given) != len(stated)
        and len(stated) in given.shape
    ):
        received = f"x {given.shape} and {len(stated)} labels"
        raise unusable(_WHERE, "one row per label", received, "put sequences first: transpose x")
    if isinstance(given, np.ndarray):
        given = _in_order(given)
    if lengths is not None:
        ends = lengths_of(_WHERE, _as_array(lengths, "lengths"), np.asarray(given))
    groups = None if group is None else _groups(_as_array(group, "group"), len(stated))
    return joined(_WHERE, "x", {"all": Raw(given, stated, ends, groups, notices)})


def _in_order(x: np.ndarray) -> np.ndarray:
    """(n, steps, channels) as it is. Raises UserError for what looks like channels first, with what to write."""
    try:
        return steps_first(_WHERE, "x", x, "auto")
    except UserError as error:
        message = str(error).partition("; ")[0]
        raise UserError(f"{message}; give x.swapaxes(1, 2)") from error


def _groups(group: np.ndarray, count: int) -> list[str]:
    stated = ["" if each is None else str(each) for each in group.tolist()]
    plain = np.array(stated) if group.dtype == object else group
    return group_names(_WHERE, plain, count)


def _as_examples(x: Any) -> np.ndarray | list:
    """An array of numbers or strings; a list of texts, or of lists whose lengths differ."""
    if isinstance(x, (list, tuple)):
        return _of_list([each if isinstance(each, str) else _plain(each) for each in x])
    array = _as_array(x, "x")
    if array.dtype != object:
        return array
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        return _of_list([each if isinstance(each, str) else _plain(each) for each in array.tolist()])
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        remedy = "give one kind of numbers, such as x.astype('float32')"
        raise unusable(_WHERE, "numbers in x", f"objects {array.shape} ({error})", remedy) from error


def _of_list(items: list) -> np.ndarray | list:
    """Rows of one length as an array, texts and others as they are."""
    if items and all(isinstance(each, list) for each in items) and len({len(each) for each in items}) == 1:
        try:
            array = np.array(items)
        except (ValueError, OverflowError):
            return items
        return array if array.dtype.kind in "biuf" and array.ndim > 1 else items
    return items


def _plain(value: Any) -> Any:
    """Nested lists of a row, whatever it is made of."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return value.tolist() if hasattr(value, "tolist") else list(value) if isinstance(value, tuple) else value


def _unmasked(given: np.ma.MaskedArray, name: str) -> np.ndarray:
    """What a mask hides as missing: nan in values, None in labels and groups."""
    if not np.ma.is_masked(given):
        return given.data
    if given.dtype.kind == "f":
        return given.filled(np.nan)
    if name != "x":
        plain = given.data.astype(object)
        plain[np.ma.getmaskarray(given)] = None
        return plain
    remedy = "give lengths where ends are masked, or x.filled(...) with a symbol that means missing"
    raise unusable(_WHERE, "symbols without a mask", f"{int(given.mask.sum()):,} masked ones", remedy)


def _require_one_order(x: Any, y: Any) -> None:
    """Raise UserError where two pandas objects have the same index in another order: rows would be mixed up."""
    one: Any = getattr(x, "index", None)
    other: Any = getattr(y, "index", None)
    if not hasattr(one, "equals") or not hasattr(other, "equals") or one.equals(other):
        return
    if sorted(map(str, one)) == sorted(map(str, other)):
        remedy = "give y.loc[x.index], or reset both indices"
        raise unusable(_WHERE, "x and y with the same index", "its rows in another order", remedy)


def _as_array(given: Any, name: str) -> np.ndarray:
    """The numpy array that an object offers."""
    try:
        if hasattr(given, "detach"):  # torch
            given = given.detach().cpu()
            given = given.float() if str(getattr(given, "dtype", "")) == "torch.bfloat16" else given
        given = _unmasked(given, name) if np.ma.isMaskedArray(given) else given
        if not isinstance(given, np.ndarray) and hasattr(given, "to_numpy"):  # pandas, polars
            given = given.to_numpy()
        array = np.asarray(given)
    except UserError:
        raise
    except Exception as error:  # whatever the other library raises
        received = (
            f"{type(given).__name__}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        )
        raise unusable(_WHERE, f"an array {name}", received, "convert it to a numpy array") from error
    if array.ndim == 0:
        received = f"{type(given).__name__}"
        raise unusable(
            _WHERE, f"an array {name} with a row per sequence", received, "give a list or an array"
        )
    return array

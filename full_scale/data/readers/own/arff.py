"""ARFF, Weka's format: the attributes of the header are columns, the label by default the nominal one, or the last."""

import io
from pathlib import Path

from full_scale.data.findings import Finding
from full_scale.data.readers.files import AGAIN, decoded, unfolded, unusable
from full_scale.data.readers.own.columns import DEFAULT, LABELS, Columns, chosen
from full_scale.data.readers.own.table import Table


def read_arff(path: Path, columns: Columns = DEFAULT) -> Table:
    """The table; the last attribute, or the only nominal one, is called label unless one is so named. "?" is missing.

    Raises UserError where several are nominal and the last is not.
    """
    from scipy.io import arff

    text = decoded(path, unfolded(path), encoding=columns.encoding)
    try:
        data, meta = arff.loadarff(io.StringIO(text))
    except Exception as error:  # scipy raises whatever its parsing meets
        received = str(error) or type(error).__name__
        remedy = "string, relational, sparse and quoted nominal values are not read: store it as csv"
        raise unusable(path, "an ARFF file of numeric and nominal attributes", received, remedy) from error
    names = list(meta.names())
    if not names or not len(data):
        raise unusable(path, "rows of attributes", "none", AGAIN)
    findings: tuple[Finding, ...] = ()
    if chosen(names, columns.label, LABELS) is None and columns.label is None:
        nominal = [at for at, kind in enumerate(meta.types()) if kind == "nominal"]
        if len(nominal) > 1 and nominal[-1] != len(names) - 1:
            listed = ", ".join(names[at] for at in nominal[:6])
            raise unusable(path, "a last attribute that is nominal, the label", listed, "name it by --label")
        at = nominal[0] if len(nominal) == 1 else len(names) - 1
        words = f"the attribute {names[at]} was read as the label"
        findings, names[at] = (Finding("attribute-label", "pass", words),), "label"
    word = lambda value: value.decode("utf-8", "replace") if isinstance(value, bytes) else value.item()
    rows = [["" if word(value) == "?" else word(value) for value in row] for row in data]
    return Table([str(name) for name in names], rows, list(range(1, len(rows) + 1)), "row", findings=findings)

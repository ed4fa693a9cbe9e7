"""The comparison as text, CSV, JSON or LaTeX."""

import csv
import dataclasses
import io
import json
from collections.abc import Sequence
from typing import Literal

from full_scale.comparison.missing import Missing
from full_scale.comparison.rows import Gains, Row, Values
from sims.runs.store import plain
from sims.statistics.intervals import Interval

Format = Literal["text", "csv", "json", "latex"]
MEASURED = ("toy", "transformer")
KEYS = ("name", "task", "setting", "layer", "head", "prediction")
SPECIAL = str.maketrans({"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#"})


@dataclasses.dataclass(frozen=True)
class Filter:
    """Which rows are shown."""

    task: str | None = None
    layer: int | None = None
    head: int | None = None

    def rows(self, values: Values) -> list[Row]:
        """By layer and head where one is named; else by task, where a task is named; else the headlines."""
        by_head = self.layer is not None or self.head is not None
        rows = values.by_head if by_head else values.by_task
        wanted = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        matches = [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]
        return matches if by_head or self.task else _with_unmeasured(matches, values)


def _with_unmeasured(rows: list[Row], values: Values) -> list[Row]:
    """The rows and the headlines that no Transformer has measured, in the order of the comparison."""
    order = list(dict.fromkeys(row.name for row in values.rows))
    empty = [row for row in values.rows if row.transformer is None]
    known = {row.name for row in rows}
    both = [*rows, *(row for row in empty if row.name.removesuffix(f"_{row.task}") not in known)]
    return sorted(both, key=lambda row: order.index(row.name))


def rendered(values: Values, kind: Format, chosen: Filter) -> str:
    """The rows that the filter leaves, in a format."""
    rows = chosen.rows(values)
    if kind == "json":
        parts = {"rows": rows, "missing": values.missing, "validation": values.validation}
        return json.dumps(plain(parts), indent=1)
    if kind == "csv":
        return _as_csv(rows)
    return latex(rows) if kind == "latex" else text(rows, values)


def text(rows: Sequence[Row], values: Values) -> str:
    """One line per row under its quantity's meaning, then validation and what is missing."""
    lines: list[str] = []
    width = max([26, *(len(row_label(row)) for row in rows)])
    head = (
        f"{'task, setting':{width}} {'predicted':>11}  {'toy':26} {'Transformer':26} {'verdict':10} stored in"
    )
    for name in dict.fromkeys(row.name for row in rows):
        of_name = [row for row in rows if row.name == name]
        source = of_name[0].prediction_source
        lines += [f"{name}: {of_name[0].meaning}" + (f" [{source}]" if source else ""), f"  {head}"]
        lines += [f"  {line(row, width)}" for row in of_name]
        lines.append("")
    if not rows:
        lines += ["nothing is measured there", ""]
    return "\n".join([*lines, *_validation_lines(values.validation), *_missing_lines(values.missing)])


def line(row: Row, width: int) -> str:
    """One row: where, prediction, toy, Transformer, verdict."""
    toy, transformer = measured_text(row.toy), measured_text(row.transformer)
    judged = f"{row.verdict:10} {row.result or ''}".rstrip()
    return f"{row_label(row):{width}} {row.prediction!s:>11}  {toy:26} {transformer:26} {judged}"


def row_label(row: Row) -> str:
    """Task and setting, layer and head where there are some."""
    parts = [row.task, row.setting]
    if row.layer is not None:
        parts.append(f"layer {row.layer}, head {row.head}")
    return ", ".join(part for part in parts if part)


def measured_text(interval: Interval | None) -> str:
    """An interval in words, if there is one."""
    return "not measured" if interval is None else interval.text()


def _validation_lines(validation: Gains | None) -> list[str]:
    """Predicted against measured gains of the diagnosis, rank correlation, misses."""
    if validation is None:
        return []
    lines = ["validation: gain in test accuracy as the diagnosis predicted it, and as training measured it"]
    lines += [
        f"  {row.task:24} {row.half:7} {row.predicted_gain.text():26} "
        f"{row.measured_gain.text():26} {row.verdict_chosen}"
        + (f" (MISS: {row.right})" if row.missed else "")
        for row in validation.rows
    ]
    lines.append(f"  rank correlation {validation.spearman.text()}")
    for half, share in validation.right.items():
        lines.append(f"  verdicts right on the half `{half}`: {share.text()} of {share.n} tasks")
    return [*lines, ""]


def _missing_lines(missing: Sequence[Missing]) -> list[str]:
    """What is not stored, each with its command."""
    return [
        f"missing {each.result} (for {', '.join(each.names)}): make it with: {each.command}"
        for each in missing
    ]


def _as_csv(rows: Sequence[Row]) -> str:
    """A header and one line per row; an absent number is empty."""
    ends = ("estimate", "low", "high")
    header = [*KEYS, "range_low", "range_high", *(f"{kind}_{end}" for kind in MEASURED for end in ends)]
    sink = io.StringIO()
    out = csv.writer(sink, lineterminator="\n")
    out.writerow([*header, "verdict", "result", "claims"])
    for row in rows:
        numbers = [getattr(getattr(row, kind), end, None) for kind in MEASURED for end in ends]
        known = [getattr(row, key) for key in KEYS]
        out.writerow([*known, *row.range, *numbers, row.verdict, row.result, row.prediction_source])
    return sink.getvalue().rstrip("\n")


def latex(rows: Sequence[Row]) -> str:
    """A tabular of the package booktabs."""
    lines = [r"\begin{tabular}{lllllll}", r"\toprule"]
    lines.append(r"quantity & task & claims & predicted & toy & Transformer & verdict \\ \midrule")
    for row in rows:
        toy, transformer = measured_text(row.toy), measured_text(row.transformer)
        cells = (row.name, row_label(row), row.prediction_source, row.prediction, toy, transformer)
        lines.append(" & ".join(str(cell).translate(SPECIAL) for cell in (*cells, row.verdict)) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])

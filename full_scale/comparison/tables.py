"""The comparison as text, CSV, JSON or LaTeX."""

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from full_scale.studies.tables import interval

Format = Literal["text", "csv", "json", "latex"]
Row = Mapping[str, Any]
MEASURED = ("toy", "transformer")
KEYS = ("name", "task", "setting", "layer", "head", "prediction")
SPECIAL = str.maketrans({"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#"})


@dataclasses.dataclass(frozen=True)
class Filter:
    """Which rows are shown."""

    task: str | None = None
    layer: int | None = None
    head: int | None = None

    def rows(self, values: Mapping[str, Any]) -> list[Row]:
        """By layer and head where one is named; else by task, where a task is named; else the headlines."""
        by_head = self.layer is not None or self.head is not None
        rows = values["by_head" if by_head else "by_task"]
        wanted = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
        return found if by_head or self.task else with_unmeasured(found, values)


def with_unmeasured(rows: list[Row], values: Mapping[str, Any]) -> list[Row]:
    """The rows and the headlines that no Transformer has measured, in the order of theory.md's table."""
    order = list(dict.fromkeys(row["name"] for row in values["rows"]))
    empty = [row for row in values["rows"] if row["transformer"] is None and row["name"] in order]
    known = {row["name"] for row in rows}
    both = [*rows, *(row for row in empty if row["name"].removesuffix(f"_{row['task']}") not in known)]
    return sorted(both, key=lambda row: order.index(row["name"]))


def rendered(values: Mapping[str, Any], kind: Format, chosen: Filter) -> str:
    """The rows that the filter leaves, in a format."""
    rows = chosen.rows(values)
    if kind == "json":
        rest = {name: values[name] for name in ("missing", "validation")}
        return json.dumps({"rows": rows, **rest}, indent=1)
    if kind == "csv":
        return as_csv(rows)
    return latex(rows) if kind == "latex" else text(rows, values)


def text(rows: Sequence[Row], values: Mapping[str, Any]) -> str:
    """One line per row under its quantity's meaning, then validation and what is missing."""
    lines: list[str] = []
    width = max([26, *(len(place(row)) for row in rows)])
    head = (
        f"{'task, setting':{width}} {'predicted':>11}  {'toy':26} {'Transformer':26} {'verdict':10} stored in"
    )
    for name in dict.fromkeys(row["name"] for row in rows):
        of_name = [row for row in rows if row["name"] == name]
        source = of_name[0]["prediction_source"]
        lines += [f"{name}: {of_name[0]['meaning']}" + (f" [{source}]" if source else ""), f"  {head}"]
        lines += [f"  {line(row, width)}" for row in of_name]
        lines.append("")
    if not rows:
        lines += ["nothing is measured there", ""]
    return "\n".join([*lines, *validation_lines(values["validation"]), *missing_lines(values["missing"])])


def line(row: Row, width: int) -> str:
    """One row: where, prediction, toy, Transformer, verdict."""
    toy, transformer = (shown(row[kind]) for kind in MEASURED)
    judged = f"{row['verdict']:10} {row['result'] or ''}".rstrip()
    return f"{place(row):{width}} {row['prediction']!s:>11}  {toy:26} {transformer:26} {judged}"


def place(row: Row) -> str:
    """Task and setting, layer and head where there are some."""
    parts = [row["task"], row["setting"]]
    if row["layer"] is not None:
        parts.append(f"layer {row['layer']}, head {row['head']}")
    return ", ".join(part for part in parts if part)


def shown(found: Mapping[str, Any] | None) -> str:
    """An interval in words."""
    if found is None:
        return "not measured"
    if found["estimate"] is None and found["low"] is not None:
        high = "unbounded" if found["high"] is None else f"{found['high']:.3f}"
        return f"[{found['low']:.3f}, {high}]"
    return interval({"method": "", **found})


def validation_lines(found: Mapping[str, Any] | None) -> list[str]:
    """Predicted against measured gains of the diagnosis, rank correlation, misses."""
    if found is None:
        return []
    lines = ["validation: gain in test accuracy as the diagnosis predicted it, and as training measured it"]
    lines += [
        f"  {row['task']:24} {row['half'] or '':7} {shown(row['predicted_gain']):26} "
        f"{shown(row['measured_gain']):26} {row['verdict_chosen'] or row['verdict']}"
        + ("" if (row["verdict_chosen"] or row["verdict"]) == row["right"] else f" (MISS: {row['right']})")
        for row in found["rows"]
    ]
    if found["spearman"]:
        lines.append(f"  rank correlation {shown(found['spearman'])}")
    for half, share in (found["right"] or {}).items():
        lines.append(f"  verdicts right on the half `{half}`: {shown(share)} of {share['n']} tasks")
    return [*lines, ""]


def missing_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is not stored, each with its command."""
    return [
        f"missing {each['result']} (for {', '.join(each['names'])}): make it with: {each['command']}"
        for each in found
    ]


def as_csv(rows: Sequence[Row]) -> str:
    """A header and one line per row; an absent number is empty."""
    ends = ("estimate", "low", "high")
    header = [*KEYS, "range_low", "range_high", *(f"{kind}_{end}" for kind in MEASURED for end in ends)]
    sink = io.StringIO()
    out = csv.writer(sink, lineterminator="\n")
    out.writerow([*header, "verdict", "result", "claims"])
    for row in rows:
        numbers = [(row[kind] or {}).get(end) for kind in MEASURED for end in ends]
        known = [row[key] for key in KEYS]
        out.writerow(
            [*known, *row["range"], *numbers, row["verdict"], row["result"], row["prediction_source"]]
        )
    return sink.getvalue().rstrip("\n")


def latex(rows: Sequence[Row]) -> str:
    """A tabular of the package booktabs."""
    lines = [r"\begin{tabular}{lllllll}", r"\toprule"]
    lines.append(r"quantity & task & claims & predicted & toy & Transformer & verdict \\ \midrule")
    for row in rows:
        toy, transformer = (shown(row[kind]) for kind in MEASURED)
        cells = (row["name"], place(row), row["prediction_source"], row["prediction"], toy, transformer)
        lines.append(" & ".join(str(cell).translate(SPECIAL) for cell in (*cells, row["verdict"])) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])

"""FASTA: `>name ... label` lines, each followed by the lines of one sequence.

The label stands in the header as `class=X`, `label=X` (also with ":"), after the last "|", or as the last
word, unless that is another `key=X`; the same rule must give every sequence a label.
"""

import re
from pathlib import Path

from full_scale.data.findings import Finding
from full_scale.data.readers.files import decoded, unfolded, unusable
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.data.readers.own.joined import Raw
from full_scale.data.readers.own.label_names import require_classes
from full_scale.data.readers.own.label_notices import spelling

KEYS = ("label", "class", "target", "y", "category", "family", "type")
REMEDY = "end every header with its label (>name label=LABEL), or name its key by --label"


def read_fasta(path: Path, columns: Columns = DEFAULT) -> Raw:
    """Sequences as texts as they stand, labels from the headers."""
    headers, texts, lines = fasta_sequences(path, columns)
    names, groups = labels(path, headers, lines, columns.label), None
    if columns.group is not None:
        groups = _by_key(headers, (columns.group,))
        if groups is None:
            raise unusable(path, f"{columns.group}=GROUP in every header", headers[0][:60], "check --group")
    return Raw(texts, names, None, groups, spelling(names) + _two_cases(texts) + _gaps(texts))


def _gaps(texts: list[str]) -> tuple[Finding, ...]:
    """Gaps of an alignment, which are read as symbols."""
    gapped = sum("-" in text or "." in text for text in texts)
    if not gapped:
        return ()
    words = f"{gapped:,} sequences hold gaps of an alignment (- or .): read as a symbol"
    return (Finding("gaps", "pass", words, "remove them if gaps mean nothing"),)


def _two_cases(texts: list[str]) -> tuple[Finding, ...]:
    """Small letters beside capitals, as repeats are masked in genomes: they are other symbols."""
    both = (
        sum(any(map(str.islower, text)) for text in texts),
        sum(any(map(str.isupper, text)) for text in texts),
    )
    if not all(both):
        return ()
    words = f"{both[0]:,} sequences hold small letters, {both[1]:,} capitals: read as different symbols"
    return (Finding("letters-of-two-cases", "warn", words, "write one case if the case means nothing"),)


def fasta_sequences(path: Path, columns: Columns = DEFAULT) -> tuple[list[str], list[str], list[int]]:
    """Headers, sequences, and the lines of the headers."""
    headers: list[str] = []
    texts: list[list[str]] = []
    lines: list[int] = []
    for number, line in enumerate(decoded(path, unfolded(path), encoding=columns.encoding).splitlines(), 1):
        if line.startswith(">"):
            headers.append(line[1:].strip())
            texts.append([])
            lines.append(number)
        elif line.strip() and not line.startswith(";"):
            if not texts:
                raise unusable(path, f"a header >name label in line {number}", repr(line[:40]), REMEDY)
            texts[-1].append("".join(line.split()))
    joined = ["".join(each) for each in texts]
    if "" in joined:
        at = lines[joined.index("")]
        raise unusable(path, "a sequence behind every header", f"none behind line {at}", "remove the header")
    return headers, joined, lines


def labels(path: Path, headers: list[str], lines: list[int], key: str | None) -> list[str]:
    """The label of every header, by the first rule that gives all of them one."""
    if not headers:
        raise unusable(path, "sequences with headers", "none", REMEDY)
    labels_read = _by_key(headers, (key,) if key else KEYS)
    if labels_read is None and key is None:
        for mark in ("|", None):
            words = [[word.strip() for word in header.split(mark)] for header in headers]
            if all(len(each) > 1 and each[-1] and "=" not in each[-1] for each in words):
                labels_read = [each[-1] for each in words]
                break
    if labels_read is None:
        wanted = key or "label"
        lacking = next((at for at, header in enumerate(headers) if not _value(header, wanted)), 0)
        received = f"{headers[lacking][:60]!r} in line {lines[lacking]}"
        raise unusable(path, "a label in every header", received, REMEDY)
    require_classes(path, "the headers", labels_read)
    return labels_read


def _by_key(headers: list[str], keys: tuple[str, ...]) -> list[str] | None:
    for key in keys:
        values = [_value(header, key) for header in headers]
        if all(values):
            return [each for each in values if each]
    return None


def _value(header: str, key: str) -> str | None:
    match = re.search(rf"(?:^|[\s|;,\[]){re.escape(key)}\s*[=:]\s*([^\s|;,\]]+)", header, re.IGNORECASE)
    return match.group(1) if match else None

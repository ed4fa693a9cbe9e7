"""Is the data set fit to be asked? What was noticed in reading it, and the leaks that are looked for."""

import dataclasses

import numpy as np
from jaxtyping import Int, Shaped

from full_scale.data.dataset import PARTS, Dataset, Split
from full_scale.data.findings import Finding, Status
from full_scale.data.splits import held_out
from full_scale.data.vocabulary import BYTES
from full_scale.diagnosis import resemblance

_ORDER: tuple[Status, ...] = ("pass", "warn", "fail")
ALONE = 0.97
"""Balanced accuracy from which one position alone counts as giving the label away."""
_BINS = 16
_ENDS = 32
"""Positions from the end that are looked at one by one."""
POOLED_MOST, COLUMNS_MOST = 1_000, 1_024
FEWEST_TRAIN, FEWEST_HELD_OUT = 20, 5
_FEWEST_ROWS = 30
"""Held-out sequences: fewer tell no accuracy apart."""
_FAR, _UNSEEN = 10, 0.3
"""Deviations of training's values, and share of tokens that training has not, from which parts differ."""
_CLASS_REMEDIES = {
    "class-not-in-training": "divide the classes over all parts",
    "class-not-held-out": "give more sequences, or other parts",
    "rare-classes": "give more of them, or join or leave out classes",
}


@dataclasses.dataclass(frozen=True)
class Quality:
    """Whether an answer on these data can mean something."""

    status: Status
    """The worst of the findings."""
    findings: tuple[Finding, ...]
    """Worst first."""

    def lines(self) -> list[str]:
        """The block that heads an answer: the status, then a line per finding."""
        count = sum(finding.status == self.status for finding in self.findings)
        plural = "s" * (count != 1)
        notes = {"pass": "nothing to mend", "warn": f"{count} warning{plural}", "fail": f"{count} to mend"}
        return [
            f"data: {self.status} ({notes[self.status]})",
            *(f"  {finding.line}" for finding in self.findings),
        ]


def quality_of(dataset: Dataset) -> Quality:
    """What reading noticed, and leaks: near-equal sequences, one position or the length alone."""
    looked = [*_rare_classes(dataset), *_single_positions(dataset), *_length_alone(dataset)]
    looked += _single_ends(dataset) + _single_symbols(dataset)
    looked += [*resemblance.near_equal(dataset), *_channels_first(dataset)]
    looked += [*unanswerable(dataset), *_parts_differ(dataset)]
    looked += resemblance.reverse_complements(dataset)
    findings = sorted((*dataset.findings, *looked), key=lambda finding: -_ORDER.index(finding.status))
    worst = max((finding.status for finding in findings), key=_ORDER.index, default="pass")
    return Quality(worst, tuple(findings))


def unanswerable(dataset: Dataset) -> list[Finding]:
    """Why no verdict is given on data of this size, if so; a failure where no other division into parts would help."""
    held, findings = held_out(dataset), []
    if len(held) < _FEWEST_ROWS:
        words = f"{len(held)} held-out sequences tell no accuracies apart"
        findings.append(Finding("few-held-out", "warn", words, f"give {_FEWEST_ROWS} or more for a verdict"))
    counts = [np.bincount(part.labels, minlength=dataset.classes) for part in (dataset.train, held)]
    known = counts[0] + counts[1] > 0
    scarce = known & (np.minimum(*counts) < FEWEST_HELD_OUT)
    if known.sum() - scarce.sum() < 2 or 2 * scarce.sum() > known.sum():
        hopeless = 2 * (known & (counts[0] + counts[1] < 2 * FEWEST_HELD_OUT)).sum() > known.sum()
        words = (
            f"{scarce.sum()} of {known.sum()} classes have fewer than {FEWEST_HELD_OUT} training or held-out "
        )
        words += "sequences"
        remedy = "give more of them for a verdict, or join classes"
        findings.append(Finding("few-of-class", "fail" if hopeless else "warn", words, remedy))
    return findings


def _parts_differ(dataset: Dataset) -> list[Finding]:
    """Held-out parts on another scale than training, or in other symbols: prepared in another way."""
    train, findings = dataset.train, []
    for name in PARTS[1:]:
        part = getattr(dataset, name)
        if dataset.symbols is None:
            values = _real_tokens(part)
            mean, scale = float(np.abs(values.mean(axis=0)).max()), values.std(axis=0)
            scale = float(max(scale.max(), 1 / max(scale.min(), 1e-9))) if (scale > 0).all() else 1.0
            words = f"values of {name} lie {mean:.0f} deviations from those of training, or spread {scale:.0f} times"
            odd = mean > _FAR or scale > _FAR
        else:
            unseen = float(np.mean(~np.isin(_real_tokens(part), np.unique(_real_tokens(train)))))
            words = f"{100 * unseen:.0f}% of the tokens of {name} occur nowhere in training"
            odd = unseen > _UNSEEN
        if odd:
            findings.append(Finding("parts-differ", "warn", words, "prepare all parts in one way"))
    return findings


def _real_tokens(split: Split) -> np.ndarray:
    """Tokens without padding, one after another."""
    real = np.arange(split.tokens.shape[1]) < split.full_lengths()[:, None]
    tokens = split.tokens[real]
    return tokens if tokens.dtype.kind in "iu" else tokens.reshape(len(tokens), -1)


def pooled(dataset: Dataset) -> Split:
    """Some sequences of all parts together."""
    parts = [getattr(dataset, part) for part in PARTS]
    rows = [np.sort(np.random.default_rng(0).permutation(len(part))[:POOLED_MOST]) for part in parts]
    picked = [
        (part.tokens[at], part.labels[at], part.full_lengths()[at])
        for part, at in zip(parts, rows, strict=True)
    ]
    return Split(*(np.concatenate(each) for each in zip(*picked, strict=True)))


def _rare_classes(dataset: Dataset) -> list[Finding]:
    """Classes of which little can be learned or told."""
    counts = {part: np.bincount(getattr(dataset, part).labels, minlength=dataset.classes) for part in PARTS}
    train, tested = counts["train"], counts["validation"] + counts["test"]
    few = f"have fewer than {FEWEST_TRAIN} training or {FEWEST_HELD_OUT} held-out sequences"
    rare = (train > 0) & ((train < FEWEST_TRAIN) | (tested < FEWEST_HELD_OUT))
    cases = [
        ("class-not-in-training", "are held out and not trained", (train == 0) & (tested > 0)),
        *(
            ("class-not-held-out", f"are missing in {part}", (counts[part] == 0) & (train > 0))
            for part in PARTS[1:]
        ),
        ("rare-classes", few, rare),
    ]
    names = dataset.class_names or tuple(map(str, range(dataset.classes)))
    findings = []
    for code, words, which in cases:
        if which.any():
            some = listed([names[at] for at in np.flatnonzero(which)])
            sentence = f"{int(which.sum())} of {dataset.classes} classes {words} ({some})"
            status: Status = "fail" if code == "class-not-in-training" else "warn"
            findings.append(Finding(code, status, sentence, _CLASS_REMEDIES[code]))
    return findings


def listed(names: list[str]) -> str:
    """The first names."""
    return ", ".join(name[:24] for name in names[:4]) + (", ..." if len(names) > 4 else "")


def _single_positions(dataset: Dataset) -> list[Finding]:
    """Positions (and channels) whose value alone gives the label."""
    if dataset.inputs.pair:
        return []
    split = pooled(dataset)
    columns = split.tokens.reshape(len(split), -1)
    channels, need = columns.shape[1] // dataset.length, needed(split.labels)
    scores = np.array([
        _accuracy_alone(coded(column, dataset.symbols is None), split.labels)
        for column in columns.T[:COLUMNS_MOST]
    ])  # fmt: skip
    if scores.max() < need:
        return []
    at, others = int(scores.argmax()), int((scores >= need).sum()) - 1
    position_words = f"position {at // channels}" + (f" of channel {at % channels}" if channels > 1 else "")
    more = f" (so do {others} others)" if others else ""
    words = f"{position_words} alone gives the label of {100 * scores[at]:.0f}% of sequences{more}"
    return [Finding("position-gives-label", "warn", words, "is it the label itself, an index or a time?")]


def _single_ends(dataset: Dataset) -> list[Finding]:
    """Positions counted from the end, where sequences differ in length, whose value alone gives the label."""
    split = None if dataset.inputs.pair else pooled(dataset)
    if split is None or (split.full_lengths() == dataset.length).all():
        return []
    lengths, need = split.full_lengths(), needed(split.labels)
    for back in range(1, min(_ENDS, int(lengths.min())) + 1):
        values = split.tokens[np.arange(len(split)), lengths - back].reshape(len(split), -1)
        score = max(_accuracy_alone(coded(each, dataset.symbols is None), split.labels) for each in values.T)
        if score >= need:
            end = "the last position" if back == 1 else f"position {back} from the end"
            words = f"{end} alone gives the label of {100 * score:.0f}% of sequences"
            return [
                Finding("end-gives-label", "warn", words, "is it the label itself, or a mark of its source?")
            ]
    return []


def _single_symbols(dataset: Dataset) -> list[Finding]:
    """A symbol whose presence, wherever it stands, alone gives the label."""
    if dataset.inputs.pair or dataset.symbols is None:
        return []
    split = pooled(dataset)
    real = np.arange(dataset.length) < split.full_lengths()[:, None]
    need, accuracy_of = needed(split.labels), {}
    for symbol in np.unique(split.tokens[real])[:COLUMNS_MOST].tolist():
        there = ((split.tokens == symbol) & real).any(axis=1)
        if 0 < there.mean() < 1:
            accuracy_of[symbol] = _accuracy_alone(there.astype(np.int64), split.labels)
    best = max(accuracy_of, key=lambda symbol: accuracy_of[symbol], default=None)
    if best is None or accuracy_of[best] < need:
        return []
    name = repr(chr(best - 1)) if dataset.symbols == BYTES and 33 < best < 128 else str(best)
    words = f"whether the symbol {name} occurs alone gives the label of {100 * accuracy_of[best]:.0f}% of sequences"
    return [Finding("symbol-gives-label", "warn", words, "is it the label itself, or a mark of its source?")]


def _length_alone(dataset: Dataset) -> list[Finding]:
    """Whether the length of a sequence alone gives the label."""
    if dataset.inputs.pair:
        return []
    split = pooled(dataset)
    score = _accuracy_alone(coded(split.full_lengths(), True), split.labels)
    if score < needed(split.labels):
        return []
    words = f"the length alone gives the label of {100 * score:.0f}% of sequences"
    return [
        Finding("length-gives-label", "warn", words, "cut all sequences to one length if that is no signal")
    ]


def needed(labels: Int[np.ndarray, " n"]) -> float:
    """Balanced accuracy that counts as giving the label away; unreachable where there is one class."""
    return ALONE if len(np.unique(labels)) > 1 else np.inf


def coded(column: Shaped[np.ndarray, " n"], values: bool) -> Int[np.ndarray, " n"]:
    """Symbols as they are; values by their quantiles."""
    if not values:
        return column.astype(np.int64)
    edges = np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.searchsorted(edges, column, "right")


def _accuracy_alone(codes: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"]) -> float:
    """Mean over classes of the recall of the commonest label among the other sequences with the same code.

    Commonest relative to its class, so that a rare class counts as much as another.
    """
    classes, size = int(labels.max()) + 1, int(codes.max()) + 1
    counts = np.bincount(codes * classes + labels, minlength=size * classes).reshape(size, classes)
    others = counts[codes].astype(np.float64)
    others[np.arange(len(labels)), labels] -= 1
    frequencies = np.maximum(np.bincount(labels, minlength=classes), 1)
    right = (others / frequencies).argmax(axis=1) == labels
    right &= others[np.arange(len(labels)), labels] > 0
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _channels_first(dataset: Dataset) -> list[Finding]:
    """More channels than steps are asked about; what looks like channels first was refused when it was read."""
    inputs = dataset.inputs
    if inputs.symbols is not None or inputs.channels <= inputs.length:
        return []
    total = sum(len(getattr(dataset, part)) for part in PARTS)
    words = (
        f"{total:,} sequences of {inputs.length:,} tokens with {inputs.channels:,} channels, more than tokens"
    )
    return [Finding("channels-first", "warn", words, "if the channels come first, say --axes channels")]

"""A diagnosis in plain words, for a terminal."""

from collections.abc import Mapping

from full_scale.data.dataset import Description
from full_scale.diagnosis.contrast import LeadingContrast
from full_scale.diagnosis.pilot import text
from full_scale.diagnosis.pilot.sequential import Pilot
from full_scale.diagnosis.result import Explained, Values
from full_scale.diagnosis.verdict import PATTERNS, PretrainingVerdict
from sims.statistics.intervals import Interval

WORDS = {
    "bag_of_tokens": "counts of tokens",
    "linear": "linear in positions",
    "pairs": "pairs of neighbours",
    "uniform": "plain average",
    "own": "labels' pattern",
    "pattern": "pretraining's pattern",
}

WIDTH = 38
ROUNDING = 1e-6  # a signal below is one of rounding
_TOO_WIDE = 0.15  # of a gain's interval: the estimate inside says nothing
_ADVICE = {
    "pretrain first": "pretrain on hidden tokens, then train on labels",
    "no need": "train on labels alone; pretraining is not needed",
    "neither sees anything": "change the model or its inputs first; neither labels nor pretraining help",
    "undecided": "this diagnosis cannot tell which is better; labels alone are the simpler choice",
}


def interval_text(interval: Interval, digits: int = 3) -> str:
    """`estimate [low, high]`; unbounded ends as dots."""
    mark = lambda value: "..." if value is None else f"{0.0 if abs(value) < ROUNDING else value:.{digits}g}"
    return f"{mark(interval.estimate)} [{mark(interval.low)}, {mark(interval.high)}]"


def signal(interval: Interval) -> str:
    """A signal-to-noise ratio with its interval, none below 0; blind where it is nothing but rounding."""
    ends = interval.estimate, interval.low, interval.high
    known = [abs(end) for end in ends if end is not None]
    if known and max(known) < ROUNDING:
        return "0 (blind)"
    return interval_text(Interval(*(None if end is None else max(end, 0.0) for end in ends)))


def points(share: float) -> str:
    """A difference of accuracies in percentage points, with its sign."""
    return "0" if abs(share) < 0.0005 else f"{100 * share:+.1f}"


def headline(values: Values) -> str:
    """What to do, and what it is worth in points of accuracy, if that is known."""
    verdict, pilot = values.verdict, values.pilot
    return f"{_ADVICE[verdict.kind]}. {pilot_worth(verdict, pilot) if pilot else worth(verdict)}"


def worth(verdict: PretrainingVerdict) -> str:
    """The predicted change of accuracy; no number where its interval says nothing."""
    gain, kind = verdict.gain, verdict.kind
    low, high, estimate = gain.low, gain.high, gain.estimate
    if kind == "neither sees anything":
        return "No gain is predicted from either"
    if low is None or high is None or estimate is None or high - low > _TOO_WIDE:
        if kind == "pretrain first" and low is not None:
            return f"Pretraining is predicted to add at least {points(low)} points of accuracy"
        return "What pretraining would change is not known well enough for a number"
    return f"Pretraining is predicted to change held-out accuracy by {points(estimate)} points"


def pilot_worth(verdict: PretrainingVerdict, pilot: Pilot) -> str:
    """What the pilot measured, or what pairs promise where it measured nothing."""
    gain: float = verdict.gain.estimate  # type: ignore[assignment]
    if verdict.kind == "neither sees anything":
        return "No gain is predicted from either"
    if verdict.gain != pilot.gain:
        return (
            f"Pretraining may add up to {points(gain)} points of accuracy; the pilot was too "
            "short to measure it"
        )
    if verdict.kind == "no need" and gain < 0:
        return f"In the pilot pretraining added nothing ({points(gain)} points after {pilot.steps} steps)"
    if points(gain) == "0":
        return "In the pilot pretraining made no difference to held-out accuracy"
    return f"In the pilot pretraining changed held-out accuracy by {points(gain)} points"


def certainty(values: Values) -> str:
    """How sure the predicted change is, and what the interval counts."""
    gain, pilot = values.verdict.gain, values.pilot
    if pilot and gain == pilot.gain:
        over = f"{gain.n} run{'s' * (gain.n != 1)} of each arm and "
    else:
        over = f"{len(values.fits)} initialisations and " if values.fits else ""
    over += f"{values.used['held_out']} held-out sequences"
    if gain.low is None or gain.high is None:
        return f"no interval is known, from {over}"
    return f"95% interval {points(gain.low)} to {points(gain.high)} points, from {over}"


def summary(name: str, values: Values) -> str:
    """What to do and what it is worth; how sure; why; the data; the numbers; what to run next."""
    verdict, numbers = values.verdict, values.numbers
    quality, failed = values.quality.lines(), values.quality.status == "fail"
    lines = [
        *(quality if failed else []),
        f"{name}: {verdict.kind.upper()}: {headline(values)}",
        f"how sure: {certainty(values)}",
        *([] if failed else quality),
        "",
        *(f"because {reason}" for reason in verdict.reasons),
        *(f"note: {each}" for each in values.notes),
        "",
        f"next: {verdict.advice}",
        "",
        row("sequences", sizes(values.data, values.used)),
        *(pilot_rows(values.pilot) if values.pilot else []),
        *accuracies(values),
        row("pairs of neighbours above the rest", interval_text(numbers["order"])),
        row("nats that a neighbour tells", interval_text(numbers["neighbours"])),
        *(row(*pair) for pair in (measures(values) if isinstance(values, Explained) else [])),
    ]
    return "\n".join(lines)


def pilot_rows(pilot: Pilot) -> list[str]:
    """What the pilot's runs reached, and what they cost."""
    return [
        row("accuracy in the pilot", text.runs(pilot)),
        row("gain in the pilot", interval_text(pilot.gain)),
        *(row(f"  instead: {each.name}", interval_text(each.gain)) for each in pilot.remedies),
        *(
            row(
                f"gain with {point.share:.0%} of the labels",
                f"{interval_text(point.gain)}; labels alone {point.best('labels'):.3f}, "
                f"pretraining first {point.best('spt'):.3f}",
            )
            for point in pilot.fewer_labels or ()
        ),
        row("cost of the pilot", text.spent(pilot)),
    ]


def accuracies(values: Values) -> list[str]:
    """Held-out accuracy without attention and with each pattern; balanced beside it where a class is rare."""
    lines = [row("accuracy without this model", listed(values.floors))]
    if values.fits:
        means = {name: values.numbers[f"accuracy_{name}_held_out"].estimate for name in PATTERNS}
        lines.append(row("accuracy with attention fixed", listed(means)))  # type: ignore[arg-type]
    return [*lines, row("balanced accuracy", listed(values.balanced))] if values.rare else lines


def listed(shares: Mapping[str, float]) -> str:
    """Name and value of each."""
    return ", ".join(f"{WORDS.get(name, name)} {value:.3f}" for name, value in shares.items())


def sizes(data: Description, used: Mapping[str, int]) -> str:
    """How many sequences there are, and how many of them were read."""
    train = data.sizes["train"]
    of = "" if used["train"] == train else f" ({used['train']} of them used)"
    return f"{train} training{of}, {used['held_out']} held out, length {data.length}"


def measures(values: Explained) -> list[tuple[str, str]]:
    """Name and value of every measured quantity."""
    near, numbers = values.nearest, values.numbers
    rows = []
    for loss, words in (("label", "labels"), ("reconstruction", "hidden tokens")):
        rows += [
            (f"signal/noise of {words}, {near}", signal(numbers[f"snr_{loss}_nearest"])),
            ("  along pretraining's pattern", signal(numbers[f"snr_{loss}_expressible"])),
            ("  along random directions", signal(numbers[f"snr_{loss}_random"])),
            ("  sequences needed to see it", interval_text(numbers[f"needed_{loss}"])),
            ("  share that is the same for all queries", interval_text(numbers[f"visible_share_{loss}"])),
        ]
    dominant, contrast, leading = values.dominant, values.kappa, values.leading_contrast
    step = f"{list(dominant.offset)} (rows, columns)" if dominant.offset else f"lag {dominant.lag}"
    rows += [
        ("strongest distance of the pattern", step),
        ("how neighbours differ by class, kappa", "lost in noise" if contrast is None else f"{contrast:.3g}"),
        *([("  in the direction labels leave first", leading_text(leading))] if leading else []),
        ("time labels need / hidden tokens need", plateau(numbers["plateau_ratio"])),
        ("positions", values.positions),
    ]
    return rows


def leading_text(leading: LeadingContrast) -> str:
    """How much of the contrast lies in one direction, and between which classes."""
    one, other = leading.apart
    return f"{leading.share:.0%} of its square, class {one} against {other}"


def plateau(ratio: Interval) -> str:
    """The ratio of times, or that it has no end."""
    return "no end in sight" if ratio.estimate is None else f"{interval_text(ratio)} times as long"


def row(name: str, value: str) -> str:
    """A line of the table."""
    return f"  {name:{WIDTH}} {value}"

"""The page's sections in order: the parts of the argument, with claims and leading figures, and the rest."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One step of the argument."""

    name: str
    """Its address on the page."""
    title: str
    introduction: str
    """What it says, for a reader who opens no claim."""
    claims: tuple[str, ...]
    figure: str | None = None
    """Stands open above the claims, if it can be drawn."""


PARTS = (
    Part(
        "blind",
        "Why labels are blind",
        "A mean pool reads attention through one number per key: how much attention that key receives in "
        "all. Of the L^2 scores a label can therefore feel L - 1 combinations, and what it asks for is the "
        "same for every query. Whether a token attends to its neighbours or to strangers makes no "
        "difference to the label loss, at any strength: patterns that depend on distance alone give every "
        "key the same share.",
        ("C1", "C2", "C3", "C4"),
        "gradient_decomposition",
    ),
    Part(
        "eye",
        "What opens the eye",
        "Neither a nonlinearity nor a residual path alone lets labels see such patterns; both together do. "
        "Other pools, masks and positional scores see more or less, each by a known number of directions.",
        ("C5", "C6", "C15", "C26"),
        "blindness_map",
    ),
    Part(
        "reconstruction",
        "What reconstruction sees",
        "Hide a token and predict it from the others: now each query is asked for its own answer. For data "
        "whose statistics depend on distance alone, the pull lies wholly inside what labels cannot see, and"
        " it moves the scores along the data's autocovariance. The value map moves first, attention "
        "follows: to neighbours, or away from them where sequences sum to the same.",
        ("C8", "C9", "C10", "C28", "C30", "C11", "C24", "C29"),
    ),
    Part(
        "attention",
        "What it does to attention",
        "The flow of all L^2 scores is the flow of one kernel of L numbers, which turns uniform attention "
        "into attention to neighbours. Absolute positional encodings become relative scores "
        "on the way. A tied initialisation brings some of the same without any training, the ends of a "
        "sequence let a little of it through to labels, and next-token prediction sees another part.",
        ("C12", "C13", "C27", "C14", "C17", "C18"),
        "reduced_flow",
    ),
    Part(
        "data",
        "How much data it takes",
        "Where a model has both a residual path and a nonlinearity, labels see the difference between "
        "classes, reconstruction their sum. As the classes' local statistics approach each other, the "
        "sequences that labels need grow without bound; reconstruction's number stays.",
        ("C7", "C16"),
        "contrast",
    ),
    Part(
        "wait",
        "Why real Transformers wait",
        "A real Transformer has a residual path and a nonlinearity, and still waits. Let everything but "
        "attention settle: if what is left cannot tell the classes apart, the head goes to zero and with it"
        " the label's gradient in every score, for any architecture. Labels then leave their plateau only "
        "by way of a saddle, in a time that grows with the logarithm of the distance; reconstruction starts"
        " at first order.",
        ("C19", "C20", "C25"),
        "adiabatic_snr",
    ),
    Part(
        "further",
        "Beyond the paper",
        "Results of our own that the theory led to: how far blindness reaches in depth, what remains blind "
        "while labels train, and what label training leaves of a pretrained pattern.",
        ("C21", "C22", "C23"),
    ),
)


BEFORE = (("answer", "The answer"), ("slider", "Try it: move the scores"))
_AFTER = (
    ("toy", "A toy follows the theory"),
    ("transformer", "A Transformer on real text"),
    ("tasks", "What of the gain is queries and keys"),
    ("paper", "The paper’s tasks at the size of a CPU"),
    ("validation", "Does the verdict hold?"),
    ("comparison", "Prediction beside measurement"),
    ("limits", "Limits and disagreements"),
    ("words", "Words"),
    ("provenance", "Provenance"),
)
_OPTIONAL = {"slider": "slider", "tasks": "cpu_study", "paper": "paper", "validation": "validation"}
"""Sections that are there only with a result."""


TAKES = {
    "blind": "A mean-pooled label cannot tell whether tokens attend to their neighbours or to strangers.",
    "eye": "For labels to see it takes a residual path and a nonlinearity together, or another pool or mask.",
    "reconstruction": "Reconstruction pulls attention along the data's own correlations, where labels are blind.",
    "attention": "Followed to its end, on data of first order, that pull leaves attention on the nearest neighbours.",
    "data": "The more alike two classes are, the more sequences labels need; reconstruction's number stays.",
    "wait": "Where all but attention cannot tell the classes apart, labels give attention no gradient: training waits.",
    "further": "Heads and linear layers do not cure the blindness, and labels do not hold what pretraining wrote.",
    "toy": "Where every number is predicted, a toy's measurement can be held against it, one by one.",
    "transformer": "Two arms with the same model and steps differ only in what the first steps are spent on.",
    "tasks": "On text, query and key maps with the embeddings they read keep nearly all of the gain; depth does not.",
    "paper": "Cut to a CPU's size, not every task of the paper gains from self-pretraining.",
    "validation": "The diagnosis was tested on tasks that it had not seen; every miss is named.",
    "comparison": "The last column says of each prediction whether it was borne out: those that fail are here, too.",
    "limits": "What the theory does not explain or gets wrong stands here in one place.",
    "words": "Terms with a dotted line under them are explained here, a sentence each.",
    "provenance": "Each number of this page can be made again by the command that stands beside it.",
}
"""What to take from each section, in a sentence that holds whatever this run measured."""


def contents(stored: Iterable[str]) -> list[Part]:
    """Every section of the page, those of results that are not stored left out."""
    available: Collection[str] = set(stored)
    present_parts = lambda sections: [
        Part(name, title, "", ())
        for name, title in sections
        if _OPTIONAL.get(name, name) in available or name not in _OPTIONAL
    ]
    return [*present_parts(BEFORE), *PARTS, *present_parts(_AFTER)]

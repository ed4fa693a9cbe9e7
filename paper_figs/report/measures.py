"""Names and plain words of every measured number, as the page's tables show them."""

from collections.abc import Iterable, Sequence

WORDS = {
    "visible_share": "share of the label gradient that is a key bias",
    "visible_share_label": "share of the label gradient that is a key bias",
    "visible_share_reconstruction": "share of the reconstruction gradient that is a key bias",
    "visible_share_reconstruction_per_sequence": "the same, sequence by sequence",
    "proximity_alignment": "cosine of minus the reconstruction gradient with the proximity direction",
    "proximity_alignment_reconstruction": (
        "cosine of minus the reconstruction gradient with the proximity direction"
    ),
    "proximity_alignment_label": "cosine of minus the label gradient with the proximity direction",
    "proximity_alignment_scalar_label": "the same against the law for scalar tokens, labels",
    "proximity_alignment_scalar_reconstruction": "the same against the law for scalar tokens, reconstruction",
    "snr_label": "signal-to-noise ratio per sequence along lag 1, labels",
    "snr_reconstruction": "signal-to-noise ratio per sequence along lag 1, reconstruction",
    "snr_ratio": "SNR of reconstruction over SNR of labels",
    "snr_label_per_fit": "the mean of the fits' own SNR, labels",
    "snr_reconstruction_per_fit": "the mean of the fits' own SNR, reconstruction",
    "norm_label": "root mean square norm of one sequence's label gradient",
    "norm_reconstruction": "root mean square norm of one sequence's reconstruction gradient",
    "norm_ratio": "norm of reconstruction over norm of labels",
    "score_label": "mean over standard deviation along lag 1, labels; positive moves towards proximity",
    "score_reconstruction": "mean over standard deviation along lag 1, reconstruction",
    "proximity_index": "attention within the window, over its uniform value",
    "proximity_index_label": "the same after label training",
}

_FURTHER = ("per_sequence", "scalar", "per_fit", "norm", "score")
"""Parts of the names of measures that the page keeps behind the main ones."""

TIE = 0.05
"""Two arms tie when the interval of their difference in accuracy lies within this of zero."""

STATES = {
    "initialisation": "at initialisation",
    "adiabatic": "adiabatic point",
    "pretrained": "after pretraining",
    "trained_label_only": "after labels only",
    "trained_spt": "after SPT and labels",
}

ARMS = {"label_only": "labels only", "spt": "SPT, then labels"}
TASKS = {"docs_order": "docs-order", "digits": "digits (control)"}
KINDS = {
    "symbolic": "symbolic derivation",
    "autodiff": "against jax.grad",
    "finite_difference": "finite differences",
    "simulation": "simulation",
    "counterexample": "counterexample",
}


def short(name: str) -> str:
    """A measure's name as figures write it."""
    spaced = name.replace("_", " ")
    return spaced.replace("snr", "SNR").replace("qk", "query-key")


def verdict_sentence(of: str, verdicts: Sequence[str]) -> str:
    """`Of 17 rows 11 hold, 2 fail and 4 are undecided.`"""
    holds, fails, undecided = (verdicts.count(kind) for kind in ("holds", "fails", "undecided"))
    verb = lambda count, one, many: f"{count} {one if count == 1 else many}"
    counts = (
        f"{verb(holds, 'holds', 'hold')}, {verb(fails, 'fails', 'fail')} and {verb(undecided, 'is', 'are')}"
    )
    return f"Of {len(verdicts)} {of} {counts} undecided."


def in_order(names: Iterable[str]) -> list[str]:
    """Main measures before further ones, each in the order of WORDS, those without words last."""
    known = list(WORDS)
    rank = lambda name: known.index(name) if name in WORDS else len(known)
    return sorted(names, key=lambda name: (is_further(name), rank(name), name))


def is_further(name: str) -> bool:
    """Whether a measure stands behind the main ones."""
    return any(part in name for part in _FURTHER)


def words(name: str) -> str:
    """What a measure is, or its own name when nobody described it."""
    return WORDS.get(name, name.replace("_", " "))

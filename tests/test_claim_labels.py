"""Labels such as [C8] in the code point to claims, and every claim of the registry is computed somewhere."""

import re
from pathlib import Path

from theory.claims import CLAIMS

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("theory", "sims", "full_scale", "paper_figs")
ALL_LABELS = set(CLAIMS)
CITATION = re.compile(r"\[(C\d+(?:,\s*C\d+)*)\]")


def cited(text: str) -> set[str]:
    """The claim labels in square brackets: [C8], [C1, C3]."""
    return {label for group in CITATION.findall(text) for label in re.split(r",\s*", group)}


def code() -> dict[Path, str]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {path: path.read_text() for path in [*files, ROOT / "sptlab.py"]}


def test_every_label_in_the_code_is_a_claim():
    for path, text in code().items():
        assert cited(text) <= ALL_LABELS, path


def test_a_label_that_is_no_claim_is_noticed():
    assert not cited("the mean, [C99]") <= ALL_LABELS


def test_every_claim_is_computed_by_labelled_code_outside_the_registry():
    outside = [text for path, text in code().items() if "claims" not in path.parts]
    missing = set(CLAIMS) - set().union(*map(cited, outside))
    assert not missing


def test_the_registry_is_in_order_and_labels_itself():
    assert list(CLAIMS) == sorted(CLAIMS, key=lambda label: int(label[1:]))
    assert all(claim.label == label for label, claim in CLAIMS.items())

"""How the arms of the CPU study are named, ordered and drawn, in all its figures."""

from collections.abc import Iterable, Mapping
from typing import Any

from paper_figs import measures, style
from paper_figs.sources import need
from sims.store import Result

QUERY_KEY = style.Look(style.SKY, "-", "D", filled=True)
PRIOR = style.CONTROL
DEPTH = style.Look(style.GREY, "-", "v", filled=True)
NAMES = {
    "label_only": "labels only",
    "spt": "SPT, then labels",
    "qk_only": "query-key alone",
    "qk_only_longer": "query-key, more label steps",
    "qk_embeddings_only": "query-key and embeddings",
    "no_qk": "all but query-key",
    "both": "both losses at once",
    "alibi": "ALiBi",
    "rope": "RoPE",
    "tied_qk": "tied query-key",
    "tied_qkvo": "tied query to output",
}
LOOKS = {
    "label_only": style.LABELS,
    "spt": style.RECONSTRUCTION,
    "qk_only": QUERY_KEY,
    "qk_only_longer": QUERY_KEY,
    "qk_embeddings_only": QUERY_KEY,
    "no_qk": style.Look(style.ORANGE, "-", "P", filled=False),
}


def words(arm: str) -> str:
    """An arm's name as figures write it."""
    if arm.startswith("depth_"):
        count = arm.removeprefix("depth_")
        return f"labels only, {count} layer" + ("" if count == "1" else "s")
    return NAMES.get(arm, arm.replace("_", " "))


def share_words(share: str) -> str:
    """A share's name, with its arm where several arms have one: `prior share: ALiBi`."""
    kind, _, arm = share.partition(": ")
    return f"{measures.short(kind)}: {words(arm)}" if arm else measures.short(kind)


def look(arm: str) -> style.Look:
    """How an arm is drawn."""
    return LOOKS.get(arm, DEPTH if arm.startswith("depth_") else PRIOR)


def studied(results: Mapping[str, Result], *, by: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The CPU study's tasks and arrays."""
    result = need(results, "cpu_study", by=by)
    values: Any = result.values
    return values["tasks"], result.arrays


def every(tasks: Mapping[str, Any]) -> list[str]:
    """The arms of all tasks, in the order of the study."""
    return list(dict.fromkeys(arm for found in tasks.values() for arm in found["order"]))


def seeds(tasks: Mapping[str, Any]) -> str:
    """`5 seeds`, or a range."""
    counts = sorted({len(found["seeds"]) for found in tasks.values()})
    return f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = list(words)
    return f"{', '.join(most)} and {last}" if most else last

"""The sentence of a caption that says with which settings a figure's results were made: read from their records."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from paper_figs.style.numbers import number
from sims.runs.store import Result

_WORDS = {
    "length": "L = {}",
    "lengths": "lengths {}",
    "side": "{} pixels a side",
    "layers": "{} layers",
    "depths": "{} layers",
    "width": "width {}",
    "widths": "widths {}",
    "heads": "{} heads",
    "features": "{} features",
    "correlation": "correlation {}",
    "correlations": "correlations {}",
    "sequences": "{} sequences",
    "held_out": "{} held-out sequences",
    "mask_probability": "mask probability {}",
    "batch": "batches of {}",
    "batches": "batches of {}",
    "steps": "{} steps",
    "learning_rate": "learning rate {}",
    "learning_rates": "learning rates {}",
    "rates": "learning rates tried {}",
    "draws": "{} draws",
    "models": "{} models",
    "seeds": "{} seeds",
    "fits": "{} fits",
}
"""How a setting is said, by its name in the config; what is not here is said by the figure or by nobody."""
_OTHER_WORDS = {("mask_ratio", "rates"): "mask rates {}", ("score_slider", "steps"): None}
_OF_SEVERAL_CALLS = ("paper",)
"""Results that calls with different settings add to: their figures say the settings themselves."""
_ONE = {"layers": "layer", "heads": "head", "seeds": "seed", "fits": "fit"}
_TITLES = {
    "attention": "the attention maps",
    "cpu_study": "the arms",
    "docs_order": "docs-order",
    "study": "the arms at their best rates",
}


def sentence(results: Mapping[str, Result], needs: Iterable[str]) -> str:
    """`Settings: L = 32, correlation 0.8, 64 seeds, --seed 0.`; "" where no record says any.

    What several results share is said once; what they do not, behind the name of each.
    """
    sentences = {name: words(results[name]) for name in needs if name in results and words(results[name])}
    together: dict[str, list[str]] = {}
    for name, each in sentences.items():
        together.setdefault(each, []).append(_TITLES.get(name, name.replace("_", " ")))
    if len(together) < 2:
        return "".join(f"Settings: {each}." for each in together)
    named = [f"{' and '.join(names)}: {each}" for each, names in together.items()]
    return f"Settings of {'; of '.join(named)}."


def words(result: Result) -> str:
    """One result's settings, in the order of `_WORDS`, and the seed of its command."""
    config, values = result.record.get("config"), result.values
    if not isinstance(config, Mapping) or result.name in _OF_SEVERAL_CALLS:
        return ""
    config = {"length": values.get("length")} | dict(config) if isinstance(values, Mapping) else dict(config)
    parts = [
        _one(pattern.format(_value(config[name])))
        for name, usual in _WORDS.items()
        if (pattern := _OTHER_WORDS.get((result.name, name), usual)) and _is_plain(config.get(name))
    ]
    if parts and "seed" in result.record:
        parts.append(f"--seed {result.record['seed']}")
    return ", ".join([*parts, *_arm_rates(values)])


def _arm_rates(stored: object) -> list[str]:
    """`learning rate 0.01 with labels only and 0.003 with SPT`, where a comparison of arms stores them.

    Equal ones are said once: for both arms, and for all depths.
    """
    if not isinstance(stored, Mapping):
        return []
    depths = stored.get("depths", {"": stored})
    by_depth: dict[str, str] = {}
    for depth, each in depths.items() if isinstance(depths, Mapping) else ():
        arms = each.get("arms", {})
        rates = [arms.get(arm, {}).get("settings", {}).get("learning_rate") for arm in ("label_only", "spt")]
        if None not in rates:
            apart = f"{rates[0]:g} with labels only and {rates[1]:g} with SPT"
            by_depth[depth] = apart if rates[0] != rates[1] else f"{rates[0]:g}"
    if len(set(by_depth.values())) < 2:
        return [f"learning rate {each}" for each in set(by_depth.values())]
    return [f"learning rate at {_one(f'{depth} layers')} {each}" for depth, each in by_depth.items()]


def _is_plain(value: Any) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or (
        isinstance(value, Sequence) and bool(value) and all(isinstance(each, (int, float)) for each in value)
    )


def _value(value: Any) -> str:
    if isinstance(value, Sequence):
        return ", ".join(map(_value, value))
    return number(value) if isinstance(value, int) else f"{value:g}"


def _one(text: str) -> str:
    """`1 layer` instead of `1 layers`."""
    first, _, rest = text.partition(" ")
    return f"1 {_ONE[rest]}" if first == "1" and rest in _ONE else text

"""From the evidence of all initialisations to numbers with intervals, and the verdict."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from full_scale.dataset import Dataset
from full_scale.diagnosis import contrast, directions
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.verdict import PATTERNS, Verdict, gains, judged, label_share, needed
from full_scale.floors import floors
from sims import store
from sims.intervals import Interval, mean_interval, ratio_interval, score_snr

LOSSES = ("label", "reconstruction")
CONTRASTED = 4_000  # sequences that the class contrast is read from


def concluded(
    dataset: Dataset, used: Dataset, config: DiagnosisConfig, fits: Sequence[dict[str, Any]], command: str
) -> tuple[Verdict, dict[str, object]]:
    """The verdict, and every number with its interval over initialisations."""
    lines, sequences, floor = config.thresholds, len(dataset.train), floors(used)
    near = directions.nearest(dataset.inputs)
    names = directions.offsets(dataset.inputs, dataset.length).names  # causal or not
    vectors = contrast.token_vectors(used.train, dataset.inputs, CONTRASTED)
    verdict = judged(fits, sequences, floor, lines, command)
    return verdict, {
        "data": dataset.describe(),
        "used": {"train": len(used.train), "held_out": len(used.validation) + len(used.test)},
        "config": store.plain(config),
        "directions": list(names),
        "nearest": near,
        "floors": floor,
        "kappa": contrast.kappa(vectors, used.train.labels[: len(vectors)]),
        "positions": fits[0]["positions"],
        "dominant": fits[0]["dominant"],
        "numbers": store.plain(numbers(fits, names, near, floor, config)),
        "label_share": label_share(fits, sequences, floor["constant"], lines),
        "snr_by_offset": {loss: offset_snrs(fits, loss) for loss in LOSSES},
        "fits": list(fits),
        "verdict": store.plain(verdict),
    }


def numbers(
    fits: Sequence[dict[str, Any]],
    names: tuple[str, ...],
    near: str,
    floor: dict[str, float],
    config: DiagnosisConfig,
) -> dict[str, Interval]:
    """Every measure's interval over initialisations."""
    found = {}
    for loss in LOSSES:
        scores = {"nearest": [fit[f"score_by_offset_{loss}"][names.index(near)] for fit in fits]}
        scores |= {
            kind: [fit[f"score_{loss}"][kind] for fit in fits] for kind in ("top", "expressible", "random")
        }
        for kind, each in scores.items():
            found[f"snr_{loss}_{kind}"] = score_snr(np.array(each))
        found[f"needed_{loss}"] = needed(found[f"snr_{loss}_expressible"], config.thresholds)
        found[f"visible_share_{loss}"] = mean_interval(
            np.array([fit[f"visible_share_{loss}"] for fit in fits])
        )
    for name in PATTERNS:
        for part in ("train", "held_out"):
            measure = f"accuracy_{name}_{part}"
            found[measure] = mean_interval(np.array([fit[measure] for fit in fits]))
    for name in ("escape_rate", "reconstruction_time", "contrast_snr"):
        found[name] = mean_interval(np.array([fit[name] for fit in fits]))
    found["plateau_ratio"] = plateau_ratio(fits)
    return found | {"gain": mean_interval(gains(fits, floor))}


def offset_snrs(fits: Sequence[dict[str, Any]], loss: str) -> list[dict]:
    """The SNR that initialisations agree on along every offset."""
    scores = np.array([fit[f"score_by_offset_{loss}"] for fit in fits])
    return [score_snr(column).as_json() for column in scores.T]


def plateau_ratio(fits: Sequence[dict[str, Any]]) -> Interval:
    """Label plateau over reconstruction's time along the pattern; empty where a plateau never ends."""
    if any(not fit["escape_rate"] for fit in fits):
        return Interval(None, None, None, n=len(fits), method="no agreed contrast in some fit")
    times = (np.array([fit[name] for fit in fits]) for name in ("plateau_time", "reconstruction_time"))
    return ratio_interval(*times)

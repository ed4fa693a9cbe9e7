"""From the evidence of all initialisations to numbers with intervals, and the verdict."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from full_scale.data.dataset import Dataset, read_in_words
from full_scale.diagnosis import contrast, directions
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data_notes import balanced, is_rare, notes, shortcomings
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.held_out import Answers
from full_scale.diagnosis.initialisation import LOSSES, Evidence
from full_scale.diagnosis.pilot.neighbours import nats_saved
from full_scale.diagnosis.pilot.sequential import Pilot
from full_scale.diagnosis.pilot.verdict import judged_by_pilot
from full_scale.diagnosis.quality import quality_of
from full_scale.diagnosis.result import Explained, Values
from full_scale.diagnosis.verdict import (
    PATTERNS,
    PretrainingVerdict,
    compared,
    judged,
    label_share,
    needed,
    reached,
)
from full_scale.model import ModelConfig
from sims.runs import store
from sims.statistics.intervals import Interval, mean_interval, ratio_interval, score_snr

_CONTRASTED = 4_000  # sequences that the class contrast is read from


def concluded(
    dataset: Dataset,
    used: Dataset,
    model: ModelConfig,
    config: DiagnosisConfig,
    fit: FitConfig,
    results: Sequence[store.Result],
    command: str,
    pilot: Pilot | None = None,
) -> Values:
    """The verdict, of the pilot where there is one, and every number with its interval.

    `fit` says how many steps of what were made: the fits', or the pilot's where there are no fits.
    """
    fits = tuple(Evidence.from_json(result.values) for result in results)
    answers = Answers.of(used, [result.arrays for result in results], PATTERNS if fits else ())
    neighbours = nats_saved(used)
    verdict = _verdict(dataset, used, config, fit, fits, answers, neighbours, command, pilot)
    values = Values(
        data=dataset.describe(),
        used={"train": len(used.train), "held_out": len(used.validation) + len(used.test)},
        read=read_in_words(dataset),
        quality=quality_of(dataset),
        **_settings(model=model, config=config, fit=fit),
        floors=answers.floors(),
        numbers={"gain": verdict.gain, "order": answers.order(), "neighbours": neighbours},
        balanced=balanced(answers),
        rare=is_rare(answers.labels),
        notes=tuple(notes(dataset, used, fit, fits, answers)),
        fits=fits,
        pilot=pilot,
        verdict=verdict,
    )
    return _explained(values, dataset, used, config) if fits else values


def _settings(**configs: object) -> dict[str, Any]:
    """Every config as a result holds it."""
    return {name: store.plain(config) for name, config in configs.items()}


def _verdict(
    dataset: Dataset, used: Dataset, config: DiagnosisConfig, fit: FitConfig, fits: Sequence[Evidence],
    answers: Answers, neighbours: Interval, command: str, pilot: Pilot | None,
) -> PretrainingVerdict:  # fmt: skip
    """The pilot's verdict, with what the fits reached among the reasons; of the fits without a pilot."""
    lines, missing, floors = config.thresholds, shortcomings(used, fit), answers.floors()
    if pilot is None:
        return judged(fits, len(dataset.train), floors, lines, command, answers, missing)
    verdict = judged_by_pilot(pilot, answers, neighbours, lines, command, missing)
    if not fits:
        return verdict
    means = {name: float(reached(fits, name).mean()) for name in PATTERNS}
    return dataclasses.replace(verdict, reasons=(*verdict.reasons, compared(means, floors)[0]))


def _explained(values: Values, dataset: Dataset, used: Dataset, config: DiagnosisConfig) -> Explained:
    """What the fits tell of why, beside the rest."""
    fits, near = values.fits, directions.nearest(dataset.inputs)
    names = directions.offsets(dataset.inputs, dataset.length).names  # causal or not
    vectors = contrast.token_vectors(used.train, dataset.inputs, _CONTRASTED)
    constant, labels = values.floors["constant"], used.train.labels[: len(vectors)]
    return Explained(
        **vars(values) | {"numbers": numbers(fits, names, near, config) | values.numbers},
        directions=names,
        nearest=near,
        kappa=contrast.kappa(vectors, labels),
        leading_contrast=contrast.leading(vectors, labels),
        positions=fits[0].positions,
        dominant=fits[0].dominant,
        label_share=label_share(fits, len(dataset.train), constant, config.thresholds),
        snr_by_offset={loss: _offset_snrs(fits, loss) for loss in LOSSES},
    )


def numbers(
    fits: Sequence[Evidence],
    names: tuple[str, ...],
    near: str,
    config: DiagnosisConfig,
) -> dict[str, Interval]:
    """Every measure's interval over initialisations."""
    intervals = {}
    for loss in LOSSES:
        scores = {"nearest": [getattr(fit, f"score_by_offset_{loss}")[names.index(near)] for fit in fits]}
        scores |= {
            kind: [getattr(fit, f"score_{loss}")[kind] for fit in fits]
            for kind in ("top", "expressible", "random")
        }
        for kind, each in scores.items():
            intervals[f"snr_{loss}_{kind}"] = score_snr(np.array(each))
        intervals[f"needed_{loss}"] = needed(intervals[f"snr_{loss}_expressible"], config.thresholds)
        intervals[f"visible_share_{loss}"] = _share_interval(
            [getattr(fit, f"visible_share_{loss}") for fit in fits]
        )
    for name in PATTERNS:
        for part in ("train", "held_out"):
            measure = f"accuracy_{name}_{part}"
            intervals[measure] = _share_interval([getattr(fit, measure) for fit in fits])
    for name in ("escape_rate", "reconstruction_time", "contrast_snr"):
        intervals[name] = mean_interval(np.array([getattr(fit, name) for fit in fits]))
    intervals["plateau_ratio"] = plateau_ratio(fits)
    return intervals


def _share_interval(shares: Sequence[float]) -> Interval:
    """Student's t interval of a mean of shares, cut off at 0 and 1."""
    interval = mean_interval(np.array(shares))
    low, high = (None if end is None else float(np.clip(end, 0, 1)) for end in (interval.low, interval.high))
    return dataclasses.replace(interval, low=low, high=high)


def _offset_snrs(fits: Sequence[Evidence], loss: str) -> tuple[Interval, ...]:
    """The SNR that initialisations agree on along every offset."""
    scores = np.array([getattr(fit, f"score_by_offset_{loss}") for fit in fits])
    return tuple(score_snr(column) for column in scores.T)


def plateau_ratio(fits: Sequence[Evidence]) -> Interval:
    """Label plateau over reconstruction's time along the pattern; empty where a plateau never ends."""
    if any(not fit.escape_rate for fit in fits):
        return Interval(None, None, None, n=len(fits), method="no agreed contrast in some fit")
    times = (
        np.array([getattr(fit, name) for fit in fits]) for name in ("plateau_time", "reconstruction_time")
    )
    return ratio_interval(*times)

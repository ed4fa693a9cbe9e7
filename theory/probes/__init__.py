"""Probes of any model's attention scores: gradients sample by sample, seen through their inner products."""

from theory.probes.angles import principal_angles, source_angles
from theory.probes.curvature import Curvature, blind_curvature, curvature
from theory.probes.gram import gram, label_gram
from theory.probes.lags import lag_direction, lag_profile, profile_cosine
from theory.probes.probe import Energy, Probe, probe, probe_source
from theory.probes.proximity import proximity_index
from theory.probes.signal import (
    Signal,
    joint_snr,
    signal,
    snr,
    standard_score,
    unbiased_snr,
    unbiased_square,
)
from theory.probes.sources import Objective, Source, differentiated
from theory.probes.spectrum import Spectrum, spectrum

__all__ = [
    "Curvature",
    "Energy",
    "Objective",
    "Probe",
    "Signal",
    "Source",
    "Spectrum",
    "blind_curvature",
    "curvature",
    "differentiated",
    "gram",
    "joint_snr",
    "label_gram",
    "lag_direction",
    "lag_profile",
    "principal_angles",
    "probe",
    "probe_source",
    "profile_cosine",
    "proximity_index",
    "signal",
    "snr",
    "source_angles",
    "spectrum",
    "standard_score",
    "unbiased_snr",
    "unbiased_square",
]

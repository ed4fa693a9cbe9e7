"""Probes of any model's attention scores: gradients sample by sample, seen through their inner products."""

from theory.probes.angles import principal_angles, source_angles
from theory.probes.curvature import Curvature, blind_curvature, curvature
from theory.probes.gram import gram, label_gram
from theory.probes.probe import Energy, Probe, probe, probe_source
from theory.probes.signal import Signal, signal
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
    "label_gram",
    "principal_angles",
    "probe",
    "probe_source",
    "signal",
    "source_angles",
    "spectrum",
]

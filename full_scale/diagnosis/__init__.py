"""Whether self-pretraining helps on a data set: a pilot of both arms, and what labels see of its attention pattern."""

from full_scale.diagnosis.config import DiagnosisConfig, PilotConfig, Thresholds
from full_scale.diagnosis.diagnose import Diagnosis, diagnose, diagnose_arrays
from full_scale.diagnosis.verdict import PretrainingVerdict

__all__ = [
    "Diagnosis",
    "DiagnosisConfig",
    "PilotConfig",
    "PretrainingVerdict",
    "Thresholds",
    "diagnose",
    "diagnose_arrays",
]

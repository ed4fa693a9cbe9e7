"""What label supervision can see of a data set's attention pattern, before anything is trained."""

from full_scale.diagnosis.config import DiagnosisConfig, Thresholds
from full_scale.diagnosis.diagnose import Diagnosis, diagnose, diagnose_arrays
from full_scale.diagnosis.verdict import Verdict

__all__ = ["Diagnosis", "DiagnosisConfig", "Thresholds", "Verdict", "diagnose", "diagnose_arrays"]

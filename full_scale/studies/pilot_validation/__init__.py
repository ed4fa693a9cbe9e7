"""The study `pilot_validation`: is the diagnosis right on other people's data, and what is as good for less?"""

from full_scale.studies.pilot_validation.agreement import Values
from full_scale.studies.pilot_validation.agreement import table as result_text
from full_scale.studies.pilot_validation.predicted_and_measured import FOLDER, stage
from full_scale.studies.pilot_validation.predicted_and_measured import PilotValidationConfig as Config

description = (
    "the pilot, a one-line statistic, a constant and the fits predict real sets; then both arms are trained"
)
seconds = 7200.0
stored = "pilot_validation"

__all__ = ["FOLDER", "Config", "Values", "description", "result_text", "seconds", "stage", "stored"]

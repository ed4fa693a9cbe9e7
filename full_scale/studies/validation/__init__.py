"""The study `validation`: does what the diagnosis predicts come true?"""

from collections.abc import Callable

from full_scale.studies.validation import predicted_and_measured
from full_scale.studies.validation.agreement import Values
from full_scale.studies.validation.agreement import table as result_text
from full_scale.studies.validation.predicted_and_measured import ValidationConfig as Config
from sims.runs.cache import Session, begin
from sims.runs.store import Result

description = (
    "does training confirm the diagnosis's verdicts? predictions are stored before both arms are trained"
)
seconds = 3600.0
stored = "validation"
FOLDER = "validation"  # of --out: `compare` and the figures look for it there


def stage(session: Session, config: Config, report: Callable) -> Result:
    """Its result; predictions and runs that are stored are not repeated."""
    begin(report)
    folder = session.out / FOLDER
    return predicted_and_measured.run(
        config, folder, seed=session.seed, command=session.command, report=report
    )


__all__ = ["FOLDER", "Config", "Values", "description", "result_text", "seconds", "stage", "stored"]

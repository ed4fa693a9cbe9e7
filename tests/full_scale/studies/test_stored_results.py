"""Every result that is shipped is read as the dataclass beside the code that made it, and loses nothing."""

import pytest

from full_scale.comparison import compare
from full_scale.stored import STORED, with_shipped
from full_scale.studies import arm_comparison, training_states
from full_scale.studies.experiments import EXPERIMENTS, STUDIES
from sims.runs import store
from sims.runs.typed import Stored

KINDS = {study.stored: study.Values for study in STUDIES.values()}
KINDS["validation_first"] = KINDS["validation"]
KINDS["pilot_validation_first"] = KINDS["pilot_validation"]
KINDS["paper_predictions"] = KINDS["paper"]
SHIPPED = sorted(path.stem for path in STORED.glob("*.json"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_result_comes_back_to_the_same_json(name):
    values = store.load(STORED, name).values
    assert store.plain(KINDS[name].from_json(values)) == values


@pytest.mark.heavy
def test_the_comparison_of_what_is_shipped_comes_back_to_the_same_json():
    values, _ = compare.run(with_shipped({}))
    stored = store.plain(values)
    assert values.rows and values.by_task and values.validation.rows
    assert store.plain(compare.Values.from_json(stored)) == stored


def test_what_trains_returns_the_type_by_which_its_result_is_read():
    for study in STUDIES.values():
        assert issubclass(study.Values, Stored)
    computed = {name: getattr(each, "compute", each) for name, each in EXPERIMENTS.items()}
    kinds = {name: each.__annotations__["return"].__args__[0] for name, each in computed.items()}
    assert kinds["docs_order"] is kinds["digits"] is arm_comparison.ArmComparison
    assert kinds["docs_order_probes"] is training_states.Values

"""The stages of `sptlab reproduce`."""

from full_scale.studies.reproduction import TOYS, TRAININGS, stage_configs


def test_the_smoke_preset_changes_fields_that_exist():
    full, smoke = stage_configs("full"), stage_configs("smoke")
    assert list(full) == list(smoke)
    assert all(full[name] != smoke[name] for name in TOYS + TRAININGS)

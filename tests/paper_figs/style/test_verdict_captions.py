"""Captions say how many fitted exponents lie within one standard error, and name the others."""

from paper_figs.style.verdict_captions import agreement, exponents
from sims.statistics.exponents import Fitted

FIT = Fitted(1.5, 0.1, 2.0, 5.0, 2.8, False, False, "5.0 standard errors from the theory", 8)


def test_a_caption_names_each_fit_beyond_one_standard_error_and_its_distance():
    assert agreement({"rate": 0.3, "time": 1.0}) == "within one standard error of the theory"
    said = "1 of 3 within one standard error, else 1.2 (time), 23 (rate) away"
    assert agreement({"slope": 0.3, "time": 1.24, "rate": 22.9}) == said
    assert exponents({"a": FIT}, {"a": "rate"}).endswith(
        "rate: 1.50 ± 0.1 (theory 2.00); 0 of 1 within one standard error, else 5.0 (rate) away"
    )

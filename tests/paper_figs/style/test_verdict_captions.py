"""Captions say where the theory lies in a band or an interval, in words that few seeds do not bend."""

import dataclasses

from paper_figs.style.verdict_captions import agreement, exponents, sentence
from sims.statistics.bands import BandVerdict
from sims.statistics.exponents import Fitted

FIT = Fitted(1.5, 0.1, 2.0, 5.0, 2.8, False, False, "the theory lies outside", 8)
BAND = BandVerdict(1.0, 20, 8.5, 17.0, 3, True)


def test_a_caption_gives_each_fit_its_interval_and_names_those_that_do_not_hold_the_theory():
    assert agreement({"rate": True}) == "brackets are 99% intervals over seeds, and it holds the theory"
    assert agreement({"rate": True, "time": True}).endswith("and all hold the theory")
    assert agreement({"slope": True, "time": False, "rate": False}).endswith(
        "1 of 3 hold the theory, not that of time, rate"
    )
    assert exponents({"a": FIT}, {"a": "rate"}).startswith("rate: 1.50 [1.22, 1.78] (theory 2.00); ")


def test_a_caption_says_how_near_the_edge_of_a_band_the_theory_comes_and_never_in_standard_errors():
    inside = "The theory lies inside the simulation's 99% band at all 20 points; the farthest point lies"
    assert sentence({"a": BAND}) == f"{inside} 50% of the way from the mean to the band's edge."
    outside = dataclasses.replace(BAND, inside=0.9, worst_z=34.0)
    assert sentence({"a": outside}).endswith(
        "at 18 of 20 points; the farthest point lies 2.0 times the way from the mean to the band's edge."
    )
    assert sentence({"a": dataclasses.replace(BAND, worst_z=0.0)}).endswith("without any difference.")
    nowhere = sentence({"a": dataclasses.replace(BAND, inside=0.0, worst_z=None)})
    assert nowhere.endswith("at 0 of 20 points; where runs do not differ at all, it lies elsewhere.")

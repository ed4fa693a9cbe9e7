"""The first page stands while Transformers still train, and never in place of a whole one."""

import re

from full_scale.studies import reproduction
from paper_figs.report import first_page
from sims.runs.cache import Session
from sims.runs.store import Result


def first(results: dict[str, Result]) -> dict[str, Result]:
    """What is there before any training."""
    return {name: results[name] for name in ("claims", *reproduction.TOYS)}


def test_it_shows_the_claims_and_the_toys_figures_and_says_what_is_still_coming(results):
    page = first_page.render(first(results), reproduction.TRAININGS)
    claims = results["claims"].values["claims"]
    holding = sum(claim["passed"] for claim in claims)
    assert f"{holding} of {len(claims)} hold" in page
    assert "Still computing: docs-order, docs-order-probes, digits." in page
    assert {"visible_share", "reduced_flow", "score_slider"} <= set(re.findall(r'<figure id="(\w+)">', page))
    assert "http" not in page.replace("http://www.w3.org", "")


def test_it_is_written_after_claims_and_toys_and_leaves_a_whole_page_that_is_there(
    results, tmp_path, monkeypatch
):
    told, done = [], []
    monkeypatch.setattr(reproduction, "stage", lambda session, name, *_: done.append(name) or results[name])
    monkeypatch.setattr(reproduction, "train_together", lambda *_: done.append("training"))
    monkeypatch.setattr(reproduction, "compared", lambda *_: results["comparison"])
    note = lambda found, coming: told.append((list(found), coming, list(done)))
    reproduction.reproduced(Session(tmp_path, "test", 0), "smoke", lambda *_, **__: None, note)
    early, toys, coming = ["claims"], list(reproduction.TOYS), list(reproduction.TRAININGS)
    assert told == [(early, toys + coming, early), (early + toys, coming, early + toys)]
    first_page.write(tmp_path, {"claims": results["claims"]}, ("digits",))
    assert "<figure" not in (tmp_path / "index.html").read_text()
    first_page.write(tmp_path, first(results), ("digits",))
    assert "<figure" in (tmp_path / "index.html").read_text()
    assert "First results" in (tmp_path / "index.html").read_text()
    (tmp_path / "index.html").write_text("whole")
    first_page.write(tmp_path, first(results), ("digits",))
    assert (tmp_path / "index.html").read_text() == "whole"

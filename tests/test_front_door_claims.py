"""`sptlab verify` and `sptlab derive`: a line per check or step, exit 1 where one does not hold."""

import json

import pytest

import sptlab
from sims import verification
from sims.store import UserError
from tests.command_line import complaint
from theory.derivations import DERIVATIONS, Derivation


def test_verify_prints_a_line_per_check_and_the_json_says_the_same(front_door, tmp_path):
    code, out, err = front_door(
        "verify", "--claims", "C1", "C3", "--json", str(tmp_path / "claims.json"), "--quiet"
    )
    verdicts = json.loads((tmp_path / "claims.json").read_text())
    assert code == 0
    assert err == ""
    assert [verdict["claim"] for verdict in verdicts] == ["C1", "C3"]
    checks = [check for verdict in verdicts for check in verdict["checks"]]
    assert len(out.splitlines()) == len(checks) + len(verdicts) + 1
    assert all(check["name"] in out and check["kind"] in out for check in checks)
    assert set(verdicts[0]) >= {"claim", "statement", "regime", "passed", "checks"}
    assert {"counterexample", "autodiff"} <= {check["kind"] for check in checks}
    assert out.endswith("2 of 2 claims hold\n")


def test_names_may_be_joined_by_commas():
    chosen = verification.claims_config
    assert chosen(("C1,C3",)).labels == chosen(("C1", "C3")).labels == ("C1", "C3")
    assert sptlab.derivation_labels(("C8,", "C2"), False) == ["C8", "C2"]
    with pytest.raises(UserError, match="unknown claim C99; did you mean C9"):
        chosen(("C1,C99",))


def test_a_claim_that_fails_is_exit_1(front_door, monkeypatch):
    verdict = {"claim": "C1", "title": "t", "passed": False}
    check = {"kind": "autodiff", "name": "n", "passed": False, "residual": 1.0, "tolerance": 0.1}
    monkeypatch.setattr(
        verification, "verified", lambda *_, **__: ({"claims": [{**verdict, "checks": [check]}]}, {})
    )
    code, out, _ = front_door("verify", "--claims", "C1")
    assert code == 1
    assert "FAIL autodiff" in out
    assert "C1   FAILS: t" in out
    assert out.endswith("0 of 1 claims hold\n")


def test_verify_stores_the_verdicts_with_their_provenance(front_door, tmp_path):
    code, _, _ = front_door("verify", "--claims", "C3", "--out", str(tmp_path), "--quiet", "--seed", "5")
    stored = json.loads((tmp_path / "results" / "claims.json").read_text())
    assert code == 0
    assert stored["record"]["command"] == "sptlab verify --seed 5"
    assert stored["record"]["config"] == {"labels": ["C3"]}


def test_derive_shows_each_step_with_what_checked_it(front_door):
    code, out, err = front_door("derive", "C8", "--quiet")
    assert code == 0
    assert err == ""
    assert out.startswith("C8  Masked loss, closed form\n")
    assert "    = C_ii/2 - v sum_k B_ik C_ik + (v^2/2) sum_k sum_j B_ij B_ik C_kj\n" in out
    assert out.count("[checked: symbolic L]") == 3


@pytest.mark.parametrize(("form", "opening"), [("latex", "\\providecommand"), ("html", "<!doctype html>")])
def test_derive_writes_what_a_paper_or_a_browser_reads(front_door, tmp_path, form, opening):
    path = tmp_path / "derivation"
    code, out, _ = front_door("derive", "C2", "C10", "--format", form, "--out", str(path), "--quiet")
    assert (code, out) == (0, f"written to {path}\n")
    assert path.read_text().startswith(opening)


def test_derive_wants_a_claim(front_door):
    assert "name a claim, for example `sptlab derive C8`, or --all (C1, C2," in complaint(
        front_door("derive")
    )


def test_a_step_that_does_not_hold_is_exit_1(front_door, monkeypatch):
    monkeypatch.setattr(Derivation, "check", lambda derivation: (False,) * (len(derivation.steps) - 1))
    code, out, _ = front_door("derive", "C2", "--quiet")
    assert code == 1
    assert out.count("NOT SHOWN EQUAL") == len(DERIVATIONS["C2"].steps) - 1

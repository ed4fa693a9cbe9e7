"""`sptlab verify` and `sptlab derive`: a line per check or step, exit 1 where one does not hold."""

import json

import pytest

from full_scale.studies import reproduction
from paper_figs.cli.derive import derivation_labels
from sims.runs import verification
from sims.runs.cache import Session
from sims.runs.store import UserError
from tests.front_door.command_line import complaint
from tests.stored_examples import completed
from theory import claims
from theory.claims.derivations import DERIVATIONS, Derivation


def test_verify_prints_a_line_per_check_and_the_json_says_the_same(front_door, tmp_path):
    code, out, err = front_door(
        "verify", "--claims", "C1", "C3", "--json", str(tmp_path / "claims.json"), "--quiet"
    )
    verdicts = json.loads((tmp_path / "claims.json").read_text())
    assert code == 0
    assert err == ""
    assert [verdict["claim"] for verdict in verdicts] == ["C1", "C3"]
    checks = [check for verdict in verdicts for check in verdict["checks"]]
    assert len([line for line in out.splitlines() if line[5:9] in ("ok  ", "FAIL")]) == len(checks)
    assert all(verdict["statement"][:60] in " ".join(out.split()) for verdict in verdicts)
    assert all(check["name"] in out and check["kind"] in out for check in checks)
    assert set(verdicts[0]) >= {"claim", "statement", "regime", "passed", "checks"}
    assert {"counterexample", "autodiff"} <= {check["kind"] for check in checks}
    assert out.startswith("Words:\n") and "  circulant: of scores: depending on the distance" in out
    assert out.endswith("2 of 2 claims hold\n")


def test_names_may_be_joined_by_commas():
    chosen = verification.claims_config
    assert chosen(("C1,C3",)).labels == chosen(("C1", "C3")).labels == ("C1", "C3")
    assert derivation_labels(("C8,", "C2"), False) == ["C8", "C2"]
    with pytest.raises(UserError, match="unknown claim C99; did you mean C9"):
        chosen(("C1,C99",))


def failing(**more):
    """A claim of one check, which fails."""
    check = {"kind": "autodiff", "name": "n", "residual": 1.0, "tolerance": 0.1, **more}
    claim = {"claim": "C1", "title": "t", "checks": [check]}
    return verification.Values.from_json(completed(verification.Values, {"claims": [claim]}))


def test_a_claim_that_fails_is_exit_1(front_door, monkeypatch):
    monkeypatch.setattr(verification, "verified", lambda *_, **__: (failing(), {}))
    code, out, _ = front_door("verify", "--claims", "C1")
    assert code == 1
    assert "FAIL autodiff" in out
    assert "C1   FAILS: t" in out
    assert out.endswith("0 of 1 claims hold\n")


def test_verify_tells_the_worst_of_several_seeds(front_door, monkeypatch):
    seen = {}

    def verified(config, *, key, **_):
        seen["keys"] = key
        return failing(failed_at=[1]), {}

    monkeypatch.setattr(verification, "verified", verified)
    code, out, _ = front_door("verify", "C1", "--seed", "7", "--seeds", "3", "--quiet")
    assert code == 1
    assert len(seen["keys"]) == 3
    assert "n (fails at seeds 8)\n" in out
    assert out.endswith("0 of 1 claims hold, each check at the worst of seeds 7 to 9\n")


@pytest.mark.parametrize(
    ("flags", "told"),
    [(("--seeds", "0"), "--seeds must be at least 1: got 0"), (("--seeds", "2", "--out", "x"), "one seed")],
)
def test_seeds_that_cannot_be_are_refused(front_door, tmp_path, monkeypatch, flags, told):
    monkeypatch.chdir(tmp_path)
    code, _, err = front_door("verify", "C1", *flags)
    assert code == 2
    assert told in " ".join(err.split())


def test_verify_stores_the_verdicts_with_their_provenance_and_reproduce_takes_them(
    front_door, tmp_path, monkeypatch
):
    code, _, _ = front_door("verify", "--claims", "C3", "--out", str(tmp_path), "--quiet", "--seed", "5")
    stored = json.loads((tmp_path / "results" / "claims.json").read_text())
    assert code == 0
    assert stored["record"]["command"] == "sptlab verify --seed 5"
    assert stored["record"]["config"] == {"labels": ["C3"]}
    monkeypatch.setattr(claims, "verify", lambda *_, **__: pytest.fail("verified again"))
    session, config = Session(tmp_path, "sptlab reproduce", 5), verification.claims_config(("C3",))
    assert reproduction.stage(session, "claims", config, None).values == stored["values"]


def test_derive_shows_each_step_with_what_checked_it(front_door):
    code, out, err = front_door("derive", "C8", "--quiet")
    assert code == 0
    assert err == ""
    assert out.startswith("C8  Masked loss, closed form\n")
    assert "    = C_ii/2 - v sum_k B_ik C_ik + (v^2/2) sum_k sum_j B_ij B_ik C_kj\n" in out
    assert out.count("[checked: ") == DERIVATIONS["C8"].checked_steps


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
    monkeypatch.setattr(Derivation, "check", lambda derivation: (False,) * derivation.checked_steps)
    code, out, _ = front_door("derive", "C2", "--quiet")
    assert code == 1
    assert out.count("NOT SHOWN EQUAL") == DERIVATIONS["C2"].checked_steps

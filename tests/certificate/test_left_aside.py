"""Steps that no run does and that are no dead ones: the certificate shows why each is left aside, and nothing else is."""

from __future__ import annotations

import json
import os
import random

import pytest
from tests.faults.test_more_faults import PAID_BY_HAND, SAFE, saga

from placet.certificate.closed import RefusedError
from placet.certificate.form import lines, read
from placet.certificate.recheck import Checker
from placet.cli.certifying import certify, options_of, questions_of
from placet.cli.recheck import _judged
from placet.pipeline import Options, check, compile_source
from placet.source import SourceFile

CASES = int(os.environ.get("PLACET_EXAMPLES", "10"))
CALLS = """\
service bank { idempotent; null_safe; rejects_after_cancel }
saga pay { step charge on bank { undo refund; timeout 5s } }
workflow order {
  call pay on failed { task call_a_person } on compensated { task tell }
  task ship
}
"""


def certified(text, path):
    loaded = compile_source(SourceFile("w.placet", text))
    assert not loaded.broken, loaded.diagnostics
    path.write_text("".join(lines(certify(check(loaded, Options()), Options()))))
    return loaded, read(str(path))


def shown(text, path):
    """The model's check, its entry, and whether another entry would be accepted."""
    loaded, certificate = certified(text, path)
    (row,) = _judged(loaded, certificate)
    (entry,) = certificate.entries
    assert row["result"] == "accepted", row
    (asked,) = (q for q in questions_of(loaded, options_of(certificate)).values() if q is not None)
    checker, asks = Checker(certificate), asked.meaning()

    def is_shown(other, *, meaning=asks):
        try:
            checker.check(meaning, entry._replace(evidence=tuple(other)))
        except RefusedError:
            return False
        return True

    return asks, list(json.loads(json.dumps(entry.evidence))), is_shown


@pytest.mark.parametrize("asked", ["no_dead_step", "sound", "relaxed_sound"])
def test_a_step_that_takes_more_faults_is_shown_with_them(asked, tmp_path):
    question, evidence, is_shown = shown(PAID_BY_HAND + f"check {asked}(book)", tmp_path / "some.cert")
    aside = [n for n, one in enumerate(evidence) if "more" in one]
    assert aside
    assert is_shown(evidence)
    for n in aside:
        one = evidence[n]
        for change in (
            {"more": one["more"] + 1, "steps": one["steps"] - 1},
            {"more": 9}, {"more": -1}, {"more": True}, {"more": []}, {"steps": one["steps"] - 1},
            {"steps": 0}, {"steps": one["steps"] + 1}, {"run": 10**6}, {"unheard": [], "set": 0},
        ):  # fmt: skip
            assert not is_shown([*evidence[:n], {**one, **change}, *evidence[n + 1 :]]), change
        assert not is_shown([*evidence[:n], {"run": one["run"], "steps": one["steps"]}, *evidence[n + 1 :]])
    assert not is_shown(evidence, meaning=question._replace(more=None))


@pytest.mark.parametrize("faults", ["under { }", "under { reject }"])
def test_a_step_that_takes_other_faults_is_shown_with_them(faults, tmp_path):
    _, evidence, is_shown = shown(SAFE + f"check no_dead_step(s) {faults}", tmp_path / "some.cert")
    assert [one for one in evidence if "more" in one]
    assert is_shown(evidence)


def test_a_handler_of_an_end_that_never_comes_is_left_aside(tmp_path):
    question, evidence, is_shown = shown(CALLS + "check no_dead_step(order)", tmp_path / "some.cert")
    aside = [n for n, one in enumerate(evidence) if "unheard" in one]
    assert aside
    demanded = question.compiled.demanded
    possible = next(t for t in range(len(question.compiled.net.transitions)) if t not in demanded)
    for n in aside:
        one = evidence[n]
        assert set(one["unheard"]) <= demanded
        for change in (
            {"unheard": []}, {"unheard": [possible]}, {"unheard": [*one["unheard"], possible]}, {"unheard": 7},
            {"unheard": [10**9]}, {"set": one["set"] + 1}, {"set": None},
        ):  # fmt: skip
            assert not is_shown([*evidence[:n], {**one, **change}, *evidence[n + 1 :]]), change
    alive = next(n for n, one in enumerate(evidence) if "run" in one)
    assert not is_shown([*evidence[:alive], evidence[aside[0]], *evidence[alive + 1 :]])


def test_every_proof_about_random_sagas_is_shown(tmp_path):
    seen = {"proved": 0, "violated": 0}
    aside = 0
    for seed in range(CASES):
        loaded = compile_source(SourceFile("w.placet", saga(random.Random(seed))))
        if loaded.broken:
            continue
        certificate = certify(check(loaded, Options()), Options())
        (entry,) = certificate.entries
        (row,) = _judged(loaded, certificate)
        assert row["result"] == "accepted", (seed, row)
        seen[entry.verdict] += 1
        aside += any("more" in one for one in entry.evidence)
    assert min(seen.values()) >= 1
    assert aside >= 1

"""Certificates of what sagas owe under faults: accepted as they were made, equal to the enumeration of all runs, and no other.

`PLACET_EXAMPLES=100 pytest tests/certificate/test_owed.py` looks at more sagas, and at the larger models, than every run of the tests does.
"""

from __future__ import annotations

import json
import os
import random

import pytest
from agreement import identifier
from enumerator import UNCOVERED, Enumerator, TooLarge
from random_sagas import case, stacked
from test_finer import keyed

from placet.analysis.questions import MEASURED
from placet.certificate import make, owed
from placet.certificate.closed import BeyondError, RefusedError, closed_set
from placet.certificate.form import lines, read
from placet.certificate.measured import ANOMALIES, Owes
from placet.certificate.memory import COUNTED as COUNTED_HERE
from placet.certificate.memory import FAMILIES, PHASES, Memory
from placet.certificate.owed import Runs
from placet.certificate.recheck import Checker
from placet.cli.certifying import certify, options_of, questions_of
from placet.cli.recheck import _judged
from placet.compile.workflow_to_net import process_to_net
from placet.compiled import Query
from placet.coverage import anomalies
from placet.coverage.obligations import FAMILIES as COUNTED
from placet.coverage.obligations import PHASES as KNOWN
from placet.evidence import Budget
from placet.pipeline import Loaded, Options, check, load

CASES = int(os.environ.get("PLACET_EXAMPLES", "4"))  # of each kind of random sagas
MOST = 1_500  # situations
ASKED = (
    Query("coverage", "all of it"),
    Query("coverage", "most of it", demand=60),
    *(Query(name, name) for name in ANOMALIES),
)


def loaded(one):
    """A random saga as it would be loaded from a file, and how it is asked; None for what the compiler refuses."""
    compiled, diagnostics = process_to_net(one.process, {p.id: p for p in one.called})
    if any(d.severity == "error" for d in diagnostics) or not compiled.roles.steps:
        return None
    options = Options(hypothesis=one.hypothesis, budget=Budget(states=MOST))
    return Loaded("b", "", (compiled._replace(queries=ASKED),)), options


def certified(model, options, path):
    """The certificate of all verdicts, written and read again."""
    path.write_text("".join(lines(certify(check(model, options), options))))
    return read(str(path))


def results(model, certificate):
    return [row["result"] for row in _judged(model, certificate)]


def random_cases(kind):
    made = {
        "sagas": case,
        "orders": lambda n: stacked(10 + n),
        "keys": lambda n: keyed(n, twice=False),
        "two runs": lambda n: keyed(n, twice=True),
    }
    found = ((seed, made[kind](seed)) for seed in range(CASES))
    for seed, one in found:
        model = loaded(one)
        if model is not None:
            yield seed, one, *model


def of_all_runs(one):
    """(feasible, uncovered) as the enumeration has them; None where there are too many runs."""
    try:
        found = Enumerator(one.woven(), MOST).obligations()
    except TooLarge:
        return None
    bad = {
        (family, step, tuple(identifier(c) for c in faults), phase)
        for (family, step, faults, phase), status in found.items()
        if status == UNCOVERED
    }
    return len(found), bad


# -- accepted ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sagas", "orders", "keys", "two runs"])
def test_every_verdict_about_a_random_saga_is_shown_and_agrees_with_all_runs(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(owed, "NODES", 20_000)
    shown = compared = 0
    for seed, one, model, options in random_cases(kind):
        certificate = certified(model, options, tmp_path / "some.cert")
        told = results(model, certificate)
        for entry, result in zip(certificate.entries, told, strict=True):
            assert result == ("no evidence" if entry.none else "accepted"), (seed, entry.label)
            assert not entry.none or entry.verdict == "inconclusive" or "more situations" in entry.none, (seed, entry)
            shown += not entry.none
        theirs = of_all_runs(one)
        (counts,) = (e.evidence for e in certificate.entries if e.label == "all of it")
        if theirs is None or not counts or "feasible" not in counts[0]:
            continue
        compared += 1
        feasible, bad = theirs
        mine = {(u["family"], u["step"], tuple(u["faults"]), u["phase"]) for u in counts[0]["uncovered"]}
        assert (counts[0]["feasible"], counts[0]["covered"]) == (feasible, feasible - len(bad)), seed
        assert mine <= bad, seed
        assert len(mine) == min(owed.RUNS, len(bad)), seed
    assert shown > CASES
    assert compared or kind == "orders"


SHIPPED = ("approval_signals", "dtm_transfer", "ftgo_create_order", "supply_chain", "financial_transactions")
LARGER = ("ecommerce_fulfilment", "order_platform", "parallel_parts", "step_functions_sidecar", "step_functions_order",
          "cross_border_payment", "temporal_go_transfer", "temporal_java_booking")  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED if "PLACET_EXAMPLES" not in os.environ else (*SHIPPED, *LARGER))
def test_what_the_shipped_sagas_owe_is_shown(name, checkout, tmp_path):
    found = 0
    for path in sorted((checkout / "models" / name).glob("**/*.placet")):
        model = load(str(path), Options())
        measured = [c._replace(queries=tuple(q for q in c.queries if q.check in MEASURED)) for c in model.compiled]
        model = model._replace(compiled=tuple(c for c in measured if c.queries))
        certificate = certified(model, Options(), tmp_path / "some.cert")
        assert set(results(model, certificate)) <= {"accepted"}
        found += len(certificate.entries)
    assert found


# -- the same words as those who measure, told apart ------------------------------------------------------------------


def test_the_words_are_those_of_the_measurement():
    assert {name: one.families for name, one in anomalies.ANOMALIES.items() if name != "anomaly_A1"} == ANOMALIES
    assert set(COUNTED) | {f for one in anomalies.ANOMALIES.values() for f in one.families} == set(FAMILIES)
    assert PHASES == KNOWN


def test_what_is_remembered_changes_nothing_that_can_happen():
    for _, one, model, _ in random_cases("sagas"):
        woven = one.woven()
        memory = Memory(woven.compiled)
        assert memory.faults == frozenset(woven.causes)
        assert memory.watched().net == woven.compiled.net
        assert all(o.low <= o.initial <= o.high for o in memory.observers)
        assert model.compiled


# -- spoilt -----------------------------------------------------------------------------------------------------------

SAGA = """\
system pair "Two"
service bank {{ idempotent; {barrier} }}
saga move {{
{body}
  failing_step undo
}}
check coverage(move) under {{ reject, slow, undo_fail }} at_most 1
check coverage(move) at L0 >= 20%
check coverage(move) at L1 >= 99%
check anomaly_A2(move), anomaly_A3(move), anomaly_A4(move), anomaly_A12(move), anomaly_A14(move) under {{ slow }} at_most 1
"""


STEPS = """\
    step out on bank { undo out_again; timeout 10s }
    step into on bank { undo into_again; timeout 10s }
"""
BARRIER = "null_safe; rejects_after_cancel"


def written(folder, barrier="null_safe", *, parallel=True):
    """The model, its certificate as lines of JSON, and whether each entry is accepted."""
    path = folder / "pair.placet"
    path.write_text(SAGA.format(barrier=barrier, body=f"  parallel {{\n{STEPS}  }}" if parallel else STEPS))
    model = load(str(path), Options())
    assert not model.broken, model.diagnostics
    certificate = certified(model, Options(), folder / "pair.cert")
    assert set(results(model, certificate)) == {"accepted"}
    return model, certificate


def leaves(value, path=()):
    """The ways to everything in a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, part in inner:
        yield from leaves(part, (*path, key))


def put(value, path, change):
    """The value with one thing in it changed; `change` gives the list of what takes its place."""
    if len(path) == 1:
        if isinstance(value, dict):
            made = change(value[path[0]])
            rest = {k: v for k, v in value.items() if k != path[0]}
            return {**rest, path[0]: made[0]} if made else rest
        return [*value[: path[0]], *change(value[path[0]]), *value[path[0] + 1 :]]
    inside = put(value[path[0]], path[1:], change)
    if isinstance(value, dict):
        return {**value, path[0]: inside}
    return [*value[: path[0]], inside, *value[path[0] + 1 :]]


def spoilt(value):
    """What a value may be changed to."""
    yield []  # it is left out
    yield [None]
    yield [value, value]
    if isinstance(value, str):
        yield from ([other] for other in ("", "BALANCE", "LATE", "move/out", "move/into", *PHASES) if other != value)
    elif isinstance(value, int):
        yield from ([value + delta] for delta in (-1, 1, 1000))


def shows(certificate, model):
    """Which entries are accepted, with one checker for all."""
    asked, checker = questions_of(model, options_of(certificate)), Checker(certificate)
    meanings = {place: question.meaning() for place, question in asked.items()}

    def is_shown(entry):
        try:
            checker.check(meanings[entry.subject, entry.query], entry)
        except RefusedError:
            return False
        return True

    return is_shown


@pytest.mark.parametrize(("barrier", "parallel"), [("null_safe", True), (BARRIER, False)])
def test_every_field_of_the_evidence_matters(barrier, parallel, tmp_path):
    model, certificate = written(tmp_path, barrier, parallel=parallel)
    is_shown = shows(certificate, model)
    tried = 0
    for entry in certificate.entries:
        assert is_shown(entry)
        assert not is_shown(entry._replace(question="0" * 64))
        turned = {"proved": "violated", "violated": "proved"}[entry.verdict]
        for verdict in (turned, "inconclusive"):
            assert not is_shown(entry._replace(verdict=verdict)), entry.label
        assert not is_shown(entry._replace(evidence=entry.evidence * 2))
        shown = json.loads(json.dumps(entry.evidence[0]))
        for path in leaves(shown):
            at = shown
            for key in path[:-1]:
                at = at[key]
            for made in spoilt(at[path[-1]]) if path else ():
                if len(made) == 2 and isinstance(path[-1], str):
                    continue
                changed = put(shown, path, lambda _, made=made: made)
                tried += 1
                if not is_shown(entry._replace(evidence=(changed,))):
                    continue
                # a proof of all of it need not say how much that is; and the situations of more faults hold those of less
                weaker = path == ("feasible",) and not made and entry.label == "coverage(move)"
                wider = path == ("set",) and made and entry.verdict == "proved"
                assert weaker or wider, (entry.label, path, made)
    assert tried > 70


def test_every_situation_of_a_set_matters(tmp_path):
    model, certificate = written(tmp_path, BARRIER, parallel=False)
    asked = questions_of(model, options_of(certificate))
    tried = 0
    for n, one in enumerate(certificate.sets):
        entries = [e for e in certificate.entries if e.evidence[0].get("set") == n]
        for at in range(0, len(one.rows), 5):
            row = one.rows[at]
            for rows in (
                one.rows[:at] + one.rows[at + 1 :],
                (*one.rows[:at], (row[0] + 1, *row[1:]), *one.rows[at + 1 :]),
                (*one.rows[:at], (*row[:-1], row[-1] ^ 1), *one.rows[at + 1 :]),
            ):
                sets = (*certificate.sets[:n], one._replace(rows=rows), *certificate.sets[n + 1 :])
                checker = Checker(certificate._replace(sets=sets))
                with pytest.raises(RefusedError):
                    checker.check(asked[entries[0].subject, entries[0].query].meaning(), entries[0])
                tried += 1
    assert tried > 100


def test_every_step_of_a_run_matters(tmp_path):
    model, certificate = written(tmp_path)
    (entry,) = (e for e in certificate.entries if e.label == "coverage(move)")
    asked = questions_of(model, options_of(certificate))[entry.subject, entry.query].meaning()
    assert entry.evidence[0]["uncovered"]
    for told in entry.evidence[0]["uncovered"]:
        run = certificate.runs[told["run"]]
        for at in range(0, len(run), 2):
            for other in (run[:at] + run[at + 1 :], run[:at], (*run[:at], run[at] + 1, *run[at + 1 :])):
                runs = (*certificate.runs[: told["run"]], other, *certificate.runs[told["run"] + 1 :])
                with pytest.raises(RefusedError):
                    Checker(certificate._replace(runs=runs)).check(asked, entry)
        break


def test_the_certificate_of_another_saga_is_refused(tmp_path):
    _, kept = written(tmp_path, BARRIER)
    model, broken = written(tmp_path)
    assert set(results(model, kept)) == {"refused"}
    for mine, other in zip(broken.entries, kept.entries, strict=True):  # the evidence under the name of what is asked
        forged = kept._replace(entries=(other._replace(question=mine.question),))
        is_shown = shows(forged, model)
        assert not is_shown(forged.entries[0]), mine.label


def test_a_failed_undo_is_blamed_by_no_move_of_its_own(tmp_path):
    """A proof of A8 was accepted of any closed set: what it is broken by is the balance of a whole scenario."""
    text = (
        SAGA.format(barrier=BARRIER, body=STEPS)
        .partition("check ")[0]
        .replace("  failing_step undo", "  on undo_failure continue")
    )
    path = tmp_path / "pair.placet"
    path.write_text(
        text
        + "check anomaly_A8(move) under { reject, undo_fail } at_most 2\ncheck coverage(move) under { reject, undo_fail } at_most 2\n"
    )
    model = load(str(path), Options())
    certificate = certified(model, Options(), tmp_path / "pair.cert")
    assert not model.broken, model.diagnostics
    blamed, whole = certificate.entries
    assert (blamed.verdict, whole.verdict) == ("violated", "violated")
    assert results(model, certificate) == ["accepted", "accepted"]
    number = whole.evidence[0]["set"]
    assert not shows(certificate, model)(blamed._replace(verdict="proved", evidence=({"set": number},)))


def test_a_proof_of_less_than_all_says_how_much(tmp_path):
    model, certificate = written(tmp_path)
    (entry,) = (e for e in certificate.entries if e.label.endswith("20%"))
    is_shown = shows(certificate, model)
    assert entry.evidence[0]["feasible"] >= entry.evidence[0]["covered"] > 0
    assert is_shown(entry)
    assert not is_shown(entry._replace(evidence=({"set": entry.evidence[0]["set"]},)))


# -- too large --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("barrier", ["null_safe", BARRIER])
def test_what_is_too_large_is_shown_by_less_or_it_is_said_why_not(barrier, tmp_path, monkeypatch):
    monkeypatch.setattr(owed, "NODES", 30)
    path = tmp_path / "pair.placet"
    path.write_text(SAGA.format(barrier=barrier, body=STEPS))
    model = load(str(path), Options())
    certificate = certified(model, Options(), tmp_path / "pair.cert")
    assert "refused" not in results(model, certificate)
    whole, some, most, *_ = certificate.entries
    if barrier == BARRIER:  # nothing in the set breaks anything, whatever led there
        assert (whole.verdict, set(whole.evidence[0])) == ("proved", {"set"})
    else:
        assert (whole.verdict, set(whole.evidence[0])) == ("violated", {"obligation", "family", "step", "run", "steps"})
    for entry in (some, most):
        assert "more situations with the faults" in entry.none


def test_a_set_that_cannot_be_listed_leaves_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(make, "MANY", 20)
    path = tmp_path / "pair.placet"
    path.write_text(SAGA.format(barrier="null_safe", body=STEPS))
    model = load(str(path), Options())
    certificate = certified(model, Options(), tmp_path / "pair.cert")
    found = dict(zip([e.label for e in certificate.entries], results(model, certificate), strict=True))
    assert found["coverage(move)"] == found["anomaly_A4(move)"] == "accepted"
    assert found["anomaly_A14(move)"] == "no evidence"


LONG = 300_000


@pytest.mark.parametrize(
    "shown",
    [
        {"obligation": 0, "family": "LATE", "step": "move/out", "run": 0, "steps": LONG},
        {"obligation": 0, "family": ["LATE"] * 1000, "step": {}, "run": 0, "steps": 1},
        {"obligation": 0, "set": 0, "feasible": 10**400, "covered": 0, "uncovered": []},
        {"obligation": 0, "set": 0, "feasible": 1, "covered": 0, "uncovered": [{}] * 10_000},
        {"obligation": 0, "set": 0, "feasible": 1, "covered": 0, "uncovered": {"a": [[[[]]]]}},
    ],
)
def test_evidence_made_to_harm_is_refused_at_once(shown, tmp_path):
    model, certificate = written(tmp_path)
    long = certificate._replace(runs=((0,) * LONG, *certificate.runs[1:]))
    is_shown = shows(long, model)
    for entry in long.entries:
        for verdict in ("proved", "violated"):
            assert not is_shown(entry._replace(evidence=(shown,), verdict=verdict))


def changed(rng, value):
    """Some JSON value with one thing in it changed, left out or doubled."""
    if isinstance(value, dict) and value:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: changed(rng, value[key])}
    if isinstance(value, list) and value:
        at = rng.randrange(len(value))
        middle = rng.choice(([changed(rng, value[at])], [], [value[at]] * 2))
        return [*value[:at], *middle, *value[at + 1 :]]
    if isinstance(value, int) and not isinstance(value, bool):
        return value + rng.choice((-2, -1, 1, 2))
    return rng.choice((None, 0, 1, [], {}, *FAMILIES, *PHASES))


def test_spoilt_evidence_about_random_sagas_is_accepted_for_nothing_that_is_not_so(tmp_path):
    """Whatever is done to it: what is accepted is the verdict that was found, which all runs have agreed with."""
    tried = accepted = 0
    for seed, _, model, options in random_cases("sagas"):
        certificate = certified(model, options, tmp_path / "some.cert")
        rng = random.Random(seed)
        entries = [e for e in certificate.entries if not e.none]
        for _ in range(5):
            sets = list(certificate.sets)
            runs = list(certificate.runs)
            if sets and rng.random() < 0.3:
                at = rng.randrange(len(sets))
                rows = sets[at].rows
                gone = rng.randrange(len(rows))
                sets[at] = sets[at]._replace(rows=rows[:gone] + rows[gone + 1 :])
            if runs and rng.random() < 0.3:
                at = rng.randrange(len(runs))
                runs[at] = tuple(changed(rng, list(runs[at])))
                runs[at] = tuple(t for t in runs[at] if type(t) is int and t >= 0)
            spoilt_one = certificate._replace(sets=tuple(sets), runs=tuple(runs))
            is_shown = shows(spoilt_one, model)
            for entry in entries:
                evidence = rng.choice((entry, rng.choice(entries))).evidence
                for _ in range(rng.choice((0, 1, 1, 2))):
                    evidence = changed(rng, json.loads(json.dumps(evidence)))
                verdict = rng.choice(("proved", "violated"))
                other = entry._replace(
                    verdict=verdict, evidence=tuple(evidence) if isinstance(evidence, list) else evidence
                )
                tried += 1
                if is_shown(other):
                    accepted += 1
                    assert verdict == entry.verdict, (seed, entry.label, other.evidence)
    assert tried > 50 * CASES
    assert accepted > CASES


GUARDED = """\
service bank { idempotent; null_safe; rejects_after_cancel }
saga move {
  step out on bank { undo out_again; timeout 10s }
  loop { task look } until "it is there"
}
check coverage(move) under { reject } at_most 1
check anomaly_A15(move), anomaly_A5(move) under { reject } at_most 1
"""


def test_what_ends_only_if_a_condition_over_data_comes_true_is_not_shown(tmp_path):
    path = tmp_path / "move.placet"
    path.write_text(GUARDED)
    model = load(str(path), Options())
    assert not model.broken, model.diagnostics
    assert not any(e.none for e in certified(model, Options(), tmp_path / "move.cert").entries)
    free = [c._replace(assumptions=c.assumptions._replace(free_guards=("it is there",))) for c in model.compiled]
    model = model._replace(compiled=tuple(free))  # as an imported definition has them
    whole, circling, double = certified(model, Options(), tmp_path / "move.cert").entries
    assert "conditions over data" in whole.none
    assert "conditions over data" in circling.none
    assert not double.none


def test_steps_are_counted_each_for_itself_as_all_at_once(tmp_path):
    class Alone(Runs):
        def _of_all_runs(self, of):
            if len(of) > 1:
                raise BeyondError
            return super()._of_all_runs(of)

    compared = 0
    for seed, one, model, options in random_cases("sagas"):
        certificate = certified(model, options, tmp_path / "some.cert")
        (whole,) = (e for e in certificate.entries if e.label == "all of it")
        if "set" not in (whole.evidence or ({},))[0]:
            continue
        watched = Memory(one.woven().compiled).watched()
        graph = closed_set(watched, certificate.sets[whole.evidence[0]["set"]], watched.start, frozenset())
        for asked in (Owes(COUNTED_HERE, "counted"), Owes(FAMILIES), Owes(("not undone", "LATE"), "beside")):
            assert Alone(watched, graph).counted(asked) == Runs(watched, graph).counted(asked), seed
        compared += 1
    assert compared > CASES // 3

"""Certificates of formulas about runs, held against the definitions; spoilt ones never show what is not so. And sets closed upwards."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise

import pytest

from oracles import fair_runs
from oracles.formulas import FAIRNESS, cases, definition, random_formula
from placet.certificate import formulas, make
from placet.certificate.closed import BeyondError, RefusedError
from placet.certificate.form import Certificate, Entry, States, digest, shifted
from placet.certificate.meaning import Question, question
from placet.certificate.recheck import Checker
from placet.cli.certifying import certify, options_of, questions_of
from placet.compiled import Compiled, Query
from placet.evidence import Budget
from placet.logic.state import And, at_least
from placet.logic.temporal import Always, Atom, Eventually, Every, Neg, Next, Some, Until
from placet.net.builder import NetBuilder
from placet.pipeline import Loaded, Options, check
from strategies import compiled_of

CASES = int(os.environ.get("PLACET_EXAMPLES", "120"))


@dataclass
class Case:
    compiled: Compiled
    asked: Question
    truth: str
    rows: tuple[tuple[int, ...], ...]


def drawn(seed, count):
    """Random nets with a formula each that asks for more than states, its verdict by the definitions, and all reachable states."""
    for rng, compiled, states, graph, faults in cases(seed, count):
        kind = rng.choice(("ctl", "ltl"))
        formula = random_formula(rng, compiled, 3 if kind == "ctl" else 2, ctl=kind == "ctl")
        fairness = rng.choice(FAIRNESS)
        holds, calm = definition(compiled, states)
        if kind == "ctl":
            expected = 0 in fair_runs.branching(formula, graph, faults, holds, fairness)
        else:
            expected = fair_runs.linear(formula, graph, faults, holds, calm, fairness)
        asked = question(compiled, Query(kind, "f", formula=formula, fairness=fairness))
        assert isinstance(asked, Question)
        width, kept = len(compiled.net.places), set(asked.compiled.observers)
        keep = [*range(width), *(width + n for n, o in enumerate(compiled.observers) if o in kept)]
        rows = tuple(dict.fromkeys(shifted(width, [s[i] for i in keep]) for s in states))
        yield rng, Case(compiled, asked, "proved" if expected else "violated", rows)


def accepted(case, verdict, evidence, certificate):
    entry = Entry("ctl", "f", "net", 0, verdict, digest(case.asked), tuple(evidence))
    try:
        Checker(certificate).check(case.asked, entry)
    except RefusedError:
        return False
    return True


def of_set(case, rows):
    return Certificate({}, sets=(States(len(case.asked.compiled.start), tuple(rows)),))


def test_a_closed_set_shows_the_truth_and_never_the_opposite():
    seen = {"proved": 0, "violated": 0}
    for _, case in drawn(3, CASES):
        whole = of_set(case, case.rows)
        other = {"proved": "violated", "violated": "proved"}[case.truth]
        if case.asked.obligations[0].kind == "never" and case.truth == "violated":
            continue  # a run shows it
        assert accepted(case, case.truth, [{"set": 0, "obligation": 0}], whole), case
        assert not accepted(case, other, [{"set": 0, "obligation": 0}], whole), case
        seen[case.truth] += 1
    assert min(seen.values()) > CASES // 8


def test_a_set_without_one_of_its_states_shows_nothing():
    for rng, case in drawn(4, CASES // 2):
        if len(case.rows) > 1:
            gone = rng.randrange(len(case.rows))
            part = of_set(case, case.rows[:gone] + case.rows[gone + 1 :])
            for verdict in ("proved", "violated"):
                assert not accepted(case, verdict, [{"set": 0, "obligation": 0}], part)


def test_what_cannot_be_reached_changes_nothing():
    """A set may hold more than what can be reached."""
    builder = NetBuilder("two")
    here, there, apart = builder.place("here", 1), builder.place("there"), builder.place("apart")
    builder.transition("go", {here: 1}, {there: 1})
    builder.transition("away", {apart: 1}, {apart: 1})
    compiled = compiled_of(*builder.build())
    formula = Every(Eventually(Atom(at_least(there, 1))))
    asked = question(compiled, Query("ctl", "f", formula=formula))
    case = Case(compiled, asked, "proved", ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert accepted(case, "proved", [{"set": 0}], of_set(case, case.rows))
    assert not accepted(case, "violated", [{"set": 0, "obligation": 0}], of_set(case, case.rows))


def certificates(seed, count):
    """As `verify --certificate` makes them: the certificate, its only entry, and what is asked."""
    for rng, case in drawn(seed, count):
        kind = "ltl" if case.asked.obligations[0].kind == "ltl" else "ctl"
        query = case.asked.obligations[0]
        if query.kind == "never":
            continue
        compiled = case.compiled._replace(queries=())
        formula = query.formula
        compiled = case.asked.compiled._replace(queries=(Query(kind, "f", formula=formula, fairness=query.fairness),))
        options = Options(budget=Budget(states=2000))
        loaded = Loaded("net", "", (compiled,))
        certificate = certify(check(loaded, options), options)
        (found,) = questions_of(loaded, options_of(certificate)).values()
        yield rng, case, certificate, certificate.entries[0], found.meaning()


def test_what_is_written_is_accepted_and_says_the_truth():
    kinds = set()
    for _, case, certificate, entry, asked in certificates(5, CASES // 2):
        assert not entry.none
        assert entry.verdict == case.truth
        Checker(certificate).check(asked, entry)
        kinds.add((entry.check, entry.verdict, *sorted(entry.evidence[0])))
    assert ("ltl", "violated", "loop", "obligation", "run", "steps") in kinds
    assert {("ctl", "proved", "set"), ("ltl", "proved", "set"), ("ctl", "violated", "obligation", "set")} <= kinds


def test_spoilt_evidence_never_shows_what_is_not_so():
    """A number changed, dropped or doubled anywhere in a run, a loop, a set; verdicts turned. What is still accepted is true."""
    refused = 0
    for rng, case, certificate, entry, asked in certificates(6, CASES // 2):
        for _ in range(6):
            parts, said = certificate, entry
            what = rng.choice(("run", "set", "verdict", "steps", "fairness"))
            if what == "run" and parts.runs:
                at = rng.randrange(len(parts.runs))
                run = list(parts.runs[at])
                if run:
                    n = rng.randrange(len(run))
                    run[n : n + 1] = rng.choice(([], [run[n]] * 2, [run[n] + 1], [10**9]))
                parts = parts._replace(runs=(*parts.runs[:at], tuple(run), *parts.runs[at + 1 :]))
            elif what == "set" and parts.sets:
                rows = [list(row) for row in parts.sets[0].rows]
                rng.choice(rows)[rng.randrange(len(rows[0]))] += rng.choice((-1, 1))
                parts = parts._replace(sets=(States(parts.sets[0].width, tuple(map(tuple, rows))),))
            elif what == "verdict":
                said = said._replace(verdict="violated" if said.verdict == "proved" else "proved")
            elif what == "fairness":
                other = asked.obligations[0]._replace(fairness=rng.choice(FAIRNESS))
                if other.fairness != asked.obligations[0].fairness:
                    with pytest.raises(RefusedError):
                        Checker(parts).check(asked._replace(obligations=(other,)), said)
                continue
            elif "steps" in said.evidence[0]:
                shown = dict(said.evidence[0])
                key = rng.choice(("steps", "loop", "run", "obligation"))
                shown[key] = rng.choice((0, 1, 2, 10**9, -1, None, "x", [], True))
                said = said._replace(evidence=(shown,))
            try:
                Checker(parts).check(asked, said)
            except RefusedError:
                refused += 1
            else:
                assert said.verdict == case.truth, (what, case)
    assert refused > CASES // 2


def test_conditions_over_data_lean_on_no_fairness():
    builder = NetBuilder("net")
    here, there = builder.place("here", 1), builder.place("there")
    builder.transition("round", {here: 1}, {here: 1})
    builder.transition("out", {here: 1}, {there: 1})
    compiled = compiled_of(*builder.build())
    free = compiled._replace(assumptions=compiled.assumptions._replace(free_guards=("amount > 10",)))
    out = Atom(at_least(there, 1))
    for formula, kind in ((Every(Eventually(out)), "ctl"), (Eventually(out), "ltl")):
        for net, expected in ((compiled, True), (free, False)):
            asked = question(net, Query(kind, "f", formula=formula))
            case = Case(net, asked, "", ((1, 0), (0, 1)))
            assert accepted(case, "proved", [{"set": 0}], of_set(case, case.rows)) is expected
    assert isinstance(question(free, Query("ctl", "f", formula=Some(Eventually(out)))), str)


def test_that_all_states_show_something_is_asked_of_the_states():
    """So that sums and diagrams can show it where there are too many to be listed."""
    builder = NetBuilder("many")
    places = [(builder.place(f"p{i}", 1), builder.place(f"q{i}")) for i in range(60)]
    for i, (p, q) in enumerate(places):
        builder.transition(f"go{i}", {p: 1}, {q: 1})
        builder.transition(f"back{i}", {q: 1}, {p: 1})
    compiled = compiled_of(*builder.build())
    one = Neg(Atom(at_least(0, 2)))
    for kind, formula in (("ctl", Every(Always(one))), ("ltl", Always(one)), ("ctl", Neg(Some(Eventually(Neg(one)))))):
        asked = question(compiled, Query(kind, "f", formula=formula))
        assert [o.kind for o in asked.obligations] == ["never"]
        assert make.Making({})._proof(asked, asked.obligations[0]).keys() == {"weights"}


def test_a_formula_that_is_too_large_carries_no_evidence(monkeypatch):
    builder = NetBuilder("ring")
    places = [builder.place(f"p{i}", int(i == 0)) for i in range(3)]
    for i in range(3):
        builder.transition(f"t{i}", {places[i]: 1}, {places[(i + 1) % 3]: 1})
    compiled = compiled_of(*builder.build())
    formula = Atom(at_least(0, 1))
    for n in range(9):
        formula = Until(Atom(at_least(n % 3, 1)), Next(formula))
    asked = question(compiled, Query("ltl", "f", formula=formula))
    case = Case(compiled, asked, "", ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    entry = Entry("ltl", "f", "net", 0, "violated", digest(asked), ({"set": 0, "obligation": 0},))
    with pytest.raises(BeyondError):
        Checker(of_set(case, case.rows)).check(asked, entry)
    monkeypatch.setattr(formulas, "MOST_PARTS", 0)
    query = Query("ltl", "f", formula=Eventually(Atom(at_least(1, 1))))
    loaded = Loaded("net", "", (compiled._replace(queries=(query,)),))
    options = Options(budget=Budget(states=2000))
    (made,) = certify(check(loaded, options), options).entries
    assert (made.verdict, made.evidence) == ("proved", ())
    assert "operators on runs" in made.none


# -- sets closed upwards ---------------------------------------------------------------------------------------------


def growing():
    """Something piles up without end; beside it a token for `q` is never there twice."""
    builder = NetBuilder("growing")
    p, q, r = builder.place("p", 1), builder.place("q"), builder.place("r")
    builder.transition("more", {p: 1}, {p: 1, r: 1})
    builder.transition("turn", {p: 1, r: 2}, {q: 1})
    builder.transition("back", {q: 1}, {p: 1})
    return compiled_of(*builder.build())


def upwards():
    compiled = growing()
    both = And((at_least(0, 1), at_least(1, 1)))
    queries = (
        Query("never", "never", both),
        Query("possible", "possible", both),
        Query("ctl", "ctl", formula=Every(Always(Neg(Atom(both))))),
    )
    compiled = compiled._replace(queries=queries)
    loaded = Loaded("net", "", (compiled,))
    options = Options(budget=Budget(states=2000))
    certificate = certify(check(loaded, options), options)
    return certificate, questions_of(loaded, options_of(certificate))


def test_unbounded_nets_are_shown_by_a_set_closed_upwards():
    certificate, asked = upwards()
    said = [(e.check, e.verdict, sorted(e.evidence[0]) if e.evidence else e.none) for e in certificate.entries]
    assert said[:2] == [("never", "proved", ["least"]), ("possible", "violated", ["least", "obligation"])]
    for entry in certificate.entries[:2]:
        Checker(certificate).check(asked[entry.subject, entry.query].meaning(), entry)


def test_a_set_closed_upwards_must_hold_all_that_it_should():
    certificate, asked = upwards()
    entry = certificate.entries[0]
    what = asked[entry.subject, entry.query].meaning()
    least = [list(map(list, one)) for one in entry.evidence[0]["least"]]
    spoilt = [[], [[]], [[[10**9, 1]]], [[["p", 1]]], [[[0, -1]]], {"a": 1}, None, 7, [[0, 1]], [[[0, 1]]] * 100_000]
    for n, one in enumerate(least):
        spoilt.append(least[:n] + least[n + 1 :])  # all of them are needed here
        for m, (i, count) in enumerate(one):
            for pair in ([i, count - 1], [i, count + 1]):
                spoilt.append([*least[:n], [*one[:m], pair, *one[m + 1 :]], *least[n + 1 :]])
    for bad in spoilt:
        with pytest.raises(RefusedError):
            Checker(certificate).check(what, entry._replace(evidence=({"least": bad},)))


def test_no_set_closed_upwards_where_more_may_keep_something_from_happening():
    builder = NetBuilder("held")
    p, q = builder.place("p"), builder.place("q")
    builder.transition("more", {}, {p: 1})
    builder.transition("only", {}, {q: 1}, inhibit={p: 1})
    compiled = compiled_of(*builder.build())
    asked = question(compiled, Query("never", "never", at_least(q)))
    entry = Entry("never", "never", "net", 0, "proved", digest(asked), ({"least": [[[q, 1]]]},))
    with pytest.raises(RefusedError):
        Checker(Certificate({})).check(asked, entry)


def test_every_line_of_a_file_is_needed(tmp_path):
    """A file with a line left out, doubled or swapped with the next is refused, or shows no less than it did."""
    from placet.certificate.form import FormError, lines, read

    for _, case, certificate, entry, asked in certificates(8, 20):
        text = list(lines(certificate))
        changed = [text[:n] + text[n + 1 :] for n in range(len(text))]
        changed += [text[:n] + [text[n]] * 2 + text[n + 1 :] for n in range(len(text))]
        changed += [[*text[:n], text[n + 1], text[n], *text[n + 2 :]] for n, _ in enumerate(pairwise(text))]
        path = tmp_path / "some"
        for some in changed:
            path.write_text("".join(some))
            try:
                found = read(str(path))
                for one in found.entries:
                    Checker(found).check(asked, one)
                    assert one.verdict == entry.verdict == case.truth
            except (FormError, RefusedError):
                continue

"""Certificates are accepted as they were made, and never for what is not so, whatever is done to them."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.certificate import make
from placet.certificate.closed import RefusedError
from placet.certificate.form import FormError, Layers, States, lines, read
from placet.certificate.layers import covers, never_in
from placet.certificate.meaning import Obligation, Question, faults
from placet.certificate.recheck import Checker
from placet.cli.certifying import certify, options_of, questions_of
from placet.compiled import Query
from placet.evidence import Budget
from placet.logic.state import Fireable, at_least
from placet.net.builder import NetBuilder
from placet.pipeline import Loaded, Options, check, compile_source
from placet.source import SourceFile
from strategies import any_nets, cases, compiled_of, observers, predicates, workflow_nets

LIMIT = 300
OF_NETS = ("bounded", "deadlock_free", "no_dead_step", "safe", "live", "quasi_live", "reversible", "never", "possible")
OF_WORKFLOWS = (
    *("sound", "weak_sound", "relaxed_sound", "easy_sound", "option_to_complete", "proper_completion"),
    *("no_dead_step", "safe", "deadlock_free", "livelock_free", "live", "home"),
)


@pytest.fixture(autouse=True, scope="module")
def _small():
    """Little is looked at: most nets here are small, and the others have no bound."""
    with pytest.MonkeyPatch.context() as patch:
        for name, most in (("FEW", 500), ("MANY", 1000), ("ENTRIES", 100_000), ("SECONDS", 0.5)):
            patch.setattr(make, name, most)
        yield


def met(compiled, obligation) -> bool | None:
    """Whether an obligation is met, by the textbook; None where the graph is too large for it."""
    graph = textbook(compiled.net, compiled.initial, compiled.observers, LIMIT)
    if not graph.whole:
        return None
    good = graph.where(obligation.predicate)
    if obligation.kind == "bounded":
        return True
    if obligation.kind == "never":
        return not good
    if obligation.kind == "some":
        if not obligation.through:
            return bool(good)
        return any(t in obligation.through and graph.reach(s) & good for out in graph.edges.values() for t, s in out)
    aside = faults(compiled)
    edges = {s: [(t, after) for t, after in out if t not in aside] for s, out in graph.edges.items()}
    return all(graph._replace(edges=edges).reach(s) & good for s in graph.edges)


def truth(asked: Question) -> str | None:
    """The verdict by the textbook."""
    found = [met(asked.compiled, obligation) for obligation in asked.obligations]
    if False in found:
        return "violated"
    return None if None in found else "proved"


class Made(NamedTuple):
    compiled: object
    certificate: object
    questions: dict


@st.composite
def made(draw, few=None):
    """A net, the certificate of some of its checks, and the questions."""
    if draw(st.booleans()):
        compiled = draw(workflow_nets(extensions=draw(st.booleans())))
        ids = draw(st.lists(st.sampled_from(OF_WORKFLOWS), min_size=1, max_size=3, unique=True))
        if draw(st.integers(0, 3)) == 0:
            compiled = compiled._replace(final=compiled.final._replace(any_sink=True))
    else:
        marked = draw(any_nets())
        compiled = compiled_of(*marked, observers=draw(observers(len(marked.net.transitions))))
        ids = draw(st.lists(st.sampled_from(OF_NETS), min_size=1, max_size=3, unique=True))
    width, transitions = len(compiled.start), len(compiled.net.transitions)
    queries = tuple(
        Query(c, f"{c}(net)", draw(predicates(width, transitions)) if c in ("never", "possible", "home") else None)
        for c in ids
    )
    options = Options(budget=Budget(states=2000), checks=tuple(ids))
    compiled = compiled._replace(queries=queries)
    loaded = Loaded("net", "", (compiled,))
    certificate = certify(check(loaded, options), options)
    return Made(compiled, certificate, questions_of(loaded, options_of(certificate)))


def judged(certificate, questions):
    """(entry, what it was accepted for) for each entry that is accepted."""
    checker = Checker(certificate)
    for entry in certificate.entries:
        found = questions.get((entry.subject, entry.query))
        if found is None or entry.none:
            continue
        asked = found.meaning()
        if isinstance(asked, str):
            continue
        try:
            checker.check(asked, entry)
        except RefusedError:
            continue
        yield entry, asked


@settings(max_examples=100)
@given(made())
def test_every_certificate_is_accepted_and_says_the_truth(case):
    accepted = list(judged(case.certificate, case.questions))
    assert len(accepted) == sum(1 for entry in case.certificate.entries if not entry.none)
    for entry, asked in accepted:
        assert truth(asked) in (entry.verdict, None)


@settings(max_examples=40)
@given(made())
def test_what_is_written_is_what_is_read(tmp_path_factory, case):
    path = tmp_path_factory.mktemp("certificates") / "some"
    path.write_text("".join(lines(case.certificate)))
    found = read(str(path))
    assert found.sets == case.certificate.sets
    assert found.diagrams == case.certificate.diagrams
    assert found.runs == case.certificate.runs
    assert [e._replace(evidence=()) for e in found.entries] == [
        e._replace(evidence=()) for e in case.certificate.entries
    ]
    assert len(list(judged(found, case.questions))) == len(list(judged(case.certificate, case.questions)))


def changed(draw, value):
    """Some JSON value with one thing in it changed."""
    if isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: changed(draw, value[key])}
    if isinstance(value, (list, tuple)) and value:
        value = list(value)
        at = draw(st.integers(0, len(value) - 1))
        how = draw(st.sampled_from(["change", "drop", "twice"]))
        middle = {"change": [changed(draw, value[at])], "drop": [], "twice": [value[at]] * 2}[how]
        return [*value[:at], *middle, *value[at + 1 :]]
    if isinstance(value, bool) or not isinstance(value, int):
        return draw(st.sampled_from([None, "proved", "violated", 0, 1, -1, [], {}, True, value]))
    return value + draw(st.sampled_from([-2, -1, 1, 2, 256]))


@st.composite
def spoilt(draw):
    """A certificate to which something was done, with the questions that it should answer."""
    case = draw(made())
    parts = case.certificate
    for _ in range(draw(st.integers(1, 3))):
        what = draw(st.sampled_from(["verdict", "evidence", "set", "diagram", "run", "swap", "mix"]))
        if what == "verdict":
            turned = {"proved": "violated", "violated": "proved", "inconclusive": "proved"}
            entries = tuple(e._replace(verdict=turned[e.verdict]) for e in parts.entries)
            entries = tuple(e._replace(evidence=e.evidence[:1]) if draw(st.booleans()) else e for e in entries)
            parts = parts._replace(entries=entries)
        elif what == "mix":  # evidence that another entry brought, or one made up of what there is
            number = st.integers(0, 3)
            shown = [
                {"obligation": draw(number), "run": draw(number), "steps": draw(number), "set": draw(number)},
                {"set": draw(number)}, {"diagram": draw(number), "obligation": 0}, {"siphon": [draw(number)], "obligation": 0},
            ]  # fmt: skip
            parts = parts._replace(
                entries=tuple(
                    e._replace(
                        none="",
                        evidence=tuple(draw(st.sampled_from(shown)) for _ in e.evidence or (0,)),
                        verdict=draw(st.sampled_from(["proved", "violated"])),
                    )
                    for e in parts.entries
                )
            )
        elif what == "evidence":
            parts = parts._replace(
                entries=tuple(
                    e._replace(evidence=tuple(changed(draw, shown) for shown in json.loads(json.dumps(e.evidence))))
                    for e in parts.entries
                )
            )
        elif what == "set" and parts.sets:
            at = draw(st.integers(0, len(parts.sets) - 1))
            rows = changed(draw, [list(row) for row in parts.sets[at].rows])
            if isinstance(rows, list) and all(isinstance(r, list) and len(r) == parts.sets[at].width for r in rows):
                made_up = States(parts.sets[at].width, tuple(tuple(row) for row in rows))
                parts = parts._replace(sets=(*parts.sets[:at], made_up, *parts.sets[at + 1 :]))
        elif what == "diagram" and parts.diagrams:
            at = draw(st.integers(0, len(parts.diagrams) - 1))
            other = spoilt_layers(draw, parts.diagrams[at])
            parts = parts._replace(diagrams=(*parts.diagrams[:at], other, *parts.diagrams[at + 1 :]))
        elif what == "run" and parts.runs:
            at = draw(st.integers(0, len(parts.runs) - 1))
            run = changed(draw, list(parts.runs[at]))
            if isinstance(run, list) and all(type(t) is int and t >= 0 for t in run):
                parts = parts._replace(runs=(*parts.runs[:at], tuple(run), *parts.runs[at + 1 :]))
        elif what == "swap":
            parts = parts._replace(sets=parts.sets[::-1], runs=parts.runs[::-1])
    return parts, case


def spoilt_layers(draw, layers: Layers) -> Layers:
    nodes = [list(kids) for kids in layers.nodes]
    if nodes and draw(st.booleans()):
        at = draw(st.integers(0, len(nodes) - 1))
        kid = draw(st.integers(0, len(nodes[at]) - 1))
        nodes[at][kid] = draw(st.integers(0, at + 2))
        return layers._replace(nodes=tuple(map(tuple, nodes)))
    local = [[list(state) for state in states] for states in layers.local]
    level = draw(st.integers(0, len(local) - 1)) if local else -1
    if level >= 0 and local[level] and local[level][0]:
        state = draw(st.integers(0, len(local[level]) - 1))
        local[level][state][0] += draw(st.sampled_from([-1, 1, 2]))
        return layers._replace(local=tuple(tuple(map(tuple, states)) for states in local))
    return layers._replace(root=max(0, layers.root - 1))


@settings(max_examples=150)
@given(spoilt())
def test_a_spoilt_certificate_is_never_accepted_for_what_is_not_so(case):
    certificate, original = case
    for entry, asked in judged(certificate, original.questions):
        assert truth(asked) in (entry.verdict, None), entry


@settings(max_examples=100)
@given(made(), st.data())
def test_a_file_with_damaged_bytes_is_refused_or_still_true(tmp_path_factory, case, data):
    raw = bytearray("".join(lines(case.certificate)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    path = tmp_path_factory.mktemp("certificates") / "spoilt"
    path.write_bytes(bytes(raw))
    try:
        certificate = read(str(path))
    except FormError:
        return
    for entry, asked in judged(certificate, case.questions):
        assert truth(asked) in (entry.verdict, None)


# -- diagrams --------------------------------------------------------------------------------------------------------


def drawn(compiled):
    """The diagram of all reachable states, as it is written."""
    making = make.Making({})
    shown = making._drawn(Question(compiled, ()))
    return None if shown is None else making.certificate().diagrams[shown["diagram"]]


@settings(max_examples=100)
@given(cases(), st.data())
def test_diagrams_are_judged_as_the_sets_that_they_stand_for(case, data):
    (net, initial), watch, predicate = case
    graph = textbook(net, initial, watch, LIMIT)
    assume(graph.whole)
    compiled = compiled_of(net, initial, observers=watch)
    layers = drawn(compiled)
    assume(layers is not None)
    assert covers(layers, compiled)
    assert never_in(layers, compiled, predicate) == (not graph.where(predicate))
    other = spoilt_layers(data.draw, layers)
    if covers(other, compiled) and never_in(other, compiled, predicate):
        assert not graph.where(predicate)


def test_a_set_that_a_firing_leaves_is_no_cover():
    builder = NetBuilder("pair")
    a, b = builder.place("a", 1), builder.place("b")
    builder.transition("go", {a: 1}, {b: 1})
    compiled = compiled_of(*builder.build())
    both = Layers(((0,), (1,)), (((1,), (0,)), ((0,), (1,))), ((1,), (0, 1), (2, 3)), 4)
    assert covers(both, compiled)
    assert never_in(both, compiled, at_least(1, 2))
    assert not never_in(both, compiled, at_least(1))
    only_the_first = both._replace(nodes=((1,), (2,)), root=3)
    assert not covers(only_the_first, compiled)


def test_more_situations_than_a_set_may_list_are_shown_by_a_diagram_or_by_sums():
    builder = NetBuilder("many")
    places = [(builder.place(f"p{i}", 1), builder.place(f"q{i}")) for i in range(60)]
    for i, (p, q) in enumerate(places):
        builder.transition(f"go{i}", {p: 1}, {q: 1})
        builder.transition(f"back{i}", {q: 1}, {p: 1})
    compiled = compiled_of(*builder.build())
    making = make.Making({})
    stuck = Obligation("never", Fireable(0))
    assert making._proof(Question(compiled, ()), Obligation("never", at_least(0, 2))).keys() == {"weights"}
    assert making._proof(Question(compiled, ()), stuck).keys() == {"diagram"}
    with pytest.raises(make.NoneError):
        making._proof(Question(compiled, ()), Obligation("again", at_least(0, 2)))


def test_that_nothing_piles_up_is_shown_by_a_diagram_too():
    """It was written so, and not accepted: the certificate of a proof ended as a fault of placet."""
    builder = NetBuilder("many")
    for i in range(12):
        p, q, twice = builder.place(f"p{i}", 1), builder.place(f"q{i}"), builder.place(f"r{i}")
        builder.transition(f"go{i}", {p: 1}, {q: 1})
        builder.transition(f"back{i}", {q: 1}, {p: 1}, read={twice: 1}) if i % 2 else None
        builder.transition(f"more{i}", {q: 1}, {p: 1, twice: 1}, inhibit={twice: 1})
    compiled = compiled_of(*builder.build())._replace(queries=(Query("bounded", "bounded(many)"),))
    options = Options(budget=Budget(states=2_000_000))
    loaded = Loaded("many", "", (compiled,))
    certificate = certify(check(loaded, options), options)
    (entry,) = certificate.entries
    assert (entry.verdict, set(entry.evidence[0])) == ("proved", {"diagram"})
    (asked,) = questions_of(loaded, options).values()
    checker = Checker(certificate)
    checker.check(asked.meaning(), entry)
    for other in range(len(certificate.diagrams[0].nodes) // 2):
        spoilt = certificate._replace(diagrams=(certificate.diagrams[0]._replace(root=other),))
        with pytest.raises(RefusedError):
            Checker(spoilt).check(asked.meaning(), entry)


def test_two_checks_of_one_net_that_ask_for_runs_get_one_each():
    """The second one was told that no run was found, since the first had been looked for alone."""
    builder = NetBuilder("two")
    a, b, c = builder.place("a", 1), builder.place("b"), builder.place("c")
    builder.transition("go", {a: 1}, {b: 1})
    builder.transition("on", {b: 1}, {c: 1})
    asked = tuple(Query("possible", f"possible({p})", at_least(p)) for p in (b, c))
    loaded = Loaded("two", "", (compiled_of(*builder.build())._replace(queries=asked),))
    certificate = certify(check(loaded, Options()), Options())
    assert [entry.none for entry in certificate.entries] == ["", ""]
    assert len(list(judged(certificate, questions_of(loaded, Options())))) == 2


MONEY = """\
service bank {{ idempotent; null_safe; rejects_after_cancel }}
saga move {{
  step out on bank {{ undo out_again; timeout 10s; effect debit(alice, 30) }}
  step into on bank {{ undo into_again; timeout 10s; effect credit(bob, {amount}) }}
}}
check conserved(move) under {{ reject, lost }} at_most 1
"""


@pytest.mark.parametrize(("amount", "verdict"), [(30, "proved"), (29, "violated")])
def test_what_is_made_and_lost_is_shown(amount, verdict, monkeypatch):
    monkeypatch.setitem(globals(), "LIMIT", 2000)
    loaded = compile_source(SourceFile("move.placet", MONEY.format(amount=amount)))
    certificate = certify(check(loaded, Options()), Options())
    questions = questions_of(loaded, options_of(certificate))
    ((entry, asked),) = judged(certificate, questions)
    assert entry.verdict == verdict == truth(asked)
    other = {"proved": "violated", "violated": "proved"}[verdict]
    for evidence in (entry.evidence, entry.evidence[:1], entry.evidence * 2, ({"set": 0}, {"set": 0})):
        turned = certificate._replace(entries=(entry._replace(verdict=other, evidence=tuple(evidence)),))
        assert not list(judged(turned, questions))

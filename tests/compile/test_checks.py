"""Checks become queries: names become the right indices, subjects the right nets, and nothing is watched in vain."""

from __future__ import annotations

import pytest

from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.logic.state import And, Fireable, Linear, Not, Or, evaluate
from placet.net.firing import enabled, fire_state
from placet.source import SourceFile
from placet.syntax.parser import parse


def read(text: str):
    file, problems = parse(SourceFile("checks.placet", text))
    assert not problems, problems
    return resolve(file)


def compiled(text: str):
    model, problems = read(text)
    assert not [p for p in problems if p.severity == "error"], problems
    made, problems = compile_model(model)
    assert not problems, problems
    return made


def states(made) -> list[tuple[int, ...]]:
    """All reachable states, by the definition."""
    found = {made.start: None}
    pending = [made.start]
    while pending:
        state = pending.pop()
        for t in range(len(made.net.transitions)):
            after = fire_state(made.net, made.observers, state, t)
            if after is not None and after not in found:
                found[after] = None
                pending.append(after)
    return list(found)


def reachable(made, predicate) -> bool:
    width = len(made.net.places)
    return any(evaluate(predicate, s, lambda s=s: enabled(made.net, s[:width])) for s in states(made))


MODEL = """
workflow order {
  task pack
  choice { when "paid" { task ship end sent } otherwise { task give_back fails Lost end returned } }
}
"""


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("pack.done", True),
        ("ship.done and give_back.done", False),
        ("order.sent and not ship.done", False),
        ("order.sent", True),
        ("order.failed", True),
        ("order.failed and give_back.done", False),
        ("order.sent + order.returned + order.failed >= 2", False),
        ("order.done and not pack.done", False),
        ("order.done", True),
        ("ship.done implies pack.done", True),
        ("not (ship.done implies pack.done)", False),
        ("ship.done + give_back.done == 0", True),
        ("2 pack.done >= 2", True),
        ("pack.done > 1", False),
        ("order.pack.done", True),
        ("ship.done or give_back.done", True),
    ],
)
def test_formulas_mean_what_they_say(formula, expected) -> None:
    (made,) = compiled(f"{MODEL} check never({formula})")
    (query,) = made.queries
    assert query.label == f"never({formula})"
    assert reachable(made, query.predicate) is expected


def test_a_state_satisfies_a_conjunction_iff_its_atoms() -> None:
    (made,) = compiled(f'{MODEL} check never(pack.done and order.sent and not ship.done) "as it should be"')
    (query,) = made.queries
    assert [text for _, text in query.atoms] == ["pack.done", "order.sent", "not ship.done"]
    assert query.sentence == "as it should be"
    assert query.span.text == 'never(pack.done and order.sent and not ship.done) "as it should be"'
    for state in states(made):
        whole = evaluate(query.predicate, state, list)
        assert whole == all(evaluate(p, state, list) for p, _ in query.atoms)


def test_only_what_is_asked_is_observed() -> None:
    (made,) = compiled(f"{MODEL} check never(pack.done and ship.done), never(ship.done), sound(order)")
    assert [o.id for o in made.observers] == ["order/pack#done", "order/ship#done"]
    assert compiled(MODEL)[0].observers == ()


def test_places_and_transitions_of_nets() -> None:
    (made,) = compiled("""
      net n { place a = 2, b transition t: a -> b }
      check never(a + b != 2), possible(2 b >= 4), never(t.enabled and a == 0), live(t), bounded(a, 3), bounded(n)
    """)
    never, possible, stuck, live, bounded, whole = made.queries
    assert never.predicate == Linear(((0, 1), (1, 1)), "!=", 2)
    assert possible.predicate == Linear(((1, 2),), ">=", 4)
    assert stuck.predicate == And((Or((Fireable(0),)), Linear(((0, 1),), "==", 0)))
    assert (live.transition, bounded.place, bounded.bound, whole.place) == (0, 0, 3, -1)
    assert not reachable(made, never.predicate)
    assert reachable(made, possible.predicate)
    assert not reachable(made, stuck.predicate)


def test_faults_go_with_every_check_of_the_line() -> None:
    (made,) = compiled("""
      saga s { step a { undo b } }
      check option_to_complete(s), anomaly_A1(s) under { lost, undo-fail, undo_slow } at_most 2
      check no_dead_step(s)
    """)
    assert [(q.faults, q.fault_budget) for q in made.queries] == [
        (("lost", "undo-fail", "undo-slow"), 2),
        (("lost", "undo-fail", "undo-slow"), 2),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("faults", "codes"), [("duplicate", []), ("crash", []), ("lost, slw", ["P237"]), ("undo_fail", [])]
)
def test_kinds_of_faults(faults, codes) -> None:
    _, problems = read(f"saga s {{ step a {{ undo b }} }} check anomaly_A1(s) under {{ {faults} }}")
    assert [d.code for d in problems] == codes


# -- subjects --------------------------------------------------------------------------------------------------------

CALLS = """
saga book { step flight { undo cancel } }
saga pay { step charge { undo refund } }
workflow trip { call book on compensated { end off } on failed { end stuck } task pack end packed }
workflow gift { call pay on compensated { end off } on failed { end stuck } task wrap end wrapped }
workflow both {
  call trip on packed { } on off { end off } on stuck { end stuck }
  call gift on wrapped { } on off { end off } on stuck { end stuck }
  task smile end happy
}
"""


@pytest.mark.parametrize(
    ("check", "subject"),
    [
        ("never(flight.done)", "book"),
        ("never(flight.done and cancelled.enabled)", None),
        ("never(pack.done)", "trip"),
        ("never(pack.done and flight.done)", "trip"),
        ("never(book.compensated and pack.done)", "trip"),
        ("never(pack.done and wrap.done)", "both"),
        ("never(flight.done and charge.done)", "both"),
        ("never(both, flight.done)", "both"),
        ("never(trip, flight.effect >= 1)", "trip"),
        ("sound(gift)", "gift"),
        ("anomaly_A1(gift)", "gift"),
    ],
)
def test_the_subject_is_the_smallest_process_with_all_the_names(check, subject) -> None:
    model, problems = read(f"{CALLS} check {check}")
    if subject is None:
        assert [d.code for d in problems] == ["P232"]
    else:
        assert not problems
        assert [c.subject for c in model.checks] == [subject]
        assert [c.subject for c in compile_model(model)[0]] == [subject]


def test_without_checks_what_nobody_calls_is_a_subject() -> None:
    made = compiled(f"{CALLS} net n {{ place a = 1 transition t: a -> a }}")
    assert [c.subject for c in made] == ["both", "n"]
    assert made[0].queries[-1].check == "anomaly_A1"
    assert sorted(o.id for o in made[0].observers if o.id.endswith("#effect")) == [
        "both/gift/pay/charge#effect",
        "both/trip/book/flight#effect",
    ]


@pytest.mark.parametrize(
    ("check", "code"),
    [
        ("never(a.done)", "P235"),
        ("never(one, a.done)", ""),
        ("never(one.a.done)", ""),
        ("never(one.a.done and two.a.done)", "P235"),
        ("never(a)", "P233"),
        ("never(one)", "P233"),
        ("never(done)", "P232"),
        ("never(a.effect)", "P234"),
        ("never(one.finished)", "P234"),
        ("never(p)", ""),
        ("never(p.done)", "P232"),
        ("never(t)", "P233"),
        ("never(t.enabled)", ""),
        ("never(t.enabled + p >= 2)", "P231"),
        ("never(p and one.a.done)", "P235"),
        ("never(3)", "P231"),
        ("never()", "P231"),
        ("never(one, two, a.done)", "P231"),
        ("never(nowhere, a.done)", "P232"),
        ("sound()", "P231"),
        ("sound(one, two)", "P231"),
        ("sound(one and two)", "P231"),
        ("sound(p)", "P232"),
        ("live(a)", "P232"),
        ("live(t)", ""),
        ("live(n.t)", ""),
        ("reversible(n)", ""),
        ("reversible(p)", "P232"),
        ("home(n)", ""),
        ("home(p)", ""),
        ("home(n, p == 1)", ""),
        ("home(a.done)", "P235"),
        ("home(one, a.done)", ""),
        ("home(one, 3)", "P231"),
        ("home()", "P231"),
        ("easy_sound(one)", ""),
        ("bounded(p)", "P231"),
        ("bounded(n, 3)", "P231"),
        ("bounded(n.p, 3)", ""),
        ("anomaly_A1(one)", "P231"),
        ("anomaly_A77(one)", "P230"),
        ("coverage(one)", "P231"),
    ],
)
def test_operands(check, code) -> None:
    text = f"workflow one {{ task a end x }} workflow two {{ task a end x }} net n {{ place p = 1 transition t: p -> p }} check {check}"
    assert [d.code for d in read(text)[1]] == [c for c in [code] if c]


def test_a_check_of_nothing_is_about_the_only_subject() -> None:
    model, problems = read("workflow one { task a } check sound()")
    assert not problems
    assert model.checks[0].subject == "one"


def test_two_callers_of_one_saga_make_the_subject_ambiguous() -> None:
    text = """
      saga s { step a { undo b } } saga t { step c { undo d } }
      workflow x { call s on compensated { } on failed { } call t on compensated { } on failed { } }
      workflow y { call s on compensated { } on failed { } call t on compensated { } on failed { } }
      check never(a.done and c.done)
    """
    _, (problem,) = read(text)
    assert (problem.code, problem.help) == ("P235", "name the one first: `never(x, ...)`")


# -- sagas -----------------------------------------------------------------------------------------------------------


def test_effects_count_applies_and_undos_of_each_instance() -> None:
    (made,) = compiled("""
      saga s { step a { undo b } step c { undo d } abandon "enough" }
      check never(a.effect >= 2), possible(a.effect == 1 and c.effect == 1), anomaly_A1(s)
    """)
    twice, both, lost = (q.predicate for q in made.queries)
    assert not reachable(made, twice)
    assert reachable(made, both)
    assert not reachable(made, lost)
    assert {s.id: made.observers[s.effect].id for s in made.roles.steps} == {"s/a": "s/a#effect", "s/c": "s/c#effect"}
    for observer in made.observers:
        assert (observer.low, observer.high) == (-1, 2)


def test_an_effect_without_undo_is_a_lost_compensation() -> None:
    (made,) = compiled('saga s { step a step c { undo d } abandon "enough" } check anomaly_A1(s)')
    assert reachable(made, made.queries[0].predicate)


def test_the_end_of_a_called_saga_is_remembered() -> None:
    (made,) = compiled("""
      saga s { step a abandon }
      workflow w { call s on compensated { task sorry } on failed { end lost } end sold }
      check possible(s.compensated and w.sold), possible(s.done and w.sold), anomaly_A1(w)
    """)
    for query in made.queries:
        assert reachable(made, query.predicate), query.label


def test_a_saga_answers_for_the_sagas_it_calls() -> None:
    (made,) = compiled("""
      saga inner { step a }
      saga outer { call inner on compensated { } on failed { } abandon "enough" }
      check anomaly_A1(outer)
    """)
    assert reachable(made, made.queries[0].predicate)


def test_an_end_of_a_workflow_that_is_called_compensated_claims_nothing() -> None:
    (made,) = compiled("""
      saga s { step a }
      workflow w { call s on compensated { } on failed { } end compensated }
      check anomaly_A1(w)
    """)
    assert not reachable(made, made.queries[0].predicate)


def test_only_what_is_over_is_judged() -> None:
    # the saga ended with an effect left, but its caller goes on for ever and might still set it right
    (made,) = compiled("""
      saga s { step a abandon }
      workflow w { call s on compensated { } on failed { } loop { task ask } }
      check anomaly_A1(w), possible(w, s.compensated and a.effect == 1)
    """)
    lost, left = (q.predicate for q in made.queries)
    assert not reachable(made, lost)
    assert reachable(made, left)


def test_negation_of_a_name_that_is_nowhere_in_the_net() -> None:
    # what was left out of the net never happens, whatever is asked about it
    (made,) = compiled("workflow w { end x task a } check never(a.done), possible(not a.done)")
    never, possible = (q.predicate for q in made.queries)
    assert not reachable(made, never)
    assert isinstance(possible, Not)
    assert reachable(made, possible)

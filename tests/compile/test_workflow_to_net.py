"""Workflows as nets: against an interpreter of the statements, and construct by construct."""

from __future__ import annotations

import gc
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles import properties
from oracles.reachability import explore
from oracles.traces import difference
from oracles.workflow_runs import runs
from placet.compile.workflow_to_net import process_to_net
from placet.ir import model as ir
from placet.net.firing import enabled, fire
from placet.net.roles import Kind

VISIBLE = (Kind.TASK, Kind.EVENT, Kind.TIMER, Kind.END)


def workflow(body: ir.Statement, ends: tuple[str, ...] = ("completed",), name: str = "p") -> ir.Process:
    return ir.Process(name, "workflow", body, ends)


def compiled(body: ir.Statement, processes: tuple[ir.Process, ...] = (), ends: tuple[str, ...] = ("completed",)):
    found, diagnostics = process_to_net(workflow(body, ends), {p.id: p for p in processes})
    assert not diagnostics
    return found


def task(name: str, *errors: str) -> ir.Task:
    return ir.Task(f"p/{name}", name, errors)


def seq(*parts: ir.Statement) -> ir.Sequence:
    return ir.Sequence("p", parts)


def par(name: str, *bodies: ir.Statement) -> ir.Parallel:
    return ir.Parallel(f"p/{name}", tuple(ir.Way(f"p/{name}[{i}]", None, b) for i, b in enumerate(bodies)))


def choice(name: str, *bodies: ir.Statement, exhaustive: bool = True) -> ir.Choice:
    ways = tuple(ir.Way(f"p/{name}[{i}]", ir.Guard(f"case {i}"), b) for i, b in enumerate(bodies))
    return ir.Choice(f"p/{name}", ways, exhaustive)


def scope(name: str, body: ir.Statement, **handlers: ir.Statement) -> ir.Scope:
    found = tuple(ir.Handler(f"p/{name}[on {e}]", "error", "*" if e == "any" else e, h) for e, h in handlers.items())
    return ir.Scope(f"p/{name}", body, found)


def verdicts(net) -> tuple[bool, bool, bool]:
    """Option to complete, proper completion, no dead step."""
    graph = explore(net.net, net.initial, (), 20_000)
    assert graph.whole
    final = net.final.predicate(net.initial)
    return (
        properties.option_to_complete(graph, final),
        properties.proper_completion(graph, final, net.final.ended()),
        all(properties.steps_alive(graph, [t for _, t in net.steps])),
    )


SOUND = (True, True, True)


# -- the law: the net shows the traces that the rules give -----------------------------------------------------------


@st.composite
def bodies(draw, depth: int = 3):
    counter = iter(range(1000))

    def statement(depth: int) -> ir.Statement:
        name = f"s{next(counter)}"
        kinds = ["task", "task", "raise", "end", "receive"]
        if depth:
            kinds += ["sequence", "choice", "parallel", "parallel", "loop", "scope", "scope", "race"]
        match draw(st.sampled_from(kinds)):
            case "task":
                return task(name, *draw(st.sampled_from([(), (), ("E",), ("E", "F")])))
            case "raise":
                return ir.Raise(f"p/{name}", draw(st.sampled_from("EF")))
            case "end":
                return ir.End(f"p/{name}", "stopped")
            case "receive":
                return ir.Receive(f"p/{name}", name)
            case "sequence":
                return ir.Sequence(f"p/{name}", tuple(statement(depth - 1) for _ in range(draw(st.integers(0, 3)))))
            case "choice":
                return choice(name, *(statement(depth - 1) for _ in range(draw(st.integers(1, 2)))))
            case "parallel":
                return par(name, *(statement(depth - 1) for _ in range(2)))
            case "loop":
                test = draw(st.sampled_from(["before", "after", "never"]))
                return ir.Loop(f"p/{name}", statement(depth - 1), test, None, draw(st.sampled_from([None, 1, 2])))
            case "scope":
                caught = draw(st.sampled_from([("E",), ("any",), ("F", "E")]))
                return scope(name, statement(depth - 1), **{e: statement(depth - 1) for e in caught})
        ways = tuple((ir.Receive(f"p/{name}r{i}", f"r{i}"), statement(depth - 1)) for i in range(2))
        return ir.Race(f"p/{name}", ways)

    return statement(depth)


def as_system(net):
    labels = [
        name if role.kind in VISIBLE else None
        for name, role in zip(net.net.transitions, net.roles.transitions, strict=True)
    ]

    def successors(marking):
        assert max(marking) <= 40
        return [(labels[t], fire(net.net, marking, t)) for t in enabled(net.net, marking)]

    return net.initial, successors


@settings(max_examples=400)
@given(bodies())
def test_the_net_shows_exactly_the_traces_of_the_rules(body: ir.Statement) -> None:
    net, _ = process_to_net(workflow(body), {})
    assume(len(net.net.transitions) < 60)
    assert difference(as_system(net), runs(workflow(body)), 6) is None


@settings(max_examples=100)
@given(bodies())
def test_every_element_has_an_origin_a_role_and_a_class(body: ir.Statement) -> None:
    net, _ = process_to_net(workflow(body), {})
    assert len(net.origin.places) == len(net.net.places) == len(net.final.classes) == len(net.initial)
    assert len(net.origin.transitions) == len(net.net.transitions) == len(net.roles.transitions)
    assert all(o.id and o.phrase and not o.phrase.endswith(".") for side in net.origin for o in side)
    assert len(set(net.net.places)) == len(net.net.places)


# -- construct by construct ------------------------------------------------------------------------------------------


def test_a_sequence_is_sound() -> None:
    assert verdicts(compiled(seq(task("a"), task("b")))) == SOUND


def test_an_error_in_a_parallel_stops_its_siblings_before_it_is_handled() -> None:
    body = scope("try", par("both", seq(task("a", "E"), task("b")), task("c")), E=task("mend"))
    net = compiled(body)
    assert verdicts(net) == SOUND


def test_errors_in_two_ways_at_once_are_handled_once() -> None:
    body = scope("try", par("both", task("a", "E"), task("b", "F")), E=task("mend"), F=task("mend2"))
    assert verdicts(compiled(body)) == SOUND


def test_a_parallel_inside_a_parallel_is_stopped_from_outside() -> None:
    inner = par("inner", task("a"), task("b"))
    body = scope("try", par("outer", seq(inner, task("c")), task("d", "E")), E=task("mend"))
    assert verdicts(compiled(body)) == SOUND


def test_a_parallel_that_has_failed_inside_another_one_that_fails_is_stopped() -> None:
    inner = [par(f"inner{i}", task(f"a{i}", "X"), task(f"b{i}", "X")) for i in (1, 2)]
    assert verdicts(compiled(par("outer", *inner))) == (True, True, True)


def test_retries_that_are_over_leave_nothing_behind() -> None:
    """However the tries of the first scopes went, what follows them begins alike: states add up, and do not multiply."""

    def tries(count: int) -> int:
        scopes = [
            ir.Scope(f"p/s{i}", task(f"t{i}", "E", "F"), (), (ir.Retry(("E",), 2), ir.Retry(("F",), 1)))
            for i in range(count)
        ]
        net = compiled(seq(*scopes))
        return len(explore(net.net, net.initial, (), 40_000).edges)

    assert tries(4) - tries(3) == tries(3) - tries(2) == tries(2) - tries(1)


def test_an_end_in_one_way_of_a_parallel_is_no_proper_completion() -> None:
    net = compiled(par("both", ir.End("p/end", "early"), task("a")))
    option, proper, _ = verdicts(net)
    assert (option, proper) == (False, False)


def test_an_error_that_nobody_handles_ends_the_process_as_failed() -> None:
    net = compiled(task("a", "E"))
    assert "p#end.failed" in net.net.places
    assert verdicts(net) == SOUND


def test_a_choice_that_may_match_nothing_raises() -> None:
    caught = scope("try", choice("c", task("a"), exhaustive=False), NoChoiceMatched=task("none"))
    assert verdicts(compiled(caught)) == SOUND
    assert "p/try[on NoChoiceMatched]" in dict(compiled(caught).steps)


def test_a_handler_whose_error_nobody_raises_is_a_dead_step() -> None:
    net = compiled(scope("try", task("a"), E=task("mend")))
    assert verdicts(net) == (True, True, False)


def test_a_loop_without_exit_never_completes() -> None:
    assert verdicts(compiled(ir.Loop("p/loop", task("a"), "never")))[0] is False


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("test", ["before", "after", "never"])
def test_a_bounded_loop_goes_round_at_most_so_often(most: int, test: str) -> None:
    outer = ir.Loop("p/outer", ir.Loop("p/loop", task("a"), test, None, most), "after", None, 2)
    net = compiled(outer)
    assert verdicts(net) == SOUND
    assert difference(as_system(net), runs(workflow(outer)), 2 * most + 2) is None


def test_a_time_out_takes_the_body_from_wherever_it_is() -> None:
    late = ir.Handler("p/try[late]", "timeout", "10s", task("late"))
    net = compiled(ir.Scope("p/try", seq(task("a"), par("both", task("b"), task("c"))), (late,)))
    assert verdicts(net) == SOUND
    sources = {net.net.pre[t] for t in dict(net.steps)["p/try[late]"]}
    assert len(sources) == len(dict(net.steps)["p/try[late]"]) >= 3  # before a, before the parallel, inside it
    assert net.assumptions.time_ignored


def test_a_scope_with_a_clock_is_stopped_from_outside_whatever_runs_in_it() -> None:
    late = ir.Handler("p/inner[late]", "timeout", "10s", task("late"))
    inner = ir.Scope("p/inner", par("both", task("b"), task("c")), (late,))
    net = compiled(scope("try", par("outer", inner, task("d", "E")), E=task("mend")))
    assert verdicts(net) == SOUND
    initial, successors = as_system(net)
    forked = next(s for label, s in _silent(initial, successors) if s[net.net.place("p/both#running")])
    assert _accepts(forked, successors, ("p/d#E", "p/mend"))  # neither b nor c need happen first
    assert _accepts(forked, successors, ("p/b", "p/d#E", "p/mend"))


def test_scopes_retry_so_often_and_then_hand_on() -> None:
    retried = ir.Scope(
        "p/try", task("a", "E"), (ir.Handler("p/h", "error", "E", task("mend")),), (ir.Retry(("E",), 2),)
    )
    net = compiled(retried)
    assert verdicts(net) == SOUND
    fails, mend = "p/a#E", "p/mend"
    initial, successors = as_system(net)
    assert _accepts(initial, successors, (fails, fails, fails, mend))
    assert not _accepts(initial, successors, (fails, fails, mend))
    assert not _accepts(initial, successors, (fails, fails, fails, fails))


def _silent(initial, successors):
    from oracles.traces import closure

    return [(None, state) for state in closure([initial], successors)]


def _accepts(initial, successors, trace) -> bool:
    from oracles.traces import closure

    states = closure([initial], successors)
    for wanted in trace:
        after = [s for state in states for label, s in successors(state) if label == wanted]
        states = closure(after, successors)
    return bool(states)


def test_a_repeat_has_each_number_of_copies_it_may_have() -> None:
    net = compiled(ir.Repeat("p/each", task("a"), (0, 1, 2)))
    assert verdicts(net) == SOUND
    initial, successors = as_system(net)
    end = "p#ends.completed"
    assert _accepts(initial, successors, (end,))
    assert _accepts(initial, successors, ("p/a[1]", end))
    assert _accepts(initial, successors, ("p/a[2]", "p/a[1]", end))
    assert not _accepts(initial, successors, ("p/a[2]", end))


def test_a_call_copies_the_callee_and_hands_on_its_ends() -> None:
    callee = ir.Process(
        "q", "workflow", ir.Choice("q/c", (ir.Way("q/c[1]", None, ir.Task("q/t", "t")), ir.Way("q/c[2]", None, ir.End("q/end", "no")))),
        ("no", "completed"),
    )  # fmt: skip
    net = compiled(ir.Call("p/q", "q", (("no", task("sorry")),)), (callee,))
    assert verdicts(net) == SOUND
    assert "p/q/t" in net.net.transitions
    assert net.origin.transitions[net.net.transition("p/q/t")].id == "q/t"


def test_a_process_that_calls_itself_is_reported() -> None:
    body = ir.Call("p/p", "p", ())
    _, diagnostics = process_to_net(workflow(body), {"p": workflow(body)})
    assert [d.code for d in diagnostics] == ["P211"]


def test_adding_an_unrelated_step_changes_no_other_id() -> None:
    one = compiled(seq(task("a"), par("both", task("b", "E"), task("c")), task("d")))
    two = compiled(seq(task("a"), task("new"), par("both", task("b", "E"), task("c")), task("d")))
    assert set(one.net.transitions) <= set(two.net.transitions)
    assert set(one.net.places) <= set(two.net.places)


def test_nothing_recurses() -> None:
    body: ir.Statement = task("a")
    for i in range(3_000):
        body = ir.Sequence(f"p/{i}", (body,)) if i % 2 else choice(f"c{i}", body)
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(300 + len(__import__("inspect").stack()))
        net = compiled(body)
    finally:
        sys.setrecursionlimit(limit)
    assert len(net.net.transitions) > 1_500


def test_a_net_beyond_the_limit_is_reported_and_not_built(monkeypatch) -> None:
    monkeypatch.setattr("placet.compile.draft.LIMIT", 5_000)
    body: ir.Statement = task("a")
    for i in range(8):
        body = ir.Repeat(f"p/r{i}", body, (10,))
    net, diagnostics = process_to_net(workflow(body), {})
    assert [d.code for d in diagnostics] == ["P217"]
    assert not net.net.transitions
    assert gc.isenabled()


def test_names_that_come_to_too_much_are_reported_and_the_net_is_not_built(monkeypatch) -> None:
    monkeypatch.setattr("placet.compile.draft.LETTERS", 20_000)
    calls = [workflow(ir.Call(f"p{i}/c", f"p{i + 1}", ()), name=f"p{i}") for i in range(300)]
    processes = {p.id: p for p in (*calls, workflow(ir.Task("p300/a", "a"), name="p300"))}
    net, diagnostics = process_to_net(processes["p0"], processes)
    assert [d.code for d in diagnostics] == ["P217"]
    assert "letters" in diagnostics[0].message
    assert not net.net.transitions

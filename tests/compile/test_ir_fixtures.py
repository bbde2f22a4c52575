"""The IR carries what importers will bring: a BPMN process and an ASL machine built by hand.

The verdicts are derived by hand, in the comment above each, and checked by brute-force enumeration.
"""

from __future__ import annotations

import pytest

from oracles import properties
from oracles.reachability import explore
from oracles.traces import closure
from placet.compile.workflow_to_net import process_to_net
from placet.ir import model as ir
from placet.net.firing import enabled, fire
from placet.net.roles import Kind

VISIBLE = (Kind.TASK, Kind.EVENT, Kind.TIMER, Kind.END)


def net_of(process: ir.Process, *others: ir.Process):
    net, diagnostics = process_to_net(process, {p.id: p for p in others})
    assert not diagnostics
    return net


def verdicts(net) -> tuple[bool, list[str], int]:
    """Option to complete, the dead steps, and the most tokens in a control place that is no end."""
    graph = explore(net.net, net.initial, (), 40_000)
    assert graph.whole
    final = net.final.predicate(net.initial)
    alive = properties.steps_alive(graph, [t for _, t in net.steps])
    dead = [name for (name, _), lives in zip(net.steps, alive, strict=True) if not lives]
    control = [
        p for p, kind in enumerate(net.final.classes)
        if kind.value == "control" and p not in net.final.ends and not net.net.places[p].endswith("#active")
    ]  # fmt: skip
    good = graph.where(final)
    back = {s: [] for s in graph.edges}
    for s, out in graph.edges.items():
        for _, after in out:
            back[after].append(s)
    reached, pending = set(good), list(good)
    while pending:
        for before in back[pending.pop()]:
            if before not in reached:
                reached.add(before)
                pending.append(before)
    return len(reached) == len(graph.edges), dead, max((s[p] for s in graph.edges for p in control), default=0)


def accepts(net, trace: tuple[str, ...]) -> bool:
    """Whether some run shows exactly these visible steps, and is over."""
    labels = [
        name.rpartition("/")[2] if role.kind in VISIBLE else None
        for name, role in zip(net.net.transitions, net.roles.transitions, strict=True)
    ]

    def successors(marking):
        return [(labels[t], fire(net.net, marking, t)) for t in enabled(net.net, marking)]

    states = closure([net.initial], successors)
    for wanted in trace:
        states = closure([s for state in states for label, s in successors(state) if label == wanted], successors)
    graph = explore(net.net, net.initial, (), 40_000)
    return bool(states & graph.where(net.final.predicate(net.initial)))


def task(name: str, *errors: str, process: str = "claim") -> ir.Task:
    return ir.Task(f"{process}/{name}", name, errors)


def flows(process: str, *arrows: str) -> tuple[ir.Flow, ...]:
    """`a -> b`, `a:late -> b` by an exit, `a -> b ? words` with a guard."""
    found = []
    for arrow in arrows:
        drawn, _, words = arrow.partition(" ? ")
        source, target = drawn.split(" -> ")
        source, _, exit_ = source.partition(":")
        name = f"{process}/{source}{'.' + exit_ if exit_ else ''}>{target}"
        guard = ir.Guard(words) if words else None
        found.append(ir.Flow(name, f"{process}/{source}", f"{process}/{target}", guard, exit_))
    return tuple(found)


def gate(name: str, kind: str, pair: str = "", process: str = "claim", exhaustive: bool = True) -> ir.Gateway:
    return ir.Gateway(f"{process}/{name}", kind, f"{process}/{pair}" if pair else "", None, exhaustive)


# -- BPMN ------------------------------------------------------------------------------------------------------------
#
# register -> [assess] -> OR-split -> {letter, phone, visit} -> OR-join -> pay -> end paid
#               | timer, interrupting: escalate -> end escalated
# The sub-process [assess] forks into two checks and joins them.


def assess() -> ir.Graph:
    """The sub-process: both checks at the same time."""
    nodes = (
        gate("assess/split", "parallel"),
        task("assess/damage"),
        task("assess/cover"),
        gate("assess/join", "parallel"),
    )
    arrows = flows("claim/assess", "split -> damage", "split -> cover", "damage -> join", "cover -> join")
    return ir.Graph("claim/assess", nodes, arrows, ("claim/assess/split",))


def claim(join: str = "inclusive", interrupting: bool = True) -> ir.Process:
    late = ir.Handler("claim/late", "timeout", "5 days", ir.Sequence("claim/late/none", ()), interrupting, "late")
    nodes = (
        gate("begin", "start"),
        task("register"),
        ir.Scope("claim/assessing", assess(), (late,)),
        task("escalate"),
        ir.End("claim/escalated", "escalated"),
        gate("ways", "inclusive", "met"),
        task("letter"),
        task("phone"),
        task("visit"),
        gate("met", join, "ways" if join == "inclusive" else ""),
        task("pay"),
        ir.End("claim/paid", "paid"),
    )
    arrows = flows(
        "claim", "begin -> register", "register -> assessing", "assessing -> ways", "assessing:late -> escalate",
        "escalate -> escalated", "ways -> letter ? by letter", "ways -> phone ? by phone", "ways -> visit ? large",
        "letter -> met", "phone -> met", "visit -> met", "met -> pay", "pay -> paid",
    )  # fmt: skip
    return ir.Process("claim", "workflow", ir.Graph("claim", nodes, arrows, ("claim/begin",)), ("paid", "escalated"))


def test_the_claim_is_sound() -> None:
    """The OR-join waits for what the split started, at least one way; the timer takes both checks with it. Sound, safe."""
    completes, dead, most = verdicts(net_of(claim()))
    assert completes
    assert dead == []
    assert most == 1


@pytest.mark.parametrize("trace", [
    ("register", "damage", "cover", "letter", "pay", "paid"),
    ("register", "cover", "damage", "visit", "letter", "pay", "paid"),
    ("register", "damage", "cover", "phone", "visit", "letter", "pay", "paid"),
    ("register", "late#fires", "escalate", "escalated"),
    ("register", "damage", "late#fires", "escalate", "escalated"),
])  # fmt: skip
def test_the_claim_shows_these_runs(trace) -> None:
    assert accepts(net_of(claim()), tuple(_label(net_of(claim()), step) for step in trace))


@pytest.mark.parametrize("trace", [
    ("register", "damage", "cover", "pay", "paid"),  # no way at all
    ("register", "damage", "cover", "letter", "letter", "pay", "paid"),
    ("register", "damage", "cover", "letter", "pay", "phone", "paid"),  # the join waits
    ("register", "damage", "letter", "pay", "paid"),  # the sub-process is not done
    ("register", "damage", "late#fires", "cover", "escalate", "escalated"),  # nothing goes on in what was interrupted
    ("register", "damage", "cover", "late#fires", "letter", "pay", "paid"),
])  # fmt: skip
def test_the_claim_does_not_show_these_runs(trace) -> None:
    assert not accepts(net_of(claim()), tuple(_label(net_of(claim()), step) for step in trace))


def _label(net, step: str) -> str:
    """The visible name of a step; a time-out has one transition for each place it may be taken from."""
    if not step.startswith("late"):
        return step
    names = [n for n in net.net.transitions if n.startswith("claim/late#fires") and n.endswith("#stop")]
    assert len(names) == 1
    return names[0].rpartition("/")[2]


def test_with_an_and_join_behind_the_or_split_the_claim_may_wait_for_ever() -> None:
    """The broken twin: a parallel join waits for ways that were never started. No option to complete."""
    broken = claim("parallel")
    ways = broken.body.nodes[5]._replace(pair="")
    body = broken.body._replace(nodes=(*broken.body.nodes[:5], ways, *broken.body.nodes[6:]))
    completes, dead, _ = verdicts(net_of(broken._replace(body=body)))
    assert not completes
    assert dead == []  # all ways together do complete


def test_with_a_merge_behind_the_or_split_the_claim_pays_several_times() -> None:
    """The other broken twin: an exclusive merge lets each way through. Two tokens arrive before `pay`: not safe."""
    broken = claim("exclusive")
    ways = broken.body.nodes[5]._replace(pair="")
    body = broken.body._replace(nodes=(*broken.body.nodes[:5], ways, *broken.body.nodes[6:]))
    completes, _, most = verdicts(net_of(broken._replace(body=body)))
    assert completes
    assert most > 1


def test_a_timer_that_does_not_interrupt_escalates_beside_the_work() -> None:
    """Both ends are reached then; the body of a process may have several."""
    net = net_of(claim(interrupting=False))
    completes, dead, most = verdicts(net)
    assert (completes, dead, most) == (True, [], 1)
    graph = explore(net.net, net.initial, (), 40_000)
    paid, escalated = (net.net.place(f"claim#end.{end}") for end in ("paid", "escalated"))
    assert any(s[paid] and s[escalated] for s in graph.edges)


def test_cancelling_is_right_for_a_region_that_is_not_safe() -> None:
    """Two tokens on one flow of the sub-process: the drain counts, so that it takes both."""
    nodes = (gate("assess/split", "parallel"), gate("assess/merge", "exclusive"), task("assess/twice"))
    arrows = (
        ir.Flow("claim/assess/1", "claim/assess/split", "claim/assess/merge"),
        ir.Flow("claim/assess/2", "claim/assess/split", "claim/assess/merge"),
        ir.Flow("claim/assess/3", "claim/assess/merge", "claim/assess/twice"),
    )
    inner = ir.Graph("claim/assess", nodes, arrows, ("claim/assess/split",))
    late = ir.Handler("claim/late", "timeout", "5 days", ir.Sequence("claim/late/none", ()))
    net = net_of(ir.Process("claim", "workflow", ir.Scope("claim/s", inner, (late,)), ("completed",)))
    completes, dead, most = verdicts(net)
    assert (completes, dead, most) == (True, [], 2)


def test_a_terminating_end_stops_the_other_paths() -> None:
    nodes = (
        gate("split", "parallel"),
        task("a"),
        task("b"),
        ir.End("claim/stop", "stopped", terminate=True),
        ir.End("claim/ok", "ok"),
    )
    arrows = flows("claim", "split -> a", "split -> b", "a -> stop", "b -> ok")
    net = net_of(ir.Process("claim", "workflow", ir.Graph("claim", nodes, arrows, ("claim/split",)), ("stopped", "ok")))
    completes, dead, _ = verdicts(net)
    assert (completes, dead) == (True, [])
    assert accepts(net, ("a", "stop"))  # b never happens
    assert accepts(net, ("b", "ok", "a", "stop"))
    assert not accepts(net, ("a", "stop", "b", "ok"))


def test_an_event_gateway_lets_the_first_event_decide() -> None:
    nodes = (
        gate("wait", "event"), ir.Receive("claim/reply", "reply"), ir.Timer("claim/month", 1.0), task("close"),
        ir.End("claim/done", "done"),
    )  # fmt: skip
    arrows = flows("claim", "wait -> reply", "wait -> month", "reply -> close", "month -> done", "close -> done")
    net = net_of(ir.Process("claim", "workflow", ir.Graph("claim", nodes, arrows, ("claim/wait",)), ("done",)))
    assert verdicts(net) == (True, [], 1)
    assert accepts(net, ("reply", "close", "done"))
    assert accepts(net, ("month", "done"))
    assert not accepts(net, ("reply", "done"))


def test_an_inclusive_join_without_its_split_is_reported() -> None:
    nodes = (gate("x", "parallel"), task("a"), task("b"), gate("met", "inclusive", "x"), ir.End("claim/done", "done"))
    arrows = flows("claim", "x -> a", "x -> b", "a -> met", "b -> met", "met -> done")
    process = ir.Process("claim", "workflow", ir.Graph("claim", nodes, arrows, ("claim/x",)), ("done",))
    _, diagnostics = process_to_net(process, {})
    assert [d.code for d in diagnostics] == ["P403"]


# -- ASL -------------------------------------------------------------------------------------------------------------
#
# Fetch (Retry Busy 2; Catch all -> Apologise) -> Each: Map of Ship (fails Broken; Catch Broken -> Apologise)
#   -> Check: Choice without Default (big -> Audit, small -> Done) -> Done | Audit -> Check (a cycle) | Apologise -> end


def order(caught: bool = True, default: bool = False) -> ir.Process:
    def state(name: str, body: ir.Statement, error: str, retry: tuple[ir.Retry, ...] = ()) -> ir.Scope:
        handler = ir.Handler(
            f"order/{name}.catch", "error", error, ir.Sequence(f"order/{name}.catch/none", ()), exit="caught"
        )
        return ir.Scope(f"order/{name}", body, (handler,) if caught else (), retry)

    ship = ir.Repeat("order/each", task("ship", "Broken", process="order"), (0, 1, 2))
    nodes = (
        state("Fetch", task("fetch", "Busy", "Gone", process="order"), "*", (ir.Retry(("Busy",), 2),)),
        state("Each", ship, "Broken"),
        gate("Check", "exclusive", process="order", exhaustive=default),
        task("audit", process="order"),
        task("apologise", process="order"),
        ir.End("order/Done", "succeeded"),
        ir.End("order/Sorry", "sorry"),
    )
    arrows = flows(
        "order", "Fetch -> Each", "Each -> Check", "Check -> audit ? big", "Check -> Done ? small", "audit -> Check",
        "apologise -> Sorry", *(("Fetch:caught -> apologise", "Each:caught -> apologise") if caught else ()),
    )  # fmt: skip
    graph = ir.Graph("order", nodes, arrows, ("order/Fetch",))
    return ir.Process("order", "workflow", graph, ("succeeded", "sorry", "failed"))


def test_the_order_is_sound_and_fails_only_at_the_choice() -> None:
    """Each error but NoChoiceMatched is caught; the cycle Check - audit can be left. Everything completes, nothing is dead."""
    net = net_of(order())
    assert verdicts(net) == (True, [], 1)
    ends = {net.net.places[p] for p in net.final.ends}
    assert ends == {"order#end.succeeded", "order#end.sorry", "order#end.failed", "order#end.completed"}
    graph = explore(net.net, net.initial, (), 40_000)
    failed = net.net.place("order#end.failed")
    assert any(s[failed] for s in graph.edges)
    with_default = net_of(order(default=True))
    graph = explore(with_default.net, with_default.initial, (), 40_000)
    failed = with_default.net.place("order#end.failed")
    assert not any(s[failed] for s in graph.edges)


@pytest.mark.parametrize("trace", [
    ("fetch", "Done"),  # no items
    ("fetch", "ship[1]", "ship[2]", "audit", "audit", "Done"),
    ("fetch#Busy", "fetch#Busy", "fetch", "ship[1]", "Done"),
    ("fetch#Busy", "fetch#Busy", "fetch#Busy", "apologise", "Sorry"),
    ("fetch#Gone", "apologise", "Sorry"),  # not retried
    ("fetch", "ship[2]", "ship[1]#Broken", "apologise", "Sorry"),
    ("fetch", "ship[1]#Broken", "apologise", "Sorry"),  # the other item is stopped
    ("fetch", "audit"),  # NoChoiceMatched after it
])  # fmt: skip
def test_the_order_shows_these_runs(trace) -> None:
    assert accepts(net_of(order()), trace)


@pytest.mark.parametrize("trace", [
    ("fetch#Busy", "fetch#Busy", "fetch#Busy", "fetch", "Done"),  # three retries
    ("fetch#Gone", "fetch", "Done"),
    ("fetch", "ship[2]", "Done"),  # one item is the first
    ("fetch", "ship[1]#Broken", "Done"),
    ("fetch", "ship[1]#Broken", "ship[2]#Broken", "apologise", "Sorry"),  # the first failure wins
    ("fetch", "apologise", "Sorry"),
])  # fmt: skip
def test_the_order_does_not_show_these_runs(trace) -> None:
    assert not accepts(net_of(order()), trace)


def test_without_its_catch_the_apology_is_dead() -> None:
    """The broken twin: nothing leads to `apologise`, and a broken shipment fails the execution."""
    completes, dead, _ = verdicts(net_of(order(caught=False)))
    assert completes
    assert sorted(dead) == ["order/Sorry", "order/apologise"]

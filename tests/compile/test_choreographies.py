"""Choreographies as nets do what the language says they do: held against an interpreter of the syntax tree that knows no nets.

After every sequence of visible steps (messages that arrive, are published, taken, lost, doubled; tasks; crashes) both must be able to show the
same situations: what waits for whom, what is in whose hands, what was lost or put aside.
"""

from __future__ import annotations

import os

from choreography_oracle import Interpreter
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.net.roles import Kind
from placet.source import SourceFile
from placet.syntax.parser import parse

CASES = int(os.environ.get("PLACET_CHOREOGRAPHIES", "12"))
LIMIT = 400  # pairs of sets of situations


class Net:
    """The compiled net as a machine whose visible steps have the interpreter's names."""

    def __init__(self, compiled, interpreter: Interpreter) -> None:
        self.compiled = compiled
        self.net = compiled.net
        self.interpreter = interpreter
        self.places = {name: p for p, name in enumerate(self.net.places)}
        self.labels = [self._label(t) for t in range(len(self.net.transitions))]
        self.start = compiled.start
        self._steps: dict[tuple[int, ...], list] = {}
        net = self.net
        assert not any(net.read) and not any(net.inhibit) and not any(net.reset) and not net.capacity
        assert not compiled.observers
        self._table = []
        for t, label in enumerate(self.labels):
            moves = dict.fromkeys([p for p, _ in (*net.pre[t], *net.post[t])], 0)
            for side, sign in ((net.pre[t], -1), (net.post[t], 1)):
                for p, w in side:
                    moves[p] += sign * w
            self._table.append((label, net.pre[t], [(p, by) for p, by in moves.items() if by]))

    def _label(self, t: int):
        role, origin = self.compiled.roles.transitions[t], self.compiled.origin.transitions[t]
        name = self.net.transitions[t]
        words = origin.phrase.split("`")
        match role.kind:
            case Kind.EVENT:
                return ("arrives", words[1])
            case Kind.PUBLISH:
                return ("publish", words[3], words[1])
            case Kind.TAKE:
                deliveries = [d for d in self.compiled.roles.deliveries if d.start in dict(self.net.post[t])]
                (d,) = deliveries
                held = [k for k, h in enumerate(d.hands, start=1) if h in dict(self.net.post[t])]
                return ("take", d.event, d.reader, held[0] if held else 0)
            case Kind.TASK:
                failed = "#" in name.rpartition("/")[2]
                return ("task", words[1] + (": " + name.rpartition("#")[2] if failed else ""))
            case Kind.FAULT:
                return (role.fault, words[1])
        return None

    def steps(self, state):
        found = self._steps.get(state)
        if found is None:
            found = []
            for label, pre, moves in self._table:
                if all(state[p] >= w for p, w in pre):
                    after = list(state)
                    for p, by in moves:
                        after[p] += by
                    found.append((label, tuple(after)))
            self._steps[state] = found
        return found

    def summary(self, state):
        i = self.interpreter
        waiting, hands, lost, dead, copies = [], [], set(), [], []
        seen: set = set()
        for d in self.compiled.roles.deliveries:
            s = i.services.index(d.reader)
            line = i.line(d.event, s)
            for k, p in enumerate(d.waiting, start=1):
                if p not in seen:
                    slot = "#slot[" in self.net.places[p]
                    waiting += [(d.event, 1 if slot else k, line)] * state[p]
            seen.update(d.waiting)
            hands += [(d.event, k, s) for k, p in enumerate(d.hands, start=1) if state[p]]
            path = f"{d.event}@{d.handler.partition('[')[0]}"
            if f"{path}:copy" in self.places:
                copies += [(d.event, s)] * state[self.places[f"{path}:copy"]]
            if f"{path}:hand.copy" in self.places and state[self.places[f"{path}:hand.copy"]]:
                hands.append((d.event, 0, s))
            if d.lost >= 0 and state[d.lost]:
                lost.add((d.event, line))
            for grave in (f"{path}#dead", f"{d.event}#dead"):
                if grave in self.places and grave not in seen:
                    seen.add(grave)
                    dead += [(d.event, line)] * state[self.places[grave]]
        outside = tuple(state[self.places[f"{e}#outside"]] if f"{e}#outside" in self.places else 0 for e, _ in i.fed)
        budget = [p for n, p in self.places.items() if n.endswith("#faults")]
        left = state[budget[0]] if budget else i.start.budget
        return (
            tuple(sorted(waiting)), tuple(sorted(hands)), tuple(sorted(copies)), outside, tuple(sorted(lost)),
            tuple(sorted(dead)), left,
        )  # fmt: skip


def closed(machine, states):
    """The states and what can be reached from them unseen."""
    found, todo = set(states), list(states)
    while todo:
        for label, after in machine.steps(todo.pop()):
            if label is None and after not in found:
                found.add(after)
                assume(len(found) < 1_000)
                todo.append(after)
    return frozenset(found)


def differ(one, other) -> tuple | None:
    """A sequence of visible steps after which the two machines do not show the same; None where there is none."""
    first = closed(one, {one.start}), closed(other, {other.start})
    seen, todo = {first}, [(first, ())]
    while todo:
        (mine, its), trace = todo.pop()
        shown = [{m.summary(s) for s in states} for m, states in ((one, mine), (other, its))]
        if shown[0] != shown[1]:
            return trace, shown[0] - shown[1], shown[1] - shown[0]
        after: list[dict] = []
        for machine, states in ((one, mine), (other, its)):
            by: dict = {}
            for state in states:
                for label, target in machine.steps(state):
                    if label is not None:
                        by.setdefault(label, set()).add(target)
            after.append(by)
        if set(after[0]) != set(after[1]):
            return trace, set(after[0]) - set(after[1]), set(after[1]) - set(after[0])
        for label, targets in after[0].items():
            pair = closed(one, targets), closed(other, after[1][label])
            if pair not in seen:
                seen.add(pair)
                assume(len(seen) < LIMIT)
                todo.append((pair, (*trace, label)))
    return None


class Writer:
    """A random choreography of two topics and two or three services, as text."""

    def __init__(self, draw) -> None:
        self.draw = draw
        self.number = 0

    def pick(self, *options):
        return self.draw(st.sampled_from(options))

    def topic(self, name: str, *, fed: bool) -> str:
        guarantee = self.pick("exactly_once", "at_least_once", "at_least_once", "at_most_once")
        options = [guarantee, *(["outside 1"] if fed else [])]
        capacity = self.pick(None, None, 1, 2)
        if capacity is not None:
            options.append(f"capacity {capacity} {self.pick('block', 'drop_old', 'drop_new')}")
        if guarantee != "at_most_once" and self.pick(True, False):
            options.append(f"dead_letter after {self.pick(1, 2)}")
        if guarantee == "at_least_once" and self.pick(True, False, False):
            options.append("dedup")
        order = self.pick("", "", "competing", "fifo")
        if order and (order != "fifo" or capacity is not None):
            options.append(order)
        return f"topic {name} {{ {'; '.join(options)} }}"

    def body(self, events: list[str], depth: int = 1) -> str:
        parts = []
        for _ in range(self.draw(st.integers(0, 2))):
            self.number += 1
            kinds = [
                "task",
                "task",
                "fails",
                "raise",
                *(["publish"] * 3 if events else []),
                *(["either"] if depth else []),
            ]
            match self.pick(*kinds):
                case "task":
                    parts.append(f"task t{self.number}")
                case "fails":
                    parts.append(f"task t{self.number} fails E")
                case "raise":
                    parts.append("raise E")
                case "publish":
                    parts.append(f"publish {self.pick(*events)}")
                case "either":
                    parts.append(f"either {{ {self.body(events, 0)} }} or {{ {self.body(events, 0)} }}")
            if parts[-1] == "raise E":
                break
        return "; ".join(parts)

    def text(self) -> str:
        lines = [self.topic("a", fed=True), self.topic("b", fed=False)]
        handlers: dict[str, list[str]] = {}
        for service in ("one", "two"):
            if self.pick(True, True, service == "one"):
                handlers.setdefault(service, []).append(f"on a.X {{ {self.body(['b.Y', 'b.Z'])} }}")
        for name, sends in (("b.Y", ["b.Z"]), ("b.Z", [])):
            if f"publish {name}" not in str(handlers) and self.pick(True, True, True, False):
                continue  # it would come from outside
            for service in dict.fromkeys(self.pick(("one",), ("two",), ("three",), ("two", "three"))):
                handlers.setdefault(service, []).append(f"on {name} {{ {self.body(sends)} }}")
        services = [f"  service {s} {{ {' '.join(those)} }}" for s, those in handlers.items()]
        return "\n".join([*lines, "choreography c {", *services, "}"]) + "\n"


def machines(text: str, faults: tuple[str, ...], budget: int):
    file, problems = parse(SourceFile("c.placet", text))
    model, unresolved = resolve(file)
    assert not [d for d in (*problems, *unresolved) if d.severity == "error"], text
    (compiled,), _ = compile_model(model)
    compiled = compiled._replace(observers=(), queries=())
    interpreter = Interpreter(file, faults, budget)
    woven = weave(compiled, Hypothesis(faults, budget)).compiled if faults and budget else compiled
    return Net(woven, interpreter), interpreter


@settings(max_examples=CASES, deadline=None)
@given(st.data())
def test_a_choreography_does_what_the_language_says(data):
    text = Writer(data.draw).text()
    faults = data.draw(st.sampled_from([(), ("lost",), ("duplicate",), ("crash",), ("lost", "duplicate", "crash")]))
    net, interpreter = machines(text, faults, 1 if faults else 0)
    event("faults: " + ", ".join(faults))
    assert differ(net, interpreter) is None, text


MIXED = """
system all
topic orders { at_least_once; capacity 1; outside 1 }
topic parcels

saga buy { receive orders.Placed; step pay { undo refund; timeout 10s }; publish parcels.Wanted }
workflow track { receive parcels.Sent; task tell }
choreography delivery { service van { on parcels.Wanted { task drive; publish parcels.Sent } } }
"""


def checked(text: str, **options) -> dict[str, str]:
    from placet.pipeline import verify

    return {c.label: c.outcome for m in verify(text, **options).models for c in m.checks}


def test_a_system_is_looked_at_with_its_parts():
    outcomes = checked(MIXED)
    assert outcomes["deadlock_free(all)"] == outcomes["all_consumed(all)"] == "proved"
    assert {label.partition("(")[2] for label in outcomes} == {"all)", "buy)", "track)", "delivery)"}


def test_a_formula_over_several_parts_is_asked_of_the_system():
    outcomes = checked(MIXED + "check never(drive.done and not pay.done), possible(tell.done)")
    assert outcomes == {"never(drive.done and not pay.done)": "proved", "possible(tell.done)": "proved"}


def test_a_workflow_without_steps_is_started_once_for_each_message():
    text = "system s\ntopic a\ntopic b\n"
    text += "workflow w { receive a.X; task t }\n"
    text += "choreography c { service x { on b.Y { publish a.X } } }\n"
    assert checked(text + "check all_consumed(s)") == {"all_consumed(s)": "proved"}
    late = text.replace("workflow w { receive", "workflow w { task first; receive")
    assert checked(late + "check all_consumed(s)") == {"all_consumed(s)": "violated"}


def test_copies_come_without_any_fault():
    text = "topic a { at_least_once; copies 2; outside 1 }\ntopic out { outside }\n"
    text += "choreography c { service x { on a.X { task t; publish out.Y } } }\n"
    net, _ = machines(text, (), 0)
    states, todo, most = {net.start}, [net.start], 0
    counts = {net.start: 0}
    while todo:
        state = todo.pop()
        for label, after in net.steps(state):
            count = counts[state] + (label == ("task", "t"))
            if after not in states or counts[after] < count:
                states.add(after)
                counts[after] = count
                most = max(most, count)
                todo.append(after)
    assert most == 2


def test_the_numbers_from_outside_are_told():
    text = "topic a\nchoreography c { service x { on a.X { task t } } }\n"
    file, _ = parse(SourceFile("c.placet", text))
    (compiled,), _ = compile_model(resolve(file)[0])
    assert compiled.assumptions.bounds == (("a.X from outside", 2),)
    assert compiled.assumptions.unjustified_bounds
    file, _ = parse(SourceFile("c.placet", text.replace("topic a", "topic a { outside 3 }")))
    (compiled,), _ = compile_model(resolve(file)[0])
    assert compiled.assumptions.bounds == (("a.X from outside", 3),)
    assert not compiled.assumptions.unjustified_bounds


def test_an_outbox_stores_with_the_task_and_sends_from_there():
    text = "topic a { at_most_once; outside 1 }\ntopic b { OUT outside }\n"
    text += "choreography c { service x { on a.X { task t; publish b.Y } } }\ncheck no_dual_write(c) under { crash }\n"
    for word, outcome in (("", "violated"), ("outbox;", "proved")):
        written = text.replace("OUT", word)
        assert checked(written) == {"no_dual_write(c)": outcome}
        net, _ = machines(written, (), 0)
        (task,) = [t for t, name in enumerate(net.net.transitions) if name.endswith("/t")]
        assert any(net.net.places[p].endswith("#outbox") for p, _ in net.net.post[task]) is bool(word)


def test_what_a_saga_owes_is_not_asked_of_a_system():
    from placet.pipeline import Options, check, compile_source

    (problem,) = compile_source(SourceFile("m.placet", MIXED + "check coverage(all) at L1\n")).diagnostics
    assert (problem.code, problem.help) == ("P231", "ask it of `buy`")
    report = check(compile_source(SourceFile("m.placet", MIXED)), Options(checks=("anomaly_A4",)))
    outcomes = {c.label: c.outcome for m in report.models for c in m.checks}
    assert outcomes["anomaly_A4(all)"] == "inconclusive"
    assert outcomes["anomaly_A4(buy)"] in ("proved", "violated")


def test_a_system_of_one_choreography_has_its_name_too():
    text = "system all\ntopic a { outside 1 }\nchoreography c { service x { on a.X { task t } } }\n"
    assert {label.partition("(")[2] for label in checked(text)} == {"c)"}
    assert checked(text + "check all_consumed(all)") == {"all_consumed(all)": "proved"}


def test_services_that_wait_for_room_in_each_others_queues():
    from placet.pipeline import verify
    from placet.report.text import render

    text = "topic a { capacity 1; outside 2 }\ntopic b { capacity 1 }\nchoreography c {\n"
    text += "  service x { on a.X { publish b.Y } on b.Z { } }\n"
    text += "  service y { on b.Y { publish b.Z; publish b.Z } }\n}\ncheck deadlock_free(c) under { }\n"
    told = " ".join(render(verify(text)).split())
    assert "`x` cannot publish `b.Y`: there is no room left for `y`" in told
    assert "`y` cannot publish `b.Z`: there is no room left for `x`" in told


def test_a_window_of_deduplication_forgets():
    text = "topic a { at_least_once; DEDUP; outside N }\nchoreography c { service x { on a.X { task t } } }\n"
    text += "check handled_once(c) under { duplicate }\n"
    for dedup, fed, outcome in (
        ("dedup", 3, "proved"),
        ("dedup 2", 2, "violated"),  # the first itself, and one after it
        ("dedup 2", 1, "proved"),
        ("dedup 3", 2, "proved"),
        ("dedup 3", 3, "violated"),
    ):
        written = text.replace("DEDUP", dedup).replace("N }", f"{fed} }}", 1)
        assert checked(written) == {"handled_once(c)": outcome}, written

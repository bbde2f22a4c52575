"""The checks of choreographies against their definitions on all situations of an interpreter that knows no nets."""

from __future__ import annotations

import os

from choreography_oracle import Interpreter
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_choreographies import Writer

from placet.pipeline import verify
from placet.source import SourceFile
from placet.syntax.parser import parse

CASES = int(os.environ.get("PLACET_CHOREOGRAPHIES", "15"))
LIMIT = 4_000
FAULTS = ("lost", "duplicate", "crash")


class Graph:
    """All situations, and the steps between them."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.i = interpreter
        self.steps: dict = {}
        todo = [interpreter.start]
        while todo:
            now = todo.pop()
            if now in self.steps:
                continue
            self.steps[now] = list(interpreter.steps(now))
            assume(len(self.steps) < LIMIT)
            todo += [after for _, after in self.steps[now]]

    def seen(self) -> set:
        return {label for steps in self.steps.values() for label, _ in steps if label is not None}

    def always_possible(self, goal) -> bool:
        """AG EF, where what comes to the rescue is no fault."""
        able = {s for s in self.steps if goal(s)}
        before: dict = {}
        for s, steps in self.steps.items():
            for label, after in steps:
                if label is None or label[0] not in FAULTS:
                    before.setdefault(after, []).append(s)
        todo = list(able)
        while todo:
            for s in before.get(todo.pop(), ()):
                if s not in able:
                    able.add(s)
                    todo.append(s)
        return len(able) == len(self.steps)


def definitions(graph: Graph) -> dict[str, bool]:
    """What each check asks, by its definition."""
    i, seen = graph.i, graph.seen()
    handled = {e for e, _ in i.handlers}

    def stuck(now):
        moves = [label for label, _ in graph.steps[now] if label is None or label[0] not in FAULTS]
        return not moves and any(now.services)

    def empty(now):
        hands = [b for b in now.services if b is not None and b.attempt]
        return not hands and not any(now.lines) and not now.lost

    return {
        "deadlock_free(c)": not any(map(stuck, graph.steps)),
        "all_consumed(c)": graph.always_possible(empty),
        "no_orphan(c)": {label[1] for label in seen if label[0] == "publish"} <= handled,
        "no_dead_handler(c)": {(e, i.services[s]) for e, s in i.handlers} <= {t[1:3] for t in seen if t[0] == "take"},
        "handled_once(c)": not any(label[0] == "take" and label[3] == 0 for label in seen),
        "bounded(b, 1)": all(
            len(line) <= 1 for now in graph.steps for n, line in enumerate(now.lines) if i.lines[n][0] == "b"
        ),
    }


@settings(max_examples=CASES, deadline=None)
@given(st.data())
def test_the_checks_say_what_their_definitions_say(data):
    text = Writer(data.draw).text()
    faults = data.draw(st.sampled_from([(), ("lost",), ("duplicate",), ("crash",), FAULTS]))
    file, _ = parse(SourceFile("c.placet", text))
    graph = Graph(Interpreter(file, faults, 1 if faults else 0))
    wanted = definitions(graph)
    if " on b." not in text:
        del wanted["bounded(b, 1)"]
    checks = "".join(f"check {label} under {{ {', '.join(faults)} }}\n" for label in wanted)
    found = {c.label: c.outcome for m in verify(text + checks).models for c in m.checks}
    assert {label: outcome == "proved" for label, outcome in found.items()} == wanted, text + checks
    assert set(found.values()) <= {"proved", "violated"}


def loops(text: str) -> str:
    (found,) = [c.outcome for m in verify(text).models for c in m.checks]
    return found


def test_an_event_loop_needs_a_way_round():
    """A circle in the text that no run can go round is none; one that runs can go round a few times only is none either."""
    text = "topic a { outside 1 }\ntopic b\nchoreography c {\n  service x { on a.X { BODY } }\n  service y { on b.Y { publish a.X } }\n}\n"
    check = "check no_event_loop(c) under { }\n"
    assert loops(text.replace("BODY", "publish b.Y") + check) == "violated"
    assert loops(text.replace("BODY", "either { publish b.Y } or { }") + check) == "violated"
    assert loops(text.replace("BODY", "publish b.Y; publish b.Y") + check) == "violated"  # it grows
    assert loops(text.replace("BODY", "end done; publish b.Y") + check) == "proved"
    assert loops(text.replace("BODY", "task t fails E; raise F; publish b.Y") + check) == "proved"


def test_a_poison_message_is_no_event_loop():
    text = "topic a { outside 1 }\nchoreography c { service x { on a.X { task t; raise E } } }\n"
    assert loops(text + "check no_event_loop(c)\n") == "proved"
    assert loops(text + "check anomaly_A22(c)\n") == "violated"
    assert loops(text + "check anomaly_A23(c)\n") == "violated"

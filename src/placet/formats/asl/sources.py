"""Where the values that a Choice looks at come from, as far as the definition says.

What the input of the execution or the answer of a task says is decided outside, as if somebody chose: any value that can
be told from another may come. What the machine computes itself, or has looked at before, may not be free to be anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.formats.asl.formulas import formula_of, variables
from placet.formats.asl.machine import targets

if TYPE_CHECKING:
    from placet.formats.asl.machine import Machine, State
    from placet.formats.data_tree import Node

MOST = 500  # steps back from one variable
ALTOGETHER = 20_000
_STATES_INPUT = "$states.input"
_OTHER = re.compile(r"\$(?!states\.result\b)[A-Za-z_]\w*")


class Origins:
    """One machine, looked at backwards. `top`: its input is that of the execution."""

    def __init__(self, machine: Machine, *, top: bool) -> None:
        self.machine = machine
        self.top = top
        self.steps = 0
        self.before: dict[str, list[tuple[State, str]]] = {}
        for state in machine.states.values():
            for how, target in targets(state):
                self.before.setdefault(target.name, []).append((state, how))
        self.looks = {
            s.name: set().union(*(variables(formula_of(r.node)) for r in s.rules))
            for s in machine.states.values()
            if s.kind == "Choice"
        }

    def outside(self, state: State, variable: str) -> bool:
        """Whether the value is decided outside and nobody has looked at it since. At most MOST steps."""
        seen: set[tuple[str, str]] = set()
        first = self.entry(state, variable)
        if first is None:
            return False
        pending = [(state.name, first)]
        while pending:
            at, path = pending.pop()
            if at == self.machine.start.name and not self.top:
                return False
            for before, how in self.before.get(at, ()):
                found = self.back(before, how, path)
                if found is None:
                    return False
                if found and (before.name, found) not in seen:
                    seen.add((before.name, found))
                    pending.append((before.name, found))
            self.steps += 1
            if len(seen) > MOST or self.steps > ALTOGETHER:
                return False
        return True

    def entry(self, state: State, path: str) -> str | None:
        """A path of what a state looks at, as one of what it is given."""
        if state.jsonata:
            return path
        field = state.node.get("InputPath")
        if field is None or field.text == "$":
            return path
        return field.text + path[1:] if re.fullmatch(r"\$(?:\.\w+)+", field.text) else None

    def back(self, state: State, how: str, path: str) -> str | None:
        """Behind a state: `` where it is decided outside there, a path before it, or None where it is neither."""
        if state.kind == "Choice" and any(_overlap(path, v) for v in self.looks[state.name]):
            return None
        return self.jsonata(state, how, path) if state.jsonata else self.jsonpath(state, how, path)

    # -- JSONPath

    def jsonpath(self, state: State, how: str, path: str) -> str | None:
        """`back` where paths lead through the data."""
        if not path.startswith("$.") or state.has("Assign"):
            return None
        if how.startswith("Catch"):
            result, caught = state.catch[int(how[6:-1])].node.get("ResultPath"), True
        else:
            outer = state.node.get("OutputPath")
            if outer is not None and outer.text != "$":
                if not re.fullmatch(r"\$(?:\.\w+)+", outer.text):
                    return None
                path = outer.text + path[1:]
            result, caught = state.node.get("ResultPath"), False
        if state.kind in ("Task", "Parallel", "Map", "Pass"):
            place = "$" if result is None else result.text
            passes = state.kind == "Pass" and not state.has("Result", "Parameters")
            kept = result is not None and result.kind == "null"
            if not kept and not (passes and place == "$") and _overlap(path, place):
                outside = caught or state.kind == "Task"
                return "" if outside and (place == "$" or path.startswith(place)) else None
        return self.entry(state, path)

    # -- JSONata

    def jsonata(self, state: State, how: str, path: str) -> str | None:
        """`back` where expressions name what they take."""
        if how.startswith("Catch"):
            node: Node = state.catch[int(how[6:-1])].node
        elif how.startswith("Choices"):
            node = state.rules[int(how[8:-1])].node
        else:
            node = state.node
        if not path.startswith(_STATES_INPUT):
            return self.assigned(state, node, path)
        output = node.get("Output")
        if output is None:
            if how.startswith("Catch") or state.kind == "Task":
                return ""
            return path if state.kind in ("Pass", "Wait", "Choice") else None
        return "" if _answers(state, output, path.removeprefix(_STATES_INPUT)) else None

    def assigned(self, state: State, node: Node, path: str) -> str | None:
        """A variable: what was assigned to it last."""
        given = node.get("Assign")
        name = path[1:].partition(".")[0]
        value = given.get(name) if given is not None else None
        if value is None:
            return path
        return "" if _answers(state, value, "") else None


def _answers(state: State, node: Node, rest: str) -> bool:
    """The value, or its field that `rest` leads to first, is made of nothing but the answer of a task."""
    field = rest.removeprefix(".").partition(".")[0]
    if node.kind == "object" and field:
        inner = node.get(field)
        return inner is not None and _answers(state, inner, "")
    text = node.text if node.kind == "string" else ""
    return state.kind == "Task" and "$states.result" in text and _OTHER.search(text) is None


def _overlap(one: str, other: str) -> bool:
    """One path is the other, or leads into it."""
    a, b = f"{one}.", f"{other}."
    return a.startswith(b) or b.startswith(a)

"""From the tree of a definition to its values, and what is wrong with its structure, each at its place.

What the service itself would refuse is an error here; a definition with an error gets no net.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.formats.asl.conditions import rule_of
from placet.formats.asl.domains import ways
from placet.formats.asl.machine import (
    CALLBACK,
    DEFAULT_ATTEMPTS,
    KINDS,
    Catcher,
    Machine,
    Retrier,
    Rule,
    State,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.formats.asl.documents import Definition
    from placet.formats.data_tree import Limits, Node

MOST_PROBLEMS = 100
_ENDS = ("Succeed", "Fail")
_RETRIES = ("Task", "Parallel", "Map")
_ATA = ("Arguments", "Output", "Items")
_PATHS = (
    "InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "ItemsPath", "SecondsPath", "TimestampPath",
    "TimeoutSecondsPath", "HeartbeatSecondsPath", "MaxConcurrencyPath", "ErrorPath", "CausePath", "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
)  # fmt: skip
_OWN = {  # of the services that Step Functions calls in its own way all that it calls
    "dynamodb": ("getItem", "putItem", "updateItem", "deleteItem"),
    "lambda": ("invoke",),
}
_TWICE = (  # the same said in two ways
    ("TimeoutSeconds", "TimeoutSecondsPath"), ("HeartbeatSeconds", "HeartbeatSecondsPath"), ("Error", "ErrorPath"),
    ("Cause", "CausePath"), ("MaxConcurrency", "MaxConcurrencyPath"), ("ItemProcessor", "Iterator"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"), ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
)  # fmt: skip
_CALL = re.compile(r"arn:[\w-]+:states:[^:]*:[^:]*:(\w+):(\w+)(?:\.\w+(?::2)?)?")
_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class Reader:
    """Reads one definition; `diagnostics` fills as it goes."""

    def __init__(self, definition: Definition, limits: Limits) -> None:
        self.definition = definition
        self.limits = limits
        self.diagnostics: list[Diagnostic] = []

    def machine(self) -> Machine | None:
        """The definition; None where something is so wrong that there is nothing to go on with."""
        found = self.of(self.definition.node, "JSONPath", top=True)
        return None if any(d.severity == "error" for d in self.diagnostics) else found

    # -- reporting

    def report(self, code: str, message: str, node: Node, hint: str = "") -> None:
        """An error about a value: the whole of it, or its first line where it is long."""
        self.at(code, message, node.start, node.end, hint)

    def at(self, code: str, message: str, start: int, end: int, hint: str = "") -> None:
        """An error at a place."""
        if len(self.diagnostics) >= MOST_PROBLEMS:
            return
        text = self.limits.source.text
        line = text.find("\n", start, end)
        span = self.limits.span(start, line if line > start else end)
        self.diagnostics.append(Diagnostic(code, "error", message, span, help=hint, path=self.limits.source.path))

    # -- machines

    def of(self, node: Node, language: str, *, top: bool = False, what: str = "a state machine") -> Machine | None:
        """A machine at a node. Recurses over nesting, which is bounded."""
        if node.kind != "object":
            self.report("P540", f"{what} is an object with `StartAt` and `States`", node)
            return None
        missing = [f"`{key}`" for key in ("StartAt", "States") if key not in node.members]
        if missing:
            self.report("P540", f"{what} has no {' and no '.join(missing)}", node)
            return None
        if top:
            language = self.string(node, "QueryLanguage") or language
        start, states = node.members["StartAt"].value, node.members["States"].value
        if start.kind != "string":
            self.report("P540", "`StartAt` is the name of a state", start)
            return None
        if states.kind != "object" or not states.members:
            self.report("P540", "`States` is an object with at least one state", states)
            return None
        if top:
            self.number(node, "TimeoutSeconds")
        found: dict[str, State] = {}
        for name, member in states.members.items():
            state = self.state(name, member.value, (member.start, member.end), language)
            if state is not None:
                found[name] = state
        machine = Machine(Target(start.text, start), found, node, language == "JSONata")
        self.leads(machine, states)
        return machine

    def leads(self, machine: Machine, states: Node) -> None:
        """Every target is a state of the same machine."""
        from placet.formats.asl.machine import targets

        named = [("StartAt", machine.start)]
        for state in machine.states.values():
            named += targets(state)
        for how, target in named:
            if target.name not in states.members and target.node.kind == "string":
                near = _near(target.name, list(states.members))
                hint = f"did you mean `{near}`?" if near else "its targets are states of the same `States`"
                self.report("P541", f"`{how.partition('[')[0]}` leads to `{target.name[:80]}`, which is no state here", target.node, hint)  # fmt: skip

    # -- states

    def state(self, name: str, node: Node, key: tuple[int, int], language: str) -> State | None:
        """A state of any type."""
        if node.kind != "object":
            self.report("P540", f"the state `{name[:80]}` is an object", node)
            return None
        kind = node.get("Type")
        if kind is None or kind.kind != "string":
            self.at("P540", f"the state `{name[:80]}` has no `Type`", *key)
            return None
        if kind.text not in KINDS:
            near = _near(kind.text, list(KINDS))
            hint = f"did you mean `{near}`?" if near else f"there are {', '.join(KINDS)}"
            self.report("P542", f"there is no type of state `{kind.text[:80]}`", kind, hint)
            return None
        own = self.string(node, "QueryLanguage")
        if own == "JSONPath" and language == "JSONata":
            member = node.members["QueryLanguage"]
            self.at("P543", "a state cannot go back to JSONPath where its machine is in JSONata", member.start, member.end, "write the state in JSONata")  # fmt: skip
        jsonata = (own or language) == "JSONata"
        self.fields(node, jsonata=jsonata)
        state = State(name, kind.text, node, key, jsonata=jsonata)
        state = state._replace(next=self.following(state))
        if state.kind in _RETRIES:
            state = state._replace(retry=self.retriers(node), catch=self.catchers(node))
        read: Callable[[State, str], State] | None = getattr(self, f"on_{state.kind.lower()}", None)
        return state if read is None else read(state, language)

    def fields(self, node: Node, *, jsonata: bool) -> None:
        """No field of the other language, and nothing said twice."""
        for one, other in _TWICE:
            if one in node.members and other in node.members:
                member = node.members[other]
                self.at("P543", f"`{one}` and `{other}` say the same thing twice", member.start, member.end, "keep one")
        for field in _PATHS if jsonata else _ATA:
            if field in node.members:
                member = node.members[field]
                mine, other = ("JSONata", "JSONPath") if jsonata else ("JSONPath", "JSONata")
                hint = f'use the fields of {mine}, or give the state `"QueryLanguage": "{other}"`'
                if jsonata:
                    hint = "JSONata has `Arguments`, `Output`, `Assign`, and expressions in `{% %}` everywhere else"
                self.at("P543", f"`{field}` is a field of {other}, and this state is in {mine}", member.start, member.end, hint)  # fmt: skip

    def following(self, state: State) -> Target | None:
        """`Next` or `End`: exactly one of them, and neither where the type has none."""
        node = state.node
        end = node.get("End")
        ends = end is not None and end.true
        after = node.get("Next")
        if state.kind in (*_ENDS, "Choice"):
            for field in ("Next", "End"):
                if field in node.members:
                    member = node.members[field]
                    message = f"a {state.kind} state has no `{field}`"
                    self.at("P543", message, member.start, member.end, "remove it")
            return None
        if after is None:
            if not ends:
                self.at("P543", f"`{state.name[:80]}` has neither `Next` nor `End`", *state.key, "say where it leads")
            return None
        if ends:
            member = node.members["End"]
            self.at("P543", f"`{state.name[:80]}` has both `Next` and `End`", member.start, member.end, "keep one")
        if after.kind != "string":
            self.report("P540", "`Next` is the name of a state", after)
            return None
        return Target(after.text, after)

    def on_task(self, state: State, language: str) -> State:
        """Its resource."""
        resource = state.node.get("Resource")
        if resource is None:
            self.at("P540", f"the task `{state.name[:80]}` has no `Resource`", *state.key)
            return state
        if resource.kind == "string" and self.definition.express:
            for way in (".sync", ".sync:2", CALLBACK):
                if resource.text.endswith(way):
                    hint = "make the machine a standard one, or call without waiting"
                    self.report("P544", f"an express machine cannot wait by `{way}`", resource, hint)
        self.integration(resource)
        for field in ("TimeoutSeconds", "HeartbeatSeconds"):
            self.number(state.node, field)
        whole, beat = (_seconds(state.node.get(field)) for field in ("TimeoutSeconds", "HeartbeatSeconds"))
        if whole is not None and beat is not None and beat >= whole:
            node = state.node.members["HeartbeatSeconds"].value
            hint = "a heartbeat is missed only within the time of the whole task"
            self.report("P543", f"`HeartbeatSeconds` is no less than the {whole} of `TimeoutSeconds`", node, hint)
        return state

    def integration(self, resource: Node) -> None:
        """A call that Step Functions makes in its own way is one that it knows."""
        found = _CALL.fullmatch(resource.text) if resource.kind == "string" else None
        if found is None or found[2] in _OWN.get(found[1], (found[2],)):
            return
        message = f"Step Functions itself has no `{found[1]}:{found[2]}`"
        if found[1] == "lambda":
            hint = f"`arn:aws:states:::aws-sdk:lambda:{found[2]}` calls it; `arn:aws:states:::lambda:invoke` calls a function"
        else:
            hint = f"`arn:aws:states:::aws-sdk:{found[1]}:{found[2]}` calls it"
        self.report("P546", message, resource, hint)

    def on_wait(self, state: State, language: str) -> State:
        """How long."""
        fields = [f for f in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath") if f in state.node.members]
        if len(fields) != 1:
            much = "does not say how long" if not fields else f"says twice how long: `{fields[0]}` and `{fields[1]}`"
            self.at("P543", f"the wait `{state.name[:80]}` {much}", *state.key, "give exactly one of `Seconds`, `SecondsPath`, `Timestamp`, `TimestampPath`")  # fmt: skip
        self.number(state.node, "Seconds")
        stamp = state.node.get("Timestamp")
        if stamp is not None and stamp.kind == "string" and not _later(stamp) and not _is_time(stamp.text):
            self.report("P545", f"`{stamp.text[:40]}` is no time such as `2030-01-31T08:00:00Z`", stamp)
        return state

    def on_choice(self, state: State, language: str) -> State:
        """Its rules."""
        choices = state.node.get("Choices")
        if choices is None or choices.kind != "array" or not choices.items:
            self.at("P540", f"the choice `{state.name[:80]}` has no `Choices`", *state.key)
            return state
        rules: list[Rule] = []
        for item in choices.items:
            target = item.get("Next")
            if item.kind != "object" or target is None or target.kind != "string":
                self.report("P540", "a rule of a choice is an object with a condition and `Next`", item)
                continue
            rules.append(rule_of(item, Target(target.text, target)))
        default = state.node.get("Default")
        if default is not None and default.kind != "string":
            self.report("P540", "`Default` is the name of a state", default)
            default = None
        state = state._replace(rules=tuple(rules), default=Target(default.text, default) if default else None)
        return state._replace(ways=ways(state))

    def on_parallel(self, state: State, language: str) -> State:
        """Its branches."""
        branches = state.node.get("Branches")
        if branches is None or branches.kind != "array" or not branches.items:
            self.at("P540", f"the parallel `{state.name[:80]}` has no `Branches`", *state.key)
            return state
        inner = [self.of(branch, language, what="a branch") for branch in branches.items]
        return state._replace(inner=tuple(m for m in inner if m is not None))

    def on_map(self, state: State, language: str) -> State:
        """Its processor."""
        processor = state.node.get("ItemProcessor") or state.node.get("Iterator")
        if processor is None:
            self.at("P540", f"the map `{state.name[:80]}` has no `ItemProcessor`", *state.key)
            return state
        config = processor.get("ProcessorConfig")
        mode = config.get("Mode") if config is not None else None
        if "QueryLanguage" in processor.members:
            member = processor.members["QueryLanguage"]
            hint = "give it to the states in there, or to the whole machine"
            self.at("P543", "the processor of a map has no `QueryLanguage` of its own", member.start, member.end, hint)
        inner = self.of(processor, language, what="the processor of a map")
        distributed = mode is not None and mode.text == "DISTRIBUTED"
        return state._replace(inner=() if inner is None else (inner,), distributed=distributed)

    # -- errors

    def retriers(self, node: Node) -> tuple[Retrier, ...]:
        """`Retry`."""
        found: list[Retrier] = []
        for item in self.entries(node, "Retry"):
            errors = self.errors(item)
            times = item.get("MaxAttempts")
            count = DEFAULT_ATTEMPTS
            if times is not None and times.kind == "number" and times.text.isdigit():
                count = int(times.text[:9])
            elif times is not None and not _later(times):
                self.report("P540", "`MaxAttempts` is a whole number", times)
            if errors:
                found.append(Retrier(errors, count, item))
        return tuple(found)

    def catchers(self, node: Node) -> tuple[Catcher, ...]:
        """`Catch`."""
        found: list[Catcher] = []
        for item in self.entries(node, "Catch"):
            errors = self.errors(item)
            target = item.get("Next")
            if target is None or target.kind != "string":
                self.report("P540", "an entry of `Catch` has no `Next`", item)
            elif errors:
                found.append(Catcher(errors, Target(target.text, target), item))
        return tuple(found)

    def entries(self, node: Node, field: str) -> tuple[Node, ...]:
        """The objects of a list."""
        found = node.get(field)
        if found is None or found.kind == "null":
            return ()
        if found.kind != "array":
            self.report("P540", f"`{field}` is a list", found)
            return ()
        return tuple(item for item in found.items if item.kind == "object")

    def errors(self, item: Node) -> tuple[str, ...]:
        """`ErrorEquals`."""
        names = item.get("ErrorEquals")
        if names is None or names.kind != "array" or not names.items or any(n.kind != "string" for n in names.items):
            self.report("P540", "`ErrorEquals` is a list of at least one name of an error", names or item)
            return ()
        found = tuple(n.text for n in names.items)
        if "States.ALL" in found and len(found) > 1:
            self.report("P543", "`States.ALL` stands alone in its `ErrorEquals`", names, "remove the other names")
        return found

    # -- values

    def string(self, node: Node, field: str) -> str:
        """A field that is a string, or nothing."""
        found = node.get(field)
        return found.text if found is not None and found.kind == "string" else ""

    def number(self, node: Node, field: str) -> None:
        """A field that is a whole number of seconds, or an expression."""
        found = node.get(field)
        if found is None or (found.kind == "number" and found.text.isdigit()):
            return
        if not _later(found):
            self.report("P545", f"`{field}` is a whole number of seconds", found)


def _fluid(text: str) -> bool:
    """A value that is only known later: JSONata, a path, or a placeholder of a template."""
    return "{%" in text or "${" in text or "{{" in text or text.startswith("$") or "__" in text


def _seconds(node: Node | None) -> int | None:
    """A number of seconds, where it is given as one."""
    return int(node.text[:12]) if node is not None and node.kind == "number" and node.text.isdigit() else None


def _later(node: Node) -> bool:
    """A value that is only known later; in a template perhaps `!Ref` or `{"Fn::FindInMap": ...}`."""
    if node.tag.startswith("!"):
        return True
    if node.kind == "object" and len(node.members) == 1:
        key = next(iter(node.members))
        return key == "Ref" or key.startswith("Fn::")
    return node.kind == "string" and _fluid(node.text)


def _is_time(text: str) -> bool:
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return False
    month, day, hour, minute, second = (int(found.group(i)) for i in range(2, 7))
    return 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60


def _near(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    if len(name) > 200 or len(known) > 2_000:
        return ""
    found = get_close_matches(name, known, n=1, cutoff=0.6)
    return found[0] if found else ""

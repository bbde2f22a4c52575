"""A definition as values: states, retriers, catchers, each with its place in the file. Nothing here is checked yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.formats.asl.formulas import Formula
    from placet.formats.data_tree import Node

KINDS = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
CALLBACK = ".waitForTaskToken"
DEFAULT_ATTEMPTS = 3


class Target(NamedTuple):
    """A named state that something leads to."""

    name: str
    node: Node


class Retrier(NamedTuple):
    """One entry of `Retry`."""

    errors: tuple[str, ...]
    times: int
    node: Node


class Catcher(NamedTuple):
    """One entry of `Catch`."""

    errors: tuple[str, ...]
    target: Target
    node: Node


class Rule(NamedTuple):
    """One entry of `Choices`: its condition in words, and where it leads."""

    text: str
    target: Target
    node: Node


class Ways(NamedTuple):
    """By rule, whether some values take it; the same for no rule holding. `sure`: that is known of every one of them."""

    rules: tuple[bool, ...]
    none: bool
    sure: bool
    formulas: tuple[Formula, ...] = ()


class State(NamedTuple):
    """A state. `inner` are its branches, or the processor of its items."""

    name: str
    kind: str
    node: Node
    key: tuple[int, int]  # where its name stands
    next: Target | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()
    rules: tuple[Rule, ...] = ()
    default: Target | None = None
    ways: Ways | None = None  # of a Choice
    inner: tuple[Machine, ...] = ()
    jsonata: bool = False
    distributed: bool = False

    def text(self, field: str) -> str:
        """A field that is a string, or nothing."""
        node = self.node.get(field)
        return node.text if node is not None and node.kind == "string" else ""

    def has(self, *fields: str) -> bool:
        """Whether one of the fields is given."""
        return any(f in self.node.members and self.node.members[f].value.kind != "null" for f in fields)

    @property
    def resource(self) -> str:
        """The resource of a task: what follows `:states:::` in an optimised one, else all of it."""
        text = self.text("Resource")
        return text.partition(":states:::")[2] or text

    @property
    def callback(self) -> bool:
        """Somebody outside has to answer: a task token, or an activity."""
        return self.text("Resource").endswith(CALLBACK) or self.activity

    @property
    def activity(self) -> bool:
        """A worker has to fetch the task."""
        return ":activity:" in self.text("Resource")

    @property
    def timed(self) -> bool:
        """The state has a time-out."""
        return self.has("TimeoutSeconds", "TimeoutSecondsPath")

    @property
    def beats(self) -> bool:
        """The state expects heartbeats."""
        return self.has("HeartbeatSeconds", "HeartbeatSecondsPath")

    @property
    def tolerant(self) -> bool:
        """Some failures of items do not fail this Map."""
        for field in ("ToleratedFailureCount", "ToleratedFailurePercentage"):
            node = self.node.get(field)
            if node is not None and not (node.kind == "number" and node.text.strip("0.") == ""):
                return True
        return self.has("ToleratedFailureCountPath", "ToleratedFailurePercentagePath")


class Machine(NamedTuple):
    """A machine: the whole definition, a branch, or the processor of a Map."""

    start: Target
    states: dict[str, State]
    node: Node
    jsonata: bool = False

    @property
    def start_state(self) -> State:
        """The state that `StartAt` names."""
        return self.states[self.start.name]


def every(machine: Machine) -> list[tuple[State, Machine]]:
    """All states with the machines they are in, outer ones first."""
    found: list[tuple[State, Machine]] = []
    pending = [machine]
    for at in pending:
        for state in at.states.values():
            found.append((state, at))
            pending.extend(state.inner)
    return found


def targets(state: State) -> list[tuple[str, Target]]:
    """Where a state leads, each with how: `Next`, `Choices[0]`, `Default`, `Catch[1]`."""
    found = [("Next", state.next)] if state.next is not None else []
    found += [(f"Choices[{i}]", rule.target) for i, rule in enumerate(state.rules)]
    if state.default is not None:
        found.append(("Default", state.default))
    return found + [(f"Catch[{i}]", catcher.target) for i, catcher in enumerate(state.catch)]

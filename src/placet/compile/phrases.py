"""What a place between statements means, as a clause: `pack` comes next, waiting for `approval`, the way of `pack` is done.

A reader meets these behind "this is still open:" and "it needs this first:", so each must be a clause of its own. Where a
statement has a name it is told by it, a construct without a label by the first thing in it that has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.names import DUE, base_name
from placet.ir import model as ir

if TYPE_CHECKING:
    from typing import TypeAlias

    Anything: TypeAlias = ir.Statement | ir.Gateway

_CONSTRUCTS: dict[type, str] = {
    ir.Choice: "the choice",
    ir.Parallel: "the parallel part",
    ir.Loop: "the loop",
    ir.Race: "the first of",
    ir.Scope: "the try",
    ir.With: "the with",
    ir.Beside: "the try",
    ir.Repeat: "the repetition",
    ir.Tolerant: "the instances",
    ir.Spare: "the instance",
    ir.Graph: "the process",
}


def next_up(statement: Anything) -> str:
    """The clause of a place from which the statement begins. O(nesting)."""
    first = _first(statement)
    match first:
        case ir.Receive():
            return f"waiting for `{first.event}`"
        case ir.Timer():
            return f"waiting until {time_of(first)} have passed"
        case ir.Race() if first.ways:
            return "waiting for " + " or ".join(f"`{_awaited(trigger)}`" for trigger, _ in first.ways)
        case ir.Sequence():
            return "nothing is left to be done here"
        case ir.End():
            return f"the end `{first.name}` comes next"
        case ir.Abandon():
            return "giving up comes next"
        case ir.Raise():
            return f"the error `{first.error}` comes next"
        case ir.With(_, pool) | ir.Holding(_, pool, _, True):
            return f"waiting for one of `{pool}`"
    return f"{called(first)} comes next"


def done(statement: Anything) -> str:
    """The clause of a place that the statement leads to."""
    match statement:
        case ir.Receive():
            return f"`{statement.event}` has arrived"
        case ir.Race() if statement.ways:
            return "one of " + " and ".join(f"`{_awaited(trigger)}`" for trigger, _ in statement.ways) + " has come"
        case ir.Timer():
            return f"{time_of(statement)} have passed"
    return f"{called(statement)} is done"


def way_done(way: ir.Way) -> str:
    """The clause of a place where one of several parallel ways waits for the others."""
    return f"{the_way(way)} is done"


def way_of(statement: Anything) -> str:
    """A statement as a noun, and a sequence of several by its first one, as a way of a parallel is told."""
    if not isinstance(statement, ir.Sequence):
        return called(statement)
    first = _first(statement)
    return "the empty way" if isinstance(first, ir.Sequence) else f"the way of {called(first)}"


def the_way(way: ir.Way) -> str:
    """A parallel way as a noun: by its first statement."""
    first = _first(way.body)
    return "the empty way" if isinstance(first, ir.Sequence) else f"the way of {called(first)}"


def chosen(way: ir.Way) -> str:
    """What is chosen, behind "chooses:": the condition, or what is done first."""
    if way.guard is not None:
        return way.guard.text
    if way.id.endswith("[otherwise]"):
        return "otherwise"
    if way.id.endswith(DUE):
        return "the run that is due already"
    first = _first(way.body)
    match first:
        case ir.Receive():
            return f"to wait for {first.event}"
        case ir.Timer():
            return f"to wait {time_of(first)}"
        case ir.Sequence():
            return "to do nothing"
        case ir.Race():
            return "to wait for " + " or ".join(_awaited(trigger) for trigger, _ in first.ways)
    return called(first).replace("`", "")


def called(statement: Anything) -> str:
    """The statement as a noun: `pack`, the loop `polling`, the loop of `pack`, the wait for `approval`."""
    match statement:
        case ir.Task(_, name) | ir.Step(_, name):
            return f"`{name}`"
        case ir.Call(_, target):
            return f"`{target}`"
        case ir.Receive():
            return f"the wait for `{statement.event}`"
        case ir.Publish():
            return f"publishing `{statement.event}`"
        case ir.Timer():
            return f"the wait of {time_of(statement)}"
        case ir.End(_, name):
            return f"the end `{name}`"
        case ir.Raise():
            return f"the error `{statement.error}`"
        case ir.Abandon():
            return "giving up"
        case ir.Holding(_, pool, _, takes):
            return f"taking one of `{pool}`" if takes else f"giving one of `{pool}` back"
        case ir.Again():
            return "beginning anew"
    kind = _CONSTRUCTS.get(type(statement), "")
    last = base_name(statement.id.rpartition("/")[2])
    label = last[last.rfind("[") + 1 : -1] if last.endswith("]") else innermost(last)
    if not kind:
        return f"`{label}`"
    return f"{kind} `{label}`" if last.endswith("]") else f"{kind} of `{label}`"


def innermost(segment: str) -> str:
    """What a construct without a label is told by: `poll` of `loop(first_of(poll))`."""
    while segment.endswith(")") and "(" in segment:
        segment = segment[segment.index("(") + 1 : -1]
    return segment.partition("~")[0]


def time_of(timer: ir.Timer) -> str:
    """The time as it was written."""
    return timer.text or (f"{timer.seconds:g} s" if timer.seconds is not None else "the time")


def _awaited(trigger: ir.Receive | ir.Timer) -> str:
    return trigger.event if isinstance(trigger, ir.Receive) else time_of(trigger)


def _first(statement: Anything) -> Anything:
    """What happens first, through sequences: the sequence itself where it is empty."""
    while True:
        if isinstance(statement, ir.Sequence) and statement.parts:
            statement = statement.parts[0]
        elif isinstance(statement, (ir.Tolerant, ir.Spare)):
            statement = statement.body
        else:
            break
    return statement

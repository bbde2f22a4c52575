"""What a diagram of all reachable states tells of an examination, where there is one in the time given."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.temporal.symbolic import branching
from placet.engines.diagrams.diagram import LimitError
from placet.logic.state import Dead, Fireable
from placet.logic.temporal import is_ctl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from placet.analysis.contest.context import Context
    from placet.analysis.temporal.symbolic import Symbolic
    from placet.engines.diagrams.diagram import Diagram
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula


def ask(context: Context, until: float, question: Callable[[Diagram], bool | None]) -> bool | None:
    """The answer of a diagram; None where there is none until then, or the question takes longer."""
    diagram = context.diagram(until)
    if diagram is None:
        return None
    context.hurry(until)
    try:
        return question(diagram)
    except (LimitError, MemoryError):
        return None


def reachable(
    context: Context, goals: Mapping[int, Predicate], until: float, answer: Callable[[int, bool], None]
) -> None:
    """Tell of each predicate whether some reachable state has it."""
    diagram = context.diagram(until)
    left = len(goals)
    for number, goal in list(goals.items()):
        now = monotonic()
        if diagram is None or now >= until:
            return
        context.hurry(now + (until - now) / left if left > 1 else until)
        left -= 1
        try:
            found = diagram.where(goal)
        except (LimitError, MemoryError):
            continue
        answer(number, found != 0)


def greatest(context: Context, asked: Mapping[str, tuple[int, ...]], until: float) -> Iterable[tuple[str, int]]:
    """By name, the greatest sum of tokens on the places."""
    diagram = context.diagram(until)
    for name, places in list(asked.items()):
        if diagram is None or monotonic() >= until:
            return
        yield name, diagram.greatest((p, 1) for p in places)


def has_deadlock(diagram: Diagram) -> bool:
    """Whether a dead state can be reached."""
    return diagram.where(Dead()) != 0


def is_one_safe(context: Context, diagram: Diagram) -> bool:
    """Whether no place ever holds two tokens."""
    return all(most <= 1 for _, most in diagram.bounds[: len(context.initial)])


def is_quasi_live(context: Context, diagram: Diagram) -> bool:
    """Whether every transition is enabled in some state."""
    return len(diagram.firings) == len(context.net.transitions)


def is_stable(context: Context, diagram: Diagram) -> bool:
    """Whether some place always holds the same."""
    return any(least == most for least, most in diagram.bounds[: len(context.initial)])


def is_live(context: Context, diagram: Diagram) -> bool:
    """Whether from every state every transition can become enabled again."""
    if not is_quasi_live(context, diagram) or has_deadlock(diagram):
        return False
    firings = diagram.firings
    for t in sorted(firings, key=firings.__getitem__):
        if diagram.leading_to(diagram.where(Fireable(t))) != diagram.all:
            return False
    return True


def holds(context: Context, formula: Formula, symbolic: Symbolic, *, linear: bool) -> bool | None:
    """Whether a formula holds initially; None where it is none that sets of states can tell."""
    said: Formula | None = branching(formula) if linear else formula if is_ctl(formula) else None
    return None if said is None else symbolic.holds(said, context.initial)

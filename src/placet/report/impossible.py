"""What can never happen, and the input that never arrives for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import NeverHolds
from placet.logic.state import support
from placet.net.roles import Kind
from placet.report.run import events_never, phrase_of, transition_name
from placet.report.words import listed, quoted, short
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.compiled import Compiled
    from placet.net.roles import Step
    from placet.report.run import Run


class _Cause(NamedTuple):
    """Why something never happens: an event that never arrives, a place that never gets anything, or some never at once."""

    event: int = -1
    root: int = -1
    together: tuple[int, ...] = ()


def dead_transitions(run: Run) -> list[int]:
    """The transitions that a claim of impossibility is about."""
    if run.violated.culprits:
        return [t for t in run.violated.culprits if t < len(run.compiled.net.transitions)]
    claim = run.violated.claim
    return sorted(support(claim.predicate)[1]) if isinstance(claim, NeverHolds) else []


def dead_steps(run: Run) -> list[str]:
    """What the user wrote that can never happen, in backticks, each once."""
    names = _names(run.compiled)
    return list(dict.fromkeys(names.get(t) or transition_name(run.compiled, t) for t in dead_transitions(run)))


def dead_undos(run: Run) -> list[Step]:
    """The steps that can happen, and whose undos are among what cannot."""
    roles = run.compiled.roles
    dead = {(roles.transitions[t].step, roles.transitions[t].direction) for t in dead_transitions(run)}
    return [s for s in roles.steps if s.undo and (s.id, "undo") in dead and (s.id, "forward") not in dead]


def blocked_ways(run: Run) -> list[tuple[str, str]]:
    """Parallel ways that never get done because the process ends inside them, as (way, end): what waits for them is dead."""
    compiled, reachable, found = run.compiled, _could_be_marked(run.compiled), []
    ends = [t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.END]
    for t in dead_transitions(run):
        root = _cause(compiled, t, reachable).root
        origin = compiled.origin.places[root] if root >= 0 else None
        way, _, part = compiled.net.places[root].rpartition("#") if root >= 0 else ("", "", "")
        if origin is None or origin.span is None or part != "done" or f"{way}#start" not in compiled.net.places:
            continue
        for e in ends:
            span = compiled.origin.transitions[e].span
            if span is not None and origin.span.start <= span.start and span.end <= origin.span.end:
                found.append((phrase_of(run, root).removesuffix(" is done"), transition_name(compiled, e)))
    return list(dict.fromkeys(found))


def never_reasons(run: Run) -> Iterator[str]:
    """Clauses that say why, what stands first in the file first; what has one cause is told together."""
    dead = dead_transitions(run)
    if not dead:
        for _, text in run.query.atoms:
            yield f"this never holds together with the rest: {quoted(text)}"
        return
    compiled = run.compiled
    names, reachable = _names(compiled), _could_be_marked(compiled)
    groups: dict[_Cause, dict[str, None]] = {}
    direct: dict[_Cause, dict[str, None]] = {}
    for t in dead:
        name = names.get(t) or transition_name(compiled, t)
        cause = _cause(compiled, t, reachable)
        groups.setdefault(cause, {})[name] = None
        if [p for p, _ in (*compiled.net.pre[t], *compiled.net.read[t])] == [cause.root]:
            direct.setdefault(cause, {})[name] = None
    for cause, those in list(groups.items())[:4]:
        yield _told(run, cause, list(those), list(direct.get(cause, ())))


def _names(compiled: Compiled) -> dict[int, str]:
    """By transition what the user wrote it as; a plain net calls its transitions by their own names."""
    if compiled.kind == "net":
        return {}
    return {t: step_name(compiled, step, t) for step, transitions in compiled.steps for t in transitions}


def step_name(compiled: Compiled, step: str, transition: int) -> str:
    """The name of what was written: a step, the undo of one, a task that fails, a call that ends in one of its ways."""
    path, _, part = step.partition("#")
    role = compiled.roles.transitions[transition]
    if role.direction == "undo":
        return f"{transition_name(compiled, transition)} (the undo of {quoted(short(path))})"
    if part and role.kind is Kind.TASK:
        return f"{quoted(part)} of {quoted(short(path))}"
    if part and role.kind is Kind.ROUTE:
        return f"{quoted(short(path))} ending {quoted(part)}"
    if role.kind is Kind.ROUTE and step.endswith("]"):
        decision = short(step.rpartition("[")[0])
        return quoted(short(step)) if decision == short(step) else f"{quoted(short(step))} of {quoted(decision)}"
    return quoted(short(step))


def _cause(compiled: Compiled, t: int, reachable: set[int]) -> _Cause:
    needs = [p for p, _ in (*compiled.net.pre[t], *compiled.net.read[t])]
    missing = [p for p in needs if p not in reachable]
    if missing:
        root, event = _root(compiled, missing[0], reachable)
        return _Cause(event=event) if event >= 0 else _Cause(root=root)
    if t in events_never(compiled):
        return _Cause(event=t)
    return _Cause(together=tuple(dict.fromkeys(needs)))


def _told(run: Run, cause: _Cause, names: list[str], direct: list[str]) -> str:
    if cause.event >= 0:
        event = transition_name(run.compiled, cause.event)
        others = [name for name in names if name != event]
        behind = f"; {listed(others)} can only come after it" if others else ""
        return f"{event} never arrives, because nothing arrives from outside{behind}"
    need = "needs" if len(names) == 1 else "need"
    if cause.together:
        phrases = [phrase_of(run, p) for p in cause.together]
        many = " all of these at the same time" if len(phrases) > 1 else " this"
        return f"{listed(names)} {need}{many}, which never comes about: {'; '.join(phrases[:6])}"
    if direct and run.compiled.kind != "net":
        others = [name for name in names if name not in direct]
        return f"nothing ever leads to {listed(direct)}" + (
            f", and so not to {listed(others)} either" if others else ""
        )
    return f"{listed(names)} {need} this first, which never comes about: {phrase_of(run, cause.root)}"


def _could_be_marked(compiled: Compiled) -> set[int]:
    """The places that may get something, each looked at alone: more than really do, never fewer. O(arcs * rounds)."""
    net = compiled.net
    never = events_never(compiled)
    marked = {p for p, tokens in enumerate(compiled.initial) if tokens}
    lacking = [len({p for p, _ in (*net.pre[t], *net.read[t])} - marked) for t in range(len(net.transitions))]
    waiting: dict[int, list[int]] = {}
    for t in range(len(net.transitions)):
        for p in {p for p, _ in (*net.pre[t], *net.read[t])} - marked:
            waiting.setdefault(p, []).append(t)
    ready = [t for t, count in enumerate(lacking) if not count]
    while ready:
        t = ready.pop()
        if t in never:
            continue
        for p, _ in net.post[t]:
            if p in marked:
                continue
            marked.add(p)
            for u in waiting.get(p, ()):
                lacking[u] -= 1
                if not lacking[u]:
                    ready.append(u)
    return marked


def _root(compiled: Compiled, place: int, reachable: set[int]) -> tuple[int, int]:
    """Backwards over what never arrives: the first thing that does not, and the event (or -1) that would bring it.

    Where it goes round, the thing itself: whatever stands in a circle is no better a reason than it.
    """
    net = compiled.net
    producers = net.producers()
    never = events_never(compiled)
    here, seen = place, {place}
    while True:
        inputs = [p for t in producers[here] for p, _ in (*net.pre[t], *net.read[t]) if p not in reachable]
        if not inputs:
            return here, next((t for t in producers[here] if t in never), -1)
        before = [p for p in inputs if p not in seen]
        if not before:
            return place, -1
        here = before[0]
        seen.add(here)

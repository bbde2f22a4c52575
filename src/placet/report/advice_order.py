"""What to do where things happen in an order that nobody thought of.

A message told too early or overtaken, a value looked at and changed by others since, a wait that ended before what it was for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.logic.state import support
from placet.net.roles import Kind
from placet.report.advice_flow import inside
from placet.report.messages import CONSUMED
from placet.report.reasons import is_stuck, since
from placet.report.run import transition_name
from placet.report.words import quoted, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.net.roles import Delivery
    from placet.report.run import Run

_SETS = re.compile(r"#(?:sets|OutOfRange)\[(.*)\]$")


def for_order(run: Run) -> Iterator[str]:
    """Sentences about what came too early, too late or in between; at most one of them."""
    for rule in (
        _lost_signal,
        _stopped_waiting,
        _wait_for_each_other,
        _overtaken,
        _told_too_early,
        _looked_before,
        _rounds_are_over,
    ):
        found = rule(run)
        if found:
            yield found
            return


def _lost_signal(run: Run) -> str:
    """A signal came while nobody waited for it, and now somebody does."""
    net, roles = run.compiled.net, run.compiled.roles.transitions
    if not is_stuck(run):
        return ""
    waits = {
        short(run.compiled.origin.transitions[t].id).removeprefix("receive(").rstrip(")")
        for t in range(len(net.transitions))
        if roles[t].kind is Kind.EVENT and any(run.last[p] and net.places[p].endswith("#start") for p, _ in net.pre[t])
    }
    for t in run.fired:
        _, _, rest = net.transitions[t].partition("#signal.")
        name, _, what = rest.partition(".lost")
        if what and name in waits:
            return f"keep {quoted(name)} until somebody asks for it: `receive {name} buffered`"
    return ""


def _stopped_waiting(run: Run) -> str:
    """A message for a process that waited for it until a time had passed, and waits no more."""
    if run.query.check not in CONSUMED:
        return ""
    net, named = run.compiled.net, frozenset(run.violated.culprits)
    for d in run.compiled.roles.deliveries:
        if not d.process or named.isdisjoint(d.waiting):
            continue
        for n, t in enumerate(run.fired):
            role = run.compiled.roles.transitions[t]
            given_up = {p for p, _ in net.pre[t]}.intersection(p for k in d.takes for p, _ in net.pre[k])
            if role.kind is Kind.TIMER and given_up - set(d.waiting):
                return (
                    f"{quoted(d.reader)} waits for {quoted(d.event)} no longer than {role.says} (step {run.number(n)}), and it may come "
                    f"after that: let somebody take it then too, as a handler does (`on {d.event} {{ ... }}`)"
                )
    return ""


def _wait_for_each_other(run: Run) -> str:
    """Two processes are stuck, and each waits for a message that comes only after the other one has gone on."""
    if not is_stuck(run):
        return ""
    waits = {d.process: d for d in run.compiled.roles.deliveries if d.process and _is_waited_for(run, d)}
    for one, wanted in waits.items():
        for other in _behind(run, wanted.event, set()) & waits.keys() - {one}:
            back = waits[other]
            if one in _behind(run, back.event, set()):
                return (
                    f"{quoted(wanted.event)} comes only after {quoted(back.reader)} has gone on, which waits for {quoted(back.event)}, and "
                    f"that comes only after {quoted(wanted.reader)} has gone on: let one of the two send before it waits"
                )
    return ""


def _is_waited_for(run: Run, delivery: Delivery) -> bool:
    """Whether a process stands where the message would be taken."""
    net = run.compiled.net
    return any(
        all(run.last[p] >= w or net.places[p].endswith("#used") for p, w in net.pre[t] if p not in delivery.waiting)
        for t in delivery.takes
    )


def _behind(run: Run, event: str, seen: set[str]) -> set[str]:
    """The processes that send the event, or what leads to it through handlers."""
    found: set[str] = set()
    seen.add(event)
    for p in run.compiled.roles.published:
        if p.event != event:
            continue
        handled = [d.event for d in run.compiled.roles.deliveries if d.handler and d.handler == p.handler]
        if not handled:
            found.add(_process(run.compiled.origin.transitions[p.transition].id))
        for before in handled:
            if before not in seen:
                found |= _behind(run, before, seen)
    return found


def _process(identifier: str) -> str:
    return identifier.partition("/")[0]


# -- messages ----------------------------------------------------------------------------------------------------------


def _overtaken(run: Run) -> str:
    """What must never happen did in the handling of a message, while one that was sent before still waits for the same reader."""
    if run.query.check != "never" or not run.fired:
        return ""
    last = _decisive(run)
    actor = run.compiled.origin.transitions[run.fired[last]].actor if last >= 0 else ""
    taken = _taken(run, last, actor)
    if taken is None:
        return ""
    at, handled = taken
    for d in run.compiled.roles.deliveries:
        if d.reader != handled.reader or d.topic != handled.topic or d.event == handled.event:
            continue
        first, second = _published(run, d, at), _published(run, handled, at)
        if 0 <= first < second and any(run.last[p] for p in d.waiting):
            return (
                f"{quoted(handled.event)} (step {run.number(second)}) overtakes {quoted(d.event)} (step {run.number(first)}): let "
                f"{quoted(d.topic)} keep the order in which they are sent (`fifo`), or let {quoted(d.reader)} expect either first"
            )
    return ""


def _told_too_early(run: Run) -> str:
    """Somebody acts on a message whose sender turns back afterwards, or had not yet done what the formula asks for."""
    if run.query.check != "never":
        return ""
    begun, roles, origin = since(run), run.compiled.roles.transitions, run.compiled.origin.transitions
    for reached in begun:
        if reached is None or reached < 0:
            continue
        taken = _taken(run, reached, origin[run.fired[reached]].actor)
        if taken is None:
            continue
        sent = _published(run, taken[1], taken[0])
        sender = _process(origin[run.fired[sent]].id) if sent >= 0 else ""
        event, reader = quoted(taken[1].event), quoted(taken[1].reader)
        undone = (
            n
            for n in range(sent + 1, len(run.fired))
            if _process(origin[run.fired[n]].id) == sender and _gives_up(run, n)
        )
        if sender and next(undone, -1) > 0 and any(b is not None and b != reached for b in begun):
            return (
                f"{event} (step {run.number(sent)}) tells {reader} of something that {quoted(sender)} takes back afterwards: publish "
                "it when nothing can fail or be called off any more, or publish another message that takes it back"
            )
        for (predicate, words), held in zip(run.query.atoms, begun, strict=True):
            if held == -1 and words.startswith("not ") and predicate is not None and sender:
                later = words.removeprefix("not ").partition(".")[0]
                steps = {short(o.id) for t, o in enumerate(origin) if _process(o.id) == sender and roles[t].step}
                if later in steps:
                    return f"{event} is published before {quoted(later)} is done: publish it behind {quoted(later)}"
    return ""


def _gives_up(run: Run, n: int) -> bool:
    role = run.compiled.roles.transitions[run.fired[n]]
    return role.commits or (role.direction == "undo" and role.kind is Kind.SEND)


def _decisive(run: Run) -> int:
    """Where in the run the last of what the formula asks came true; -1 where it was so from the start."""
    begun = [n for n in since(run) if n is not None]
    return max(begun, default=-1)


def _taken(run: Run, until: int, actor: str) -> tuple[int, Delivery] | None:
    """The last message that the handler or process `actor` took up to there: where, and of which delivery."""
    for n in range(until, -1, -1):
        for d in run.compiled.roles.deliveries:
            if run.fired[n] in d.takes and (d.handler or d.process) == actor:
                return n, d
    return None


def _published(run: Run, delivery: Delivery, before: int) -> int:
    """Where the last message of that delivery was published before a step; -1 where it came from outside."""
    senders = {p.transition for p in run.compiled.roles.published if p.event == delivery.event}
    return next((n for n in range(before - 1, -1, -1) if run.fired[n] in senders), -1)


# -- data --------------------------------------------------------------------------------------------------------------


def _looked_before(run: Run) -> str:
    """A choice looked at a variable, others changed it, and then came what the choice had made sure of."""
    if run.query.check != "never" or not run.fired:
        return ""
    origin = run.compiled.origin.transitions
    asked = support(run.query.predicate)[0] if run.query.predicate is not None else ()
    wanted = {_variable(run, p) for p in asked if p < run.width} - {""}
    last = next((n for n in range(len(run.fired) - 1, -1, -1) if _changes(run, n, wanted)), -1)
    if last < 0:
        return ""
    for name in _changes(run, last, wanted):
        looked = next((n for n in range(last - 1, -1, -1) if _looks(run, n, last, name)), -1)
        others = [
            n for n in range(looked + 1, last) if name in _changes(run, n, {name}) and run.fired[n] != run.fired[last]
        ]
        if looked < 0 or not others:
            continue
        now, then = origin[run.fired[last]], origin[run.fired[others[-1]]]
        if now.actor == then.actor and not any(run.compiled.net.transitions[t].endswith("#fork") for t in run.fired):
            continue
        return (
            f"{transition_name(run.compiled, run.fired[last])} relies on {quoted(name)} as it was in step {run.number(looked)}, and "
            f"{transition_name(run.compiled, run.fired[others[-1]])} has changed it since (step {run.number(others[-1])}): let only one of them look "
            f"and change at a time (`pool turn 1`, `with turn {{ ... }}`), or look again"
        )
    return ""


def _variable(run: Run, place: int) -> str:
    name, found, _ = run.compiled.net.places[place].rpartition("#is.")
    return short(name) if found else ""


def _changes(run: Run, n: int, wanted: set[str]) -> list[str]:
    """The variables that a step of the run changes, of those that the formula asks for; all where it fails over one."""
    t = run.fired[n]
    name = run.compiled.net.transitions[t]
    if not _SETS.search(name):
        return []
    net = run.compiled.net
    before = [p for p, _ in (*net.pre[t], *net.read[t])]
    touched = [v for p in before if (v := _variable(run, p))]
    return touched if "#OutOfRange[" in name else [v for v in touched if v in wanted]


def _looks(run: Run, n: int, last: int, variable: str) -> bool:
    """Whether a step is the choice of a way that the last one lies on, and looks at the variable."""
    t, net = run.fired[n], run.compiled.net
    origin = run.compiled.origin.transitions
    if "#choose" not in net.transitions[t]:
        return False
    sees = any(_variable(run, p) == variable for p, _ in (*net.pre[t], *net.read[t]))
    return sees and inside(run, run.fired[last], origin[t])


def _rounds_are_over(run: Run) -> str:
    """A loop ended since its rounds were used up, and what it was for still holds."""
    if run.query.check != "never":
        return ""
    begun, net = since(run), run.compiled.net
    for (predicate, words), held in zip(run.query.atoms, begun, strict=True):
        variables = {_variable(run, p) for p in support(predicate)[0] if p < run.width} - {""}
        for n, t in enumerate(run.fired):
            if not net.transitions[t].endswith("#leave.last") or held is None or held > n:
                continue
            if variables.intersection(_variable(run, p) for p, _ in (*net.pre[t], *net.read[t])):
                return (
                    f"the loop also ends when its rounds are used up, and {quoted(words)} then still holds: look again behind it "
                    f"(`choice {{ when {words} {{ ... }} otherwise {{ ... }} }}`)"
                )
    return ""

"""What holds calls back from a service: a circuit breaker, a bulkhead, a limit of the rate (docs/semantics.md shows the nets).

All steps on a service share them, also those of other processes in the net and of a second run. A call that is held back either waits where it is
or is refused at once: no request has left, so nothing was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_kinds import BULKHEAD_FULL, CIRCUIT_OPEN, RATE_LIMITED
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.call_parts import Attempt, Call
    from placet.net.roles import Role

WELL, ILL = -1, 1  # what an answer says of its service


class Answer(NamedTuple):
    """How a call may come to an end: what else that takes and gives, and what is said of it."""

    suffix: str
    pre: tuple[int, ...]  # the place where it is waited for among them
    post: tuple[int, ...] = ()
    words: str = ""


class Blocked(NamedTuple):
    """What refuses a call at once: the name of the error, what must hold, and what is said of it."""

    error: str
    suffix: str
    held: tuple[int, ...]
    words: str


def sends(call: Call, name: str, ready: int, attempt: Attempt, phrase: str, role: Role) -> list[int]:
    """The transitions by which an attempt is made."""
    guard = call.guard
    given = (attempt.request, attempt.waiting)
    if guard is None:
        return [call.does(name, (ready,), given, phrase, role)]
    guard.waited(attempt.waiting, attempt.probing)
    takes, gives = ((guard.left,), (guard.spent,)) if guard.left >= 0 else ((), ())
    if guard.closed < 0:
        return [call.does(name, (ready, *takes), (*given, *gives), phrase, role)]
    pre, post = (ready, guard.closed, *takes), (*given, guard.closed, *gives)
    made = [call.does(name, pre, post, phrase, role)]
    probe = f"{phrase}, the one call that its circuit breaker lets through"
    post = (attempt.request, attempt.probing, *gives)
    made.append(call.does(f"{name}.probe", (ready, guard.half, *takes), post, probe, role))
    call.draft.quiet.add(made[1])
    return made


def answers(call: Call, attempt: Attempt, health: int) -> list[Answer]:
    """How an attempt that is waited for comes to an end: with what the circuit breaker of its service makes of it."""
    guard = call.guard
    plain = (attempt.waiting,)
    if guard is None or guard.closed < 0:
        return [Answer("", plain)]
    failures, probing = guard.failures, (attempt.probing,)
    breaker = f"the circuit breaker of `{call.service}`"
    if health == WELL:
        closes = Answer(".probe", probing, (guard.closed,), f", and {breaker} closes")
        if len(failures) == 1:
            return [Answer("", plain), closes]
        first = failures[0]
        return [
            *(Answer(f".after[{n}]" if n else "", (*plain, p), (first,)) for n, p in enumerate(failures)),
            closes,
        ]
    counted = [
        Answer(f".failure[{n + 1}]", (*plain, guard.closed, p), (guard.closed, failures[n + 1]))
        for n, p in enumerate(failures[:-1])
    ]
    return [
        Answer("", (*plain, guard.away), (guard.away,)),
        *counted,
        Answer(".opens", (*plain, guard.closed, failures[-1]), (guard.open, failures[0]), f", and {breaker} opens"),
        Answer(".probe", probing, (guard.open,), f", and {breaker} opens again"),
    ]


def waited(attempt: Attempt) -> tuple[int, ...]:
    """The places where an attempt may be waited for."""
    return (attempt.waiting,) if attempt.probing < 0 else (attempt.waiting, attempt.probing)


def blocked(call: Call) -> list[Blocked]:
    """What refuses a call at once."""
    guard, service = call.guard, f"`{call.service}`"
    if guard is None:
        return []
    found = []
    if guard.closed >= 0:
        breaker = f"the circuit breaker of {service}"
        found.append(Blocked(CIRCUIT_OPEN, "", (guard.open,), f"{breaker} is open"))
        words = f"{breaker} lets only one call through"
        found.append(Blocked(CIRCUIT_OPEN, ".probing", (guard.probing,), words))
    if guard.used >= 0:
        words = f"as many calls to {service} are under way as its bulkhead has room for"
        found.append(Blocked(BULKHEAD_FULL, "", (guard.used,) * guard.limits.bulkhead, words))
    if guard.spent >= 0 and guard.limits.spent == "reject":
        words = f"{service} was asked as often as its rate allows"
        found.append(Blocked(RATE_LIMITED, "", (guard.spent,) * guard.limits.rate, words))
    return found

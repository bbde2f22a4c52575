"""Replies that are taken for others: `correlation step`, `correlation name`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_limits import WELL, answers
from placet.compile.call_parts import FORWARD
from placet.net.roles import Kind

if TYPE_CHECKING:
    from placet.compile.call_parts import Attempt, Call


def mistaken(call: Call, attempts: list[Attempt]) -> None:
    """The reply to another attempt, another round or another instance is taken for the one that is waited for.

    Attempts are of one scope, rounds and instances are not. Of these only the number tells one from the other, which is not in the name.
    """
    agenda, stmt = call.agenda, call.stmt
    for a, attempt in enumerate(attempts, start=1):
        for b, other in enumerate(attempts, start=1):
            if a != b:
                _takes(call, (a, attempt), f"known[{a}]@[{b}]", other.ok, None)
    if stmt.correlation != "name":
        return
    copies = agenda.copies.setdefault(stmt.name.partition("[")[0], [])
    for other_call, others in copies:
        for a, attempt in enumerate(attempts, start=1):
            for b, other in enumerate(others, start=1):
                _takes(call, (a, attempt), f"known[{a}]@{other_call.path}[{b}]", other.ok, other_call)
                _takes(other_call, (b, other), f"known[{b}]@{call.path}[{a}]", attempt.ok, call)
    copies.append((call, attempts))


def _takes(call: Call, waiting: tuple[int, Attempt], name: str, reply: int, other: Call | None) -> None:
    a, attempt = waiting
    late = (attempt.gone,) if attempt.gone >= 0 else ()
    if other is None:
        what = f"an earlier attempt of `{call.stmt.name}`"
    elif other.stmt.name == call.stmt.name:
        what = f"another call of `{call.stmt.name}`"
    else:
        what = f"`{other.stmt.name}`"
    phrase = f"`{call.saga}` takes the reply to {what} for the one that it waits for"
    role = call.role(Kind.REPLY, FORWARD, a)._replace(how="" if other is None else "other", ails=WELL)
    for answer in answers(call, attempt, WELL):
        pre, post = (*answer.pre, reply), (call.ports.done, *late, *answer.post)
        made = call.does(name + answer.suffix, pre, post, phrase + answer.words, role)
        call.draft.quiet.add(made)
        call.draft.step(call.stmt.id, made)

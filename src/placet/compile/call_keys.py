"""Idempotency keys: whose they are, and how long a service remembers them (docs/semantics.md shows the nets).

A key is kept for a run, or for each of its numbered attempts. With a lifetime the service may have forgotten it when a request comes so late
that nobody waits for it any more, or when the attempts themselves take longer than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_kinds import last_attempt
from placet.compile.call_parts import FORWARD
from placet.durations import said
from placet.net.roles import Kind

if TYPE_CHECKING:
    from placet.compile.call_parts import Attempt, Call, Record


def own_key(call: Call, a: int, *, again: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The records that the key of an attempt is new to the service, and that it has seen it; nothing where a key is the run's.

    An attempt that is made for ever has a new key each time.
    """
    if not call.idempotent or call.stmt.per != "attempt" or again:
        return (), ()
    new = call.record(f"key.new[{a}]", f"`{call.service}` has not seen the key of attempt {a}", 1, call.service)
    seen = call.record(f"key.seen[{a}]", f"`{call.service}` knows the key of attempt {a}", 0, call.service)
    return (new,), (seen,)


def forgotten(call: Call, a: int, attempt: Attempt, record: Record, *, again: bool) -> None:
    """A request that comes when its key is forgotten is taken for a new one."""
    ttl = call.stmt.ttl
    if ttl is None or not (call.idempotent or call.barrier):
        return
    kept = f"`{call.service}` may forget the key of `{call.stmt.name}` after {said(ttl)}"
    call.draft.trusted.append(kept)
    late = () if again or (a > 1 and last_attempt(call.stmt, a) >= ttl) else (attempt.gone,)
    role = call.role(Kind.APPLY, FORWARD, a)
    done = f"`{call.stmt.name}` is applied at `{call.service}`"
    why = f"its key was forgotten after {said(ttl)}"
    cases = [("applied", record.applied, "repeat", f"{done} once more: {why}")] if call.idempotent else []
    if record.undone >= 0:
        cases.append(("undone", record.undone, "revive", f"{done} after it was undone: {why}"))
    if record.cancelled >= 0:
        cases.append(("cancelled", record.cancelled, "", f"{done}, though it was cancelled: {why}"))
    for label, place, how, phrase in cases:
        pre, post = (attempt.request, place, *late), (attempt.ok, record.applied, *late)
        made = call.there(f"forgotten.{label}[{a}]", pre, post, phrase, role._replace(how=how))
        call.draft.quiet.add(made)

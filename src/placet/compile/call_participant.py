"""What a service does with a request, by what it remembers of the step and of the keys of its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_keys import forgotten, own_key
from placet.compile.call_parts import FORWARD
from placet.net.roles import Kind

if TYPE_CHECKING:
    from placet.compile.call_parts import Attempt, Call, Record


def participant(call: Call, a: int, attempt: Attempt, record: Record, *, again: bool = False) -> None:
    """What the service does with a request, by what it remembers of the step; `again`: this attempt is made for ever."""
    name, service = call.stmt.name, call.service
    request, ok = attempt.request, attempt.ok
    if record.fresh < 0:
        call.there(
            f"answer[{a}]", (request,), (ok,), f"`{service}` answers `{name}`", call.role(Kind.IGNORE, FORWARD, a)
        )
        return
    apply = call.role(Kind.APPLY, FORWARD, a)
    done = f"`{name}` is applied at `{service}`"
    new, seen = own_key(call, a, again=again)
    call.there(f"apply[{a}]", (request, record.fresh, *new), (ok, record.applied, *seen), done, apply)
    quiet = call.draft.quiet
    held = (request, record.applied)
    told = ok if attempt.exists < 0 else attempt.exists
    known = f"`{service}` has applied `{name}` already and only answers"
    more = " once more" if not new else f" once more: attempt {a} has a key of its own"
    if call.idempotent and not call.keyless(again):
        repeats = call.role(Kind.IGNORE, FORWARD, a, how="repeat")
        quiet.add(call.there(f"repeat[{a}]", (*held, *seen), (told, record.applied, *seen), known, repeats))
    if not call.idempotent or new or call.keyless(again):
        repeats = call.role(Kind.APPLY, FORWARD, a, how="repeat")
        label = f"repeat[{a}]" if not new else f"repeat.new[{a}]"
        quiet.add(call.there(label, (*held, *new), (ok, record.applied, *seen), done + more, repeats))
    if record.undone >= 0:
        held = (request, record.undone)
        if call.barrier:
            _refuses(call, a, attempt, record.undone, "undone")
        else:
            if call.idempotent and not call.keyless(again):
                revives = call.role(Kind.IGNORE, FORWARD, a, how="revive")
                quiet.add(call.there(f"revive[{a}]", (*held, *seen), (told, record.undone, *seen), known, revives))
            if not call.idempotent or new or call.keyless(again):
                revives = call.role(Kind.APPLY, FORWARD, a, how="revive")
                label = f"revive[{a}]" if not new else f"revive.new[{a}]"
                after = f"{done} after it was undone"
                quiet.add(call.there(label, (*held, *new), (ok, record.applied, *seen), after, revives))
    if record.cancelled >= 0:
        _refuses(call, a, attempt, record.cancelled, "cancelled")
    forgotten(call, a, attempt, record, again=again)


def _refuses(call: Call, a: int, attempt: Attempt, place: int, why: str) -> None:
    phrase = f"`{call.service}` refuses `{call.stmt.name}`, which was {why}"
    pre, post = (attempt.request, place), (attempt.errors[0][1], place)
    made = call.there(f"refuse.{why}[{a}]", pre, post, phrase, call.role(Kind.REFUSE, FORWARD, a))
    call.draft.quiet.add(made)

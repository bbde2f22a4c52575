"""What the net of a call and that of its undo have in common: their places, messages and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_kinds import CALL_KINDS, definite, exists
from placet.compile.draft import CHANNEL, RECORD
from placet.compile.service_guard import guard_of
from placet.durations import said
from placet.ir.model import Policy
from placet.net.roles import Channel, Kind, Role
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.draft import Draft
    from placet.compile.env import Agenda, Env, Ports
    from placet.ir.model import Step

REJECTED = "rejected"  # the error name of a refusal without a name
TIMEOUT = "timeout"
UNKNOWN = "unknown"
FORWARD = "forward"
UNDO = "undo"


class Record(NamedTuple):
    """What the participant remembers of a step; -1 where it never needs to."""

    fresh: int = -1
    applied: int = -1
    undone: int = -1
    cancelled: int = -1


class Attempt(NamedTuple):
    """The places of one attempt. `errors` are the replies that say no, by name; `due` is -1 without a time-out."""

    request: int
    waiting: int
    ok: int
    errors: tuple[tuple[str, int], ...]
    due: int
    gone: int
    probing: int = -1  # where it is waited for if a circuit breaker let it through to see how its service does
    exists: int = -1  # the reply that it was carried out before, where that is no `ok`


class Call:
    """One step while its net is made: names that every part needs."""

    def __init__(self, agenda: Agenda, stmt: Step, ports: Ports, env: Env) -> None:
        self.agenda = agenda
        self.draft: Draft = agenda.draft
        self.stmt = stmt
        self.ports = ports
        self.env = env
        self.policy = env.policy or Policy()
        self.path = env.path(stmt.id)
        self.prefix = f"{self.path}#"
        self.actor = env.frame.path
        self.saga = env.frame.name
        self.service = stmt.service
        self.guarantees = stmt.guarantees
        self.idempotent = "idempotent" in stmt.guarantees
        self.barrier = "rejects_after_cancel" in stmt.guarantees
        log = self.policy.register == "log"  # who undoes by the participant's own log undoes nothing that is not in it
        self.null_safe = self.barrier or "null_safe" in stmt.guarantees or log
        self.timed = stmt.timeout is not None
        unclear = self.timed or any(rule.action == "unknown" for rule in stmt.errors)
        pointless = stmt.read_only or stmt.retriable  # no effect to ask about, or asked for again whatever became of it
        self.asks = self.policy.on_unknown == "ask" and unclear and not pointless
        self.asking = (
            self.place("asking", f"`{self.service}` is asked what became of `{stmt.name}`") if self.asks else -1
        )
        self.guard = guard_of(self.draft, self.service, stmt.limits, self.actor)
        agenda.timed = agenda.timed or self.guard is not None
        self.forgets = self.timed or bool(
            env.stops or env.heard
        )  # a call may be given up while its reply is on its way

    def keyless(self, again: bool) -> bool:  # noqa: FBT001
        """Whether the service cannot recognise an attempt, since it has a new key each time it is made."""
        return again and self.stmt.per == "attempt"

    def place(self, name: str, phrase: str) -> int:
        """A control place of the coordinator."""
        place = self.draft.place(self.prefix + name, self.stmt.id, phrase, self.stmt.span, self.actor)
        for inside in self.env.held:
            inside.append(place)
        return place

    def message(self, name: str, phrase: str) -> int:
        """A place for messages in flight."""
        stmt = self.stmt
        return self.draft.place(self.prefix + name, stmt.id, phrase, stmt.span, self.actor, CHANNEL, 0, self.service)

    def record(self, name: str, phrase: str, tokens: int = 0, service: str = "") -> int:
        """A place that remembers."""
        stmt = self.stmt
        return self.draft.place(self.prefix + name, stmt.id, phrase, stmt.span, self.actor, RECORD, tokens, service)

    def does(self, name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str, role: Role) -> int:
        """A transition of the coordinator."""
        stmt = self.stmt
        return self.draft.transition(self.prefix + name, pre, post, stmt.id, phrase, stmt.span, self.actor, role)

    def there(self, name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str, role: Role) -> int:
        """A transition of the participant."""
        stmt = self.stmt
        service = self.service
        return self.draft.transition(
            self.prefix + name, pre, post, stmt.id, phrase, stmt.span, self.actor, role, service
        )

    def role(self, kind: Kind, direction: str, attempt: int, says: str = "", *, how: str = "", ails: int = 0) -> Role:
        """A role of this step."""
        if kind is Kind.TIMER and self.stmt.timeout is not None:
            says = said(self.stmt.timeout)
        return Role(kind, self.path, direction, attempt, self.service, "", how, False, "", False, says, ails)


def attempt_of(call: Call, a: int, names: list[str], direction: str = FORWARD, waiting: int = -1) -> Attempt:
    """The places of one attempt; `waiting` is the place where its reply is waited for, if there is one already."""
    stmt = call.stmt
    undo = direction == UNDO
    name = stmt.undo.name if undo and stmt.undo else stmt.name
    p = "undo." if undo else ""
    timed = stmt.timeout is not None
    refused = f"an error reply of `{name}` is on its way"
    return Attempt(
        call.message(f"{p}request[{a}]", f"the request for `{name}` is on its way"),
        call.place(f"{p}waiting[{a}]", f"waiting for the reply of `{name}`") if waiting < 0 else waiting,
        call.message(f"{p}ok[{a}]", f"the reply of `{name}` is on its way"),
        tuple([(n, call.message(f"{p}{'error.' + n if n else REJECTED}[{a}]", refused)) for n in names]),
        call.record(f"{p}due[{a}]", f"the reply of `{name}` is late") if timed else -1,
        call.record(f"{p}gone[{a}]", f"nobody waits any more for attempt {a} of `{name}`")
        if timed or (not undo and (call.forgets or stmt.ttl is not None or stmt.correlation == "name"))
        else -1,
        call.place(
            f"{p}waiting[{a}].probe", f"waiting for the reply of `{name}`, which shows how `{call.service}` does"
        )
        if call.guard is not None and call.guard.closed >= 0
        else -1,
        call.message(f"{p}error.{known}[{a}]", f"the reply that `{name}` was done before is on its way")
        if not undo and (known := exists(stmt))
        else -1,
    )


def absorb(call: Call, direction: str, a: int, attempt: Attempt) -> None:
    """Late replies of an attempt that nobody waits for are thrown away."""
    p = "undo." if direction == UNDO else ""
    role = call.role(Kind.ABSORB, direction, a)
    name = call.stmt.undo.name if direction == UNDO and call.stmt.undo else call.stmt.name
    phrase = f"a late reply of `{name}` is thrown away"
    after = (attempt.gone,)
    known = ((exists(call.stmt), attempt.exists),) if attempt.exists >= 0 else ()
    for label, place in (("ok", attempt.ok), *known, *attempt.errors):
        made = call.does(f"{p}late.{label or REJECTED}[{a}]", (place, attempt.gone), after, phrase, role)
        call.draft.quiet.add(made)


def channels_of(call: Call, direction: str, a: int, attempt: Attempt, again: tuple[str, ...]) -> None:
    """The messages of one attempt; `again` names the outcomes after which it is made once more."""
    add = call.draft.channels.append
    path, due = call.path, attempt.due
    kind = CALL_KINDS.get(call.stmt.via)
    sure = definite(call.stmt)
    asked, told = (kind.request, kind.reply) if kind is not None else ((), ())
    ok, errors = attempt.ok, attempt.errors
    add(Channel(attempt.request, path, direction, "request", a, due, -1, errors, ok, again, sure, asked))
    for place in (ok, *((attempt.exists,) if attempt.exists >= 0 else ()), *(p for _, p in errors)):
        add(Channel(place, path, direction, "reply", a, due, -1, (), -1, again, never=told))

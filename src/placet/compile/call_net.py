"""The net of a call: a request whose outcome the coordinator may never learn (docs/semantics.md, first picture).

ready -> request[a] + waiting[a]; the participant applies, ignores or refuses by what it remembers (`fresh`, `applied`,
`undone`, `cancelled`: exactly one holds a token) and answers; the coordinator learns the reply. A time-out takes
`waiting[a]` and `due[a]`, and only a message that is lost or slow marks `due[a]`: without faults no time-out fires, and
no inhibitor arc is needed. After a time-out `gone[a]` stays marked, and late replies of that attempt are thrown away;
late requests stay in flight and are carried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.compile.draft import CHANNEL, RECORD
from placet.compile.env import backwards
from placet.compile.ports import asks, waits_here
from placet.ir.model import Policy
from placet.net.roles import Channel, Kind, Role
from placet.net.roles import Step as StepRecord

if TYPE_CHECKING:
    from placet.compile.draft import Draft
    from placet.compile.env import Agenda, Env, Ports, Throw
    from placet.ir.model import ErrorRule, Step

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
        self.forgets = self.timed or bool(env.stops)  # a call may be given up while its reply is on its way

    def place(self, name: str, phrase: str) -> int:
        """A control place of the coordinator."""
        return self.draft.place(self.prefix + name, self.stmt.id, phrase, self.stmt.span, self.actor)

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

    def role(self, kind: Kind, direction: str, attempt: int) -> Role:
        """A role of this step."""
        return Role(kind, self.path, direction, attempt, self.service)


def step(agenda: Agenda, stmt: Step, ports: Ports, env: Env) -> None:
    """A step of a saga: its call, and from its undo port the call of its undo."""
    call = Call(agenda, stmt, ports, env)
    draft = agenda.draft
    name = stmt.name
    record = Record()
    if not stmt.read_only:
        record = Record(
            call.record("record.fresh", f"`{call.service}` has not applied `{name}`", 1, call.service),
            call.record("record.applied", f"`{name}` is applied at `{call.service}`", 0, call.service),
            call.record("record.undone", f"`{name}` was applied at `{call.service}` and undone", 0, call.service)
            if stmt.undo
            else -1,
            call.record("record.cancelled", f"`{call.service}` remembers that `{name}` was cancelled", 0, call.service)
            if stmt.undo and call.barrier
            else -1,
        )
    draft.saga_steps.append(
        StepRecord(
            call.path,
            call.actor,
            call.service,
            stmt.undo.name if stmt.undo else "",
            stmt.pivot,
            stmt.retriable,
            stmt.read_only,
            tuple(sorted(call.guarantees)),
            tuple([env.path(s) for s in stmt.after]),
            -1,
            stmt.undo is not None and stmt.undo.input == "reply",
        )
    )
    asks(agenda, env, ports, stmt, call.path)
    _forward(call, record)
    if stmt.pivot:
        made = call.does(
            "past", (ports.undo,), (env.failed,), f"`{call.saga}` cannot go back behind `{name}`", Role(Kind.ROUTE)
        )
        draft.quiet.add(made)
    elif stmt.undo:
        _undo(call, record)


# -- forward ---------------------------------------------------------------------------------------------------------


def _rules(stmt: Step) -> list[tuple[str, ErrorRule | None]]:
    """The error replies of a step by name, the unnamed one first, each with its rule."""
    named = [(r.error, r) for r in stmt.errors if r.error not in ("other", TIMEOUT)]
    other = next((r for r in stmt.errors if r.error == "other"), None)
    return [("", other), *named]


def stops_at_timeout(stmt: Step) -> str:
    """`halt` or `escalate` where a time-out stops the saga, else empty."""
    return next((r.action for r in stmt.errors if r.error == TIMEOUT and r.action in ("halt", "escalate")), "")


def _forward(call: Call, record: Record) -> None:
    stmt = call.stmt
    rules = _rules(stmt)
    attempts = 1 + max([stmt.retry, *(rule.retry for _, rule in rules if rule is not None)])
    policy = call.policy
    ready = call.ports.start
    made: list[tuple[int, Attempt]] = []
    for a in range(1, attempts + 1):
        if a > 1:
            ready = call.place(f"ready[{a}]", f"`{stmt.name}` is to be tried again")
        made.append((ready, _attempt(call, a, [name for name, _ in rules])))
    waits_for_ever = stmt.retriable or stmt.pivot or policy.on_unknown == "retry"
    undone = stmt.undo is not None and policy.register != "after" and not stmt.pivot
    unclear = undone and policy.undo_failing != "no" and policy.on_unknown == "undo"
    clean = undone and policy.undo_failing == "yes"
    timed = call.timed
    doubts = timed and (clean != unclear or stmt.pivot) and (attempts > 1 or waits_for_ever)
    sure = call.record("sure", f"no attempt of `{stmt.name}` has timed out", 1) if doubts else -1
    doubt = call.record("doubt", f"an attempt of `{stmt.name}` has timed out", 0) if doubts else -1
    for a, (ready, attempt) in enumerate(made, start=1):
        after = made[a][0] if a < attempts else -1
        again: list[str] = []
        if timed:
            target = after if a <= stmt.retry else -1
            if target < 0 and waits_for_ever and not stops_at_timeout(stmt):
                target = ready
                again.append(UNKNOWN)
            _times_out(call, a, attempt, target, unclear, sure, doubt)
        _learns(call, a, attempt)
        for name, rule in rules:
            _refused(call, a, attempt, name, rule, ready, after, again, (clean, unclear), (sure, doubt))
        _participant(call, a, attempt, record)
        _channels(call, FORWARD, a, attempt, tuple(again))
        _sends(call, a, ready, attempt)
        given_up = undone and policy.undo_failing != "no" and policy.on_unknown != "ignore"
        _moments(call, a, ready, attempt, (clean, given_up), (sure, doubt), again=bool(again))


def _moments(
    call: Call, a: int, ready: int, attempt: Attempt, undone: tuple[bool, bool], doubts: tuple[int, int], *, again: bool
) -> None:
    """Where a cancellation or a crash may find one attempt: about to be made, or waited for.

    `undone` says whether the step is undone itself where it is known to have failed, and where that is not known.
    """
    agenda, env, stmt, ports = call.agenda, call.env, call.stmt, call.ports
    clean, unclear = (ports.undo if itself else ports.undone for itself in undone)
    if stmt.pivot:
        unclear = -1  # it may have been carried out: there is no way back before that is known
    about = (call.path, FORWARD, 0)
    if a > 1 or again:
        sure, doubt = doubts
        if sure >= 0:
            agenda.draft.ports.pop((ready, ()), None)
            for keeps, back in [(sure, clean if a > 1 else ports.undone), (doubt, unclear)]:
                waits_here(agenda, env, ready, back, stmt, call=about, keeps=(keeps,))
        elif a > 1:
            waits_here(agenda, env, ready, unclear if call.timed else clean, stmt, call=about)
        else:  # asked for ever, and nothing tells the first time from the others
            agenda.draft.ports.pop((ready, ()), None)
    here = (call.path, FORWARD, a)
    waits_here(agenda, env, attempt.waiting, unclear, stmt, call=here, gone=attempt.gone)


def _attempt(call: Call, a: int, names: list[str], direction: str = FORWARD) -> Attempt:
    stmt = call.stmt
    undo = direction == UNDO
    name = stmt.undo.name if undo and stmt.undo else stmt.name
    p = "undo." if undo else ""
    timed = stmt.timeout is not None
    refused = f"an error reply of `{name}` is on its way"
    return Attempt(
        call.message(f"{p}request[{a}]", f"the request for `{name}` is on its way"),
        call.place(f"{p}waiting[{a}]", f"waiting for the reply of `{name}`"),
        call.message(f"{p}ok[{a}]", f"the reply of `{name}` is on its way"),
        tuple([(n, call.message(f"{p}{'error.' + n if n else REJECTED}[{a}]", refused)) for n in names]),
        call.record(f"{p}due[{a}]", f"the reply of `{name}` is late") if timed else -1,
        call.record(f"{p}gone[{a}]", f"nobody waits any more for attempt {a} of `{name}`")
        if timed or (call.forgets and not undo)
        else -1,
    )


def _sends(call: Call, a: int, ready: int, attempt: Attempt) -> None:
    name, service = call.stmt.name, call.service
    phrase = f"`{call.saga}` asks `{service}` for `{name}`" + (f", attempt {a}" if a > 1 else "")
    call.does(f"send[{a}]", (ready,), (attempt.request, attempt.waiting), phrase, call.role(Kind.SEND, FORWARD, a))


def _learns(call: Call, a: int, attempt: Attempt) -> None:
    stmt = call.stmt
    late = (attempt.gone,) if attempt.gone >= 0 else ()
    made = call.does(
        f"known[{a}]",
        (attempt.waiting, attempt.ok),
        (call.ports.done, *late),
        f"`{call.saga}` learns that `{stmt.name}` is done",
        call.role(Kind.REPLY, FORWARD, a),
    )
    call.draft.step(stmt.id, made)
    if attempt.gone >= 0:
        absorb(call, FORWARD, a, attempt)


def absorb(call: Call, direction: str, a: int, attempt: Attempt) -> None:
    """Late replies of an attempt that nobody waits for are thrown away."""
    p = "undo." if direction == UNDO else ""
    role = call.role(Kind.ABSORB, direction, a)
    name = call.stmt.undo.name if direction == UNDO and call.stmt.undo else call.stmt.name
    phrase = f"a late reply of `{name}` is thrown away"
    after = (attempt.gone,)
    for label, place in (("ok", attempt.ok), *attempt.errors):
        made = call.does(f"{p}late.{label or REJECTED}[{a}]", (place, attempt.gone), after, phrase, role)
        call.draft.quiet.add(made)


def _fails(call: Call, undo_itself: bool, error: str) -> Throw:  # noqa: FBT001
    """Where the step goes that failed for good: into its own undo, or backwards past it."""
    place = call.ports.undo if undo_itself else call.ports.undone
    return backwards(place, call.env.scope, error)


def _leaves(
    call: Call, name: str, pre: tuple[int, ...], post: tuple[int, ...], throw: Throw, phrase: str, role: Role
) -> None:
    """A transition to where a failure goes, and its twin for a scope that has an error to remember already."""
    quiet = call.draft.quiet
    role = role._replace(commits=True)
    quiet.add(call.does(name, (*pre, *throw.pre), (*post, *throw.post), phrase, role))
    if throw.later:
        before, after = throw.later
        quiet.add(call.does(f"{name}.later", (*pre, *before), (*post, *after), phrase, role))


def _times_out(call: Call, a: int, attempt: Attempt, target: int, unclear: bool, sure: int, doubt: int) -> None:  # noqa: FBT001
    stmt = call.stmt
    phrase = f"`{stmt.name}` times out waiting for `{call.service}`"
    role = call.role(Kind.TIMER, FORWARD, a)
    pre = (attempt.waiting, attempt.due)
    if target < 0 and (action := stops_at_timeout(stmt)):
        _stops(call, f"timeout[{a}]", pre, (attempt.gone,), phrase, role, action)
        return
    if target < 0:
        _leaves(call, f"timeout[{a}]", pre, (attempt.gone,), _fails(call, unclear, TIMEOUT), phrase, role)
        return
    # an attempt that is made for ever is still waited for: any reply of it will do
    after = (target,) if a > stmt.retry else (target, attempt.gone)
    if sure < 0:
        call.draft.quiet.add(call.does(f"timeout[{a}]", pre, after, phrase, role))
        return
    call.draft.quiet.add(call.does(f"timeout[{a}]", (*pre, sure), (*after, doubt), phrase, role))
    call.draft.quiet.add(call.does(f"timeout[{a}].again", (*pre, doubt), (*after, doubt), phrase, role))


def _stops(
    call: Call, name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str, role: Role, action: str
) -> None:
    """The saga ends failed, with nothing undone; somebody hears of it, or nobody does."""
    phrase = f"{phrase}, {'and a person is called' if action == 'escalate' else 'and the saga stops'}"
    role = role._replace(commits=True, escalates=action == "escalate")
    call.draft.quiet.add(call.does(name, pre, (call.env.failed, *post), phrase, role))


def _refused(
    call: Call,
    a: int,
    attempt: Attempt,
    name: str,
    rule: ErrorRule | None,
    ready: int,
    after: int,
    again: list[str],
    undone: tuple[bool, bool],
    doubts: tuple[int, int],
) -> None:
    """What the coordinator does about one error reply of one attempt."""
    stmt = call.stmt
    place = dict(attempt.errors)[name]
    pre = (attempt.waiting, place)
    label = f"error.{name}[{a}]" if name else f"refused[{a}]"
    words = f"`{call.saga}` learns that `{stmt.name}` is refused" + (f": {name}" if name else "")
    role = call.role(Kind.REPLY, FORWARD, a)
    late = (attempt.gone,) if attempt.gone >= 0 else ()
    quiet = call.draft.quiet
    retry, action = (rule.retry, rule.action) if rule is not None else (stmt.retry, "reject")
    if a <= retry and after >= 0:
        quiet.add(call.does(label, pre, (after, *late), words, role))
        return
    if action in ("escalate", "halt"):
        _stops(call, label, pre, late, words, role, action)
        return
    for_ever = stmt.retriable or (action == "unknown" and (stmt.pivot or call.policy.on_unknown == "retry"))
    if for_ever:
        again.append(name)
        quiet.add(call.does(label, pre, (ready,), words, role))
        return
    clean, unclear = undone
    sure, doubt = doubts
    error = name or REJECTED
    if action == "unknown":
        _leaves(call, label, pre, late, _fails(call, unclear, error), words, role)
        return
    if sure < 0:
        _leaves(call, label, pre, late, _fails(call, clean, error), words, role)
        return
    _leaves(call, label, (*pre, sure), (*late, sure), _fails(call, clean, error), words, role)
    if stmt.pivot:
        quiet.add(call.does(f"{label}.doubt", (*pre, doubt), (ready, doubt), f"{words}, after a time-out", role))
        return
    words = f"{words}, but an earlier attempt timed out"
    _leaves(call, f"{label}.doubt", (*pre, doubt), (*late, doubt), _fails(call, unclear, error), words, role)


def _participant(call: Call, a: int, attempt: Attempt, record: Record) -> None:
    """What the service does with a request, by what it remembers of the step."""
    name, service = call.stmt.name, call.service
    request, ok = attempt.request, attempt.ok
    if record.fresh < 0:
        call.there(
            f"answer[{a}]", (request,), (ok,), f"`{service}` answers `{name}`", call.role(Kind.IGNORE, FORWARD, a)
        )
        return
    apply = call.role(Kind.APPLY, FORWARD, a)
    done = f"`{name}` is applied at `{service}`"
    call.there(f"apply[{a}]", (request, record.fresh), (ok, record.applied), done, apply)
    quiet = call.draft.quiet
    held = (request, record.applied)
    if call.idempotent:
        known = f"`{service}` has applied `{name}` already and only answers"
        ignore = call.role(Kind.IGNORE, FORWARD, a)
        again = ignore._replace(how="repeat")
        quiet.add(call.there(f"repeat[{a}]", held, (ok, record.applied), known, again))
    else:
        again = apply._replace(how="repeat")
        quiet.add(call.there(f"repeat[{a}]", held, (ok, record.applied), f"{done} once more", again))
    if record.undone >= 0:
        held = (request, record.undone)
        if call.barrier:
            _refuses(call, a, attempt, record.undone, "undone")
        elif call.idempotent:
            quiet.add(call.there(f"revive[{a}]", held, (ok, record.undone), known, ignore._replace(how="revive")))
        else:
            after = apply._replace(how="revive")
            quiet.add(call.there(f"revive[{a}]", held, (ok, record.applied), f"{done} after it was undone", after))
    if record.cancelled >= 0:
        _refuses(call, a, attempt, record.cancelled, "cancelled")


def _refuses(call: Call, a: int, attempt: Attempt, place: int, why: str) -> None:
    phrase = f"`{call.service}` refuses `{call.stmt.name}`, which was {why}"
    pre, post = (attempt.request, place), (attempt.errors[0][1], place)
    made = call.there(f"refuse.{why}[{a}]", pre, post, phrase, call.role(Kind.REFUSE, FORWARD, a))
    call.draft.quiet.add(made)


def _channels(call: Call, direction: str, a: int, attempt: Attempt, again: tuple[str, ...]) -> None:
    add = call.draft.channels.append
    path, due = call.path, attempt.due
    add(Channel(attempt.request, path, direction, "request", a, due, -1, attempt.errors, attempt.ok, again))
    add(Channel(attempt.ok, path, direction, "reply", a, due, -1, (), -1, again))
    for _, place in attempt.errors:
        add(Channel(place, path, direction, "reply", a, due, -1, (), -1, again))


# -- undo ------------------------------------------------------------------------------------------------------------


def _undo(call: Call, record: Record) -> None:
    """The call of the undo, by the saga's policy for an undo that fails."""
    stmt, ports, policy = call.stmt, call.ports, call.policy
    name = stmt.undo.name if stmt.undo else ""
    retries = policy.undo_retries if policy.undo_retries is not None else 0
    for_ever = policy.undo_failure == "retry" and policy.undo_retries is None
    ready = ports.undo
    key = f"{stmt.id}#undo"
    for a in range(1, retries + 2):
        last = a == retries + 1
        attempt = _attempt(call, a, [""], UNDO)
        asks = f"`{call.saga}` asks `{call.service}` for `{name}`" + (f", attempt {a}" if a > 1 else "")
        made = call.does(
            f"undo.send[{a}]", (ready,), (attempt.request, attempt.waiting), asks, call.role(Kind.SEND, UNDO, a)
        )
        if a == 1:
            call.draft.step(key, made)
        late: tuple[int, ...] = (attempt.gone,) if attempt.gone >= 0 else ()
        call.does(
            f"undo.known[{a}]",
            (attempt.waiting, attempt.ok),
            (ports.undone, *late),
            f"`{call.saga}` learns that `{name}` is done",
            call.role(Kind.REPLY, UNDO, a),
        )
        forgets, words = late, "and is tried again"
        if not last:
            after = call.place(f"undo.ready[{a + 1}]", f"`{name}` is to be tried again")
        elif for_ever:
            after, forgets = ready, ()
        else:
            after, words = _gives_up(call), _GIVES_UP[policy.undo_failure]
        calls_person = last and policy.undo_failure == "escalate"
        role = call.role(Kind.REPLY, UNDO, a)._replace(escalates=calls_person)
        pre = (attempt.waiting, attempt.errors[0][1])
        call.draft.quiet.add(call.does(f"undo.refused[{a}]", pre, (after, *forgets), f"`{name}` fails {words}", role))
        if attempt.due >= 0:
            timer = call.role(Kind.TIMER, UNDO, a)._replace(escalates=calls_person)
            expires = f"`{name}` times out waiting for `{call.service}` {words}"
            pre = (attempt.waiting, attempt.due)
            call.draft.quiet.add(call.does(f"undo.timeout[{a}]", pre, (after, *forgets), expires, timer))
            absorb(call, UNDO, a, attempt)
        _undo_participant(call, a, attempt, record)
        agenda, env = call.agenda, call.env
        waits_here(agenda, env, ready, -1, stmt, call=(call.path, UNDO, 0))
        here = (call.path, UNDO, a)
        waits_here(agenda, env, attempt.waiting, -1, stmt, call=here, gone=attempt.gone)
        _channels(call, UNDO, a, attempt, ("", UNKNOWN) if last and for_ever else ())
        ready = after


_GIVES_UP = {
    "retry": "and the saga stops",
    "halt": "and the saga stops",
    "continue": "and nobody notices",
    "escalate": "and a person is called",
}


def _gives_up(call: Call) -> int:
    """Where the coordinator goes when an undo has failed for good."""
    return call.ports.undone if call.policy.undo_failure == "continue" else call.env.failed


def _undo_participant(call: Call, a: int, attempt: Attempt, record: Record) -> None:
    """What the service does with an undo, by what it remembers of the step."""
    stmt = call.stmt
    undo = stmt.undo.name if stmt.undo else ""
    service = call.service
    request, ok = attempt.request, attempt.ok
    ignore = call.role(Kind.IGNORE, UNDO, a)
    if record.fresh < 0:
        call.there(f"undo.answer[{a}]", (request,), (ok,), f"`{service}` answers `{undo}`", ignore)
        return
    quiet = call.draft.quiet
    effect = call.role(Kind.APPLY, UNDO, a)
    undoes = f"`{undo}` undoes `{stmt.name}` at `{service}`"
    call.there(f"undo.apply[{a}]", (request, record.applied), (ok, record.undone), undoes, effect)
    nothing = f"`{undo}` finds nothing to undo"
    held = (request, record.fresh)
    if call.null_safe:
        to = record.cancelled if record.cancelled >= 0 else record.fresh
        quiet.add(call.there(f"undo.null[{a}]", held, (ok, to), nothing, ignore._replace(how="null")))
    else:
        phrase = f"`{undo}` runs at `{service}` though `{stmt.name}` was never applied"
        quiet.add(call.there(f"undo.null[{a}]", held, (ok, record.fresh), phrase, effect._replace(how="null")))
    held, after = (request, record.undone), (ok, record.undone)
    if call.idempotent:
        quiet.add(call.there(f"undo.repeat[{a}]", held, after, f"{nothing} any more", ignore._replace(how="repeat")))
    else:
        again = effect._replace(how="repeat")
        quiet.add(call.there(f"undo.repeat[{a}]", held, after, f"{undoes} once more", again))
    if record.cancelled >= 0:
        held, after = (request, record.cancelled), (ok, record.cancelled)
        quiet.add(call.there(f"undo.cancelled[{a}]", held, after, nothing, ignore._replace(how="null")))

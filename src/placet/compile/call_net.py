"""The net of a call: a request whose outcome the coordinator may never learn (docs/semantics.md, first picture).

ready -> request[a] + waiting[a]; the participant applies, ignores or refuses by what it remembers (`fresh`, `applied`,
`undone`, `cancelled`: exactly one holds a token) and answers; the coordinator learns the reply. A time-out takes
`waiting[a]` and `due[a]`, and only a message that is lost or slow marks `due[a]`: without faults no time-out fires, and
no inhibitor arc is needed. After a time-out `gone[a]` stays marked, and late replies of that attempt are thrown away;
late requests stay in flight and are carried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_parts import (
    FORWARD,
    REJECTED,
    TIMEOUT,
    UNKNOWN,
    Call,
    Record,
    absorb,
    attempt_of,
    channels_of,
)
from placet.compile.call_undo import undo_call
from placet.compile.env import backwards
from placet.compile.ports import asks, waits_here
from placet.net.roles import Kind, Role
from placet.net.roles import Step as StepRecord

if TYPE_CHECKING:
    from placet.compile.call_parts import Attempt
    from placet.compile.env import Agenda, Env, Ports, Throw
    from placet.ir.model import ErrorRule, Step


def step(agenda: Agenda, stmt: Step, ports: Ports, env: Env) -> None:
    """A step of a saga: its call, and from its undo port the call of its undo."""
    call = Call(agenda, stmt, ports, env)
    draft = agenda.draft
    name = stmt.name
    record = remembered(call)
    asks(agenda, env, ports, stmt, call.path)
    _forward(call, record)
    if stmt.pivot:
        made = call.does(
            "past", (ports.undo,), (env.failed,), f"`{call.saga}` cannot go back behind `{name}`", Role(Kind.ROUTE)
        )
        draft.quiet.add(made)
    elif stmt.undo:
        undo_call(call, record)


def remembered(call: Call) -> Record:
    """The record of a step at its participant, and the step in the table of roles."""
    stmt, name = call.stmt, call.stmt.name
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
    call.draft.saga_steps.append(
        StepRecord(
            call.path,
            call.actor,
            call.service,
            stmt.undo.name if stmt.undo else "",
            stmt.pivot,
            stmt.retriable,
            stmt.read_only,
            tuple(sorted(call.guarantees)),
            tuple([call.env.path(s) for s in stmt.after]),
            -1,
            stmt.undo is not None and stmt.undo.input == "reply",
            tuple(place for place in record if place >= 0) if stmt.key else (),
            stmt.key,
            call.env.before,
        )
    )
    return record


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
        made.append((ready, attempt_of(call, a, [name for name, _ in rules])))
    waits_for_ever = not call.asks and (stmt.retriable or stmt.pivot or policy.on_unknown == "retry")
    undone = stmt.undo is not None and policy.register != "after" and not stmt.pivot
    unclear = undone and policy.undo_failing != "no" and policy.on_unknown in ("undo", "retry")
    clean = undone and policy.undo_failing == "yes"
    timed = call.timed
    told_apart = clean != unclear or (clean and policy.on_unknown == "retry")
    doubts = timed and (told_apart or stmt.pivot or call.asks) and (attempts > 1 or waits_for_ever)
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
        participant(call, a, attempt, record)
        channels_of(call, FORWARD, a, attempt, tuple(again))
        _sends(call, a, ready, attempt)
        given_up = undone and policy.undo_failing != "no" and policy.on_unknown != "ignore"
        _moments(call, a, ready, attempt, (clean, given_up), (sure, doubt), again=bool(again))
    if call.asks:
        _asked(call, record, clean)
    if stmt.correlation != "attempt":
        _mistaken(call, [attempt for _, attempt in made])


def _mistaken(call: Call, attempts: list[Attempt]) -> None:
    """The reply to another attempt, or to another round, is taken for the one that is waited for.

    Attempts are of one scope, rounds are not.
    """
    agenda, stmt = call.agenda, call.stmt
    for a, attempt in enumerate(attempts, start=1):
        for b, other in enumerate(attempts, start=1):
            if a != b:
                _takes(call, (a, attempt), f"known[{a}]@[{b}]", other.ok, "")
    if stmt.correlation != "name":
        return
    copies = agenda.copies.setdefault(stmt.id, [])
    for other_call, others in copies:
        for a, attempt in enumerate(attempts, start=1):
            for b, other in enumerate(others, start=1):
                _takes(call, (a, attempt), f"known[{a}]@{other_call.path}[{b}]", other.ok, "other")
                _takes(other_call, (b, other), f"known[{b}]@{call.path}[{a}]", attempt.ok, "other")
    copies.append((call, attempts))


def _takes(call: Call, waiting: tuple[int, Attempt], name: str, reply: int, how: str) -> None:
    a, attempt = waiting
    late = (attempt.gone,) if attempt.gone >= 0 else ()
    what = f"another call of `{call.stmt.name}`" if how else f"an earlier attempt of `{call.stmt.name}`"
    phrase = f"`{call.saga}` takes the reply to {what} for the one that it waits for"
    role = call.role(Kind.REPLY, FORWARD, a)._replace(how=how)
    made = call.does(name, (attempt.waiting, reply), (call.ports.done, *late), phrase, role)
    call.draft.quiet.add(made)
    call.draft.step(call.stmt.id, made)


def _asked(call: Call, record: Record, clean: bool) -> None:  # noqa: FBT001
    """The service says whether it has applied a step whose outcome is unknown; a question is put until it is answered.

    What it has not applied yet it may apply later, when the request arrives.
    """
    stmt, service = call.stmt, call.service
    role = call.role(Kind.REPLY, FORWARD, 0, "was done")
    asks = f"`{call.saga}` asks what became of `{stmt.name}`"
    held = (call.asking, record.applied)
    words = f"{asks}: `{service}` has applied it"
    made = call.does("told.applied", held, (call.ports.done, record.applied), words, role)
    call.draft.quiet.add(made)
    call.draft.step(stmt.id, made)
    words = f"{asks}: `{service}` has not applied it"
    role = role._replace(says="was not done")
    for name in ("fresh", "undone", "cancelled"):
        place = getattr(record, name)
        if place < 0:
            continue
        _leaves(call, f"told.{name}", (call.asking, place), (place,), _fails(call, clean, TIMEOUT), words, role)


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
    gone = attempt.gone if again else -1  # of what is asked for ever an earlier reply may still be on its way
    if a > 1 or again:
        sure, doubt = doubts
        if sure >= 0:
            agenda.draft.ports.pop((ready, ()), None)
            for keeps, back in [(sure, clean if a > 1 else ports.undone), (doubt, unclear)]:
                waits_here(agenda, env, ready, back, stmt, call=about, gone=gone, keeps=(keeps,))
        elif a > 1:
            waits_here(agenda, env, ready, unclear if call.timed else clean, stmt, call=about, gone=gone)
        else:  # asked for ever, and nothing tells the first time from the others
            agenda.draft.ports.pop((ready, ()), None)
    here = (call.path, FORWARD, a)
    waits_here(agenda, env, attempt.waiting, unclear, stmt, call=here, gone=attempt.gone)


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
    if target < 0 and call.asks:
        call.draft.quiet.add(call.does(f"timeout[{a}]", pre, (call.asking, attempt.gone), phrase, role))
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
    role = call.role(Kind.REPLY, FORWARD, a, name or REJECTED)
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
    if call.asks and action == "unknown":
        quiet.add(call.does(label, pre, (call.asking, *late), words, role))
        return
    if action == "unknown":
        _leaves(call, label, pre, late, _fails(call, unclear, error), words, role)
        return
    if sure < 0:
        _leaves(call, label, pre, late, _fails(call, clean, error), words, role)
        return
    _leaves(call, label, (*pre, sure), (*late, sure), _fails(call, clean, error), words, role)
    if stmt.pivot and not call.asks:
        quiet.add(call.does(f"{label}.doubt", (*pre, doubt), (ready, doubt), f"{words}, after a time-out", role))
        return
    words = f"{words}, but an earlier attempt timed out"
    if call.asks:
        quiet.add(call.does(f"{label}.doubt", (*pre, doubt), (call.asking, *late, doubt), words, role))
        return
    _leaves(call, f"{label}.doubt", (*pre, doubt), (*late, doubt), _fails(call, unclear, error), words, role)


def participant(call: Call, a: int, attempt: Attempt, record: Record) -> None:
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
